"""``python -m workers.run worker|beat``: what ``hub worker`` and ``hub beat`` become."""

from __future__ import annotations

import argparse
import signal
import sys
from types import FrameType
from typing import Any

from celery import bootsteps

from hub import alive
from hub.app import accounts
from hub.logs import configure_logging
from hub.settings import BadConfig
from hub.wiring import Container
from workers import tasks
from workers.beat import Beat
from workers.celery import CHORES, app, container, queue, queue_of
from workers.slots import Slots

SHARERS = 4
"""A worker of several channels lets each of them hold one thread in this many."""


class SignOfLife(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """A sign from the consumer's own loop while it is connected and takes messages. Worker remote control is off on purpose."""

    requires = ("celery.worker.consumer.tasks:Tasks",)
    name_of_worker = "worker"

    def start(self, consumer: Any) -> None:
        data = container().settings.data
        alive.show(data, self.name_of_worker)
        self._timer = consumer.timer.call_repeatedly(alive.EVERY, alive.show, (data, self.name_of_worker))

    def stop(self, _consumer: Any) -> None:
        self._timer.cancel()
        alive.withdraw(container().settings.data, self.name_of_worker)


def run_worker(channels: list[str], concurrency: int) -> None:
    """A Celery worker of threads: sends wait for platforms, not for the processor, and threads share one connection pool."""
    hub = container()
    wrong = [c for c in channels if c not in (*hub.accounts, CHORES)]
    if wrong:
        raise BadConfig(f"没有渠道“{'、'.join(wrong)}”，可选：{'、'.join((*hub.accounts, CHORES))}")
    accounts.ensure(hub.context)
    prepare(hub, channels)
    names = [CHORES if c == CHORES else queue_of(c) for c in channels or [*hub.channels, CHORES]]
    app.conf.task_queues = [queue(name) for name in names]
    tasks.slots = Slots(concurrency if len(names) == 1 else max(1, concurrency // SHARERS))
    SignOfLife.name_of_worker = alive.worker_name(channels)
    app.steps["consumer"].add(SignOfLife)
    app.worker_main(
        [
            "--quiet",
            "worker",
            "--pool=threads",
            f"--concurrency={concurrency}",
            "--without-gossip",
            "--without-mingle",
            f"--queues={','.join(names)}",
        ]
    )


def prepare(hub: Container, channels: list[str]) -> None:
    """Let channels that keep files finish what a crash left, so that even an empty hub has a home page."""
    for name, channel in hub.channels.items():
        ready = getattr(channel, "prepare", None)
        if ready is not None and (not channels or name in channels):
            ready()


def run_beat() -> None:
    configure_logging(container().settings.log_level, as_json=container().settings.log_json)
    beat = Beat(container())

    def stop(_number: int, _frame: FrameType | None) -> None:
        beat.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    beat.run()


def main() -> None:
    parser = argparse.ArgumentParser()
    which = parser.add_subparsers(dest="which", required=True)
    worker = which.add_parser("worker")
    worker.add_argument("--queue", action="append", default=[])
    worker.add_argument("--concurrency", type=int, default=8)
    which.add_parser("beat")
    given = parser.parse_args()
    try:
        if given.which == "worker":
            run_worker(given.queue, given.concurrency)
        else:
            run_beat()
    except BadConfig as bad:
        sys.stderr.write(f"✗ {bad}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
