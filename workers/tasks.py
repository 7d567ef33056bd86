"""The tasks: a few lines each. What they do is in ``hub.app``; when who is called to do it is said here."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import structlog
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from hub.app import accounts, notices, patrol, seal, sweep
from hub.app.due import due_sends
from hub.app.look import look_due
from hub.app.send import send_due
from hub.wiring import Container
from workers.celery import app, container, queue_of
from workers.slots import Slots

log = structlog.get_logger(__name__)
DRAIN_SECONDS = 20.0
"""A drain hands its slot back after this long, so that channels sharing a worker take turns; the relay rings again."""
slots = Slots(2)
"""How many threads of this process one channel may hold at a time; ``run_worker`` knows better."""


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident() % 100_000}"


def ring(hub: Container, task: Any, channel: str) -> bool:
    """Put a word into the channel's queue. False: the bell still rings, and a second message would only wait behind the first."""
    if hub.redis.llen(queue_of(channel)):
        return False
    task.apply_async((channel,), queue=queue_of(channel))
    return True


@app.task(name="hub.drain", expires=30)
def drain(channel: str) -> int:
    """Send batch after batch of what is due for ``channel`` until nothing is. Returns how many deliveries were claimed."""
    hub, ends, sent = container(), time.monotonic() + DRAIN_SECONDS, 0
    # One more hand at the start of each: all free ones are at work long before the relay rings again.
    helper: Callable[[], object] | None = partial(_call, hub, [channel])
    with slots.one(channel) as mine:
        while mine and time.monotonic() < ends and (count := send_due(hub.context, channel, worker_name(), more=helper)):
            sent, helper = sent + count, None
            if channel == "website":
                # Their pages are live now: what links to them has waited for nothing else.
                with hub.context.reading() as session:
                    _call(hub, [other for other in due_sends(session, hub.clock()) if other != channel])
    return sent


def _call(hub: Container, channels: Sequence[str]) -> None:
    """Ring before the relay does, which will ring anyway: a broker that is away must not keep a batch from being sent."""
    try:
        for channel in channels:
            if channel in hub.channels:
                ring(hub, drain, channel)
    except (RedisError, BrokerError, OSError) as error:
        log.warning("nobody could be called", channels=channels, error=f"{type(error).__name__}: {error}"[:300])


@app.task(name="hub.look", expires=60)
def look(channel: str) -> int:
    """Look at every delivery of ``channel`` whose look is due."""
    with slots.one(channel) as mine:
        return look_due(container().context, channel, worker_name()) if mine else 0


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
