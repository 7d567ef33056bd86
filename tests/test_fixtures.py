"""The shared fixtures keep their promises."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta

import pytest
import redis
from sqlalchemy import create_engine, text

from tests.clock import FixedClock
from tests.closed_network import ReachedOut, is_local


def _tables_made_here(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE only_here (n INTEGER)"))
        connection.execute(text("INSERT INTO only_here VALUES (1)"))
    engine.dispose()


@pytest.mark.parametrize("_again", [1, 2])
def test_each_test_has_a_database_of_its_own(database_url: str, _again: int) -> None:
    _tables_made_here(database_url)


@pytest.mark.parametrize("_again", [1, 2])
def test_each_test_has_a_bare_database_of_its_own(bare_database_url: str, _again: int) -> None:
    _tables_made_here(bare_database_url)


@pytest.mark.parametrize("_again", [1, 2])
def test_redis_is_empty(redis_url: str, _again: int) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "over")


def test_the_clock_moves_only_when_told(fixed_clock: FixedClock) -> None:
    start = fixed_clock()
    assert start.tzinfo is UTC
    assert fixed_clock() == start
    assert fixed_clock.advance(seconds=90) - start == timedelta(seconds=90)
    assert fixed_clock.advance(timedelta(days=1), hours=1) - start == timedelta(days=1, hours=1, seconds=90)
    with pytest.raises(ValueError, match="backwards"):
        fixed_clock.advance(seconds=-1)
    with pytest.raises(ValueError, match="zone"):
        fixed_clock.set(datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake under test


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_no_test_leaves_the_machine(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        with pytest.raises(ReachedOut):
            sock.connect((host, 80))
        with pytest.raises(ReachedOut):
            sock.connect_ex((host, 80))
    with socket.socket(family, socket.SOCK_DGRAM) as sock, pytest.raises(ReachedOut):
        sock.sendto(b"?", (host, 53))


def test_no_test_resolves_a_public_name() -> None:
    with pytest.raises(ReachedOut):
        socket.create_connection(("www.gov.cn", 80))
    with pytest.raises(socket.gaierror):
        socket.create_connection(("nowhere.invalid", 80))


def test_this_machine_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), timeout=5) as client:
        assert client.getpeername() == server.getsockname()


@pytest.mark.parametrize(
    ("host", "local"), [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", True), ("10.0.0.1", False), ("x.cn", False)]
)
def test_local_addresses(host: str, local: bool) -> None:
    assert is_local(host) is local
