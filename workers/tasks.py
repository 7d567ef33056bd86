"""The tasks: three lines each. What they do is in ``hub.app``."""

from __future__ import annotations

import os
import socket
import threading
import time

from hub.app import accounts, notices, patrol, seal, sweep
from hub.app.look import look_due
from hub.app.send import send_due
from workers.celery import app, container

DRAIN_SECONDS = 20.0
"""A drain hands its slot back after this long, so that channels sharing a worker take turns; the relay rings again."""


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident() % 100_000}"


@app.task(name="hub.drain", expires=30)
def drain(channel: str) -> int:
    """Send batch after batch of what is due for ``channel`` until nothing is. Returns how many deliveries were claimed."""
    ends, sent = time.monotonic() + DRAIN_SECONDS, 0
    while (count := send_due(container().context, channel, worker_name())) and time.monotonic() < ends:
        sent += count
    return sent


@app.task(name="hub.look", expires=60)
def look(channel: str) -> int:
    """Look at every delivery of ``channel`` whose look is due."""
    return look_due(container().context, channel, worker_name())


@app.task(name="hub.sweep", expires=30)
def sweep_engine() -> None:
    """Leases, missed releases, outdated rows, the gauges."""
    context, worker = container().context, worker_name()
    if not sweep.anything_to_sweep(context):
        return
    sweep.expire_leases(context, worker)
    sweep.hold_missed(context, worker)
    sweep.drop_outdated(context, worker)


@app.task(name="hub.watch", expires=60)
def watch() -> None:
    sweep.watch(container().context, worker_name())


@app.task(name="hub.notify", expires=60)
def notify() -> None:
    notices.send_waiting(container().context, container().hooks)


@app.task(name="hub.seal", expires=60)
def seal_record() -> None:
    hub = container()
    seal.seal(hub.engine, seal.load_or_make_key(hub.key_file), hub.origin, hub.settings.data, hub.settings.site, hub.clock())


@app.task(name="hub.patrol", expires=600)
def patrol_published() -> None:
    patrol.patrol(container().context, worker_name())


@app.task(name="hub.test_accounts", expires=600)
def test_accounts() -> None:
    """A daily test call of every account: says days ahead when an authorisation ends."""
    for channel in container().channels:
        accounts.test(container().context, "worker:beat", channel)
