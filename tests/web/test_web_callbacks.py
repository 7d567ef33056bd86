"""Platforms call back: checked by the channel, counted once, a hint that makes the hub look."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from channels.base import Absent, Accepted, Event, Live, Outcome, Unknown, sha256_hex
from channels.memory import Memory
from hub.app.look import look_due
from hub.domain.verbs import Verb
from tests.waiting import wait_until
from tests.web.server import Web, web_of
from tests.web.test_web_refusals import problem
from tests.world import World


class Calling(Memory):
    """A memory channel whose platform calls back with ``{"match": …, "say": …}`` and a token."""

    def answer(self, method: str, query: Mapping[str, str], body: bytes, now: datetime) -> tuple[int, str, str, tuple[Event, ...]]:
        if query.get("token") != "good":
            return 403, "text/plain", "no", ()
        if method == "GET":
            return 200, "text/plain", query.get("echostr", ""), ()
        told = json.loads(body)
        outcomes: dict[str, Outcome] = {"look": Accepted(told["match"], timedelta(0)), "gone": Absent("平台删除"), "live": Live({}, "u:1")}
        return 200, "text/plain", "success", (Event(told["match"], outcomes[told["say"]], sha256_hex(body)),)


@pytest.fixture
def calling(hub: World, tmp_path: Path) -> Any:
    channel = hub.channel("wechat")
    assert isinstance(channel, Memory)
    channel.__class__ = Calling
    hub.context = hub.context_with({**hub.context.channels, "wechat": channel})
    with web_of(hub, tmp_path) as web:
        yield web


def call(web: Web, say: str, match: dict[str, str], **query: str) -> requests.Response:
    body = json.dumps({"match": match, "say": say})
    return requests.post(f"{web.base}/callbacks/wechat", params={"token": "good", **query}, data=body, timeout=10)


def test_the_platform_checks_the_address(calling: Web) -> None:
    asked = requests.get(f"{calling.base}/callbacks/wechat?token=good&echostr=42", timeout=10)
    assert (asked.status_code, asked.text) == (200, "42")
    assert call(calling, "look", {"post": "x"}, token="bad").status_code == 403
    problem(requests.post(f"{calling.base}/callbacks/website", timeout=10), 404, "channel_unknown")
    problem(requests.post(f"{calling.base}/callbacks/nothing", timeout=10), 404, "channel_unknown")
    problem(requests.post(f"{calling.base}/callbacks/wechat?token=bad", data=b"x" * (3 << 20), timeout=10), 413, "body_too_large")
    assert calling.world.recorded(Verb.CALLBACK_RECEIVED) == []


def test_a_hint_makes_the_next_look_due_now(calling: Web) -> None:
    world = calling.world
    item = world.released()
    world.send("website")
    world.platform("wechat").plan("push", Accepted({"post": "p1", "draft": "d1"}, timedelta(hours=1)))
    world.send("wechat")
    assert world.states(item)["wechat publish 1"] == "accepted"
    assert look_due(world.context, "wechat", "test") == 0
    assert call(calling, "look", {"post": "p1"}).text == "success"
    world.platform("wechat").plan("reconcile", Live({"post": "p1"}, "https://x/1"))
    assert look_due(world.context, "wechat", "test") == 1
    assert world.states(item)["wechat publish 1"] == "delivered"
    assert len(world.recorded(Verb.CALLBACK_RECEIVED, f"item:{item}")) == 1


def test_what_the_delivery_knew_stays(calling: Web) -> None:
    world = calling.world
    item = world.released()
    world.send("website")
    world.platform("wechat").plan("push", Accepted({"post": "p1", "draft": "d1"}, timedelta(hours=1)))
    world.send("wechat")
    call(calling, "look", {"post": "p1"})
    assert json.loads(world.deliveries(item)["wechat", "publish", 1].ref) == {"post": "p1", "draft": "d1"}


def test_the_same_message_three_times_is_one(calling: Web) -> None:
    world = calling.world
    item = world.released()
    world.send("website")
    world.platform("wechat").plan("push", Unknown("no answer", ref={"post": "p%_1"}))
    world.send("wechat")
    answers = [call(calling, "live", {"post": "p%_1"}).text for _ in range(3)]
    assert answers == ["success"] * 3
    assert world.states(item)["wechat publish 1"] == "delivered"
    assert len(world.recorded(Verb.CALLBACK_RECEIVED)) == 1


def test_a_message_about_nothing_of_ours(calling: Web) -> None:
    world = calling.world
    world.released()
    world.send()
    assert call(calling, "look", {"post": "other"}).text == "success"
    assert call(calling, "look", {}).text == "success"
    assert [d["delivery"] for d in world.recorded(Verb.CALLBACK_RECEIVED)] == [None, None]


def test_a_post_taken_down_by_the_platform(calling: Web) -> None:
    world = calling.world
    first, second = world.released(), world.released()
    world.send()
    call(calling, "gone", {"post": f"{first}.1.wechat.publish"})
    assert world.states(first)["wechat publish 1"] == "withdrawn"
    # A hint about a delivered post: the answer goes out first, then the platform is asked.
    post = f"{second}.1.wechat.publish"
    world.platform("wechat").posts.pop(post)
    assert call(calling, "look", {"post": post}).text == "success"
    wait_until(lambda: world.states(second)["wechat publish 1"] == "withdrawn", what="the look after the callback")
    assert [d["gone"] for d in world.recorded(Verb.DELIVERY_TAKEN_DOWN)] == [True, True]
