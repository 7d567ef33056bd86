"""How often one token or address may ask: a token bucket in Redis, shared by all web processes, else in this process.

Losing Redis loses only the sharing: each process then counts for itself, and Redis is tried again a little later.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from math import ceil

import structlog
from redis import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rate:
    """``per_second`` on average, ``burst`` at once."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Rates:
    reads: Rate = Rate(50, 200)
    """Per token."""
    writes: Rate = Rate(20, 100)
    """Per token."""
    anonymous: Rate = Rate(5, 60)
    """Per address, for what needs no token, and for every wrong token."""


RATES = Rates()
REST = 5.0
"""Seconds for which a Redis that did not answer is left alone."""
MOST_KEYS = 10_000

# One round trip, atomic. Time comes from Redis, so the clocks of several web machines need not agree.
_BUCKET = """
local at = redis.call('TIME')
local now = tonumber(at[1]) + tonumber(at[2]) / 1000000
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local kept = redis.call('HMGET', KEYS[1], 'left', 'at')
local left = math.min(burst, (tonumber(kept[1]) or burst) + math.max(0, now - (tonumber(kept[2]) or now)) * rate)
local wait = 0
if left >= 1 then left = left - 1 else wait = (1 - left) / rate end
redis.call('HSET', KEYS[1], 'left', tostring(left), 'at', tostring(now))
redis.call('EXPIRE', KEYS[1], math.ceil(burst / rate) + 1)
return tostring(wait)
"""


class Limiter:
    """``take`` is safe from many threads."""

    def __init__(self, redis: Redis | None, prefix: str = "hub:rate:") -> None:
        """``redis`` should have short timeouts: a request waits for it."""
        self._redis = redis
        self._prefix = prefix
        self._rests_until = 0.0
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, key: str, rate: Rate) -> int:
        """Take one; 0 when that was allowed, else the seconds (≥ 1) after which it will be."""
        wait = self._shared(key, rate)
        return ceil(self._own(key, rate) if wait is None else wait)

    def _shared(self, key: str, rate: Rate) -> float | None:
        if self._redis is None or time.monotonic() < self._rests_until:
            return None
        try:
            return float(self._redis.eval(_BUCKET, 1, self._prefix + key, str(rate.per_second), str(rate.burst)))
        except RedisError as error:
            log.warning("rate limits are counted per process: Redis does not answer", why=str(error))
            self._rests_until = time.monotonic() + REST
            return None

    def _own(self, key: str, rate: Rate) -> float:
        now = time.monotonic()
        with self._lock:
            if len(self._buckets) > MOST_KEYS:
                # Whoever has been quiet longest is full again anyway.
                for old in sorted(self._buckets, key=lambda k: self._buckets[k][1])[: MOST_KEYS // 2]:
                    del self._buckets[old]
            left, at = self._buckets.get(key, (float(rate.burst), now))
            left = min(float(rate.burst), left + (now - at) * rate.per_second)
            allowed = left >= 1
            self._buckets[key] = (left - 1 if allowed else left, now)
            return 0.0 if allowed else (1 - left) / rate.per_second
