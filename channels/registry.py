"""Which channels there are: name → factory, one literal dict.

A factory imports its adapter when it is first called, so one broken or missing adapter does not stop the others, and
a process that serves one channel loads one adapter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TypeAlias, cast

from channels.base import Account, Channel, Limits, Surroundings

Factory: TypeAlias = Callable[[Account, Surroundings], Channel]


@dataclass(frozen=True, slots=True)
class Lazy:
    """A factory named by its dotted path, ``package.module:function``."""

    path: str

    def module(self) -> ModuleType:
        return import_module(self.path.partition(":")[0])

    def __call__(self, account: Account, around: Surroundings) -> Channel:
        factory = cast(Factory, getattr(self.module(), self.path.partition(":")[2]))
        return factory(account, around)


CHANNELS: dict[str, Lazy] = {
    "website": Lazy("channels.website:create"),
    "feed": Lazy("channels.feed:create"),
    "wechat": Lazy("channels.wechat:create"),
    "weibo": Lazy("channels.weibo:create"),
    "memory": Lazy("channels.memory:create"),
}


def create_channel(account: Account, around: Surroundings) -> Channel:
    """Build the adapter of one account. Raises ValueError, in Chinese, when its kind or its settings are wrong."""
    return _known(account.kind, f"渠道账号“{account.name}”的类型（kind）")(account, around)


def limits_of(kind: str) -> Limits:
    """What channels of ``kind`` can carry before an account's own settings are looked at. Raises ValueError when unknown."""
    for value in vars(_known(kind, "渠道类型").module()).values():
        if isinstance(value, type) and getattr(value, "name", "") == kind:
            return cast(Limits, vars(value)["limits"])
    raise ValueError(f"渠道“{kind}”的模块里没有名为“{kind}”的适配器类")


def _known(kind: str, what: str) -> Lazy:
    try:
        return CHANNELS[kind]
    except KeyError:
        raise ValueError(f"{what}“{kind}”不存在，可用的类型：{'、'.join(CHANNELS)}") from None
