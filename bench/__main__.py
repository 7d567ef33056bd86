"""``python -m bench``: measure and print. Ratios are of one run; what else ran is written beside them."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog

from bench import idle, latency, machine, publishing, record, report, reviewing, throughput
from bench.stage import DATABASES


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("--quick", action="store_true", help="tiny sizes: proves that everything runs, measures nothing")
    options.add_argument("--only", default="", help=f"some of: {','.join(SECTIONS)}")
    options.add_argument("--json", type=Path, help="write every single measurement to this file")
    given = options.parse_args()
    chosen = [name for name in given.only.split(",") if name] or list(SECTIONS)
    unknown = set(chosen) - set(SECTIONS)
    if unknown:
        options.error(f"no such bench: {', '.join(sorted(unknown))} (there are {', '.join(SECTIONS)})")
    # The verbs log every act; here that would be all there is to see.
    logging.getLogger().setLevel(logging.ERROR)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    where = machine.describe()
    _say("".join(f"{name}: {value}\n" for name, value in where.items()))
    measured: dict[str, Any] = {"machine": where}
    for name in chosen:
        runs, table = SECTIONS[name](given.quick)
        measured[name] = runs
        _say(f"\n{table}")
    if given.json is not None:
        given.json.write_text(json.dumps(measured, indent=1), "utf-8")


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def databases(quick: bool) -> tuple[str, ...]:
    return ("sqlite",) if quick else DATABASES


def _throughput(quick: bool) -> tuple[Any, report.Table]:
    plans = [("postgresql", 0.0), ("postgresql", 0.02), ("sqlite", 0.0)]
    if quick:
        runs = [throughput.measure("postgresql", count=20, repeats=1, processes=1)]
    else:
        runs = [throughput.measure(database, count=2000, repeats=3, delay=delay) for database, delay in plans]
    return [asdict(run) for run in runs], report.throughput(runs)


def _latency(quick: bool) -> tuple[Any, report.Table]:
    runs = [latency.measure(database, releases=2 if quick else 60) for database in databases(quick)]
    return [asdict(run) for run in runs], report.latency(runs)


def _publishing(quick: bool) -> tuple[Any, report.Table]:
    run = publishing.measure(sizes=(5, 10) if quick else (100, 1_000, 10_000), repeats=2 if quick else 21)
    return asdict(run), report.publishing(run)


def _record(quick: bool) -> tuple[Any, report.Table]:
    run = record.measure(sizes=(100,) if quick else (10_000, 100_000))
    return asdict(run), report.record(run)


def _reviewing(quick: bool) -> tuple[Any, report.Table]:
    items, repeats = (1, 1) if quick else (20, 5)
    runs = [reviewing.measure(database, items=items, repeats=repeats) for database in databases(quick)]
    return [asdict(run) for run in runs], report.reviewing(runs)


def _idle(quick: bool) -> tuple[Any, report.Table]:
    runs = [
        idle.measure(database, seconds=0.5 if quick else 30, waiting=5 if quick else 1000, settle=1 if quick else 6)
        for database in databases(quick)
    ]
    return [asdict(run) for run in runs], report.idle(runs)


SECTIONS: dict[str, Callable[[bool], tuple[Any, report.Table]]] = {
    "throughput": _throughput,
    "latency": _latency,
    "publishing": _publishing,
    "record": _record,
    "reviewing": _reviewing,
    "idle": _idle,
}

if __name__ == "__main__":
    main()
