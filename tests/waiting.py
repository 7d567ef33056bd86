"""Waiting for conditions instead of sleeping."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path


def wait_until(
    condition: Callable[[], object], *, timeout: float = 15.0, what: str = "", shown: Callable[[], object] | None = None
) -> None:
    """Return as soon as ``condition()`` is true; fail after ``timeout`` seconds with ``what`` and ``shown()``."""
    end = time.monotonic() + timeout
    pause = threading.Event()
    while not condition():
        if time.monotonic() > end:
            seen = f"; instead: {shown()}" if shown else ""
            raise AssertionError(f"not within {timeout:g} s: {what or getattr(condition, '__qualname__', condition)}{seen}")
        pause.wait(0.02)


def gone(pid: int) -> bool:
    """True when no such process runs (one that has ended and waits for its parent counts as gone)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] in {"Z", "X"}
