"""Signs of life: a running worker or beat refreshes a small file, and ``hub health`` asks how old it is.

The file is refreshed from the loop that does the work, not from a thread beside it, so a process that hangs grows cold.
Names carry the machine, since containers may share the data folder.
"""

from __future__ import annotations

import socket
import time
from pathlib import Path

EVERY = 10.0
"""Seconds between two signs."""
COLD = 60.0
"""A sign older than this, in seconds, is none."""


def worker_name(queues: list[str]) -> str:
    """The name under which a worker of these queues (none: all) gives its signs."""
    return ".".join(["worker", *sorted(queues)])


def _file(data: Path, name: str) -> Path:
    return data / "alive" / f"{socket.gethostname()}.{name}"


def show(data: Path, name: str) -> None:
    """Give a sign of life for ``name`` (``beat``, ``worker.website``). Raises OSError when the data folder cannot be written."""
    file = _file(data, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()


def withdraw(data: Path, name: str) -> None:
    """Take the sign back: the process ends on purpose."""
    _file(data, name).unlink(missing_ok=True)


def age(data: Path, name: str) -> float | None:
    """Seconds since the last sign of ``name`` on this machine; None when there is none."""
    try:
        return max(0.0, time.time() - _file(data, name).stat().st_mtime)
    except FileNotFoundError:
        return None
