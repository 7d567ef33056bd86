"""The web process as it runs: started by its command, asked over its socket, ended by a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from channels.files import write_atomically
from hub.store.engine import make_engine
from hub.store.upgrade import upgrade
from tests.waiting import wait_until
from tests.web.server import free_port

CONFIG = """
[site]
name = "云川区人民政府"
domain = "www.example.gov.cn"
id_code = "3201150001"

[[accounts]]
name = "website"
kind = "memory"
"""


@pytest.fixture
def environment(tmp_path: Path, redis_url: str) -> dict[str, str]:
    database = f"sqlite:///{tmp_path / 'hub.db'}"
    engine = make_engine(database)
    upgrade(engine)
    engine.dispose()
    (tmp_path / "hub.toml").write_text(CONFIG)
    write_atomically(tmp_path / "site" / "index.html", "<p>首页</p>".encode())
    given = {
        "HUB_DATA_DIR": str(tmp_path),
        "HUB_DATABASE_URL": database,
        "HUB_REDIS_URL": redis_url,
        "HUB_CONFIG": str(tmp_path / "hub.toml"),
        "HUB_HOST": "127.0.0.1",
        "HUB_PORT": str(free_port()),
    }
    return {**{k: v for k, v in os.environ.items() if not k.startswith("HUB_")}, **given}


@pytest.fixture
def process(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (tmp_path / "log").open("wb") as log:
        started = subprocess.Popen([sys.executable, "-m", "hub.web.serve"], env=environment, stdout=log, stderr=log)
        yield started
        if started.poll() is None:
            started.kill()
            started.wait()


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def test_from_start_to_sigterm(process: subprocess.Popen[bytes], environment: dict[str, str], tmp_path: Path) -> None:
    base = f"http://127.0.0.1:{environment['HUB_PORT']}"
    wait_until(lambda: process.poll() is not None or answers(f"{base}/healthz"), timeout=60, what="the web process answers")
    ready = requests.get(f"{base}/readyz", timeout=10)
    assert (ready.status_code, ready.json()["checks"]) == (200, dict.fromkeys(("database", "schema", "redis", "site"), "ok"))
    assert requests.get(f"{base}/", timeout=10).text == "<p>首页</p>"
    assert requests.get(f"{base}/api/v1/me", timeout=10).status_code == 401
    (tmp_path / "site" / "index.html").unlink()
    (tmp_path / "site" / "index.html.gz").unlink()
    (tmp_path / "site").rmdir()
    broken = requests.get(f"{base}/readyz", timeout=10)
    assert (broken.status_code, broken.json()["checks"]["site"]) == (503, "failed")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    log = (tmp_path / "log").read_text()
    assert "path=/readyz" in log
    assert "Traceback" not in log, log


def test_a_bad_configuration_ends_the_start(environment: dict[str, str]) -> None:
    environment["HUB_CONFIG"] = "/nonexistent/hub.toml"
    ended = subprocess.run([sys.executable, "-m", "hub.web.serve"], env=environment, capture_output=True, timeout=90)
    assert ended.returncode != 0
    assert "无法读取配置文件 /nonexistent/hub.toml" in ended.stderr.decode()
