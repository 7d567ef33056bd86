"""Two homes for the small shared values of adapters: this process (tests, single tools) and Redis (all workers)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from redis import Redis
from redis import exceptions as rexc
from redis.exceptions import LockError, RedisError


class MemoryCache:
    """Shared by the threads of one process."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[str, float]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def get(self, key: str) -> str | None:
        with self._guard:
            value, ends = self._values.get(key, ("", 0.0))
            return value if ends > time.monotonic() else None

    def set(self, key: str, value: str, ttl: timedelta) -> None:
        with self._guard:
            self._values[key] = (value, time.monotonic() + ttl.total_seconds())

    def delete(self, key: str) -> None:
        with self._guard:
            self._values.pop(key, None)

    @contextmanager
    def lock(self, key: str, ttl: timedelta) -> Iterator[bool]:
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        held = lock.acquire(timeout=ttl.total_seconds())
        try:
            yield held
        finally:
            if held:
                lock.release()


class RedisCache:
    """Shared by all workers. A Redis that is away counts as an empty cache: that costs calls, never correctness.

    After a failed connection it is left alone for ``rest``: a client may try for seconds, and every push would wait for that.
    """

    def __init__(self, client: Redis, prefix: str = "hub:cache:", rest: timedelta = timedelta(seconds=5)) -> None:
        self._client = client
        self._prefix = prefix
        self._rest = rest.total_seconds()
        self._away_until = 0.0

    def get(self, key: str) -> str | None:
        value = self._asked(lambda: self._client.get(self._prefix + key))
        return value.decode() if isinstance(value, bytes) else None

    def set(self, key: str, value: str, ttl: timedelta) -> None:
        self._asked(lambda: self._client.set(self._prefix + key, value, px=max(1, int(ttl.total_seconds() * 1000))))

    def delete(self, key: str) -> None:
        self._asked(lambda: self._client.delete(self._prefix + key))

    @contextmanager
    def lock(self, key: str, ttl: timedelta) -> Iterator[bool]:
        lock = self._client.lock(self._prefix + "lock:" + key, timeout=ttl.total_seconds(), blocking_timeout=ttl.total_seconds())
        held = bool(self._asked(lock.acquire))
        try:
            yield held
        finally:
            if held:
                # It may have run out while we worked: somebody else may hold it now, and theirs must stay.
                with suppress(LockError, RedisError):
                    lock.release()

    def _asked(self, call: Callable[[], object]) -> object:
        """What Redis answers; None when it is away or has just been."""
        if time.monotonic() < self._away_until:
            return None
        try:
            return call()
        except (rexc.ConnectionError, rexc.TimeoutError):
            self._away_until = time.monotonic() + self._rest
        except RedisError:
            return None
        return None
