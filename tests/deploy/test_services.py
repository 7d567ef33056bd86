"""Every service of docker-compose.yml, started by its very command as a process, publishes one item together.

PostgreSQL and Redis are real, the two platforms are the loopback ones; only addresses and folders differ from the file.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from hub.cli import journey
from hub.embedded.program import Program, State, answers
from hub.embedded.redis_server import executable
from hub.embedded.supervisor import Supervisor
from hub.settings import Settings
from hub.wiring import Container
from tests.deploy.compose import ROOT, filled, load
from tests.postgres import PostgresServer
from tests.waiting import wait_until

ITEM = "YC-SAMPLE-01"
CHANNELS = ("website", "feed", "wechat", "weibo")
SECRETS = {
    "HUB_DB_PASSWORD": "dbsecret1",
    "HUB_REDIS_PASSWORD": "redissecret1",
    "HUB_WECHAT_APP_SECRET": "wechat-app-secret",
    "HUB_WECHAT_CALLBACK_TOKEN": "callbacktoken",
    "HUB_WECHAT_AES_KEY": "A" * 43,
    "HUB_WEIBO_ACCESS_TOKEN": "weibo-access-token",
}


def _free_ports(number: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@dataclass
class Deployment:
    """The compose file brought to this machine: same commands, same variables, local addresses."""

    folder: Path
    postgres: PostgresServer
    redis_port: int
    web_port: int
    wechat_port: int
    weibo_port: int
    supervisor: Supervisor

    def __post_init__(self) -> None:
        given = SECRETS | {"HUB_SITE_URL": self.address}
        self.services: dict[str, Any] = filled(load()["services"], given)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    def environment(self, name: str) -> dict[str, str]:
        here = {
            "@postgres:5432": f"@127.0.0.1:{self.postgres.port}",
            "@redis:6379": f"@127.0.0.1:{self.redis_port}",
            "/etc/hub/hub.toml": str(self.folder / "hub.toml"),
        }
        given: dict[str, str] = dict(self.services[name].get("environment", {}))
        for key, value in given.items():
            for there, local in here.items():
                given[key] = given[key].replace(there, local)
            if value in ("/data", "/site"):
                given[key] = str(self.folder / value[1:])
        if name == "web":
            given |= {"HUB_HOST": "127.0.0.1", "HUB_PORT": str(self.web_port)}
        path = f"{executable().parent}:{os.environ['PATH']}"
        return given | {"PATH": path, "PYTHONPATH": str(ROOT)}

    def command(self, words: list[str]) -> list[str]:
        """The command as written; programs are this interpreter's, ports and folders this test's."""
        if words[0] == "hub":
            return [sys.executable, "-m", "hub.cli", *words[1:]]
        if words[0] == "python":
            here = {"/data": str(self.folder / "data"), "http://127.0.0.1:8000/healthz": f"{self.address}/healthz"}
            return [sys.executable, *(here.get(word, word) for word in words[1:])]
        return [word.replace("redis-server ", f"redis-server --bind 127.0.0.1 --port {self.redis_port} ") for word in words]

    def healthy(self, name: str) -> bool:
        """Run the service's own health check."""
        kind, *words = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        return self.run(self.command(words), name).returncode == 0

    def run(self, command: list[str], name: str) -> subprocess.CompletedProcess[str]:
        """Run to the end in the surroundings of a service."""
        return subprocess.run(
            command, env=os.environ | self.environment(name), cwd=self.folder, capture_output=True, text=True, check=False, timeout=120
        )

    def start(self, name: str) -> None:
        self.supervisor.start(Program(name, self.command(self.services[name]["command"]), self.environment(name)))

    def hub(self, *words: str, name: str = "web") -> None:
        """``docker compose run --rm web hub WORDS…``; a failure shows what it said."""
        done = self.run(self.command(["hub", *words]), name)
        assert done.returncode == 0, f"hub {' '.join(words)}:\n{done.stdout}{done.stderr}"


def _configure(deployed: Deployment) -> None:
    """deploy/hub.toml with the loopback platforms in the place of the real ones, and the sample district's words."""
    text = (ROOT / "deploy" / "hub.toml").read_text("utf-8")
    for there, here in (
        ("https://api.weixin.qq.com", f"http://127.0.0.1:{deployed.wechat_port}"),
        ("https://api.weibo.com", f"http://127.0.0.1:{deployed.weibo_port}"),
        ('mode = "draft"', 'mode = "publish", time_scale = 0.05'),
        ('safe_domains = ["www.example.gov.cn"]', "time_scale = 0.05"),
    ):
        assert there in text
        text = text.replace(there, here)
    (deployed.folder / "hub.toml").write_text(text, "utf-8")


def _platforms(deployed: Deployment) -> None:
    more = {
        "wechat": [
            *("--appid", "wx0000000000000000", "--hub", deployed.address),
            *("--secret", SECRETS["HUB_WECHAT_APP_SECRET"]),
            *("--callback-token", SECRETS["HUB_WECHAT_CALLBACK_TOKEN"]),
            *("--aes-key", SECRETS["HUB_WECHAT_AES_KEY"]),
        ],
        "weibo": ["--token", SECRETS["HUB_WEIBO_ACCESS_TOKEN"]],
    }
    for name, port in (("wechat", deployed.wechat_port), ("weibo", deployed.weibo_port)):
        command = [sys.executable, "-m", f"channels.{name}.platform", "--port", str(port), "--state", str(deployed.folder / f"{name}.db")]
        ready = answers(f"http://127.0.0.1:{port}/")
        deployed.supervisor.start(Program(f"platform-{name}", [*command, *more[name]], {"PYTHONPATH": str(ROOT)}, ready, grace=2))


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Everything of the compose file is running and its health checks are green."""
    folder = tmp_path_factory.mktemp("deployed")
    postgres_port, *ports = _free_ports(5)
    postgres = PostgresServer(port=postgres_port)
    with postgres, Supervisor(folder / "logs", pause=1) as supervisor:
        there = Deployment(folder, postgres, *ports, supervisor=supervisor)
        database = there.services["postgres"]["environment"]
        user, password = database["POSTGRES_USER"], database["POSTGRES_PASSWORD"]
        postgres.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{password}'")
        postgres.execute(f"CREATE DATABASE {database['POSTGRES_DB']} OWNER {user}")
        _configure(there)
        there.start("redis")
        _platforms(there)
        there.hub(*there.services["migrate"]["command"][1:], name="migrate")
        there.hub("seed", str(ROOT / "examples" / "district.toml"))
        for name, service in there.services.items():
            if service.get("command", [""])[0] == "hub" and name != "migrate":
                there.start(name)
        supervisor.wait_ready(timeout=90)
        for name in there.services:
            if name not in {"postgres", "redis", "migrate", "nginx"}:
                wait_until(lambda name=name: there.healthy(name), timeout=60, what=f"{name} is healthy")  # type: ignore[misc]
        yield there


def _publish(deployed: Deployment) -> str:
    """One sample item from its department to the publisher, each act by another person. Returns its public id."""
    items = json.loads((ROOT / "examples" / "sample_items.json").read_text("utf-8"))["items"]
    chosen = next(item for item in items if item["id"] == ITEM) | {"attachments": []}
    file = deployed.folder / "item.json"
    file.write_text(json.dumps({"items": [chosen]}, ensure_ascii=False), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in deployed.environment("web").items():
            patch.setenv(name, value)
        hub = Container(Settings())
        try:
            (line,) = journey.import_samples(hub, file)
            assert line.result == "created", line
            journey.carry_through(hub, lambda _text: None)
        finally:
            hub.close()
    return line.public_id


def test_one_item_goes_through_all_services(deployed: Deployment) -> None:
    item = _publish(deployed)
    with psycopg.connect(deployed.environment("web")["HUB_DATABASE_URL"].replace("+psycopg", ""), autocommit=True) as database:

        def states() -> dict[str, str]:
            return dict(database.execute("SELECT channel, state FROM deliveries").fetchall())

        wait_until(lambda: set(states().values()) == {"delivered"}, timeout=60, what="every delivery is delivered", shown=states)
        assert set(states()) == set(CHANNELS)
    site = deployed.folder / "site"
    assert (site / "items" / item / "index.html").is_file()
    assert item in (site / "feeds" / "all.atom.xml").read_text("utf-8")
    for port in (deployed.wechat_port, deployed.weibo_port):
        assert "公益性岗位招聘公告" in requests.get(f"http://127.0.0.1:{port}/", timeout=10).content.decode("utf-8")
    assert requests.get(f"{deployed.address}/readyz", timeout=10).status_code == 200
    deployed.hub("audit", "verify")


def test_nothing_died_on_the_way(deployed: Deployment) -> None:
    for status in deployed.supervisor.status():
        assert (status.state, status.restarts) == (State.RUNNING, 0), f"{status.name}:\n{status.log.read_text('utf-8')[-3000:]}"


def test_a_service_that_is_not_there_is_not_healthy(deployed: Deployment) -> None:
    words = ["python", "-m", "hub.alive", "/data", "worker", "nobody-serves-this"]
    assert deployed.run(deployed.command(words), "web").returncode == 1
