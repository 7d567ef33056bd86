"""The composition root: settings and configuration become one container with everything built once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Engine

from channels.base import Account, Channel, SiteIdentity, Surroundings
from channels.cache import RedisCache
from channels.registry import create_channel
from hub.app import vocabulary
from hub.app.context import Context, Policy
from hub.app.notices import Hooks
from hub.intake.district import load_district
from hub.intake.files import FileStore
from hub.settings import AccountConfig, BadConfig, Config, Settings, read_config, seconds, secret
from hub.store.engine import make_engine
from hub.store.uow import Reading


def now_utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Container:
    """Built lazily, part by part: ``hub db upgrade`` needs no Redis, ``hub audit verify`` no channel."""

    settings: Settings
    clock: Callable[[], datetime] = now_utc

    @cached_property
    def config(self) -> Config:
        if self.settings.config is None:
            raise BadConfig("未指定配置文件：请设置 HUB_CONFIG（示例见 examples/hub.toml、deploy/hub.toml）")
        return read_config(self.settings.config)

    @cached_property
    def engine(self) -> Engine:
        return make_engine(self.settings.database)

    @cached_property
    def redis(self) -> Redis:
        # One more try at once and no more: what Redis keeps can be fetched again, a send must not wait for it.
        retry = Retry(NoBackoff(), 1)
        return Redis.from_url(self.settings.redis, socket_connect_timeout=5, socket_timeout=10, health_check_interval=30, retry=retry)

    @cached_property
    def files(self) -> FileStore:
        return FileStore(self.settings.data / "files")

    @cached_property
    def identity(self) -> SiteIdentity:
        """Who publishes, as configured; columns, departments and areas are data and come with ``site``."""
        given = self.config.site
        if given is not None:
            return SiteIdentity(**given.model_dump(), url=self.settings.site_address)
        assert self.config.district is not None
        return replace(load_district(self.config.district).site, url=self.settings.site_address)

    @cached_property
    def site(self) -> SiteIdentity:
        with Reading(self.engine) as session:
            return replace(
                self.identity,
                columns=tuple(vocabulary.column_refs(session).values()),
                departments=tuple(vocabulary.departments(session).values()),
                areas=tuple(vocabulary.areas(session).values()),
            )

    def surroundings(self, channel: str) -> Surroundings:
        state_dir = self.settings.data / "channels" / channel
        state_dir.mkdir(parents=True, exist_ok=True)
        self.settings.site.mkdir(parents=True, exist_ok=True)
        return Surroundings(self.site, self.files, RedisCache(self.redis), self.settings.site, state_dir, self.clock)

    @cached_property
    def channels(self) -> dict[str, Channel]:
        try:
            return {name: create_channel(account, self.surroundings(name)) for name, account in self.accounts.items()}
        except ValueError as error:
            raise BadConfig(f"渠道账号配置有误：{error}") from error

    @cached_property
    def policy(self) -> Policy:
        given = self.config.policy
        return Policy(
            site_url=self.settings.site_address,
            index_rule=given.index_rule,
            grace=seconds(given.grace),
            overdue_after=seconds(given.overdue_after),
            expiry_warning=seconds(given.expiry_warning),
        )

    @cached_property
    def context(self) -> Context:
        return Context(self.engine, self.clock, self.files, self.channels, self.policy)

    @cached_property
    def hooks(self) -> Hooks:
        given = self.config.notices
        return Hooks(
            webhook=given.webhook,
            webhook_token=secret(given.webhook_token_variable) if given.webhook_token_variable else "",
            smtp_host=given.smtp_host,
            smtp_port=given.smtp_port,
            smtp_user=given.smtp_user,
            smtp_password=secret(given.smtp_password_variable) if given.smtp_password_variable else "",
            smtp_tls=given.smtp_tls,
            sender=given.sender,
            recipients=given.recipients,
        )

    @cached_property
    def accounts(self) -> dict[str, Account]:
        return {a.name: _account(a) for a in self.config.accounts}

    @property
    def origin(self) -> str:
        return self.config.origin or f"{self.identity.domain}/record"

    @property
    def key_file(self) -> Path:
        return self.settings.data / "keys" / "record.key"

    def close(self) -> None:
        """Let go of connections (tests, and before a fork)."""
        for part in ("engine", "redis"):
            if part in self.__dict__:
                built = self.__dict__[part]
                built.dispose() if part == "engine" else built.close()


def _account(given: AccountConfig) -> Account:
    secrets = {name: secret(variable) for name, variable in given.secrets.items()}
    return Account(given.name, given.kind, given.api_base, given.settings, secrets)
