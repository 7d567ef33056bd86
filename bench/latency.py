"""From the due time to the page, to the feeds and to the first call of a platform, on a hub that has nothing else to do."""

from __future__ import annotations

import json
import random
import time
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from bench import machine
from bench.stage import Stage, stage, wait_for
from bench.stock import start, stock
from hub.domain.delivery import DeliveryState
from hub.store.tables import Delivery, Item, Release

CHANNELS = {"website": "website", "feed": "feed", "weibo": "bench"}
FEED = Path("feeds") / "all.atom.xml"


@dataclass
class Latency:
    database: str
    page: list[float] = field(default_factory=list)
    """Milliseconds from the due time until the item's page could be read."""
    feeds: list[float] = field(default_factory=list)
    """… until the feed of all items was written with it."""
    call: list[float] = field(default_factory=list)
    """… until the platform had the first call."""
    beside: str = ""


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least ``share`` of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(share * 100) // 100) - 1)]


def measure(database: str, *, releases: int) -> Latency:
    result = Latency(database)
    chance = random.Random(1)
    with stage(database, CHANNELS) as here:
        here.worker()
        here.beat()
        goods = stock(here, releases + 3, tuple(CHANNELS)).releases
        for release in goods[:3]:
            _one(here, release, None)
        foreign = machine.Foreign()
        for release in goods[3:]:
            # Not in step with the relay's tick: releases come at any moment.
            time.sleep(chance.uniform(0.05, 0.25))
            _one(here, release, result)
        result.beside = foreign.words()
    return result


def _one(here: Stage, release: int, result: Latency | None) -> None:
    with here.hub.context.reading() as session:
        public_id = session.scalars(select(Item.public_id).join(Release, Release.item_id == Item.id).where(Release.id == release)).one()
    page, feed = here.settings.site / "items" / public_id / "index.html", here.settings.site / FEED
    taken = here.taken()
    due = start(here, [release], delay=timedelta(seconds=0.15))
    wait_for(page.exists, here, seconds=60, pause=0.002, what=f"page of {public_id}")
    live = _since(due)
    wait_for(lambda: here.taken() > taken, here, seconds=60, pause=0.01, what="first call")
    called = (datetime.fromtimestamp(_last(here), UTC) - due).total_seconds() * 1000
    wait_for(lambda: feed.exists() and public_id in feed.read_text("utf-8"), here, seconds=60, pause=0.002, what="feed")
    fed = (datetime.fromtimestamp(feed.stat().st_mtime, UTC) - due).total_seconds() * 1000
    wait_for(lambda: _settled(here, release), here, seconds=60, what="settled")
    if result is not None:
        result.page.append(live)
        result.call.append(called)
        result.feeds.append(fed)


def _since(due: datetime) -> float:
    return (datetime.now(UTC) - due).total_seconds() * 1000


def _last(here: Stage) -> float:
    with urllib.request.urlopen(here.platform_url + "/count", timeout=10) as answer:
        return float(json.load(answer)["last"])


def _settled(here: Stage, release: int) -> bool:
    with here.hub.context.reading() as session:
        left = select(Delivery.id).where(Delivery.release_id == release, Delivery.state != DeliveryState.DELIVERED)
        return session.scalar(left.limit(1)) is None
