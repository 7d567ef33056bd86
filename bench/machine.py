"""What ran beside the measurement, and what a process tree has cost: read from /proc (Linux)."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat after the command's name; None when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def tree(roots: list[int]) -> set[int]:
    """The processes and everything they started."""
    children: dict[int, list[int]] = defaultdict(list)
    for pid in _pids():
        fields = _stat(pid)
        if fields is not None:
            children[int(fields[1])].append(pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children[pid]
    return found


def cpu_seconds(*roots: int) -> float:
    """Processor time, user and system, that the process trees have used so far; children that ended and were reaped included."""
    ticks = 0
    for pid in tree(list(roots)):
        fields = _stat(pid)
        if fields is not None:
            ticks += sum(int(value) for value in fields[11:15])
    return ticks / TICKS


def idle_seconds() -> float:
    """Seconds for which all processors together had nothing to do since the machine started."""
    return int(Path("/proc/stat").read_text().split("\n", 1)[0].split()[4]) / TICKS


def load() -> float:
    """Runnable processes, averaged over the last minute."""
    return round(os.getloadavg()[0], 2)


def memory_peak() -> int:
    """Most resident memory this process ever had, bytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def describe() -> dict[str, str]:
    """The machine and its software, for the head of a report."""
    cpu = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "?")
    return {
        "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": f"{os.cpu_count()} × {cpu}",
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
    }


class Foreign:
    """Processor time that others took on this machine while we measured: what a ratio has to be read with."""

    def __init__(self) -> None:
        self._before = self._others()
        self._began = os.times().elapsed
        self._loads = [load()]

    @staticmethod
    def _others() -> float:
        total = sum(int(value) for value in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])
        idle = sum(int(value) for value in Path("/proc/stat").read_text().split("\n", 1)[0].split()[4:6])
        return (total - idle) / TICKS - cpu_seconds(os.getpid())

    def cores(self) -> float:
        """How many cores others kept busy on average since this was made."""
        return round(max(0.0, self._others() - self._before) / max(os.times().elapsed - self._began, 0.001), 2)

    def words(self) -> str:
        return f"load {self._loads[0]} → {load()}, others kept {self.cores()} of {os.cpu_count()} cores busy"
