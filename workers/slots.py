"""How many threads of a process one channel may hold: a backlog must leave some to other channels, and no thread in another's way."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

BUSY = 0.7
"""A process that keeps this much of one processor busy gains nothing from another thread: they would wait for the interpreter's lock."""
SPAN = 0.05
"""Seconds over which that is measured, at least."""


class Slots:
    """Counts who is inside. Nobody waits for a slot: a thread that waited would be the very thread that is to be left free."""

    def __init__(
        self, each: int, *, clock: Callable[[], float] = time.monotonic, processor: Callable[[], float] = time.process_time
    ) -> None:
        """``each``: how many threads of one channel at a time. ``clock``, ``processor``: seconds passed, and seconds used."""
        self._each = each
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._clock, self._processor = clock, processor
        self._since = clock(), processor()
        self._busy = 0.0

    @contextmanager
    def one(self, channel: str) -> Iterator[bool]:
        """Hold one slot of ``channel`` for the length of the block; False: there is none, and there is nothing to do now.

        The first slot of a channel is always given; further ones while the work leaves the processor idle, as sends that
        wait for a platform do.
        """
        with self._lock:
            held = self._held[channel]
            mine = held < self._each and (held == 0 or self._share() < BUSY)
            self._held[channel] += mine
        try:
            yield mine
        finally:
            with self._lock:
                self._held[channel] -= mine

    def _share(self) -> float:
        """Of one processor, how much this process has kept busy lately."""
        now, used = self._clock(), self._processor()
        then, before = self._since
        if now - then >= SPAN:
            self._busy, self._since = (used - before) / (now - then), (now, used)
        return self._busy
