from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store.engine import make_engine
from tests.clock import FixedClock
from tests.world import World, world


@pytest.fixture
def hub(database_url: str, fixed_clock: FixedClock, tmp_path: Path) -> Iterator[World]:
    """A district with a cast and memory channels, on each database."""
    with world(make_engine(database_url), fixed_clock, tmp_path) as made:
        yield made
