"""Run the hub's processes under one command: start, watch, restart, stop, and leave nothing behind.

    with Supervisor(data / "logs") as supervisor:
        supervisor.start(Program("web", [python, "-m", "hub.cli", "web"], ready=answers(url)))
        supervisor.wait_ready("web")
        supervisor.wait()

Inside the block SIGTERM and SIGHUP raise KeyboardInterrupt like Ctrl-C does; leaving it stops every program, and a second signal
during the stop kills at once. When the supervisor itself is killed with SIGKILL, ``tether`` and ``guardian`` end the programs.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType

from hub.embedded import guardian
from hub.embedded.program import Program, Run, State, Status

log = logging.getLogger(__name__)

ENDING = (signal.SIGTERM, signal.SIGHUP)
LOOK = 1.0
"""Seconds between two looks at the processes; a death is noticed at once by the end of its output."""
POLL = 0.05
SETTLED = 0.5
"""Seconds a program without a check must have lived to count as ready."""


class NotReady(RuntimeError):
    """A program did not become ready; the message is Chinese and shows the end of its log."""


@dataclass
class _Kept:
    program: Program
    run: Run | None = None
    restarts: int = 0
    failures: int = 0
    """Deaths in a row, none of which followed a long life."""
    started_at: float = 0.0
    next_start: float = 0.0
    last_exit: int | None = None


class Supervisor:
    """Keeps named programs alive. One thread starts and watches them all; the methods may be called from any thread."""

    def __init__(self, log_dir: Path, *, pause: float = 0.5, longest_pause: float = 30.0, healthy_after: float = 60.0) -> None:
        """``pause`` seconds before the first restart, doubled up to ``longest_pause``; a life of ``healthy_after`` starts anew."""
        self.log_dir = log_dir
        self._pause, self._longest, self._healthy = pause, longest_pause, healthy_after
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()
        self._bell = threading.Event()
        self._stopping = False
        self._hurry = threading.Event()
        self._leave = threading.Event()
        self._guardian: subprocess.Popen[bytes] | None = None
        # The kernel ties a child to the thread that started it, so one thread that lives to the end starts them all.
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._previous: dict[signal.Signals, object] = {}

    # ------------------------------------------------------------------------------------------------- for the caller

    def start(self, program: Program) -> None:
        """Start a program and keep it running. Raises ValueError for a name that is taken, RuntimeError after ``stop``."""
        self.log_dir.mkdir(parents=True, exist_ok=True)
        with self._lock:
            if self._stopping:
                raise RuntimeError("the supervisor is stopping")
            if program.name in self._kept:
                raise ValueError(f"a program named {program.name} is already kept")
            self._kept[program.name] = _Kept(program)
            if not self._thread.is_alive():
                self._thread.start()
        self._bell.set()

    def wait_ready(self, *names: str, timeout: float = 60.0, deaths: int = 3) -> None:
        """Wait until these programs (none named: all) run and their checks say yes.

        Raises NotReady after ``timeout`` seconds, or as soon as one of them has died ``deaths`` times.
        """
        end = time.monotonic() + timeout
        for name in names or tuple(self._kept):
            kept = self._kept[name]
            while not self._is_ready(kept):
                if kept.failures >= deaths:
                    raise NotReady(f"{name} 启动后反复退出（退出码 {kept.last_exit}）。{self._log_end(name)}")
                if time.monotonic() > end:
                    raise NotReady(f"{name} 在 {timeout:g} 秒内没有就绪。{self._log_end(name)}")
                time.sleep(POLL)

    def status(self) -> tuple[Status, ...]:
        """Every program in the order of its start."""
        return tuple(self._status(kept) for kept in self._all())

    def wait(self, timeout: float | None = None) -> None:
        """Block until ``leave`` is called, ``timeout`` seconds have passed or a signal arrives (KeyboardInterrupt)."""
        self._leave.wait(timeout)

    def leave(self) -> None:
        """Let ``wait`` return."""
        self._leave.set()

    def stop(self) -> None:
        """Stop everything: SIGTERM to every group, SIGKILL after each one's grace. Returns when all are gone. May be called twice."""
        with self._lock:
            self._stopping = True
        self._bell.set()
        if self._thread.ident is not None:
            self._thread.join()

    def __enter__(self) -> Supervisor:
        for name in ENDING:
            # nohup ignores SIGHUP on purpose.
            if signal.getsignal(name) is not signal.SIG_IGN:
                self._previous[name] = signal.signal(name, self._interrupt)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._previous[signal.SIGINT] = signal.getsignal(signal.SIGINT)
        for name in self._previous:
            signal.signal(name, self._hasten)
        try:
            self.stop()
        finally:
            for name, handler in self._previous.items():
                signal.signal(name, handler)  # type: ignore[arg-type]

    # ---------------------------------------------------------------------------------------------- the watching thread

    def _watch(self) -> None:
        while not self._stopping:
            self._bell.clear()
            now = time.monotonic()
            for kept in self._all():
                self._look_at(kept, now)
            due = [kept.next_start for kept in self._all() if kept.run is None]
            self._bell.wait(max(0.0, min([LOOK, *(moment - now for moment in due)])))
        self._stop_all()

    def _look_at(self, kept: _Kept, now: float) -> None:
        if kept.run is not None and kept.run.process.poll() is not None:
            self._bury(kept, now)
        if kept.run is None and kept.next_start <= now:
            self._guard()
            kept.run = Run(kept.program, self._log(kept.program.name), self._bell.set)
            kept.started_at = now
            self._tell(f"+{kept.run.group}")

    def _bury(self, kept: _Kept, now: float) -> None:
        run = kept.run
        assert run is not None
        kept.last_exit = run.finish()
        self._tell(f"-{run.group}")
        kept.run = None
        kept.restarts += 1
        kept.failures = 1 if now - kept.started_at >= self._healthy else kept.failures + 1
        pause = min(self._pause * 2 ** min(kept.failures - 1, 16), self._longest)
        kept.next_start = now + pause
        log.warning("%s ended with %s, starting again in %.1f s", kept.program.name, kept.last_exit, pause)

    def _stop_all(self) -> None:
        running = [kept for kept in self._all() if kept.run is not None]
        began = time.monotonic()
        for kept in running:
            kept.run.signal_group(signal.SIGTERM)  # type: ignore[union-attr]
        for kept in running:
            run = kept.run
            assert run is not None
            while run.process.poll() is None and time.monotonic() - began < kept.program.grace and not self._hurry.is_set():
                self._hurry.wait(POLL)
            if run.process.poll() is None:
                log.warning("%s did not end within %.0f s and is killed", kept.program.name, kept.program.grace)
            kept.last_exit = run.finish()
            self._tell(f"-{run.group}")
            kept.run = None
        self._dismiss()

    def _guard(self) -> None:
        """See to it that a guardian lives and knows every group."""
        if self._guardian is not None and self._guardian.poll() is None:
            return
        self._dismiss()
        self._guardian = subprocess.Popen(  # noqa: S603 - our own file
            [sys.executable, "-I", "-S", guardian.__file__, *(str(kept.run.group) for kept in self._all() if kept.run is not None)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )

    def _tell(self, word: str) -> None:
        assert self._guardian is not None
        assert self._guardian.stdin is not None
        try:
            self._guardian.stdin.write(f"{word}\n".encode())
        except BrokenPipeError:
            # Somebody killed the guardian: the next start of a program brings a new one, told everything again.
            log.warning("the guardian of process groups is gone")

    def _dismiss(self) -> None:
        if self._guardian is not None and self._guardian.stdin is not None:
            self._guardian.stdin.close()
            self._guardian.wait()
            self._guardian = None

    # -------------------------------------------------------------------------------------------------------- answers

    def _is_ready(self, kept: _Kept) -> bool:
        run = kept.run
        if run is None or run.process.poll() is not None:
            return False
        if kept.program.ready is None:
            return time.monotonic() - kept.started_at >= SETTLED
        return kept.program.ready()

    def _all(self) -> tuple[_Kept, ...]:
        with self._lock:
            return tuple(self._kept.values())

    def _status(self, kept: _Kept) -> Status:
        run = kept.run
        alive = run is not None and run.process.poll() is None
        state = State.RUNNING if alive else State.STOPPED if self._stopping else State.RESTING
        name, pid = kept.program.name, run.process.pid if run is not None and alive else None
        return Status(name, state, pid, kept.restarts, kept.last_exit, self._log(name))

    def _log(self, name: str) -> Path:
        return self.log_dir / f"{name}.log"

    def _log_end(self, name: str) -> str:
        path = self._log(name)
        lines = path.read_text("utf-8", "replace").splitlines()[-15:] if path.exists() else []
        return f"日志 {path} 的末尾：\n" + "\n".join(lines or ["（没有日志）"])

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    def _hasten(self, _number: int, _frame: FrameType | None) -> None:
        self._hurry.set()
