"""One item's whole life through real processes and all four channels: published, corrected, withdrawn, and rebuilt byte for byte."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import requests
from sqlalchemy import select

from hub.app import release, review, submit, withdraw
from hub.cli import journey
from hub.cli.shared import caller
from hub.domain.content import Content
from hub.domain.item import STAGES, Stage
from hub.store.tables import Delivery
from tests.journeys.test_many_items import DEPARTMENT, own_text
from tests.journeys.town import CHANNELS, Town, town
from tests.waiting import wait_until


def page(hub: Town, path: str) -> requests.Response:
    return requests.get(hub.plan.site + path, timeout=10)


def correct(hub: Town, public_id: str, content: Content) -> None:
    cast, context = journey.cast_of(hub.hub), hub.hub.context
    liaison = caller(hub.hub, cast.liaisons[DEPARTMENT])
    submit.revise(context, liaison, public_id, content, seen=hub.digest(public_id))
    submit.submit(context, liaison, public_id)
    for stage, name in zip(STAGES, (cast.heads[DEPARTMENT], cast.first[0], cast.second[0], cast.final["A"]), strict=True):
        statements = journey.STATEMENTS if stage is Stage.DEPT else None
        review.sign(context, caller(hub.hub, name), public_id, stage, digest=hub.digest(public_id), statements=statements)
    release.release(context, caller(hub.hub, cast.publisher), public_id, note="电话号码更正")


def states(hub: Town, action: str) -> dict[str, str]:
    with hub.hub.context.reading() as session:
        return {d.channel: d.state for d in session.scalars(select(Delivery).where(Delivery.action == action))}


def rebuilt_is_the_same(hub: Town) -> None:
    before = hub.site_bytes()
    subprocess.run([sys.executable, "-m", "hub.cli", "site", "rebuild"], check=True, capture_output=True, timeout=120)
    after = hub.site_bytes()
    assert sorted(after) == sorted(before)
    assert [name for name in before if before[name] != after[name]] == []


def test_published_corrected_and_withdrawn_everywhere(tmp_path: Path, free_ports: int) -> None:
    with town(tmp_path, ports=free_ports, web=True) as hub:
        first = own_text(1, hub.hub.site.columns[-1].slug)
        item, other = (line.public_id for line in hub.bring_in([("LIFE-1", first), ("LIFE-2", own_text(2, first.column))]))
        for line in hub.bring_in([("LIFE-1", first), ("LIFE-2", own_text(2, first.column))]):
            assert line.result == "unchanged"
            hub.approve_and_release(line, DEPARTMENT)
        hub.wait_final(seconds=120)
        address = f"/items/{item}/"
        assert first.title in page(hub, address).text
        rebuilt_is_the_same(hub)

        correct(hub, item, replace(first, title="关于第1号便民事项的通知（更正）", change_note="咨询电话更正为025-00001100。"))
        wait_until(lambda: states(hub, "correct") == dict.fromkeys(CHANNELS, "delivered"), timeout=120)
        shown = page(hub, address).text
        assert "025-00001100" in shown
        assert "更正" in shown
        assert hub.on_wechat() == hub.on_weibo() == {item: 1, other: 1}, "the correction is there and the old post is not"
        entries = json.loads(page(hub, "/feeds/all.json").text)["items"]
        assert [e["id"].rsplit(":", 1)[1] for e in entries].count(item) == 1
        assert any(":notice:" in e["id"] for e in entries)
        rebuilt_is_the_same(hub)

        cast = journey.cast_of(hub.hub)
        publisher = caller(hub.hub, cast.publisher)
        addressed = withdraw.withdraw(hub.hub.context, publisher, item, reason="内容有误", notice="该通知有误，已撤回，请以新通知为准。")
        assert addressed == sorted(CHANNELS)
        wait_until(lambda: states(hub, "withdraw") == dict.fromkeys(CHANNELS, "delivered"), timeout=120)
        gone = page(hub, address)
        assert gone.status_code == 410
        assert "该通知有误，已撤回" in gone.text
        assert page(hub, f"/items/{other}/").status_code == 200
        assert "deleted-entry" in page(hub, "/feeds/all.atom.xml").text
        # Nobody sees it any more on either platform; the other item is untouched.
        assert hub.seen("wechat", item) == hub.seen("weibo", item) == 0
        assert hub.seen("wechat", other) == hub.seen("weibo", other) == 1
        rebuilt_is_the_same(hub)
        assert hub.verify().ok
