"""An account's own settings (``[channels.<name>.settings]``), checked once. Documented in README.md."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta

from channels.base import Json


@dataclass(frozen=True, slots=True)
class Settings:
    operator_ip: str = ""
    """Public IP of the person or office that publishes (``rip``, required by the platform since 2022-11)."""
    uid: str = ""
    """The account's numeric id; learnt from the platform when empty."""
    page_base: str = "https://weibo.com"
    """Root of the addresses that readers open."""
    safe_domains: tuple[str, ...] = ()
    """安全域名 registered for the app; empty: not checked before sending."""
    text_limit: int = 130
    """House limit in 汉字, the address included; the platform's own is 140."""
    url_length: int = 10
    """What an address costs, in 汉字."""
    url_free_bytes: int = 140
    """Addresses longer than this pay for every further byte."""
    picture_bytes: int = 5_000_000
    """Pictures must be smaller than this."""
    visible_posts: int = 5
    """How many of the newest posts the timeline shows to an ordinary app."""
    look_wait: float = 90.0
    """Seconds between an unclear answer and the first look."""
    look_gap: float = 60.0
    """Seconds between two looks before absence is believed."""
    clock_skew: float = 5.0
    """Seconds by which the platform's clock may be behind ours."""
    time_scale: float = 1.0
    """Multiplies every pause of ours; for demonstrations and tests on loopback."""
    replace_on_correction: bool = True
    """Delete the older post once the correction is out."""
    warn_days: int = 7
    """Warn this many days before the authorisation ends."""
    connect_timeout: float = 5.0
    read_timeout: float = 30.0

    def pause(self, seconds: float) -> timedelta:
        return timedelta(seconds=seconds * self.time_scale)

    @property
    def rip_problem(self) -> str:
        """Why ``operator_ip`` cannot be sent, in Chinese; empty when it can."""
        if not self.operator_ip:
            return "未设置发布人 IP（settings.operator_ip），微博要求每次发布都提供，请渠道管理员填写办公出口 IP"
        try:
            ipaddress.ip_address(self.operator_ip)
        except ValueError:
            return f"发布人 IP（settings.operator_ip）“{self.operator_ip}”不是合法的 IP 地址，请渠道管理员更正"
        return ""


_POSITIVE = ("text_limit", "url_length", "url_free_bytes", "picture_bytes", "visible_posts", "connect_timeout", "read_timeout")


def read_settings(account: str, given: Mapping[str, Json]) -> Settings:
    """Check names, types and ranges. Raises ValueError naming the setting and the remedy, in Chinese."""
    known = {f.name: f.default for f in fields(Settings)}
    values: dict[str, object] = {}
    for name, value in given.items():
        where = f"渠道账号“{account}”的设置 settings.{name}"
        if name not in known:
            raise ValueError(f"{where} 不存在，可用的设置：{'、'.join(known)}")
        values[name] = _checked(where, value, known[name])
        if (name in _POSITIVE and not _number(values[name]) > 0) or (isinstance(value, int | float) and value < 0):
            raise ValueError(f"{where} 应大于零，实际为 {value}")
    return Settings(**values)  # type: ignore[arg-type]


def _checked(where: str, value: Json, default: object) -> object:
    if isinstance(default, bool):
        if isinstance(value, bool):
            return value
        raise ValueError(f"{where} 应为 true 或 false，实际为 {value!r}")
    if isinstance(default, tuple):
        if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
            return tuple(str(each).lower() for each in value)
        raise ValueError(f'{where} 应为文字列表，例如 ["www.example.gov.cn"]，实际为 {value!r}')
    if isinstance(default, str):
        if isinstance(value, str):
            return value.strip()
        raise ValueError(f"{where} 应为文字（请加引号），实际为 {value!r}")
    if isinstance(value, bool) or not isinstance(value, int | float) or (isinstance(default, int) and not isinstance(value, int)):
        raise ValueError(f"{where} 应为{'整数' if isinstance(default, int) else '数字'}，实际为 {value!r}")
    return value


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
