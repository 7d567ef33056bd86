"""How often one may ask, and what every request leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from redis import Redis
from structlog.testing import capture_logs

from hub.store.engine import make_engine
from hub.web.ratelimit import Limiter, Rate, Rates
from tests.clock import FixedClock
from tests.web.server import Web, web_of
from tests.web.test_web_refusals import problem
from tests.world import world

SLOW = Rates(reads=Rate(0.01, 5), writes=Rate(0.01, 2), anonymous=Rate(0.01, 3))


@pytest.fixture(params=["redis", "process"])
def slow(request: pytest.FixtureRequest, sqlite_url: str, fixed_clock: FixedClock, tmp_path: Path) -> Iterator[Web]:
    """Very low limits, counted in Redis and counted in the process."""
    redis_url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    with world(make_engine(sqlite_url), fixed_clock, tmp_path) as made, web_of(made, tmp_path, rates=SLOW, redis_url=redis_url) as web:
        yield web


def test_a_token_that_asks_too_often(slow: Web) -> None:
    person = slow.as_("li")
    assert [person.get("me").status_code for _ in range(6)] == [200] * 5 + [429]
    held = person.get("me")
    problem(held, 429, "too_many_requests")
    assert 1 <= int(held.headers["Retry-After"]) <= 100
    # Writes have a bucket of their own, and so has everybody else.
    assert [person.post("items/x/submit").status_code for _ in range(3)] == [404, 404, 429]
    assert slow.as_("ma").get("me").status_code == 200


def test_wrong_tokens_are_counted_by_address(slow: Web) -> None:
    answers = [
        requests.get(f"{slow.base}/api/v1/me", headers={"Authorization": f"Bearer dh_{n}"}, timeout=10).status_code for n in range(5)
    ]
    assert answers == [401, 401, 401, 429, 429]
    assert requests.get(f"{slow.base}/api/v1/openapi.json", timeout=10).status_code == 429
    assert requests.get(f"{slow.base}/healthz", timeout=10).status_code == 200


def test_many_at_once_get_no_more_than_the_burst(redis_url: str) -> None:
    rate = Rate(0.01, 10)
    with Redis.from_url(redis_url) as client:
        limiters = [Limiter(client), Limiter(client)]
        with ThreadPoolExecutor(8) as pool:
            waits = list(pool.map(lambda n: limiters[n % 2].take("k", rate), range(40)))
        assert waits.count(0) == 10
        assert limiters[0].take("other", rate) == 0
        ttl = client.ttl("hub:rate:k")
        assert isinstance(ttl, int)
        assert 0 < ttl <= 1001


def test_the_bucket_fills_again(redis_url: str) -> None:
    quick = Rate(1000, 1)
    with Redis.from_url(redis_url) as client:
        for limiter in (Limiter(client), Limiter(None)):
            allowed = sum(limiter.take("k", quick) == 0 for _ in range(200))
            assert 1 <= allowed <= 200
            assert limiter.take("k", Rate(0.001, 1)) >= 0


def test_ids_and_log_lines_without_queries(small: Web) -> None:
    person = small.as_("li")
    with capture_logs() as lines:
        kept = person.get("items", params={"q": "secret-query"}, headers={"X-Request-Id": "trace-12345"})
        made = person.get("me", headers={"X-Request-Id": "bad id\u00e9".encode().decode("latin-1")})
    assert kept.headers["X-Request-Id"] == "trace-12345"
    assert len(made.headers["X-Request-Id"]) == 32
    requested = [line for line in lines if line["event"] == "request"]
    assert [(line["path"], line["status"], line["actor"]) for line in requested] == [
        ("/api/v1/items", 200, "person:li"),
        ("/api/v1/me", 200, "person:li"),
    ]
    assert "secret-query" not in str(lines)
    assert person.token not in str(lines)
    assert kept.headers["Cache-Control"] == "no-store"
    assert kept.headers["X-Content-Type-Options"] == "nosniff"


def test_behind_a_proxy_the_client_is_who_the_proxy_says(sqlite_url: str, fixed_clock: FixedClock, tmp_path: Path) -> None:
    with world(make_engine(sqlite_url), fixed_clock, tmp_path) as made, web_of(made, tmp_path, rates=SLOW, behind_proxy=True) as web:

        def ask(forwarded: str) -> int:
            return requests.get(f"{web.base}/api/v1/me", headers={"X-Forwarded-For": forwarded}, timeout=10).status_code

        assert [ask("203.0.113.7") for _ in range(4)] == [401, 401, 401, 429]
        # Only the last address is the proxy's own word.
        assert ask("198.51.100.1, 203.0.113.7") == 429
        assert ask("203.0.113.8") == 401
