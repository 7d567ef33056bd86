"""Fixtures every room shares. The servers are real; they start when a test first asks for them, once per pytest process."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import redis
from hypothesis import settings

from hub.embedded.redis_server import RedisServer
from tests.clock import FixedClock
from tests.closed_network import closed_network
from tests.postgres import PostgresServer
from tests.schema import install_schema

# A shared two-core machine pauses any process for longer than hypothesis' default deadline.
settings.register_profile("dev", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=200, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

DATABASES = ("sqlite", "postgresql")
_numbers = count(1)


@pytest.fixture(scope="session", autouse=True)
def _only_this_machine() -> Iterator[None]:
    with closed_network():
        yield


@pytest.fixture
def fixed_clock() -> FixedClock:
    """``clock()`` is an aware UTC moment; ``clock.advance(seconds=…)`` moves it."""
    return FixedClock()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The bundled Redis on a unix socket, shared by this process's tests. Take ``redis_url`` unless you stop or kill it."""
    folder = Path(tempfile.mkdtemp(prefix="hub-test-redis-"))
    with RedisServer(folder) as server:
        yield server
    shutil.rmtree(folder)


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """Address (``unix:///…?db=0``) of an empty Redis."""
    with redis.Redis(unix_socket_path=str(redis_server.socket)) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL, shared by this process's tests."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    install_schema(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: PostgresServer) -> str:
    postgres_server.execute('CREATE DATABASE "template_hub"')
    install_schema(postgres_server.url("template_hub"))
    return "template_hub"


@pytest.fixture
def sqlite_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """A SQLite file of this test's own with the whole schema and no rows."""
    path = tmp_path / "hub.db"
    shutil.copyfile(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(_postgres_template: str, postgres_server: PostgresServer) -> Iterator[str]:
    """A PostgreSQL database of this test's own with the whole schema and no rows."""
    name = f"test_{next(_numbers)}"
    postgres_server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{_postgres_template}" STRATEGY file_copy')
    yield postgres_server.url(name)
    postgres_server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """The same test on both databases: schema installed, no rows."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=DATABASES)
def bare_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The same test on both databases, with no table at all: for migrations."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"bare_{next(_numbers)}"
    server.execute(f'CREATE DATABASE "{name}"')
    yield server.url(name)
    server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
