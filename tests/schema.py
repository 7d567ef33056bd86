"""One place that knows how tests get their tables."""

from __future__ import annotations

import importlib
import importlib.util

from sqlalchemy import create_engine

from hub.store.base import Base


def install_schema(url: str) -> None:
    """Create every table, with its triggers, in an empty database."""
    if importlib.util.find_spec("hub.store.tables") is not None:
        importlib.import_module("hub.store.tables")
    engine = create_engine(url)
    try:
        Base.metadata.create_all(engine)
    finally:
        engine.dispose()
