"""Reading over HTTP: who sees what, paging, versions, the inbox, the record."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from hub.app import people, seal, submit
from hub.domain.item import Role, Stage
from hub.domain.merkle import leaf_hash, verify_consistency, verify_inclusion
from hub.domain.verbs import Verb
from hub.store.tables import Department
from tests.web.server import Web
from tests.web.test_web_refusals import problem


def ids(answer: Any) -> list[str]:
    return [line["public_id"] for line in answer.json()["items"]]


@pytest.fixture
def outsider(web: Web) -> str:
    """A liaison of another department."""
    with web.world.context.work("system") as work:
        work.session.add(Department(slug="jiaoyu", name="区教育局", org_code="YC0000104"))
        work.record(Verb.DEPARTMENT_ADDED, "department:jiaoyu", {})
        work.commit()
    people.add_person(web.world.context, "system", username="wai", name="外", department="jiaoyu", roles=[(Role.LIAISON, "jiaoyu", "ABC")])
    return "wai"


def test_other_departments_see_what_is_public_and_nothing_else(web: Web, outsider: str) -> None:
    world = web.world
    draft, public = world.draft(), world.released()
    world.send()
    unsent = world.released()
    other = web.as_(outsider)
    assert ids(other.get("items")) == [public]
    for hidden in (draft, unsent):
        problem(other.get(f"items/{hidden}"), 404, "item_unknown")
        problem(other.get(f"items/{hidden}/revisions"), 404, "item_unknown")
    submit.revise(world.context, world.caller("li"), public, world.content(title="还没公开的新标题"))
    seen = other.get(f"items/{public}").json()
    assert (seen["whole"], seen["revision"], seen["state"], seen["signatures"], seen["actions"]) == (False, 1, "released", [], [])
    assert "新标题" not in other.get(f"items/{public}").text + other.get("items").text
    assert [r["number"] for r in other.get(f"items/{public}/revisions").json()["revisions"]] == [1]
    problem(other.get(f"items/{public}/revisions/2"), 404, "revision_unknown")
    assert other.get("deliveries").json()["deliveries"] == []
    assert web.as_("guan").get(f"items/{draft}").json()["whole"]
    assert web.as_("hu").get(f"items/{public}").json()["content"]["title"] == "还没公开的新标题"
    assert web.as_("qian").post(f"items/{public}/withdraw", {"reason": "误", "notice": "撤"}).status_code == 200
    problem(other.get(f"items/{public}"), 404, "item_unknown")


def test_paging_and_filters(web: Web) -> None:
    world = web.world
    made = [world.draft(title=f"第{n}件 100%") for n in range(5)]
    other = world.submitted(area="", title="另一件")
    person = web.as_("li")
    found, cursor, pages = [], "", 0
    while True:
        answer = person.get("items", params={"limit": 2, "cursor": cursor, "state": "draft"}).json()
        found += [line["public_id"] for line in answer["items"]]
        pages += 1
        cursor = answer["next"]
        if not cursor:
            break
    assert (found, pages) == (made[::-1], 3)
    first = person.get("items", params={"limit": 2}).json()
    problem(person.get("items", params={"limit": 2, "state": "draft", "cursor": first["next"]}), 422, "invalid")
    assert ids(person.get("items", params={"q": "100%"})) == made[::-1]
    assert ids(person.get("items", params={"q": "1_0"})) == []
    assert ids(person.get("items", params={"area": "elderly"})) == made[::-1]
    assert ids(person.get("items", params={"state": "dept_review"})) == [other]
    assert len(ids(person.get("items", params={"department": "minzheng", "column": "notices", "kind": "notice"}))) == 6
    assert ids(person.get("items", params={"department": "nowhere"})) == []


def test_if_match(web: Web) -> None:
    item = web.world.draft()
    person, path = web.as_("li"), f"items/{item}"
    digest = person.get(path).headers["ETag"]
    assert digest == f'"{web.world.digest(item)}"'
    problem(person("PUT", path, web.content()), 428, "precondition_required")
    problem(person("PUT", path, web.content(), headers={"If-Match": "*"}), 428, "precondition_required")
    problem(person("PUT", path, web.content(), headers={"If-Match": f"W/{digest}"}), 412, "not_a_version")
    changed = person("PUT", path, web.content(title="新标题"), headers={"If-Match": digest})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != digest
    problem(person("PUT", path, web.content(title="又改"), headers={"If-Match": digest}), 412, "old_revision")
    # What is read can be sent back as it is.
    same = person("PUT", path, changed.json()["content"], headers={"If-Match": changed.headers["ETag"]})
    assert same.json()["content"] == changed.json()["content"]


def test_preview_saves_nothing(web: Web) -> None:
    person = web.as_("li")
    found = person.post("items/preview", {"content": web.content(title="标" * 120)}).json()
    assert {r["channel"] for r in found["renditions"]} == {"website", "feed", "wechat"}
    assert any(p["blocking"] and p["code"].endswith("title.too_long") for p in found["problems"])
    assert person.get("items").json()["items"] == []
    item = web.world.draft()
    next_one = person.post("items/preview", {"content": web.content(), "public_id": item}).json()
    assert item in str(next_one["renditions"])
    problem(person.post("items/preview", {"content": web.content(department="nowhere")}), 404, "department_unknown")


def test_inbox(web: Web) -> None:
    world = web.world
    slow, urgent = world.submitted(), world.submitted(urgency="特急")
    own = world.submitted("bian")
    for item in (slow, urgent, own):
        world.sign(item, Stage.DEPT)

    def waiting(who: str) -> list[tuple[str, str]]:
        found = web.as_(who).get("items/inbox").json()["waiting"]
        return [(w["item"]["public_id"], next(a for a in w["actions"] if a != "return")) for w in found]

    assert waiting("chu") == [(urgent, "take"), (slow, "take"), (own, "take")]
    # Nobody is asked to review their own text.
    assert [item for item, _ in waiting("bian")] == [urgent, slow]
    assert waiting("hu") == []
    draft = world.draft()
    assert waiting("li") == [(draft, "revise")]
    assert waiting("qian") == []


def test_the_record(web: Web) -> None:
    world = web.world
    item = world.approved()
    inspector = web.as_("guan")
    problem(web.as_("li").get("record/head"), 403, "role_missing")
    problem(web.as_("guan", "read").get("record/head"), 403, "scope_missing")
    entries = inspector.get("record/entries", params={"subject": f"item:{item}", "newest_first": "false", "limit": 3}).json()
    assert [e["verb"] for e in entries["entries"]] == ["item.created", "revision.made", "item.submitted"]
    more = inspector.get(
        "record/entries", params={"subject": f"item:{item}", "newest_first": "false", "limit": 50, "cursor": entries["next"]}
    ).json()
    assert {e["verb"] for e in more["entries"]} == {"review.signed"}
    entry = entries["entries"][1]
    leaf = hashlib.sha256(b"\x00" + entry["body"].encode()).digest()
    assert leaf.hex() == entry["leaf_hash"]
    assert leaf == leaf_hash(entry["body"].encode())

    head = inspector.get("record/head").json()
    proof = inspector.get("record/proofs/inclusion", params={"seq": entry["seq"]}).json()
    assert (proof["size"], proof["root"]) == (head["size"], head["root"])
    path = [bytes.fromhex(h) for h in proof["path"]]
    assert verify_inclusion(leaf, entry["seq"] - 1, proof["size"], path, bytes.fromhex(proof["root"]))
    world.draft()
    grown = inspector.get("record/proofs/consistency", params={"first": head["size"]}).json()
    assert grown["first_root"] == head["root"]
    hashes = [bytes.fromhex(h) for h in grown["path"]]
    assert verify_consistency(grown["first"], grown["size"], hashes, bytes.fromhex(head["root"]), bytes.fromhex(grown["root"]))
    problem(inspector.get("record/proofs/inclusion", params={"seq": 10**9}), 422, "invalid")
    problem(inspector.get("record/proofs/inclusion", params={"seq": 1, "size": 10**9}), 422, "invalid")


def test_the_checkpoint(web: Web) -> None:
    inspector, container = web.as_("guan"), web.app.state.container
    problem(inspector.get("record/checkpoint"), 404, "checkpoint_missing")
    vars(container)["config"] = type("Config", (), {"origin": "www.example.gov.cn/record"})()
    key = seal.load_or_make_key(container.key_file)
    sealed = seal.seal(web.world.engine, key, container.origin, container.settings.data, container.settings.site, web.world.clock())
    found = inspector.get("record/checkpoint").json()
    assert seal.read_checkpoint(found["note"], seal.verifier_key(key, found["origin"])) == sealed
    assert found["key"] == seal.verifier_key(key, found["origin"]).text()


def test_words_and_docs(small: Web) -> None:
    words = small.as_("li").get("vocabulary").json()
    assert {"slug": "minzheng", "name": "区民政局"} in words["departments"]
    assert words["columns"][0]["slug"] == "notices"
    assert words["channels"][0]["limits"]["lengths"] == {"title": 100}
    assert small.as_("qian").get("me").json()["rights"] == [
        {"role": "publisher", "role_label": "签发", "department": None, "grades": "ABC", "on_behalf_of": None}
    ]
    page = small.as_("li").get("docs")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<script" not in page.text
    assert "http://" not in page.text.replace("http://127.0.0.1", "")
    assert 'id="problem-stale"' in page.text


def test_every_body_and_answer_has_an_example(small: Web) -> None:
    spec = small.as_("li").get("openapi.json").json()
    assert spec["openapi"].startswith("3.1")
    shapes = spec["components"]["schemas"]
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            name = f"{method} {path}"
            assert operation["tags"], name
            assert operation["summary"], name
            media = [*operation.get("requestBody", {}).get("content", {}).items()]
            for status, answer in operation["responses"].items():
                assert answer["description"], name
                if status >= "400":
                    assert list(answer["content"]) == ["application/problem+json"], name
                    assert answer["content"]["application/problem+json"]["example"]["status"] == int(status)
                else:
                    media += answer["content"].items()
            for kind, one in media:
                if kind == "application/json":
                    assert shapes[one["schema"]["$ref"].rpartition("/")[2]].get("examples"), f"{name}: {one['schema']}"
            wanted = {"401", "403", "429", "500", "503"} | ({"409", "422"} if method != "get" else set())
            assert wanted <= set(operation["responses"]), name
