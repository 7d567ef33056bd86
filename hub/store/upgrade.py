"""Bringing a database to the newest schema: the same migrations on SQLite and PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

FOLDER = Path(__file__).parent / "migrations"
_UPGRADE_LOCK = 0x6875_6264
"""Advisory lock of PostgreSQL: two machines that start at once migrate one after the other."""


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config


def upgrade(engine: Engine) -> str:
    """Run every migration that is missing; returns the revision the database is at now."""
    config = alembic_config()
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return current(engine)


def current(engine: Engine) -> str:
    """The revision the database is at; empty before the first migration."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or ""


def newest() -> str:
    """The revision this code needs."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head() or ""
