"""What the rules forbid, tried over HTTP: the right problem comes back, and the attempt stands in the record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from hub.app import people, review, submit
from hub.domain.item import Stage
from hub.domain.verbs import Verb
from tests.web.server import Web

DECLARED = {"pre_release": "可以公开", "secrecy": "不涉密，可以公开"}


def problem(answer: requests.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    found: dict[str, Any] = answer.json()
    assert (answer.status_code, found["code"]) == (status, code), found
    assert set(found) == {"type", "title", "status", "detail", "code", "instance", "request_id", "errors"}
    assert found["status"] == status
    assert found["detail"]
    assert found["request_id"] == answer.headers["X-Request-Id"]
    return found


def refused(web: Web, answer: requests.Response, status: int, code: str, attempted: Verb) -> None:
    """The right problem, and the newest ``act.refused`` is about it."""
    problem(answer, status, code)
    last = web.world.recorded(Verb.ACT_REFUSED)[-1]
    assert (last["attempted"], last["code"]) == (attempted.value, code)


def sign(web: Web, who: str, item: str, stage: str, digest: str = "") -> requests.Response:
    body: dict[str, Any] = {"stage": stage, "digest": digest or web.world.digest(item)}
    return web.as_(who).post(f"items/{item}/sign", body | ({"statements": DECLARED} if stage == "dept" else {}))


def test_three_different_people(web: Web) -> None:
    world = web.world
    own = world.submitted("bian")
    world.sign(own, Stage.DEPT)
    refused(web, sign(web, "bian", own, "first"), 403, "own_text", Verb.REVIEW_SIGNED)

    item = world.draft("bian")
    submit.revise(world.context, world.caller("li"), item, world.content(title="第二版"))
    submit.revise(world.context, world.caller("li"), item, world.content(title="第三版"))
    submit.submit(world.context, world.caller("li"), item)
    world.sign(item, Stage.DEPT)
    refused(web, sign(web, "bian", item, "first"), 403, "own_text", Verb.REVIEW_SIGNED)

    twice = world.submitted()
    world.sign(twice, Stage.DEPT)
    assert sign(web, "both", twice, "first").status_code == 200
    refused(web, sign(web, "both", twice, "second"), 403, "two_stages", Verb.REVIEW_SIGNED)


def test_approval_binds_to_bytes(web: Web) -> None:
    world = web.world
    item = world.submitted()
    old = world.digest(item)
    submit.revise(world.context, world.caller("li"), item, world.content(title="改过的标题"))
    submit.submit(world.context, world.caller("li"), item)
    refused(web, sign(web, "hu", item, "dept", old), 412, "old_revision", Verb.REVIEW_SIGNED)
    assert sign(web, "hu", item, "dept").status_code == 200
    back = {"digest": old, "reason": "facts", "note": "有误"}
    refused(web, web.as_("chu").post(f"items/{item}/return", back), 412, "old_revision", Verb.REVIEW_RETURNED)


def test_nothing_without_review(web: Web) -> None:
    world = web.world
    item = world.submitted()
    refused(web, sign(web, "zhong", item, "final"), 409, "stage_skipped", Verb.REVIEW_SIGNED)
    release = web.as_("qian").post(f"items/{item}/release", {"digest": world.digest(item)})
    refused(web, release, 409, "illegal_transition", Verb.ITEM_RELEASED)
    world.sign(item, Stage.DEPT)
    assert sign(web, "chu", item, "first").status_code == 200
    refused(web, sign(web, "bian", item, "first"), 409, "already_signed", Verb.REVIEW_SIGNED)
    no_grade = world.submitted(grade="C")
    for stage in (Stage.DEPT, Stage.FIRST, Stage.SECOND):
        world.sign(no_grade, stage)
    refused(web, sign(web, "zhonga", no_grade, "final"), 403, "grade_missing", Verb.REVIEW_SIGNED)


def test_nothing_follows_a_withdrawal(web: Web) -> None:
    world = web.world
    item = world.released()
    assert web.as_("qian").post(f"items/{item}/withdraw", {"reason": "有误", "notice": "已撤回"}).status_code == 200
    refused(web, sign(web, "chu", item, "first"), 409, "withdrawn", Verb.REVIEW_SIGNED)
    put = web.as_("li")("PUT", f"items/{item}", web.content(), headers={"If-Match": f'"{world.digest(item)}"'})
    refused(web, put, 409, "withdrawn", Verb.REVISION_MADE)


def test_a_batch_with_one_forbidden_item(web: Web) -> None:
    world = web.world
    items = [world.submitted(), world.submitted("bian"), world.submitted()]
    for item in items:
        world.sign(item, Stage.DEPT)
    lines = [{"public_id": item, "digest": world.digest(item)} for item in items]
    answer = web.as_("bian").post("reviews/batch", {"stage": "first", "items": lines})
    assert [(r["signed"], r["code"]) for r in answer.json()["results"]] == [(True, ""), (False, "own_text"), (True, "")]
    assert world.recorded(Verb.ACT_REFUSED)[-1]["code"] == "own_text"


def test_a_missing_right(small: Web) -> None:
    approved, submitted = small.world.approved(), small.world.submitted()
    release = small.as_("li").post(f"items/{approved}/release", {"digest": small.world.digest(approved)})
    refused(small, release, 403, "role_missing", Verb.ITEM_RELEASED)
    withdraw = small.as_("li").post(f"items/{approved}/withdraw", {"reason": "因", "notice": "告"})
    refused(small, withdraw, 403, "role_missing", Verb.ITEM_WITHDRAWN)
    recall = small.as_("fu").post(f"items/{submitted}/recall", {"reason": "因"})
    refused(small, recall, 403, "role_missing", Verb.ITEM_RECALLED)
    never_public = small.as_("qian").post(f"items/{approved}/withdraw", {"reason": "因", "notice": "告"})
    refused(small, never_public, 409, "not_public", Verb.ITEM_WITHDRAWN)


def test_a_missing_scope_is_recorded(small: Web) -> None:
    item = small.world.approved()
    only_reads = small.as_("qian", "read")
    answer = only_reads.post(f"items/{item}/release", {"digest": small.world.digest(item)})
    refused(small, answer, 403, "scope_missing", Verb.ITEM_RELEASED)
    assert small.world.recorded(Verb.ACT_REFUSED, f"item:{item}")
    problem(small.as_("qian", "write").get("items"), 403, "scope_missing")
    strange = only_reads.post("items/%00%0a/release", {"digest": "x"})
    assert strange.status_code == 403


def test_another_department_may_not_write(small: Web) -> None:
    answer = small.as_("li").post("items", {"content": small.content(department="center")})
    refused(small, answer, 403, "department_foreign", Verb.ITEM_CREATED)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer dh_wrong", "Basic abc", "bearer \u00e9".encode().decode("latin-1")])
def test_without_a_good_token(small: Web, header: str) -> None:
    answer = requests.get(f"{small.base}/api/v1/me", headers={"Authorization": header} if header else {}, timeout=10)
    problem(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_ended_token(small: Web) -> None:
    person = small.as_("li")
    assert person.get("me").status_code == 200
    small.world.clock.advance(days=31)  # type: ignore[attr-defined]
    problem(person.get("me"), 401, "unauthenticated")
    fresh = people.issue_token(small.world.context, "system", username="li", scopes=["read"], label="x", lasts=timedelta(days=1))
    person.token = fresh
    me = person.get("me").json()
    assert (me["username"], me["scopes"], me["token_expires_at"]) == ("li", ["read"], "2026-12-24T01:00:00.000Z")
    assert me["token_expires_at_local"] == "2026-12-24T09:00:00+08:00"
    people.revoke_token(small.world.context, "system", 2)
    problem(person.get("me"), 401, "unauthenticated")


def test_bad_bodies_name_field_and_remedy(small: Web) -> None:
    person = small.as_("li")
    content = small.content(title="坏\u0001字") | {
        "files": [{"sha256": "0" * 64, "name": "a.pdf", "media_type": "application/pdf", "size": 1}]
    }
    found = problem(person.post("items", {"content": content, "what": 1}), 422, "invalid")
    assert {(e["field"], e["code"]) for e in found["errors"]} == {("content.title", "bad_character"), ("what", "extra_forbidden")}
    assert all(e["remedy"] for e in found["errors"])
    found = problem(person.post("items", {"content": content | {"title": "好"}}), 422, "invalid")
    assert [(e["field"], e["code"]) for e in found["errors"]] == [("files.0.sha256", "file_unknown")]
    found = problem(person.post("items", {"content": small.content(column="nowhere")}), 422, "invalid")
    assert found["errors"][0]["field"] == "column"
    raw = {"Content-Type": "application/json"}
    found = problem(person("POST", "items", data=b'{"content": ', headers=raw), 422, "invalid")
    assert found["errors"][0]["code"] == "json_invalid"
    problem(person("POST", "items", data=b"[" * 200_000, headers=raw), 400, "malformed")
    problem(person("POST", "items", data=b"x" * (3 << 20), headers=raw), 413, "body_too_large")
    big = (b"x" * 1000 for _ in range(3000))
    problem(person("POST", "items", data=big, headers=raw), 413, "body_too_large")


@pytest.mark.parametrize("details", ['{"a": NaN}', '{"a": 1e999}', '{"a": 99999999999999999999}', '{"a": "\\u0000"}', '{"\\ud800": 1}'])
def test_json_that_has_no_canonical_form(small: Web, details: str) -> None:
    import json

    body = json.dumps({"content": small.content()}).replace('"details": {}', f'"details": {details}')
    answer = small.as_("li")("POST", "items", data=body.encode(), headers={"Content-Type": "application/json"})
    problem(answer, 422, "invalid")


def test_addresses_that_are_none(small: Web) -> None:
    person = small.as_("li")
    problem(person.get("items/20261122-nothere1"), 404, "item_unknown")
    problem(person.get("nothing"), 404, "no_such_address")
    answer = person("DELETE", "items")
    problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) <= {"GET", "POST"}
    problem(person.get("items?cursor=abc"), 422, "invalid")
    problem(person.get("deliveries/99999999999999999999"), 422, "invalid")


def test_a_bug_tells_nothing(small: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("password=secret")

    item = small.world.submitted()
    small.world.sign(item, Stage.DEPT)
    monkeypatch.setattr(review, "take", broken)
    answer = small.as_("chu").post(f"items/{item}/take")
    problem(answer, 500, "internal")
    assert "secret" not in answer.text
