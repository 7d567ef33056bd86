"""Measurements as tables in Markdown: to read in a terminal, and to be copied into docs/performance.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.idle import Idle
from bench.latency import Latency, percentile
from bench.publishing import Publishing
from bench.record import Record
from bench.reviewing import ACTS, Reviewing
from bench.throughput import Lap, Throughput, median


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"### {self.title}", "", _row(self.head), _row(["---"] * len(self.head)), *map(_row, self.rows), ""]
        return "\n".join([*lines, *(f"{note}  " for note in self.notes)]).rstrip() + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def throughput(runs: Sequence[Throughput]) -> Table:
    rows: list[tuple[str, ...]] = []
    for run in runs:
        where = f"{run.database}, platform answers in {run.delay * 1000:g} ms"
        rows += [
            _lap(where, "whole engine", run.engine, ""),
            _lap("", "bare task, `requests.post`", run.bare, f"{run.ratio:.2f}"),
            _lap("", "bare task, kept connections", run.pooled, f"{run.pooled_ratio:.2f}"),
        ]
    head = ("where", "side", "per second", "worker CPU ms", "all CPU ms", "engine ÷ this")
    notes = [
        f"{run.database}, {run.delay * 1000:g} ms: {run.count} posts a turn, {run.processes} worker processes × {run.threads} threads, "
        f"median of {len(run.engine)} turns; {run.beside}"
        for run in runs
    ]
    return Table("Deliveries per second", head, tuple(rows), tuple(notes))


def _lap(where: str, side: str, laps: list[Lap], ratio: str) -> tuple[str, ...]:
    return (where, side, f"{median(laps, 'rate'):.0f}", f"{median(laps, 'worker_ms'):.2f}", f"{median(laps, 'all_ms'):.2f}", ratio)


def latency(runs: Sequence[Latency]) -> Table:
    rows = []
    for run in runs:
        for words, values in (("page", run.page), ("feeds", run.feeds), ("first platform call", run.call)):
            rows.append((run.database, words, *(f"{percentile(values, share):.0f}" for share in (0.5, 0.95, 0.99))))
    notes = tuple(f"{run.database}: {len(run.page)} releases; {run.beside}" for run in runs)
    return Table("Milliseconds from the due time", ("database", "until", "p50", "p95", "p99"), tuple(rows), notes)


def publishing(run: Publishing) -> Table:
    rows = tuple((c.kind, f"{c.size:,}", str(c.files), f"{c.cpu_ms:.1f}", f"{c.wall_ms:.1f}", f"{run.ratio(c):.2f}") for c in run.costs)
    head = ("channel", "items on the site", "files written", "CPU ms", "wall ms", "CPU ÷ smallest")
    return Table("Publishing one item more", head, rows, (run.beside,))


def record(run: Record) -> Table:
    rows = tuple(
        (f"{v.entries:,}", f"{v.seconds:.2f}", f"{v.cpu_seconds:.2f}", f"{v.rate:,.0f}", f"{v.memory / 1e6:.0f}") for v in run.runs
    )
    return Table("`hub audit verify`", ("entries", "seconds", "CPU seconds", "entries/s", "memory peak MB"), rows, (run.beside,))


def reviewing(runs: Sequence[Reviewing]) -> Table:
    rows = tuple((r.database, f"{r.rate:.1f}", f"{r.rate * ACTS:.0f}", f"{sum(r.cpu_ms) / len(r.cpu_ms):.0f}") for r in runs)
    notes = tuple(f"{r.database}: {r.beside}" for r in runs)
    head = ("database", "items/s", "acts/s", "CPU ms an item (hub only)")
    return Table("Create, submit, four signatures, release", head, rows, notes)


def idle(runs: Sequence[Idle]) -> Table:
    rows = tuple((r.database, str(r.waiting), f"{r.beat:.1f}", f"{r.worker:.1f}", f"{r.servers:.1f}") for r in runs)
    head = ("database", "scheduled items", "beat and relay %", "worker %", "database and Redis %")
    return Table("A hub at rest, shares of one core", head, rows, tuple(f"{r.database}: {r.beside}" for r in runs))
