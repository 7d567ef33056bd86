"""Signs of life: a running worker or beat refreshes a small file; a health check asks how old it is.

The file is refreshed from the loop that does the work, not from a thread beside it, so a process that hangs grows cold.
Names carry the machine, since containers may share the data folder. Health checks run every minute in every container, so
asking needs the standard library only: ``python -m hub.alive DATA_DIR beat``, ``… DATA_DIR worker website``,
``… http://127.0.0.1:8000/healthz``; exit code 0 well, 1 not.
"""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

from hub.embedded.program import answers

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


def ask(arguments: list[str]) -> tuple[bool, str]:
    """Is it well, and a line for the container's log."""
    if len(arguments) == 1:
        (url,) = arguments
        return answers(url, timeout=5.0)(), url
    data, role, *queues = arguments
    name = worker_name(queues) if role == "worker" else role
    seconds = age(Path(data), name)
    if seconds is None:
        return False, f"{name}: no sign of life"
    return seconds < COLD, f"{name}: last sign {seconds:.0f} s ago"


def main() -> None:
    if len(sys.argv) < 2:
        raise SystemExit("python -m hub.alive URL | DATA_DIR beat | DATA_DIR worker [QUEUE…]")
    well, words = ask(sys.argv[1:])
    sys.stdout.write(f"{words}\n")
    raise SystemExit(0 if well else 1)


if __name__ == "__main__":
    main()
