"""Migrations and metadata say the same, on both databases; the unit of work holds under concurrency."""

from __future__ import annotations

import threading
from importlib import import_module

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from hub.store import triggers, upgrade
from hub.store.engine import make_engine
from hub.store.record import head
from hub.store.schema import metadata
from hub.store.uow import Reading
from tests.clock import FixedClock


def trigger_names(engine: Engine) -> set[str]:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if engine.dialect.name == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    with engine.connect() as connection:
        return set(connection.scalars(text(query)))


def test_migrations_equal_the_metadata(bare_database_url: str, database_url: str) -> None:
    migrated, created = make_engine(bare_database_url), make_engine(database_url)
    try:
        assert upgrade.upgrade(migrated) == upgrade.newest()
        with migrated.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []
        if migrated.dialect.name == created.dialect.name:
            assert trigger_names(migrated) == trigger_names(created)
            assert {t for t in inspect(migrated).get_table_names() if t != "alembic_version"} == set(inspect(created).get_table_names())
        with Reading(migrated) as session:
            assert head(session).size == 0
        assert upgrade.upgrade(migrated) == upgrade.newest(), "a second upgrade changes nothing"
    finally:
        migrated.dispose()
        created.dispose()


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_the_migration_holds_the_very_triggers_of_the_metadata(dialect: str) -> None:
    first = import_module("hub.store.migrations.versions.0001_first_schema")
    assert list(first.TRIGGERS[dialect]) == triggers.statements(dialect)


def test_two_machines_upgrade_at_once(bare_database_url: str) -> None:
    results: list[str] = []

    def run() -> None:
        engine = make_engine(bare_database_url)
        try:
            results.append(upgrade.upgrade(engine))
        finally:
            engine.dispose()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [upgrade.newest()] * 2


def test_reading_cannot_write_by_accident(sqlite_url: str, fixed_clock: FixedClock) -> None:
    engine = make_engine(sqlite_url)
    with Reading(engine) as session:
        session.execute(text("INSERT INTO areas (slug, name, position, active) VALUES ('x', 'x', 0, 1)"))
    with Reading(engine) as session:
        assert session.scalar(text("SELECT count(*) FROM areas")) == 0
    engine.dispose()
