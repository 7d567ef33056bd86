"""An account on a loopback platform; platform, hub and adapter share one clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from channels.base import Account, Outcome, Ref, Surroundings
from channels.loopback import LoopbackServer, serving
from channels.wechat import WeChat, create
from channels.wechat.platform import WeChatPlatform
from channels.wechat.platform_state import DEFAULT_APPID, DEFAULT_CALLBACK_TOKEN, DEFAULT_SECRET, Knobs
from tests.channels.hubloop import Delivery
from tests.channels.samples import a_publication, surroundings
from tests.clock import FixedClock


class Strict(Delivery):
    """A hub that takes a ref from a look only with the outcome: ``keep`` belongs to sends."""

    looking = False

    def look(self) -> Outcome:
        self.looking = True
        try:
            return super().look()
        finally:
            self.looking = False

    def _keep(self, ref: Ref) -> None:
        assert not self.looking, "a look must not keep"
        super()._keep(ref)


@dataclass
class Bench:
    """One platform, one account, one hub's worth of surroundings."""

    platform: WeChatPlatform
    server: LoopbackServer
    around: Surroundings
    clock: FixedClock

    def account(self, *, aes_key: str = "", **settings: Any) -> Account:
        secrets = {"app_secret": DEFAULT_SECRET, "callback_token": DEFAULT_CALLBACK_TOKEN, **({"aes_key": aes_key} if aes_key else {})}
        return Account("yunchuan", "wechat", self.server.url, {"appid": DEFAULT_APPID, "read_timeout": 5.0, **settings}, secrets)

    def channel(self, **settings: Any) -> WeChat:
        return create(self.account(**settings), self.around)

    def delivery(self, channel: WeChat | None = None, **more: Any) -> Delivery:
        return Strict(channel or self.channel(), a_publication(**more), self.clock)

    def articles(self) -> list[dict[str, Any]]:
        return list(self.platform.holdings()["articles"])

    def shown(self) -> list[dict[str, Any]]:
        """What a follower can read."""
        return [a for a in self.articles() if a["status"] == 0]

    def drafts(self) -> list[dict[str, Any]]:
        return list(self.platform.holdings()["drafts"])

    def calls(self, path: str) -> int:
        return sum(call.path == path for call in self.platform.log)


@pytest.fixture
def bench(tmp_path: Path, fixed_clock: FixedClock) -> Iterator[Bench]:
    knobs = Knobs(publish_delay=20, mass_per_day=5)
    platform = WeChatPlatform(knobs=knobs, clock=lambda: fixed_clock().timestamp())
    with serving(platform) as server:
        yield Bench(platform, server, surroundings(tmp_path, fixed_clock), fixed_clock)
    platform.stop()


@pytest.fixture
def fresh_cache() -> Callable[[Surroundings], Surroundings]:
    """The same surroundings after Redis was lost."""
    from channels.cache import MemoryCache

    return lambda around: replace(around, cache=MemoryCache())
