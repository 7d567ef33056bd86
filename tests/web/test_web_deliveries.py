"""Deliveries and accounts over HTTP."""

from __future__ import annotations

from typing import Any

from channels.base import Live, RefusalClass, Refused, Unknown
from hub.domain.verbs import Verb
from tests.web.server import Web
from tests.web.test_web_refusals import problem, refused


def listed(web: Web, **filters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = web.as_("qian").get("deliveries", params=filters).json()["deliveries"]
    return found


def stuck(web: Web, *outcomes: Any) -> int:
    """A released item whose WeChat delivery ended with these outcomes; returns the delivery's id."""
    web.world.released()
    web.world.send("website")
    for outcome in outcomes:
        web.world.platform("wechat").plan("push", outcome)
    web.world.send("wechat")
    return int(listed(web, channel="wechat")[0]["id"])


def test_evidence_and_filters(web: Web) -> None:
    item = web.world.released()
    web.world.send()
    assert [d["channel"] for d in listed(web, item=item)] == ["wechat", "feed", "website"]
    assert len(listed(web, state="delivered")) == 3
    assert listed(web, needs_person="true") == []
    page = web.as_("qian").get("deliveries", params={"limit": 2}).json()
    rest = web.as_("qian").get("deliveries", params={"limit": 2, "cursor": page["next"]}).json()
    assert (len(page["deliveries"]), len(rest["deliveries"]), rest["next"]) == (2, 1, None)
    detail = web.as_("li").get(f"deliveries/{page['deliveries'][0]['id']}").json()
    assert detail["attempts"] == 1
    assert detail["history"][0]["outcome"] == "Live"
    assert detail["history"][0]["exchanges"][0]["request_digest"] == web.world.platform("wechat").pushes()[0].digest
    problem(web.as_("qian").get("deliveries/12345"), 404, "delivery_unknown")


def test_a_refused_delivery_is_tried_again_by_a_person(web: Web) -> None:
    number = stuck(web, Refused("标题违规", RefusalClass.CONTENT))
    assert [d["id"] for d in listed(web, needs_person="true", state="refused")] == [number]
    path = f"deliveries/{number}"
    refused(web, web.as_("li").post(f"{path}/retry", {"reason": "试"}), 403, "role_missing", Verb.DELIVERY_RETRIED)
    problem(web.as_("qian").post(f"{path}/retry", {"reason": "  "}), 422, "invalid")
    again = web.as_("qian").post(f"{path}/retry", {"reason": "平台误判，已申诉"})
    assert (again.json()["state"], again.json()["needs_person"]) == ("planned", False)
    web.world.send("wechat")
    assert web.as_("qian").get(path).json()["state"] == "delivered"
    assert web.world.recorded(Verb.DELIVERY_RETRIED)[-1]["reason"] == "平台误判，已申诉"


def test_unknown_is_never_a_retry(web: Web) -> None:
    number = stuck(web, Unknown("超时"))
    path = f"deliveries/{number}"
    refused(web, web.as_("qian").post(f"{path}/retry", {"reason": "重发"}), 409, "unknown_needs_look", Verb.DELIVERY_RETRIED)
    web.world.platform("wechat").plan("reconcile", Live({"post": "p"}, "https://x/p"))
    looked = web.as_("qian").post(f"{path}/reconcile", {"reason": "读者看到了"}).json()
    assert (looked["state"], looked["url"]) == ("delivered", "https://x/p")
    assert [a["kind"] for a in looked["history"]] == ["send", "look"]
    refused(web, web.as_("qian").post(f"{path}/cancel", {"reason": "不要了"}), 409, "illegal_transition", Verb.DELIVERY_CANCELLED)


def test_a_person_says_what_they_saw(web: Web) -> None:
    number = stuck(web, Unknown("超时"))
    path = f"deliveries/{number}/resolve"
    problem(web.as_("qian").post(path, {"published": True, "reason": "看过"}), 422, "invalid")
    seen = web.as_("qian").post(path, {"published": True, "ref": "https://weibo.com/1/N1", "reason": "后台可见"}).json()
    assert (seen["state"], seen["url"]) == ("delivered", "https://weibo.com/1/N1")
    other = stuck(web, Unknown("超时"))
    gone = web.as_("qian").post(f"deliveries/{other}/resolve", {"published": False, "reason": "后台没有"}).json()
    assert gone["state"] == "planned"
    cancelled = web.as_("qian").post(f"deliveries/{other}/cancel", {"reason": "改期"}).json()
    assert cancelled["state"] == "cancelled"


def test_schedule_move_and_cancel(web: Web) -> None:
    world, person = web.world, web.as_("qian")
    item = world.approved()
    digest = world.digest(item)
    late = {"digest": digest, "due_at": "2026-11-22T08:00:00+08:00"}
    refused(web, person.post(f"items/{item}/release", late), 422, "invalid", Verb.ITEM_RELEASED)
    problem(person.post(f"items/{item}/release", {"digest": digest, "due_at": "2026-11-23T08:00:00"}), 422, "invalid")
    released = person.post(f"items/{item}/release", {"digest": digest, "due_at": "2026-11-23T08:00:00+08:00", "offsets": {"wechat": 600}})
    due = {d["channel"]: (d["due_at"], d["due_at_local"]) for d in released.json()["deliveries"]}
    assert due["website"] == ("2026-11-23T00:00:00.000Z", "2026-11-23T08:00:00+08:00")
    assert due["wechat"] == ("2026-11-23T00:10:00.000Z", "2026-11-23T08:10:00+08:00")
    assert world.send() == 0
    moved = person("PATCH", f"items/{item}/release", {"due_at": "2026-11-23T09:00:00+08:00"})
    assert {d["due_at"] for d in moved.json()["deliveries"]} == {"2026-11-23T01:00:00.000Z", "2026-11-23T01:10:00.000Z"}
    cancelled = person.post(f"items/{item}/release/cancel", {"reason": "改期"})
    assert cancelled.json()["state"] == "approved"
    assert person.post(f"items/{item}/release", {"digest": digest}).json()["state"] == "released"
    world.send("website")
    refused(web, person.post(f"items/{item}/release/cancel", {"reason": "晚了"}), 409, "already_claimed", Verb.RELEASE_CANCELLED)


def test_accounts(web: Web) -> None:
    person = web.as_("qian")
    assert {a["channel"]: a["sending"] for a in person.get("accounts").json()["accounts"]} == dict.fromkeys(web.world.names, True)
    refused(web, web.as_("li").post("accounts/wechat/pause", {"reason": "x"}), 403, "role_missing", Verb.ACCOUNT_PAUSED)
    refused(web, web.as_("li").post("accounts/wechat/test"), 403, "role_missing", Verb.ACCOUNT_TESTED)
    paused = person.post("accounts/wechat/pause", {"reason": "换号"}).json()
    assert (paused["sending"], paused["pause_reason"]) == (False, "换号")
    web.world.released()
    web.world.send()
    assert [d["channel"] for d in listed(web, state="planned")] == ["wechat"]
    tested = person.post("accounts/wechat/test").json()
    assert (tested["ok"], tested["account"]["sending"]) == (True, True)
    web.world.send()
    assert listed(web, state="planned") == []
    problem(person.post("accounts/nothing/test"), 404, "channel_unknown")
