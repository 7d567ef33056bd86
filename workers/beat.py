"""``hub beat``: the relay, and a clock that rings for the chores. Two of these at once do no harm.

The clock is not celery beat: its schedule would be one more file to lose or lock, and these chores are all "every so
often, late is fine", so a dict of intervals says it whole.
"""

from __future__ import annotations

import threading
import time

import structlog
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from hub import alive
from hub.wiring import Container
from workers import tasks
from workers.celery import CHORES
from workers.relay import Relay

log = structlog.get_logger(__name__)

EVERY: dict[str, float] = {
    "sweep_engine": 2.0,
    "notify": 5.0,
    "seal_record": 10.0,
    "watch": 15.0,
    "patrol_published": 300.0,
    "test_accounts": 86_400.0,
}
"""Seconds between two runs of each chore."""


class Beat:
    def __init__(self, container: Container, every: dict[str, float] | None = None) -> None:
        self._every = every or EVERY
        self._last: dict[str, float] = {}
        self._relay = Relay(container)
        self._data = container.settings.data

    def run(self) -> None:
        """Run until ``stop``. The relay has a thread of its own: a slow chore message never delays a release."""
        relay = threading.Thread(target=self._relay.run, name="relay", daemon=True)
        relay.start()
        shown = float("-inf")
        while not self._relay.stop.wait(0.25):
            if relay.is_alive() and time.monotonic() - shown >= alive.EVERY:
                shown = time.monotonic()
                alive.show(self._data, "beat")
            for name in self._due(time.monotonic()):
                try:
                    getattr(tasks, name).apply_async(queue=CHORES)
                except (RedisError, BrokerError, OSError) as error:
                    log.warning("chore not rung", chore=name, error=f"{type(error).__name__}: {error}"[:300])
        alive.withdraw(self._data, "beat")
        relay.join(timeout=10)

    def stop(self) -> None:
        self._relay.stop.set()

    def _due(self, now: float) -> list[str]:
        due = [name for name, seconds in self._every.items() if now - self._last.get(name, float("-inf")) >= seconds]
        self._last.update(dict.fromkeys(due, now))
        return due
