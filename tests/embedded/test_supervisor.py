"""The supervisor, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.embedded import program as program_module
from hub.embedded.program import Program, State, answers
from hub.embedded.supervisor import NotReady, Supervisor
from tests.waiting import gone, wait_until

SLEEPER = "import signal, sys; print('hello', flush=True); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
PARENT = (
    "import signal, subprocess, sys, pathlib\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()'])\n"
    "pathlib.Path(sys.argv[1]).write_text(str(child.pid)); signal.pause()"
)


def _python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code, *arguments]


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "logs", pause=0.05, longest_pause=0.2) as made:
        yield made


def _pid(supervisor: Supervisor, name: str) -> int:
    return next(status.pid for status in supervisor.status() if status.name == name) or 0


def _number(path: Path) -> int:
    wait_until(lambda: path.exists() and path.read_text())
    return int(path.read_text())


def test_a_program_runs_and_its_output_is_kept(supervisor: Supervisor, tmp_path: Path) -> None:
    command = _python("import os; print('值', os.environ['COLOUR'], flush=True); import signal; signal.pause()")
    supervisor.start(Program("web", command, {"COLOUR": "红"}))
    supervisor.wait_ready("web")
    log = tmp_path / "logs" / "web.log"
    wait_until(lambda: log.exists() and "web | 值 红\n" in log.read_text("utf-8"))
    assert "+08:00 web | " in log.read_text("utf-8")
    (status,) = supervisor.status()
    assert (status.state, status.restarts, status.last_exit, status.log) == (State.RUNNING, 0, None, log)


def test_a_program_that_dies_is_started_again(supervisor: Supervisor) -> None:
    supervisor.start(Program("worker", _python(SLEEPER)))
    supervisor.wait_ready()
    first = _pid(supervisor, "worker")
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: _pid(supervisor, "worker") not in {0, first})
    (status,) = supervisor.status()
    assert (status.restarts, status.last_exit) == (1, -signal.SIGKILL)


def test_the_pause_between_restarts_grows_up_to_a_limit(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Supervisor(tmp_path / "logs", pause=0.1, longest_pause=0.4) as supervisor:
        supervisor.start(Program("broken", _python("raise SystemExit(3)")))
        wait_until(lambda: supervisor.status()[0].restarts >= 4)
    said = [record.getMessage() for record in caplog.records]
    assert said[:4] == [f"broken ended with 3, starting again in {pause} s" for pause in ("0.1", "0.2", "0.4", "0.4")]


def test_a_long_life_ends_the_growth(tmp_path: Path) -> None:
    with Supervisor(tmp_path / "logs", pause=0.01, longest_pause=0.05, healthy_after=0.0) as supervisor:
        supervisor.start(Program("brief", _python("raise SystemExit(0)")))
        wait_until(lambda: supervisor.status()[0].restarts >= 3)
        assert supervisor._kept["brief"].failures == 1


def test_waiting_for_a_program_that_keeps_dying_ends_early_with_its_log(supervisor: Supervisor) -> None:
    supervisor.start(Program("broken", _python("raise SystemExit('端口被占用')")))
    with pytest.raises(NotReady, match=r"反复退出（退出码 1）(?s:.)*端口被占用"):
        supervisor.wait_ready("broken", timeout=30)


def test_a_missing_command_is_told(supervisor: Supervisor) -> None:
    supervisor.start(Program("absent", ["/nowhere/at/all"]))
    with pytest.raises(NotReady, match=r"退出码 127(?s:.)*/nowhere/at/all: No such file"):
        supervisor.wait_ready("absent")


def test_waiting_for_a_program_that_never_gets_ready_ends(supervisor: Supervisor) -> None:
    supervisor.start(Program("slow", _python(SLEEPER), ready=lambda: False))
    with pytest.raises(NotReady, match=r"0\.2 秒内没有就绪"):
        supervisor.wait_ready("slow", timeout=0.2)


def test_readiness_over_http(supervisor: Supervisor, tmp_path: Path) -> None:
    code = (
        "import http.server, pathlib, sys\n"
        "server = http.server.HTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)\n"
        "pathlib.Path(sys.argv[1]).write_text(str(server.server_port)); server.serve_forever()"
    )
    supervisor.start(Program("site", [sys.executable, "-c", code, str(tmp_path / "port")]))
    url = f"http://127.0.0.1:{_number(tmp_path / 'port')}"
    wait_until(answers(url + "/"))
    assert not answers(url + "/missing")()
    supervisor.stop()
    assert not answers(url + "/")()


def test_stopping_ends_everything_also_what_ignores_the_request(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(Program("calm", _python(SLEEPER)))
    supervisor.start(Program("stubborn", _python(STUBBORN), grace=0.3))
    supervisor.start(Program("parent", _python(PARENT, str(tmp_path / "child"))))
    supervisor.wait_ready()
    child = _number(tmp_path / "child")
    wait_until(lambda: "up" in (tmp_path / "logs" / "stubborn.log").read_text())
    pids = [status.pid or 0 for status in supervisor.status()]
    supervisor.stop()
    supervisor.stop()
    assert all(gone(pid) for pid in (*pids, child))
    assert {status.state for status in supervisor.status()} == {State.STOPPED}
    assert [status.last_exit for status in supervisor.status()] == [-signal.SIGTERM, -signal.SIGKILL, -signal.SIGTERM]
    with pytest.raises(RuntimeError, match="stopping"):
        supervisor.start(Program("late", _python(SLEEPER)))


def test_what_a_dead_program_left_behind_is_ended_before_its_restart(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(Program("parent", _python(PARENT, str(tmp_path / "child"))))
    child = _number(tmp_path / "child")
    os.kill(_pid(supervisor, "parent"), signal.SIGKILL)
    wait_until(lambda: gone(child))


def test_a_name_is_taken_once(supervisor: Supervisor) -> None:
    supervisor.start(Program("web", _python(SLEEPER)))
    with pytest.raises(ValueError, match="already kept"):
        supervisor.start(Program("web", _python(SLEEPER)))


def test_a_long_log_is_set_aside(supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_module, "LOG_BYTES", 2000)
    supervisor.start(Program("chatty", _python("for n in range(100): print(n, flush=True)\nimport signal; signal.pause()")))
    wait_until(lambda: (tmp_path / "logs" / "chatty.log").exists() and "| 99\n" in (tmp_path / "logs" / "chatty.log").read_text())
    assert (tmp_path / "logs" / "chatty.log.1").stat().st_size >= 2000
    assert (tmp_path / "logs" / "chatty.log").stat().st_size < 2100


def test_waiting_ends_when_told(supervisor: Supervisor) -> None:
    threading.Timer(0.05, supervisor.leave).start()
    supervisor.wait(15)
    assert supervisor._leave.is_set()


# ------------------------------------------------------------------------------------- the supervisor as a process itself

HOST = """
import pathlib, sys
from hub.embedded.program import Program
from hub.embedded.supervisor import Supervisor
folder = pathlib.Path(sys.argv[1])
with Supervisor(folder / "logs") as supervisor:
    supervisor.start(Program("parent", [sys.executable, "-I", "-S", "-c", sys.argv[2], str(folder / "child")]))
    supervisor.start(Program("stubborn", [sys.executable, "-I", "-S", "-c", sys.argv[3]], grace=float(sys.argv[4])))
    supervisor.wait_ready()
    while not ((folder / "child").exists() and (folder / "logs" / "stubborn.log").read_text()):
        supervisor.wait(0.02)
    try:
        print(*(status.pid for status in supervisor.status()), supervisor._guardian.pid, flush=True)
        supervisor.wait()
    except KeyboardInterrupt as error:
        print("interrupted", *error.args, flush=True)
"""


class _Host:
    def __init__(self, folder: Path, grace: float = 0.2) -> None:
        command = [sys.executable, "-c", HOST, str(folder), PARENT, STUBBORN, str(grace)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        *pids, self.guardian = (int(word) for word in self.process.stdout.readline().split())
        self.pids = [*pids, _number(folder / "child")]

    def rest(self) -> str:
        assert self.process.stdout is not None
        with self.process:
            return self.process.stdout.read()

    def nothing_left(self) -> bool:
        return all(gone(pid) for pid in (*self.pids, self.guardian))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(tmp_path: Path, number: signal.Signals) -> None:
    host = _Host(tmp_path)
    assert not any(gone(pid) for pid in host.pids)
    host.process.send_signal(number)
    assert host.rest().startswith("interrupted")
    assert host.process.returncode == 0
    assert host.nothing_left()


def test_a_second_signal_hastens_the_stop(tmp_path: Path) -> None:
    host = _Host(tmp_path, grace=60)
    host.process.send_signal(signal.SIGTERM)
    wait_until(lambda: gone(host.pids[0]), what="the stop has begun")
    host.process.send_signal(signal.SIGINT)
    host.rest()
    assert host.nothing_left()


def test_nothing_is_left_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    host = _Host(tmp_path, grace=60)
    host.process.kill()
    host.rest()
    wait_until(host.nothing_left)


def test_a_killed_guardian_is_replaced_and_knows_every_group(tmp_path: Path) -> None:
    host = _Host(tmp_path, grace=60)
    os.kill(host.guardian, signal.SIGKILL)
    # The next start brings a new guardian.
    os.kill(host.pids[1], signal.SIGKILL)
    wait_until(lambda: gone(host.guardian) and _guardians_of(host.process.pid))
    host.process.kill()
    host.rest()
    wait_until(host.nothing_left)


def _guardians_of(parent: int) -> list[int]:
    # The kernel lists children under the thread that started them.
    children = [int(pid) for task in Path(f"/proc/{parent}/task").iterdir() for pid in (task / "children").read_text().split()]
    return [pid for pid in children if not gone(pid) and "guardian.py" in Path(f"/proc/{pid}/cmdline").read_text()]
