"""What a hub costs while nothing happens: the relay looks ten times a second, the worker waits."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench import machine
from bench.stage import stage
from bench.stock import stock

CHANNELS = {"website": "website", "feed": "feed", "weibo": "bench"}


@dataclass(frozen=True, slots=True)
class Idle:
    """Shares of one core, in per cent."""

    database: str
    waiting: int
    """Releases that are scheduled for later."""
    beat: float
    worker: float
    servers: float
    """Database and Redis servers."""
    beside: str


def measure(database: str, *, seconds: float, waiting: int, settle: float = 6) -> Idle:
    """``settle``: seconds for the processes to come up; their start is not what is measured."""
    with stage(database, CHANNELS) as here:
        stock(here, waiting, tuple(CHANNELS))
        worker, beat = here.worker(), here.beat()
        time.sleep(settle)
        foreign = machine.Foreign()
        groups = ([beat.pid], [worker.pid], here.servers)
        before, began = [machine.cpu_seconds(*pids) for pids in groups], time.monotonic()
        time.sleep(seconds)
        passed = time.monotonic() - began
        of_beat, of_worker, of_servers = (
            100 * (machine.cpu_seconds(*pids) - used) / passed for pids, used in zip(groups, before, strict=True)
        )
        here.must_live()
        return Idle(database, waiting, of_beat, of_worker, of_servers, foreign.words())
