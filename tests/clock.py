"""A clock that tests hold in their hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FixedClock:
    """Call it for the moment (aware, UTC); it moves only when told to."""

    def __init__(self, now: datetime = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)) -> None:
        """Starts on a Sunday, 2026-11-22 at 09:00 in Shanghai, unless told otherwise."""
        self.now = now.astimezone(UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, delta: timedelta | None = None, **parts: float) -> datetime:
        """Move forward by a timedelta or its keywords (``seconds=30``, ``days=1``); returns the new moment."""
        step = (delta or timedelta()) + timedelta(**parts)
        if step < timedelta():
            raise ValueError("time does not run backwards: use set() if a test is about that")
        self.now += step
        return self.now

    def set(self, moment: datetime) -> None:
        """Jump to a moment, also backwards (a clock that was corrected). It must carry a zone."""
        if moment.tzinfo is None:
            raise ValueError("a moment needs a zone")
        self.now = moment.astimezone(UTC)
