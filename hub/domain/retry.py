"""When to try again: exponential back-off with full jitter, capped.

Full jitter (a uniform pause between nothing and the step) spreads a crowd that failed together better than a step with
a small wobble does; the floor keeps a try from following at once.
"""

from __future__ import annotations

import random
from datetime import timedelta

FLOOR = 0.25


def pause(failures: int, base: timedelta, cap: timedelta, chance: random.Random) -> timedelta:
    """Return how long to wait after the ``failures``-th failure (1, 2, …): between a quarter of the step and the step."""
    exponent = min(max(failures, 1) - 1, 32)
    step = min(base.total_seconds() * 2**exponent, cap.total_seconds())
    return timedelta(seconds=step * (FLOOR + (1 - FLOOR) * chance.random()))
