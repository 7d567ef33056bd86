"""One supervised program: what to run, how to know that it is ready, and what has become of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

from hub.embedded import tether

LOG_BYTES = 10_000_000
"""A log that has grown past this is set aside as ``NAME.log.1`` when its program next starts or writes."""
SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Program:
    """What to run. ``environment`` is added to the supervisor's own; ``ready`` must be quick and may be asked often."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    """None: ready when it has lived for a moment."""
    grace: float = 10.0
    """Seconds between SIGTERM and SIGKILL."""


class State(StrEnum):
    RUNNING = "running"
    RESTING = "resting"
    """It died; a new start follows after the pause."""
    STOPPED = "stopped"


@dataclass(frozen=True)
class Status:
    """A snapshot for people and tests."""

    name: str
    state: State
    pid: int | None
    restarts: int
    last_exit: int | None
    """Exit code of the last death, negative for a signal; None: it never died."""
    log: Path


def answers(url: str, *, timeout: float = 2.0) -> Callable[[], bool]:
    """A readiness check: a GET of ``url`` (on this machine) answers below 400."""

    def ask() -> bool:
        # No proxy of the environment may stand between two processes of one machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(url, timeout=timeout) as response:
                return bool(response.status < 400)
        except (urllib.error.URLError, OSError):
            return False

    return ask


class Run:
    """One life of a program: the process, its group and the thread that writes its log."""

    def __init__(self, program: Program, log: Path, ended: Callable[[], None]) -> None:
        """Start it, in a session of its own so that Ctrl-C reaches only the supervisor. ``ended`` is called when its output ends."""
        self.program = program
        self._log = log
        self._ended = ended
        self.process = subprocess.Popen(  # noqa: S603 - the hub's own commands
            [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), *program.command],
            env={**os.environ, "PYTHONUNBUFFERED": "1", **program.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._pump = threading.Thread(target=self._write_log, name=f"log-{program.name}", daemon=True)
        self._pump.start()

    @property
    def group(self) -> int:
        return self.process.pid

    def signal_group(self, number: signal.Signals) -> None:
        """Signal every process of the group; none left is fine."""
        try:
            os.killpg(self.group, number)
        except ProcessLookupError:
            return

    def finish(self) -> int:
        """After the process has ended: end what it left behind, write the rest of the log, return the exit code."""
        self.signal_group(signal.SIGKILL)
        code = self.process.wait()
        self._pump.join(5)
        return code

    def _write_log(self) -> None:
        pipe: IO[bytes] = self.process.stdout  # type: ignore[assignment]
        out = self._open()
        try:
            for line in pipe:
                stamp = datetime.now(SHANGHAI).isoformat(timespec="milliseconds")
                out.write(f"{stamp} {self.program.name} | ".encode() + line.rstrip(b"\n") + b"\n")
                if out.tell() > LOG_BYTES:
                    out.close()
                    out = self._open()
        finally:
            out.close()
            pipe.close()
            self._ended()

    def _open(self) -> IO[bytes]:
        if self._log.exists() and self._log.stat().st_size > LOG_BYTES:
            self._log.replace(self._log.with_name(self._log.name + ".1"))
        return self._log.open("ab", buffering=0)
