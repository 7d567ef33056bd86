from __future__ import annotations

from pathlib import Path

import pytest

from channels.website import listings
from tests.channels.website.district import District


@pytest.fixture
def district(tmp_path: Path) -> District:
    return District(tmp_path)


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two entries a page, three addresses a sitemap: the borders come soon."""
    monkeypatch.setattr(listings, "PER_PAGE", 2)
    monkeypatch.setattr(listings, "PER_SITEMAP", 3)
