"""``make bench``: the budgets measured so far, as a table. ``--quick``: tiny sizes, to see that it runs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from bench import latency, machine, throughput

out = Console(highlight=False, width=140)
PERCENTILES = (0.50, 0.95, 0.99)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that the bench runs, measures nothing worth keeping")
    parser.add_argument("--database", choices=("postgresql", "sqlite"), action="append", help="only this one (default: both)")
    given = parser.parse_args()
    databases = given.database or ["postgresql", "sqlite"]
    for name, value in machine.describe().items():
        out.print(f"{name}: {value}")
    out.print(f"load before: {machine.load()}")
    for row in _throughput(databases, quick=given.quick):
        out.print(row)
    for row in _latency(databases, quick=given.quick):
        out.print(row)


def _throughput(databases: list[str], *, quick: bool) -> Iterator[Table]:
    table = Table("database", "deliveries/s", "bare task/s", "ratio", "bare, kept connections/s", "ratio", "worker ms each", "beside")
    for database in databases:
        found = throughput.measure(database, count=40 if quick else 2000, repeats=1 if quick else 3)
        table.add_row(
            database,
            f"{throughput.median(found.engine, 'rate'):.0f}",
            f"{throughput.median(found.bare, 'rate'):.0f}",
            f"{found.ratio:.2f}",
            f"{throughput.median(found.pooled, 'rate'):.0f}",
            f"{found.pooled_ratio:.2f}",
            f"{throughput.median(found.engine, 'worker_ms'):.2f}",
            found.beside,
        )
    table.title = "Engine against a bare Celery task that only posts (median of turns)"
    yield table


def _latency(databases: list[str], *, quick: bool) -> Iterator[Table]:
    table = Table("database", "from due time to", *(f"p{share * 100:.0f}, ms" for share in PERCENTILES), "most, ms", "beside")
    for database in databases:
        found = latency.measure(database, releases=3 if quick else 60)
        for what, values in (("live page", found.page), ("feed", found.feeds), ("first platform call", found.call)):
            cells = [f"{latency.percentile(values, share):.0f}" for share in PERCENTILES]
            table.add_row(database, what, *cells, f"{max(values):.0f}", found.beside)
    table.title = "Latency of a release on an otherwise idle hub"
    yield table


if __name__ == "__main__":
    main()
