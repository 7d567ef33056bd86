from __future__ import annotations

import os

import pytest


@pytest.fixture
def free_ports() -> int:
    """Where this test looks for ports: each pytest worker has a range of its own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    return 18_000 + 1_000 * int(worker.removeprefix("gw"))
