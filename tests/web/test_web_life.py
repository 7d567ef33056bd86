"""The whole life of an item over HTTP, as different people."""

from __future__ import annotations

from typing import Any

from tests.web.server import Web


def created(web: Web, by: str = "li", **changes: Any) -> dict[str, Any]:
    answer = web.as_(by).post("items", {"content": web.content(**changes)})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == answer.json()["self"]
    assert answer.headers["ETag"] == f'"{answer.json()["digest"]}"'
    found: dict[str, Any] = answer.json()
    return found


def reviewed(web: Web, item: dict[str, Any]) -> None:
    path = item["self"]
    assert web.as_("li").post(f"{path}/submit").json()["state"] == "dept_review"
    declared = {"pre_release": "可以公开", "secrecy": "不涉密，可以公开"}
    signed = web.as_("hu").post(f"{path}/sign", {"stage": "dept", "digest": item["digest"], "statements": declared})
    assert signed.json()["state"] == "submitted", signed.text
    assert web.as_("chu").post(f"{path}/take").json()["state"] == "first_review"
    for stage, who, state in (("first", "chu", "second_review"), ("second", "fu", "final_review"), ("final", "zhong", "approved")):
        signed = web.as_(who).post(f"{path}/sign", {"stage": stage, "digest": item["digest"]})
        assert (signed.status_code, signed.json()["state"]) == (200, state), signed.text


def test_from_draft_to_public_to_withdrawn(web: Web) -> None:
    item = created(web)
    path = item["self"]
    assert item["actions"] == ["revise", "submit"]
    reviewed(web, item)
    released = web.as_("qian").post(f"{path}/release", {"digest": item["digest"], "offsets": {"wechat": 60}})
    assert released.status_code == 200, released.text
    assert released.json()["summary"] == "已排期"
    assert [s["stage"] for s in released.json()["signatures"]] == ["dept", "first", "second", "final"]
    web.world.send()
    seen = web.as_("ma").get(path).json()
    assert seen["summary"] == "部分发布"
    web.world.clock.advance(seconds=61)  # type: ignore[attr-defined]
    web.world.send()
    assert web.as_("ma").get(path).json()["summary"] == "已发布"

    changed = web.content(title="关于开展适老化改造的补充通知", change_note="补充说明")
    revised = web.as_("li")("PUT", path, changed, headers={"If-Match": f'"{item["digest"]}"'})
    assert revised.status_code == 200, revised.text
    assert (revised.json()["revision"], revised.json()["released_revision"], revised.json()["state"]) == (2, 1, "draft")
    reviewed(web, revised.json())
    assert web.as_("qian").post(f"{path}/release", {"digest": revised.json()["digest"]}).status_code == 200
    web.world.send()
    gone = web.as_("qian").post(f"{path}/withdraw", {"reason": "数据有误", "notice": "本信息已撤回"})
    assert (gone.json()["state"], gone.json()["summary"]) == ("withdrawn", "撤回中")
    web.world.send()
    assert web.as_("li").get(path).json()["summary"] == "已撤稿"
    numbers = [r["number"] for r in web.as_("li").get(f"{path}/revisions").json()["revisions"]]
    assert numbers == [2, 1]
    first = web.as_("li").get(f"{path}/revisions/1").json()
    assert {r["channel"] for r in first["renditions"]} == {"website", "feed", "wechat"}
