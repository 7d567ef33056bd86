"""One place that knows how tests get their tables."""

from __future__ import annotations

from hub.store import schema
from hub.store.engine import make_engine


def install_schema(url: str) -> None:
    """Create every table, with its triggers, in an empty database."""
    engine = make_engine(url)
    try:
        schema.metadata.create_all(engine)
    finally:
        engine.dispose()
