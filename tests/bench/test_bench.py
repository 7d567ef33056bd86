"""The bench runs, whatever the numbers: times are never asserted, a shared machine would make them lies."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench.__main__ import SECTIONS
from bench.latency import percentile
from tests.architecture.sources import ROOT


def test_every_bench_runs_to_its_end(tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    command = [sys.executable, "-m", "bench", "--quick", "--json", str(found)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    measured = json.loads(found.read_text("utf-8"))
    assert all(measured[name] for name in SECTIONS)


def test_an_unknown_bench_is_named() -> None:
    done = subprocess.run([sys.executable, "-m", "bench", "--only", "nothing"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no such bench: nothing" in done.stderr


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(n) for n in range(1, 61)]
    assert [percentile(values, share) for share in (0.5, 0.95, 0.99)] == [30.0, 57.0, 60.0]
    assert percentile([7.0], 0.99) == 7.0
