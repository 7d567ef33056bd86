"""How many threads of a process one channel may hold: the backlog of a slow platform must leave some to the other channels."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Slots:
    """Counts who is inside. Nobody waits for a slot: a thread that waited would be the very thread that is to be left free."""

    def __init__(self, each: int) -> None:
        """``each``: how many threads of one channel at a time."""
        self._each = each
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def one(self, channel: str) -> Iterator[bool]:
        """Hold one slot of ``channel`` for the length of the block; False: there is none, and there is nothing to do now."""
        with self._lock:
            mine = self._held[channel] < self._each
            self._held[channel] += mine
        try:
            yield mine
        finally:
            with self._lock:
                self._held[channel] -= mine
