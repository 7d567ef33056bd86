"""One place that knows how tests get their tables."""

from __future__ import annotations

import hub.store.tables  # noqa: F401 - importing it declares every table and its triggers
from hub.store.base import Base
from hub.store.engine import make_engine


def install_schema(url: str) -> None:
    """Create every table, with its triggers, in an empty database."""
    engine = make_engine(url)
    try:
        Base.metadata.create_all(engine)
    finally:
        engine.dispose()
