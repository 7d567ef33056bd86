"""What the hub is told from outside: environment variables (read once) and the TOML file ``HUB_CONFIG`` names.

Nothing else in the hub reads the environment. Secrets stand in the environment only: the file names the variable.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class BadConfig(Exception):
    """The configuration cannot be used; the message (Chinese) names file, key and remedy."""


class Settings(BaseSettings):
    """``HUB_*`` variables. Defaults are the embedded hub in ``./data``, which can reach no real account."""

    model_config = SettingsConfigDict(env_prefix="HUB_", env_ignore_empty=True, frozen=True, extra="ignore")

    data_dir: Path = Path("data")
    database_url: str = ""
    """Empty: SQLite in the data folder."""
    redis_url: str = ""
    """Empty: the bundled server's socket in the data folder."""
    site_dir: Path = Path()
    """Empty: ``site`` in the data folder."""
    site_url: str = ""
    """Empty: the address of HUB_HOST and HUB_PORT."""
    host: str = "127.0.0.1"
    port: int = 8000
    behind_proxy: bool = False
    """A proxy of ours stands in front, alone reaches the hub and sets X-Forwarded-For: believe its last address."""
    config: Path | None = None
    log_level: str = "INFO"
    log_json: bool = False

    @property
    def data(self) -> Path:
        return self.data_dir.resolve()

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data / 'hub.db'}"

    @property
    def redis(self) -> str:
        return self.redis_url or f"unix://{self.data / 'redis' / 'redis.sock'}?db=0"

    @property
    def site(self) -> Path:
        return (self.site_dir if self.site_dir != Path() else self.data / "site").resolve()

    @property
    def site_address(self) -> str:
        return (self.site_url or f"http://{self.host}:{self.port}").rstrip("/")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SiteConfig(_Strict):
    """``[site]``: who publishes (domain.md §3)."""

    name: str
    domain: str
    id_code: str = Field(min_length=10, max_length=10)
    description: str = ""
    keywords: tuple[str, ...] = ()
    organiser: str = ""
    operator: str = ""
    contact: str = ""
    icp: str = ""
    police: str = ""
    tag_date: str = "2026"


class AccountConfig(_Strict):
    """``[[accounts]]``: one channel account. ``secrets`` maps the adapter's secret names to *names of variables*."""

    name: str
    kind: str
    api_base: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    secrets: dict[str, str] = Field(default_factory=dict)


class PolicyConfig(_Strict):
    """``[policy]``: the engine's knobs, durations in seconds."""

    index_rule: str = "{org_code}/{year}-{number:05d}"
    grace: int = 7200
    overdue_after: int = 120
    expiry_warning: int = 7 * 86400


class NoticesConfig(_Strict):
    """``[notices]``: where people are told. ``*_variable`` name the variable that holds the secret."""

    webhook: str = ""
    webhook_token_variable: str = ""
    smtp_host: str = ""
    smtp_port: int = 25
    smtp_user: str = ""
    smtp_password_variable: str = ""
    smtp_tls: bool = False
    sender: str = ""
    recipients: tuple[str, ...] = ()


class Config(_Strict):
    site: SiteConfig | None = None
    """Left out: the site of ``district``."""
    district: Path | None = None
    """The district's description (``hub.intake.district``), relative to this file: read by ``hub seed``."""
    accounts: tuple[AccountConfig, ...]
    policy: PolicyConfig = PolicyConfig()
    notices: NoticesConfig = NoticesConfig()
    origin: str = ""
    """Name of the record's log in its checkpoints; empty: ``{domain}/record``."""


def read_config(path: Path) -> Config:
    """Read and check ``HUB_CONFIG``. Raises BadConfig with the key and what is wrong with it."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadConfig(f"找不到或无法读取配置文件 {path}（{error.strerror}）；请检查 HUB_CONFIG") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"配置文件 {path} 不是有效的 TOML：{error}") from error
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        lines = [f"  {'.'.join(str(part) for part in e['loc'])}：{e['msg']}" for e in error.errors()]
        raise BadConfig(f"配置文件 {path} 有误：\n" + "\n".join(lines)) from error
    if config.site is None and config.district is None:
        raise BadConfig(f"配置文件 {path} 缺少 [site]；请填写网站信息，或用 district 指明本区描述文件")
    if config.district is not None:
        return config.model_copy(update={"district": path.parent / config.district})
    return config


def secret(variable: str) -> str:
    """The value of a secret's variable. Raises BadConfig when it is not set: an empty secret fails late and obscurely."""
    value = os.environ.get(variable, "")
    if not value:
        raise BadConfig(f"环境变量 {variable} 未设置（配置文件要求从中读取密钥）")
    return value


def lend(environment: Mapping[str, str]) -> None:
    """Give this process variables it was not started with: the embedded hub invents the secrets of its loopback platforms."""
    os.environ.update(environment)


def seconds(value: int) -> timedelta:
    return timedelta(seconds=value)
