"""One account's settings, read once and checked: a wrong one is named with its remedy before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, cast
from urllib.parse import urlsplit

from channels.base import Account, Json

Mode = Literal["draft", "publish", "mass"]


@dataclass(frozen=True, slots=True)
class Settings:
    """See README.md for what each one does. Lengths are characters, limits come from wechat.md §3."""

    mode: Mode = "publish"
    appid: str = ""
    author: str = ""
    default_cover: str = ""
    title_limit: int = 32
    author_limit: int = 16
    author_warn: int = 8
    digest_limit: int = 128
    digest_warn: int = 120
    content_limit: int = 20_000
    content_bytes: int = 1_048_576
    image_url_reserve: int = 240
    replace_on_correction: bool = True
    need_open_comment: bool = False
    only_fans_can_comment: bool = False
    mass_tag: int = 0
    send_ignore_reprint: bool = True
    original_id: str = ""
    callback_window: int = 900
    read_timeout: float = 15.0
    time_scale: float = 1.0

    def pause(self, seconds: float) -> timedelta:
        """A pause of ours, shortened or stretched by ``time_scale``."""
        return timedelta(seconds=seconds * self.time_scale)


_KNOWN: dict[str, type] = {
    "mode": str,
    "appid": str,
    "author": str,
    "default_cover": str,
    "title_limit": int,
    "author_limit": int,
    "author_warn": int,
    "digest_limit": int,
    "digest_warn": int,
    "content_limit": int,
    "content_bytes": int,
    "image_url_reserve": int,
    "replace_on_correction": bool,
    "need_open_comment": bool,
    "only_fans_can_comment": bool,
    "mass_tag": int,
    "send_ignore_reprint": bool,
    "original_id": str,
    "callback_window": int,
    "read_timeout": float,
    "time_scale": float,
}
_TYPE_WORDS = {str: "文字", int: "整数", bool: "true 或 false", float: "数字"}


def read_settings(account: Account) -> Settings:
    """Check the account. Raises ValueError in Chinese, naming account, setting and remedy."""
    where = f"渠道账号“{account.name}”"
    values: dict[str, Json] = {}
    for key, value in account.settings.items():
        wanted = _KNOWN.get(key)
        if wanted is None:
            raise ValueError(f"{where}：不认识的设置 {key}，可用的设置见 channels/wechat/README.md")
        if not _fits(value, wanted):
            raise ValueError(f"{where}：设置 {key} 应为{_TYPE_WORDS[wanted]}，现为 {value!r}")
        values[key] = value
    settings = Settings(**cast("dict[str, object]", values))  # type: ignore[arg-type]  # checked just above, key by key
    if settings.mode not in ("draft", "publish", "mass"):
        raise ValueError(f"{where}：设置 mode 应为 draft、publish 或 mass，现为 {settings.mode!r}")
    if not settings.appid:
        raise ValueError(f"{where}：缺少设置 appid，请填写公众号的 AppID")
    if not account.secrets.get("app_secret"):
        raise ValueError(f"{where}：缺少密钥 app_secret，请在 secrets 中写明保存 AppSecret 的环境变量")
    if urlsplit(account.api_base).scheme not in ("http", "https"):
        raise ValueError(f"{where}：api_base 应为完整地址，正式环境填 https://api.weixin.qq.com，现为 {account.api_base!r}")
    if settings.time_scale < 0:
        raise ValueError(f"{where}：设置 time_scale 不能小于 0")
    key = account.secrets.get("aes_key", "")
    if key and len(key) != 43:
        raise ValueError(f"{where}：密钥 aes_key（EncodingAESKey）应为 43 个字符，现为 {len(key)} 个")
    return settings


def _fits(value: Json, wanted: type) -> bool:
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if wanted is int:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return isinstance(value, wanted)
