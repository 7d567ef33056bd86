"""Two homes for the small shared values of adapters: this process (tests, single tools) and Redis (all workers)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from redis import Redis
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
    """Shared by all workers. A Redis that is away counts as an empty cache: that costs calls, never correctness."""

    def __init__(self, client: Redis, prefix: str = "hub:cache:") -> None:
        self._client = client
        self._prefix = prefix

    def get(self, key: str) -> str | None:
        try:
            value = self._client.get(self._prefix + key)
        except RedisError:
            return None
        return value.decode() if isinstance(value, bytes) else None

    def set(self, key: str, value: str, ttl: timedelta) -> None:
        try:
            self._client.set(self._prefix + key, value, px=max(1, int(ttl.total_seconds() * 1000)))
        except RedisError:
            return

    def delete(self, key: str) -> None:
        try:
            self._client.delete(self._prefix + key)
        except RedisError:
            return

    @contextmanager
    def lock(self, key: str, ttl: timedelta) -> Iterator[bool]:
        lock = self._client.lock(self._prefix + "lock:" + key, timeout=ttl.total_seconds(), blocking_timeout=ttl.total_seconds())
        try:
            held = lock.acquire()
        except RedisError:
            held = False
        try:
            yield held
        finally:
            if held:
                # It may have run out while we worked: somebody else may hold it now, and theirs must stay.
                with suppress(LockError, RedisError):
                    lock.release()
