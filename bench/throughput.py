"""Deliveries per second through the whole engine, over a bare Celery task that only posts: same workers, same platform."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from datetime import timedelta

import redis
from sqlalchemy import select

from bench import machine
from bench.bare import app as bare_app
from bench.bare import post, post_pooled
from bench.stage import Stage, stage, wait_for
from bench.stock import Stock, start, stock
from hub.domain.delivery import DeliveryState
from hub.store.tables import Delivery
from workers.celery import broker_url

WAIT = 600.0


@dataclass(frozen=True, slots=True)
class Lap:
    """One turn of one side."""

    rate: float
    """Per second, from the start signal until the last one was settled (engine) or posted (bare)."""
    worker_ms: float
    """Processor milliseconds of the workers for each delivery."""
    all_ms: float
    """The same of workers, beat, database, Redis and platform together."""


@dataclass
class Throughput:
    database: str
    count: int
    processes: int
    threads: int
    delay: float
    engine: list[Lap] = field(default_factory=list)
    bare: list[Lap] = field(default_factory=list)
    pooled: list[Lap] = field(default_factory=list)
    beside: str = ""

    @property
    def ratio(self) -> float:
        """Median of the ratios of turns that followed each other."""
        return statistics.median(e.rate / b.rate for e, b in zip(self.engine, self.bare, strict=True))

    @property
    def pooled_ratio(self) -> float:
        return statistics.median(e.rate / b.rate for e, b in zip(self.engine, self.pooled, strict=True))


def median(laps: list[Lap], name: str) -> float:
    values: list[float] = [getattr(lap, name) for lap in laps]
    return statistics.median(values)


def measure(database: str, *, count: int, repeats: int, processes: int = 2, threads: int = 8, delay: float = 0.0) -> Throughput:
    """Turn about: engine, bare, bare with kept connections; ``repeats`` rounds after one that is thrown away."""
    result = Throughput(database, count, processes, threads, delay)
    with stage(database, {"website": "bench"}, delay=delay) as here:
        bare_app.conf.broker_url = broker_url(here.redis.url)
        engine = [here.worker("website", concurrency=threads) for _ in range(processes)]
        beat = here.beat()
        arguments = ("--redis", here.redis.url, "--concurrency", str(threads))
        bare = [here.start("bench.bare", *arguments) for _ in range(processes)]
        _pause(bare)
        warm = max(20, count // 10)
        _engine(here, stock(here, warm, ["website"]), engine, beat)
        foreign = machine.Foreign()
        for turn in range(repeats):
            goods = stock(here, count, ["website"], first=warm + turn * count)
            result.engine.append(_engine(here, goods, engine, beat))
            _pause([*engine, beat])
            _resume(bare)
            if turn == 0:
                _bare(here, goods.bodies[:warm], bare, post)
            result.bare.append(_bare(here, goods.bodies, bare, post))
            result.pooled.append(_bare(here, goods.bodies, bare, post_pooled))
            _pause(bare)
            _resume([*engine, beat])
        result.beside = foreign.words()
    return result


def _engine(here: Stage, goods: Stock, workers: list[subprocess.Popen[bytes]], beat: subprocess.Popen[bytes]) -> Lap:
    waiting = select(Delivery.id).where(Delivery.state.in_((DeliveryState.PLANNED, DeliveryState.SENDING))).limit(1)

    def settled() -> bool:
        with here.hub.context.reading() as session:
            return session.scalar(waiting) is None

    everyone = [*(w.pid for w in workers), beat.pid, *here.servers, here.platform.pid]
    due = start(here, goods.releases, delay=timedelta(seconds=0.3))
    before = machine.cpu_seconds(*(w.pid for w in workers)), machine.cpu_seconds(*everyone)
    wait_for(settled, here, seconds=WAIT, what=f"{len(goods.releases)} deliveries settled")
    seconds = (here.hub.clock() - due).total_seconds()
    after = machine.cpu_seconds(*(w.pid for w in workers)), machine.cpu_seconds(*everyone)
    with here.hub.context.reading() as session:
        wrong = session.scalar(
            select(Delivery.id).where(Delivery.release_id.in_(goods.releases), Delivery.state != DeliveryState.DELIVERED)
        )
    if wrong is not None:
        raise RuntimeError(f"delivery {wrong} was not delivered: what was measured is not what was to be measured")
    return _lap(len(goods.releases), seconds, before, after)


def _bare(here: Stage, bodies: tuple[str, ...], workers: list[subprocess.Popen[bytes]], task: object) -> Lap:
    """Messages wait in another list until the start signal renames it: publishing them is not what is measured."""
    url = here.platform_url + "/post"
    with bare_app.connection_for_write() as connection, bare_app.amqp.Producer(connection) as producer:
        for body in bodies:
            task.apply_async((url, body), queue="bare.held", producer=producer)  # type: ignore[attr-defined]
    goal = here.taken() + len(bodies)
    everyone = [*(w.pid for w in workers), *here.servers, here.platform.pid]
    before = machine.cpu_seconds(*(w.pid for w in workers)), machine.cpu_seconds(*everyone)
    began = time.monotonic()
    with redis.Redis(unix_socket_path=str(here.redis.socket)) as client:
        client.rename("bare.held", "bare")
    wait_for(lambda: here.taken() >= goal, here, seconds=WAIT, what=f"{len(bodies)} bare posts")
    seconds = time.monotonic() - began
    after = machine.cpu_seconds(*(w.pid for w in workers)), machine.cpu_seconds(*everyone)
    return _lap(len(bodies), seconds, before, after)


def _lap(count: int, seconds: float, before: tuple[float, float], after: tuple[float, float]) -> Lap:
    workers, everyone = (1000 * (b - a) / count for a, b in zip(before, after, strict=True))
    return Lap(count / seconds, workers, everyone)


def _pause(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        os.kill(process.pid, signal.SIGSTOP)


def _resume(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        os.kill(process.pid, signal.SIGCONT)
