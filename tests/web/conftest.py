from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from hub.store.engine import make_engine
from tests.clock import FixedClock
from tests.web.server import Web, web_of
from tests.world import World, world


@pytest.fixture(autouse=True)
def _plain_logs() -> Iterator[None]:
    """structlog's own default draws a traceback with every local variable: seconds for one bug."""
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.dev.ConsoleRenderer(colors=False)])
    yield
    structlog.reset_defaults()


@pytest.fixture
def hub(database_url: str, fixed_clock: FixedClock, tmp_path: Path) -> Iterator[World]:
    """A district on each database."""
    with world(make_engine(database_url), fixed_clock, tmp_path) as made:
        yield made


@pytest.fixture
def web(hub: World, tmp_path: Path) -> Iterator[Web]:
    """The district behind a real web server, on each database."""
    with web_of(hub, tmp_path) as made:
        yield made


@pytest.fixture
def small(sqlite_url: str, fixed_clock: FixedClock, tmp_path: Path) -> Iterator[Web]:
    """The same on SQLite only, for what no database decides."""
    with world(make_engine(sqlite_url), fixed_clock, tmp_path) as made, web_of(made, tmp_path) as served:
        yield served
