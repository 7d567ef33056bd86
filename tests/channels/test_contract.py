from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from channels.registry import CHANNELS
from tests.channels.benches import BENCHES, Bench
from tests.channels.contract import ChannelContract
from tests.clock import FixedClock


@pytest.fixture(params=sorted(CHANNELS))
def bench(request: pytest.FixtureRequest, tmp_path: Path, fixed_clock: FixedClock) -> Iterator[Bench]:
    with BENCHES[request.param](tmp_path, fixed_clock) as bench:
        yield bench


class TestEveryChannel(ChannelContract):
    pass


def test_every_channel_is_asked() -> None:
    assert set(BENCHES) == set(CHANNELS)
