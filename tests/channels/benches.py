"""What each kind of channel needs to be asked the contract's questions: an account, its platform, and a reader's eyes."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import defusedxml.ElementTree as ElementTree
import requests

from channels.base import Account, Action, Channel, Publication, Surroundings
from channels.loopback import Platform, serving
from channels.memory import MemoryPlatform
from channels.registry import create_channel
from channels.wechat.platform import WeChatPlatform
from channels.wechat.platform_state import DEFAULT_APPID, DEFAULT_CALLBACK_TOKEN, DEFAULT_SECRET
from channels.weibo.platform import TOKEN, WeiboPlatform
from channels.weibo.platform_rules import Rules
from tests.channels.hubloop import Delivery
from tests.channels.samples import a_publication, surroundings
from tests.clock import FixedClock

Shown = Callable[[Publication], list[str]]


@dataclass
class Bench:
    """One account of one kind, and the place where readers look."""

    account: Account
    around: Surroundings
    clock: FixedClock
    shown: Shown
    """The texts that readers find for an item, one for each time they find it."""
    platform: Platform | None = None
    effect: str = ""
    """Path of the platform's call that shows an item to readers."""

    @property
    def kind(self) -> str:
        return self.account.kind

    def channel(self) -> Channel:
        """A fresh instance, as another worker would build."""
        return create_channel(self.account, self.around)

    def unreachable(self) -> Channel:
        """The same account while nobody listens at its address."""
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{sock.getsockname()[1]}"
        return create_channel(replace(self.account, api_base=address), self.around)

    def delivery(self, publication: Publication | None = None, action: Action = Action.PUBLISH) -> Delivery:
        return Delivery(self.channel(), publication or a_publication(), self.clock, action=action)


def account(kind: str, api_base: str) -> Account:
    """An account with settings that work; the secrets are the loopback platforms' own."""
    settings, secrets = {
        "wechat": ({"appid": DEFAULT_APPID}, {"app_secret": DEFAULT_SECRET, "callback_token": DEFAULT_CALLBACK_TOKEN}),
        "weibo": ({"operator_ip": "203.0.113.9"}, {"access_token": TOKEN}),
    }.get(kind, ({}, {}))
    return Account(f"contract-{kind}", kind, api_base, settings, secrets)


@contextmanager
def _memory(folder: Path, clock: FixedClock) -> Iterator[Bench]:
    platform = MemoryPlatform.named("contract-memory")

    def shown(publication: Publication) -> list[str]:
        return [str(p.payload) for p in platform.posts.values() if p.payload["url"] == publication.url]

    yield Bench(account("memory", ""), surroundings(folder, clock), clock, shown)
    MemoryPlatform.forget("contract-memory")


@contextmanager
def _website(folder: Path, clock: FixedClock) -> Iterator[Bench]:
    around = surroundings(folder, clock)

    def shown(publication: Publication) -> list[str]:
        page = around.site_dir / "items" / publication.public_id / "index.html"
        text = page.read_text() if page.exists() else ""
        return [text] if "公益性岗位人员26名" in text else []

    yield Bench(account("website", ""), around, clock, shown)


@contextmanager
def _feed(folder: Path, clock: FixedClock) -> Iterator[Bench]:
    around = surroundings(folder, clock)

    def shown(publication: Publication) -> list[str]:
        path = around.site_dir / "feeds" / "all.rss.xml"
        items = ElementTree.fromstring(path.read_bytes()).iter("item") if path.exists() else []
        # Notices of corrections and withdrawals are entries of their own; the item's own entry keeps its id.
        ours = [item for item in items if str(item.findtext("guid")).endswith(f":item:{publication.public_id}")]
        return [ElementTree.tostring(item, "unicode") for item in ours]

    yield Bench(account("feed", ""), around, clock, shown)


@contextmanager
def _wechat(folder: Path, clock: FixedClock) -> Iterator[Bench]:
    platform = WeChatPlatform(clock=lambda: clock().timestamp())

    with serving(platform) as server:

        def shown(publication: Publication) -> list[str]:
            articles = [each for each in platform.holdings()["articles"] if each["status"] == 0 and each["url"] == publication.url]
            return [requests.get(f"{server.url}/s/{each['id']}", timeout=5).text for each in articles]

        around = surroundings(folder, clock)
        yield Bench(account("wechat", server.url), around, clock, shown, platform, "/cgi-bin/freepublish/submit")
    platform.stop()


@contextmanager
def _weibo(folder: Path, clock: FixedClock) -> Iterator[Bench]:
    platform = WeiboPlatform(rules=Rules(domains=("yunchuan.example",)), clock=lambda: clock().timestamp())

    def shown(publication: Publication) -> list[str]:
        texts = [post.sent for post in platform.store.newest(100) if post.deleted is None]
        return [text for text in texts if publication.url in text]

    with serving(platform) as server:
        yield Bench(account("weibo", server.url), surroundings(folder, clock), clock, shown, platform, "/2/statuses/share.json")
    platform.close()


BENCHES: Mapping[str, Callable[[Path, FixedClock], AbstractContextManager[Bench]]] = {
    "website": _website,
    "feed": _feed,
    "wechat": _wechat,
    "weibo": _weibo,
    "memory": _memory,
}
