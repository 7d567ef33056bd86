"""A repeated write happens once and gets the same answer."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from sqlalchemy import func, select, update

from hub.app import people, submit
from hub.domain.verbs import Verb
from hub.store.tables import IdempotencyRow, Item
from tests.web.server import Api, Web
from tests.web.test_web_refusals import problem


def items(web: Web) -> int:
    with web.world.context.reading() as session:
        return session.scalar(select(func.count(Item.id))) or 0


def create(person: Api, web: Web, key: str = "k1", **changes: Any) -> requests.Response:
    return person.post("items", {"content": web.content(**changes)}, headers={"Idempotency-Key": key})


def test_the_same_request_gets_the_stored_answer(web: Web) -> None:
    first, second = (create(web.as_("li"), web) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    for name in ("ETag", "Location", "Content-Type"):
        assert first.headers[name] == second.headers[name]
    assert items(web) == 1
    # Another person's key of the same name is another key.
    assert "Idempotency-Replayed" not in create(web.as_("ma"), web).headers


def test_another_request_under_the_same_key(web: Web) -> None:
    create(web.as_("li"), web)
    problem(create(web.as_("li"), web, title="另一个标题"), 422, "key_reused")
    assert items(web) == 1


def test_a_refusal_is_replayed_too(small: Web) -> None:
    first, second = (create(small.as_("li"), small, department="center") for _ in range(2))
    assert problem(first, 403, "department_foreign") == second.json()
    assert (second.status_code, second.headers["Content-Type"]) == (403, "application/problem+json")
    assert len(small.world.recorded(Verb.ACT_REFUSED)) == 1


def test_a_key_is_forgotten_after_a_day(small: Web) -> None:
    create(small.as_("li"), small)
    small.world.clock.advance(hours=25)  # type: ignore[attr-defined]
    again = create(small.as_("li"), small)
    assert again.status_code == 201
    assert "Idempotency-Replayed" not in again.headers
    assert items(small) == 2


def test_two_at_once_with_one_key(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, may_go = threading.Event(), threading.Event()
    plain = submit.create

    def slow(*given: Any, **named: Any) -> Any:
        entered.set()
        assert may_go.wait(20)
        return plain(*given, **named)

    monkeypatch.setattr(submit, "create", slow)
    person = web.as_("li")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(create, person, web)
        assert entered.wait(20)
        other = Api(person.base, person.token)
        meanwhile = create(other, web)
        problem(meanwhile, 409, "key_in_use")
        assert meanwhile.headers["Retry-After"] == "1"
        other.session.close()
        may_go.set()
        assert first.result(30).status_code == 201
    assert create(person, web).headers["Idempotency-Replayed"] == "true"
    assert items(web) == 1


def test_many_threads_with_one_key_create_one_item(web: Web) -> None:
    person = web.as_("li")

    def one(_number: int) -> int:
        api = Api(person.base, person.token)
        with api.session:
            return create(api, web).status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(one, range(12)))
    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    assert items(web) == 1


def test_a_bug_before_the_commit_frees_the_key(small: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("bug")

    with monkeypatch.context() as patch:
        patch.setattr(submit, "make_revision", broken)
        problem(create(small.as_("li"), small), 500, "internal")
    assert create(small.as_("li"), small).status_code == 201


def test_a_bug_after_the_commit_never_does_it_twice(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("bug")

    with monkeypatch.context() as patch:
        patch.setattr("hub.web.api.items.item_answer", broken)
        problem(create(web.as_("li"), web), 500, "internal")
    assert items(web) == 1
    problem(create(web.as_("li"), web), 409, "key_in_use")
    assert items(web) == 1


def test_a_dead_process_claim_is_taken_over(web: Web) -> None:
    """And if it was not dead after all, it can no longer commit."""
    person = web.as_("li")
    plain = submit.create

    def overtaken(context: Any, *given: Any, **named: Any) -> Any:
        with web.world.context.work("test") as work:
            later = web.world.clock.advance(minutes=6)  # type: ignore[attr-defined]
            work.session.execute(update(IdempotencyRow).values(at=later))
            work.commit()
        return plain(context, *given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(submit, "create", overtaken)
        problem(create(person, web), 409, "key_in_use")
    assert items(web) == 0
    web.world.clock.advance(minutes=6)  # type: ignore[attr-defined]
    assert create(person, web).status_code == 201
    assert items(web) == 1


def test_keys_that_are_none(small: Web) -> None:
    problem(create(small.as_("li"), small, key="x" * 129), 422, "invalid")
    token = people.token_digest("x")
    assert create(small.as_("li"), small, key=token).status_code == 201
    raw = requests.post(f"{small.base}/api/v1/items", headers={"Idempotency-Key": "k"}, json={}, timeout=10)
    problem(raw, 401, "unauthenticated")


def test_an_upload_is_the_same_whatever_its_boundary(small: Web) -> None:
    person = small.as_("li")
    answers = [
        person("POST", "files", files={"file": ("说明.txt", b"text", "text/plain")}, headers={"Idempotency-Key": "u"}) for _ in range(2)
    ]
    assert [a.status_code for a in answers] == [201, 201]
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert len(small.world.recorded(Verb.FILE_STORED)) == 1
    other = person("POST", "files", files={"file": ("说明.txt", b"other", "text/plain")}, headers={"Idempotency-Key": "u"})
    problem(other, 422, "key_reused")
