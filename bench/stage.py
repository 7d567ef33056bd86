"""A hub of real parts in a folder of its own: database, Redis, platform, and the processes that a bench asks for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import machine
from bench.channel import register
from hub.app import accounts
from hub.app.context import Context
from hub.app.seed import seed
from hub.embedded.redis_server import RedisServer
from hub.intake.district import load_district
from hub.settings import Settings
from hub.store import upgrade
from hub.wiring import Container
from tests.postgres import PostgresServer

ROOT = Path(__file__).parents[1]
DISTRICT = ROOT / "examples" / "district.toml"
DATABASES = ("postgresql", "sqlite")


@dataclass
class Stage:
    database: str
    folder: Path
    hub: Container
    redis: RedisServer
    platform: subprocess.Popen[bytes]
    platform_url: str
    servers: list[int] = field(default_factory=list)
    """Process ids of the database and Redis servers."""
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return self.hub.settings

    def environment(self) -> dict[str, str]:
        here = self.settings
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "HUB_DATA_DIR": str(here.data_dir),
            "HUB_DATABASE_URL": here.database_url,
            "HUB_REDIS_URL": here.redis_url,
            "HUB_CONFIG": str(here.config),
            "HUB_SITE_URL": here.site_url,
            "HUB_SITE_DIR": str(here.site_dir),
            "HUB_LOG_LEVEL": "INFO",
        }

    def start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start ``python -m module``; its output goes to a log beside the data. It is stopped with the stage."""
        with (self.folder / f"{module}-{len(self.started)}.log").open("wb") as log:
            process = subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT, env=self.environment(), stdout=log, stderr=log)
        self.started.append(process)
        return process

    def worker(self, *channels: str, concurrency: int = 8) -> subprocess.Popen[bytes]:
        queues = [part for channel in channels for part in ("--queue", channel)]
        return self.start("bench.worker", "worker", "--concurrency", str(concurrency), *queues)

    def beat(self) -> subprocess.Popen[bytes]:
        return self.start("bench.worker", "beat")

    def taken(self) -> int:
        """How many posts the platform has taken so far."""
        with urllib.request.urlopen(self.platform_url + "/count", timeout=10) as answer:
            return int(json.load(answer)["taken"])

    def must_live(self) -> None:
        """Raise RuntimeError with the end of its log when one of our processes has died."""
        for number, process in enumerate(self.started):
            if process.poll() is not None:
                log = next(self.folder.glob(f"*-{number}.log"))
                raise RuntimeError(f"{log.name} ended with {process.returncode}:\n{log.read_text('utf-8', 'replace')[-2000:]}")

    def stop(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.started:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.started.clear()


def config_text(platform_url: str, channels: dict[str, str]) -> str:
    """HUB_CONFIG with the sample district; ``channels``: account name → kind."""
    parts = [f'district = "{DISTRICT}"']
    for name, kind in channels.items():
        parts.append(f'[[accounts]]\nname = "{name}"\nkind = "{kind}"\napi_base = "{platform_url}"')
    return "\n\n".join(parts) + "\n"


@contextmanager
def stage(database: str, channels: dict[str, str], *, delay: float = 0.0) -> Iterator[Stage]:
    """Build it: ``database`` is ``postgresql`` (durable defaults) or ``sqlite``; ``delay``: seconds the platform takes to answer."""
    register()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="hub-bench-", ignore_cleanup_errors=True)))
        url, servers = f"sqlite:///{folder / 'data' / 'hub.db'}", _children()
        if database == "postgresql":
            server = stack.enter_context(PostgresServer(fast=False))
            server.execute("CREATE DATABASE hub")
            url = server.url("hub")
        redis = stack.enter_context(RedisServer(folder / "redis"))
        servers = _children() - servers
        command = [sys.executable, "-m", "bench.platform", "--delay", str(delay)]
        platform = stack.enter_context(subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        assert platform.stdout is not None
        assert platform.stdin is not None
        stack.callback(platform.stdin.close)
        platform_url = platform.stdout.readline().decode().strip()
        config = folder / "hub.toml"
        config.write_text(config_text(platform_url, channels), "utf-8")
        hub = Container(
            Settings(
                data_dir=folder / "data",
                database_url=url,
                redis_url=redis.url,
                config=config,
                site_url="http://127.0.0.1:8000",
                site_dir=folder / "site",
            )
        )
        stack.callback(hub.close)
        upgrade.upgrade(hub.engine)
        seed(Context(hub.engine, hub.clock, hub.files), load_district(DISTRICT), "system")
        accounts.ensure(hub.context)
        made = Stage(database, folder, hub, redis, platform, platform_url, sorted(servers))
        stack.callback(made.stop)
        yield made


def _children() -> set[int]:
    return machine.tree([os.getpid()]) - {os.getpid()}


def wait_for(condition: object, stage: Stage, *, seconds: float, pause: float = 0.02, what: str = "") -> None:
    """Poll ``condition()`` until it is true. Raises RuntimeError when a process dies, TimeoutError after ``seconds``."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        stage.must_live()
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(pause)
