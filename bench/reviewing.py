"""The way of one item through people's hands: create, submit, four signatures, release. Each is a transaction of a different person."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field

from bench import machine
from bench.stage import Stage, stage
from bench.stock import DEPARTMENT, content
from hub.app import release, review, submit
from hub.cli.journey import STATEMENTS, Cast, cast_of
from hub.cli.shared import caller
from hub.domain.item import STAGES
from hub.domain.item import Stage as ReviewStage

ACTS = 7
CHANNELS = {"website": "website", "feed": "feed", "weibo": "bench"}


@dataclass
class Reviewing:
    database: str
    rates: list[float] = field(default_factory=list)
    """Items per second, one person after the other."""
    cpu_ms: list[float] = field(default_factory=list)
    """Processor milliseconds of the hub for each item, without the database server."""
    beside: str = ""

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)


def measure(database: str, *, items: int, repeats: int) -> Reviewing:
    result = Reviewing(database)
    with stage(database, CHANNELS) as here:
        cast = cast_of(here.hub)
        _carry(here, cast, 0)
        foreign = machine.Foreign()
        for turn in range(repeats):
            began, used = time.perf_counter(), time.process_time()
            for number in range(items):
                _carry(here, cast, 1 + turn * items + number)
            result.cpu_ms.append(1000 * (time.process_time() - used) / items)
            result.rates.append(items / (time.perf_counter() - began))
        result.beside = foreign.words()
    return result


def _carry(here: Stage, cast: Cast, number: int) -> None:
    hub, context = here.hub, here.hub.context
    liaison = caller(hub, cast.liaisons[DEPARTMENT])
    made = submit.create(context, liaison, content(number, hub.site.columns[-1].slug, tuple(CHANNELS)))
    submit.submit(context, liaison, made.public_id)
    for stage_name, name in zip(STAGES, (cast.heads[DEPARTMENT], cast.first[0], cast.second[0], cast.final["A"]), strict=True):
        statements = STATEMENTS if stage_name is ReviewStage.DEPT else None
        review.sign(context, caller(hub, name), made.public_id, stage_name, digest=made.digest, statements=statements)
    release.release(context, caller(hub, cast.publisher), made.public_id, digest=made.digest)
