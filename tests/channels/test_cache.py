"""Both homes of the adapters' shared values, asked the same; Redis is a real server."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from channels.base import Cache
from channels.cache import MemoryCache, RedisCache

MINUTE = timedelta(minutes=1)
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["memory", "redis"])
def cache(request: pytest.FixtureRequest) -> Iterator[Cache]:
    if request.param == "memory":
        yield MemoryCache()
        return
    with redis.Redis.from_url(request.getfixturevalue("redis_url")) as client:
        yield RedisCache(client)


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens by itself; a second is plenty."""
    ends = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < ends, "it never happened"


def test_values(cache: Cache) -> None:
    assert cache.get("token") is None
    cache.set("token", "云川 token", MINUTE)
    assert cache.get("token") == "云川 token"
    cache.set("token", "", MINUTE)
    assert cache.get("token") == ""
    cache.delete("token")
    cache.delete("token")
    assert cache.get("token") is None


def test_values_end(cache: Cache) -> None:
    cache.set("token", "short", timedelta(milliseconds=40))
    cache.set("other", "long", MINUTE)
    until(lambda: cache.get("token") is None)
    assert cache.get("other") == "long"


def test_a_time_to_live_of_nothing_is_no_mistake(cache: Cache) -> None:
    cache.set("token", "gone", timedelta(0))
    until(lambda: cache.get("token") is None)


def test_one_holder_at_a_time(cache: Cache) -> None:
    """Eight threads meet at a barrier; whoever is inside reads, waits and writes: a second one inside would lose an addition."""
    barrier = threading.Barrier(8)
    counter = {"value": 0, "inside": 0, "most": 0}

    def work() -> None:
        barrier.wait()
        for _ in range(5):
            with cache.lock("refresh", MINUTE) as held:
                assert held
                counter["inside"] += 1
                counter["most"] = max(counter["most"], counter["inside"])
                value = counter["value"]
                threading.Event().wait(0.001)
                counter["value"] = value + 1
                counter["inside"] -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter == {"value": 40, "inside": 0, "most": 1}


def test_waiting_ends(cache: Cache) -> None:
    """Somebody else holds it: after ``ttl`` the wait is over, empty-handed, and nothing of theirs is released."""
    entered, leave = threading.Event(), threading.Event()

    def holder() -> None:
        with cache.lock("refresh", MINUTE) as held:
            assert held
            entered.set()
            leave.wait(5)

    thread = threading.Thread(target=holder)
    thread.start()
    entered.wait(5)
    for _ in range(2):
        with cache.lock("refresh", timedelta(milliseconds=50)) as held:
            assert not held
    with cache.lock("another", MINUTE) as held:
        assert held
    leave.set()
    thread.join()
    with cache.lock("refresh", MINUTE) as held:
        assert held


def test_a_failure_inside_lets_go(cache: Cache) -> None:
    with pytest.raises(ZeroDivisionError), cache.lock("refresh", MINUTE):
        raise ZeroDivisionError
    with cache.lock("refresh", timedelta(milliseconds=50)) as held:
        assert held


# --------------------------------------------------------------------------------------------------------- Redis only


HOLDER = """
import sys
from datetime import timedelta
import redis
from channels.cache import RedisCache
with redis.Redis.from_url(sys.argv[1]) as client, RedisCache(client).lock("refresh", timedelta(minutes=1)) as held:
    print(held, flush=True)
    sys.stdin.readline()
"""


def test_other_processes_count(redis_url: str) -> None:
    asked = [sys.executable, "-c", HOLDER, redis_url]
    with (
        subprocess.Popen(asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process,
        redis.Redis.from_url(redis_url) as client,
    ):
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "True"
        cache = RedisCache(client)
        with cache.lock("refresh", timedelta(milliseconds=50)) as held:
            assert not held
        process.communicate("go\n", timeout=20)
        with cache.lock("refresh", MINUTE) as held:
            assert held
    assert process.returncode == 0


def test_a_lock_that_ran_out_is_not_released_for_its_next_holder(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        cache = RedisCache(client)
        with cache.lock("refresh", timedelta(milliseconds=50)) as first:
            assert first
            until(lambda: not client.exists("hub:cache:lock:refresh"))
            second = cache.lock("refresh", MINUTE)
            assert second.__enter__()
        assert client.exists("hub:cache:lock:refresh")
        second.__exit__(None, None, None)
        assert not client.exists("hub:cache:lock:refresh")


def test_prefixes_keep_apart(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        one, two = RedisCache(client, "one:"), RedisCache(client, "two:")
        one.set("token", "a", MINUTE)
        assert two.get("token") is None
        assert client.get("one:token") == b"a"


def test_a_redis_that_is_away_is_an_empty_cache_and_is_left_alone_for_a_while() -> None:
    accepted: list[float] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def hang_up() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                accepted.append(time.monotonic())
                connection.close()

    thread = threading.Thread(target=hang_up, daemon=True)
    thread.start()
    host, port = listener.getsockname()
    with redis.Redis(host=host, port=port, retry=Retry(NoBackoff(), 0)) as client:
        cache = RedisCache(client, rest=MINUTE)
        assert cache.get("token") is None
        tried = len(accepted)
        assert tried >= 1
        cache.set("token", "a", MINUTE)
        cache.delete("token")
        assert cache.get("token") is None
        with cache.lock("refresh", MINUTE) as held:
            assert not held
        assert len(accepted) == tried
        eager = RedisCache(client, rest=timedelta(0))
        eager.set("token", "a", MINUTE)
        assert eager.get("token") is None
        until(lambda: len(accepted) > tried)
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_a_value_of_another_kind_is_no_value(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.lpush("hub:cache:token", "a")
        cache = RedisCache(client)
        assert cache.get("token") is None
        cache.set("token", "b", MINUTE)
        assert cache.get("token") == "b"
