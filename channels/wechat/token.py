"""One access token for all workers (wechat.md §1).

``stable_token`` gives every caller the same token while it is valid, so a lost cache costs a call and never kills the
token of another worker. The lock only keeps a herd from asking at once; without it everything still holds.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from channels.base import Cache, Outcome

RENEW_BEFORE = 120
"""Seconds. In its last five minutes ``stable_token`` hands out the next token while the old one still works."""
LOCK_WAIT = timedelta(seconds=20)

Fetch = Callable[[], "tuple[str, int] | Outcome"]
"""Ask the platform: (token, remaining seconds), or why there is none."""


class Tokens:
    """The token of one account, shared through ``cache``."""

    def __init__(self, cache: Cache, key: str, fetch: Fetch) -> None:
        self._cache = cache
        self._key = key
        self._fetch = fetch

    def get(self) -> str | Outcome:
        """The current token, fetched when no worker has one."""
        return self._cache.get(self._key) or self._renew(bad="")

    def replace(self, bad: str) -> str | Outcome:
        """A token other than ``bad``, which the platform has just refused. Never forces a refresh (20 a day)."""
        return self._renew(bad)

    def _renew(self, bad: str) -> str | Outcome:
        with self._cache.lock(self._key, LOCK_WAIT):
            known = self._cache.get(self._key)
            if known and known != bad:
                return known
            self._cache.delete(self._key)
            got = self._fetch()
            if isinstance(got, tuple):
                token, remaining = got
                lifetime = max(remaining - RENEW_BEFORE, remaining // 2, 1)
                self._cache.set(self._key, token, timedelta(seconds=lifetime))
                return token
            return got
