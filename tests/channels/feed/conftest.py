from __future__ import annotations

from pathlib import Path

import pytest

from tests.channels.feed.district import District


@pytest.fixture
def district(tmp_path: Path) -> District:
    """A feed channel over folders of this test's own, nothing published yet."""
    return District(tmp_path)
