"""What publishing one item costs on a small and on a large site: the website and the feed adapter alone, without the hub."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import machine
from channels.base import Account, Action, Channel, Job, Live, Outcome, Rendition, recording
from channels.registry import create_channel
from tests.channels.samples import PUBLISHED, a_publication, surroundings

KINDS = ("website", "feed")
FILL = 500


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians for one more item on a site of ``size``."""

    kind: str
    size: int
    files: int
    cpu_ms: float
    wall_ms: float


@dataclass(frozen=True, slots=True)
class Publishing:
    costs: tuple[Cost, ...]
    beside: str

    def ratio(self, cost: Cost) -> float:
        """Processor time against the smallest site of the same kind."""
        return cost.cpu_ms / next(c.cpu_ms for c in self.costs if c.kind == cost.kind)


def measure(*, sizes: tuple[int, ...], repeats: int) -> Publishing:
    foreign = machine.Foreign()
    costs: list[Cost] = []
    for kind in KINDS:
        with TemporaryDirectory(prefix="hub-bench-", ignore_cleanup_errors=True) as folder:
            costs += _grown(kind, Path(folder), sizes, repeats)
    return Publishing(tuple(costs), foreign.words())


def _grown(kind: str, folder: Path, sizes: tuple[int, ...], repeats: int) -> list[Cost]:
    """One site grows from size to size; at each, ``repeats`` items more are published one by one."""
    channel = create_channel(Account(kind, kind), surroundings(folder, lambda: PUBLISHED))
    costs, number = [], 0
    for size in sizes:
        while number < size:
            upto = min(number + FILL, size)
            _live(channel.push_many([_delivery(channel, n) for n in range(number, upto)]))  # type: ignore[attr-defined]
            number = upto
        turns = []
        for _ in range(repeats):
            rendition, job = _delivery(channel, number)
            number += 1
            wall, used = time.perf_counter(), time.process_time()
            with recording() as exchanges:
                outcome = channel.push(rendition, job)
            turns.append((len(exchanges), 1000 * (time.process_time() - used), 1000 * (time.perf_counter() - wall)))
            _live([outcome])
        files, cpu, passed = (statistics.median(column) for column in zip(*turns, strict=True))
        costs.append(Cost(kind, size, int(files), cpu, passed))
    return costs


def _delivery(channel: Channel, number: int) -> tuple[Rendition, Job]:
    publication = a_publication(
        f"20261122-b{number:07d}", title=f"云川区2026年公益性岗位招聘公告（第{number}号）", index_no=f"B/2026-{number:07d}"
    )
    moment = PUBLISHED + timedelta(minutes=number)
    key = f"{publication.public_id}.1.{channel.name}.publish"
    return channel.format(publication), Job(key, Action.PUBLISH, publication.public_id, 1, {}, {}, moment, moment, moment, moment)


def _live(outcomes: list[Outcome]) -> None:
    wrong = [outcome for outcome in outcomes if not isinstance(outcome, Live)]
    if wrong:
        raise RuntimeError(f"not published: {wrong[0]}")
