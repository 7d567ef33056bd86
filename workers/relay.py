"""The relay rings the bell: it looks for due rows and puts a word in the queue of their channel. Rows stay rows.

It holds no state that matters. Two relays ring twice, which finds nothing to claim the second time; none ringing for an
hour delays everything by an hour and loses nothing.
"""

from __future__ import annotations

import threading
import time

import structlog
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from hub.app.due import SEND, due_now
from hub.wiring import Container
from workers.tasks import drain, look, ring

log = structlog.get_logger(__name__)
TICK = 0.1
"""Seconds between two glances at the database."""
AGAIN = 0.5
"""Seconds before a channel is rung again while its rows are still due."""


class Relay:
    def __init__(self, container: Container) -> None:
        self._container = container
        self._rung: dict[tuple[str, str], float] = {}
        self.stop = threading.Event()

    def run(self) -> None:
        """Glance and ring until ``stop`` is set. A database or broker that is away is waited for."""
        pause = TICK
        while not self.stop.wait(pause):
            try:
                self.glance()
                pause = TICK
            except (SQLAlchemyError, RedisError, BrokerError, OSError) as error:
                pause = min(max(pause * 2, 0.5), 10.0)
                log.warning("relay waits", error=f"{type(error).__name__}: {error}"[:300], again_in=pause)

    def glance(self) -> int:
        """Ring once for every channel with due rows. Returns how many rings were sent."""
        hub, rings = self._container, 0
        now = hub.clock()
        with hub.context.reading() as session:
            due = due_now(session, now)
        for what, channel in due:
            rings += self._ring(what, channel)
        return rings

    def _ring(self, what: str, channel: str) -> int:
        if channel not in self._container.channels:
            return 0
        moment = time.monotonic()
        if moment - self._rung.get((what, channel), 0.0) < AGAIN:
            return 0
        self._rung[what, channel] = moment
        return int(ring(self._container, drain if what == SEND else look, channel))
