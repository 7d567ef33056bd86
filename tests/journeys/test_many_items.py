"""Many real texts through real processes: every delivery final, each platform holds each item once, whatever is killed meanwhile.

With HUB_TEST_REGULATIONS naming a folder of regulations (Markdown) they are the texts, HUB_TEST_ITEMS of them (default: 24);
without it, texts of our own are.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from lxml import etree

from hub.app.due import due_sends
from hub.app.revisions import vocabulary_for
from hub.domain.content import Content
from hub.domain.delivery import DeliveryState
from hub.intake.report import Taken, read_sources
from tests.channels.feed.rss_rules import faults
from tests.journeys.town import CHANNELS, Town, town
from tests.waiting import wait_until

DEPARTMENT = "minzheng"
RULES = Path(__file__).parents[1] / "channels" / "feed" / "data"


def many(hub: Town, count: int) -> list[tuple[str, Content]]:
    """(external reference, content) of ``count`` items for all four channels."""
    folder = os.environ.get("HUB_TEST_REGULATIONS")
    column = hub.hub.site.columns[-1].slug
    if not folder:
        return [(f"OWN-{n:04d}", own_text(n, column)) for n in range(count)]
    paths = sorted(Path(folder).glob("*.md"))[:count]
    defaults: dict[str, object] = {"department": DEPARTMENT, "column": column, "kind": "regulation", "channels": list(CHANNELS)}
    with hub.hub.context.reading() as session:
        words = vocabulary_for(session)
    results = list(read_sources(paths, words, hub.hub.files, defaults, hub.hub.clock()))
    refused = [r for r in results if not isinstance(r, Taken)]
    assert not refused, refused[:3]
    return [(t.external_ref, shortened(t.content)) for t in results if isinstance(t, Taken)]


def shortened(content: Content) -> Content:
    """Long laws go to WeChat as a digest with a link: an article holds 20 000 characters, tags included."""
    wording = {"title": content.title[:32]}
    if len(content.body) > 6000:
        wording["form"] = "digest"
    return replace(content, wording={"wechat": wording}, summary=content.summary[:60])


def own_text(number: int, column: str) -> Content:
    return Content(
        title=f"关于第{number}号便民事项的通知",
        body=f"<p>现将第{number}号便民事项通知如下。</p><ul><li>受理时间：工作日。</li><li>地点：政务服务中心。</li></ul>",
        kind="notice",
        department=DEPARTMENT,
        column=column,
        formed_on=date(2026, 11, 2),
        summary=f"第{number}号便民事项开始受理。",
        channels=CHANNELS,
    )


def nothing(_hub: Town) -> None:
    """The quiet run."""


def kill_the_worker_again_and_again(hub: Town) -> None:
    for _ in range(3):
        before = sum(n for (_, s), n in hub.states().items() if s == DeliveryState.DELIVERED)
        hub.kill("worker")
        wait_until(lambda before=before: sum(n for (_, s), n in hub.states().items() if s == DeliveryState.DELIVERED) > before, timeout=300)


def flush_redis(hub: Town) -> None:
    hub.flush_redis()


def kill_beat(hub: Town) -> None:
    hub.kill("beat")


@pytest.mark.parametrize("hurt", [nothing, kill_the_worker_again_and_again, flush_redis, kill_beat])
def test_every_item_reaches_every_channel_once(tmp_path: Path, hurt: Callable[[Town], None], free_ports: int) -> None:
    count = int(os.environ.get("HUB_TEST_ITEMS", "24"))
    with town(tmp_path, ports=free_ports) as hub:
        began = time.monotonic()
        lines = hub.bring_in(many(hub, count))
        assert [line for line in lines if line.result != "created"] == []
        assert len(lines) == count
        imported = time.monotonic()
        for line in lines[: count // 2]:
            hub.approve_and_release(line, DEPARTMENT)
        wait_until(lambda: sum(n for (_, s), n in hub.states().items() if s == DeliveryState.DELIVERED) > count // 4, timeout=120)
        hurt(hub)
        for line in lines[count // 2 :]:
            hub.approve_and_release(line, DEPARTMENT)
        approved = time.monotonic()
        # Leases of what a killed worker held run minutes, and looks come after them.
        states = hub.wait_final(seconds=600 + 4 * count)
        spent = [round(s, 1) for s in (imported - began, approved - imported, time.monotonic() - approved)]
        print(f"{count} items; seconds for import, review and release, the rest: {spent}")

        assert states == {(channel, "delivered"): count for channel in CHANNELS}
        assert set(hub.on_wechat().values()) == {1}
        assert set(hub.on_weibo().values()) == {1}
        assert len(hub.on_wechat()) == count
        for line in lines:
            assert (hub.hub.settings.site / "items" / line.public_id / "index.html").exists()
        report = hub.verify()
        assert report.ok, str(report)
        with hub.hub.context.reading() as session:
            assert due_sends(session, hub.hub.clock()) == []
        assert_feeds_are_valid(hub)
        assert_no_secret_in_logs(hub)


def assert_feeds_are_valid(hub: Town) -> None:
    """Every feed file against the rules of its format."""
    feeds = hub.hub.settings.site / "feeds"
    grammar = etree.RelaxNG(etree.parse(RULES / "atom.rng"))
    schema = jsonschema.Draft202012Validator(json.loads((RULES / "jsonfeed-1.1.schema.json").read_text("utf-8")))
    seen = 0
    for path in sorted(feeds.iterdir()):
        data, url = path.read_bytes(), f"{hub.plan.site}/feeds/{path.name}"
        if path.name.endswith(".rss.xml"):
            # An entry's `updated` may lie up to a second after its release.
            assert faults(data, url, datetime.now(UTC) + timedelta(seconds=2)) == [], path.name
        elif path.name.endswith(".atom.xml"):
            grammar.assertValid(etree.fromstring(data))
        elif path.suffix == ".json":
            schema.validate(json.loads(data))
        seen += 1
    assert seen > 30


def assert_no_secret_in_logs(hub: Town) -> None:
    text = "".join(path.read_text("utf-8", "replace") for path in (hub.data / "logs").glob("*.log"))
    for name, value in hub.plan.secrets.items():
        assert value not in text, name
    assert not re.search(r"access_token=(?!\*\*\*)\w", text)
