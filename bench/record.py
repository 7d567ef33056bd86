"""How fast ``hub audit verify`` recomputes the record, and how much memory it takes: in a process of its own, on SQLite."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import machine
from hub.app import seal
from hub.app.verify import verify
from hub.domain.verbs import Verb
from hub.store import upgrade
from hub.store.engine import make_engine
from hub.store.uow import Work

ORIGIN = "bench.example/record"
TOGETHER = 1000
SETTLED: Mapping[str, object] = {
    "action": "publish",
    "attempt": 1,
    "calls": [["POST http://127.0.0.1:8001/cgi-bin/draft/add", "200", "0" * 64, "f" * 64]],
    "channel": "wechat",
    "outcome": "Live",
    "state": "delivered",
    "url": "http://127.0.0.1:8001/s/abcdefgh",
    "why": "",
}


@dataclass(frozen=True, slots=True)
class Verified:
    entries: int
    seconds: float
    cpu_seconds: float
    memory: int
    """Most resident memory of the verifying process, bytes."""

    @property
    def rate(self) -> float:
        return self.entries / self.seconds


@dataclass(frozen=True, slots=True)
class Record:
    runs: tuple[Verified, ...]
    beside: str


def measure(*, sizes: tuple[int, ...]) -> Record:
    foreign = machine.Foreign()
    with TemporaryDirectory(prefix="hub-bench-") as folder:
        runs = tuple(_verified(Path(folder) / str(size), size) for size in sizes)
    return Record(runs, foreign.words())


def _verified(folder: Path, size: int) -> Verified:
    folder.mkdir()
    engine = make_engine(f"sqlite:///{folder / 'hub.db'}")
    upgrade.upgrade(engine)
    for first in range(0, size, TOGETHER):
        with Work(engine, lambda: datetime.now(UTC), "worker:bench") as work:
            for number in range(first, min(first + TOGETHER, size)):
                work.record(Verb.DELIVERY_SETTLED, f"item:20261122-b{number:07d}", {"delivery": number, **SETTLED})
            work.commit()
    key = seal.load_or_make_key(folder / "record.key")
    seal.seal(engine, key, ORIGIN, folder, folder / "site", datetime.now(UTC))
    engine.dispose()
    done = subprocess.run([sys.executable, "-m", "bench.record", str(folder)], capture_output=True, text=True, check=True)
    return Verified(**json.loads(done.stdout))


def _verify(folder: Path) -> Verified:
    engine = make_engine(f"sqlite:///{folder / 'hub.db'}")
    key = seal.verifier_key(seal.load_or_make_key(folder / "record.key"), ORIGIN)
    began, used = time.perf_counter(), time.process_time()
    report = verify(engine, checkpoints=sorted((folder / "checkpoints").glob("[0-9]*.txt")), key=key)
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    if not report.ok:
        raise RuntimeError(str(report))
    return Verified(report.size, seconds, cpu, machine.memory_peak())


if __name__ == "__main__":
    found = _verify(Path(sys.argv[1]))
    sys.stdout.write(
        json.dumps({"entries": found.entries, "seconds": found.seconds, "cpu_seconds": found.cpu_seconds, "memory": found.memory})
    )
