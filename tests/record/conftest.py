"""A record on both databases, with the means to write to it, to seal it and, as an attacker would, to change it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, delete, insert, select, text
from sqlalchemy.orm import Session

from hub.app.seal import load_or_make_key, seal, verifier_key
from hub.app.verify import VerifyReport, verify
from hub.domain.checkpoint import Checkpoint, VerifierKey
from hub.domain.merkle import Frontier, leaf_hash
from hub.domain.record import Entry
from hub.domain.verbs import Verb
from hub.store.engine import make_engine
from hub.store.record import append, entries, heads
from hub.store.triggers import drop_statements

ORIGIN = "www.example.gov.cn/record"
START = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
RECORD_TABLES = ("record_entries", "record_head")


def an_entry(number: int) -> Entry:
    return Entry(
        at=START + timedelta(seconds=number, microseconds=number),
        actor=f"person:{number % 3}",
        subject=f"item:{number % 5}",
        verb=Verb.REVIEW_SIGNED,
        details={"revision": number, "note": "同意，请发布"},
    )


@dataclass
class Log:
    """One database with a record in it, and the folders its checkpoints go to."""

    engine: Engine
    folder: Path
    site: Path
    key: Ed25519PrivateKey
    now: datetime = START
    sealed: list[Checkpoint] = field(default_factory=list)

    @property
    def public(self) -> VerifierKey:
        return verifier_key(self.key, ORIGIN)

    @property
    def files(self) -> list[Path]:
        return sorted((self.folder / "checkpoints").glob("0*.txt"))

    def write(self, *numbers: int) -> list[int]:
        with Session(self.engine) as session:
            seqs = append(session, [an_entry(number) for number in numbers])
            session.commit()
        return seqs

    def seal(self, minutes: int = 15) -> Checkpoint:
        self.now += timedelta(minutes=minutes)
        self.sealed.append(seal(self.engine, self.key, ORIGIN, self.folder, self.site, self.now))
        return self.sealed[-1]

    def fill(self) -> Log:
        for first, last in ((1, 8), (9, 15), (16, 20)):
            self.write(*range(first, last + 1))
            self.seal()
        return self

    def verify(self, files: Sequence[Path] | None = None) -> VerifyReport:
        return verify(self.engine, checkpoints=self.files if files is None else files, key=self.public)

    def attack(self, *sql: str, **values: object) -> None:
        """Change rows as somebody who owns the database can: first the triggers go."""
        with self.engine.begin() as connection:
            for statement in drop_statements(self.engine.dialect.name, RECORD_TABLES):
                connection.exec_driver_sql(statement)
            for statement in sql:
                connection.execute(text(statement), values)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Put every row of the record back at the end of the block."""
        with self.engine.connect() as connection:
            before = [(table, [row._asdict() for row in connection.execute(select(table))]) for table in (entries, heads)]
        yield
        with self.engine.begin() as connection:
            for table, rows in before:
                connection.execute(delete(table))
                connection.execute(insert(table), rows)

    def rewrite_hashes(self) -> None:
        """The thorough attacker: make every leaf hash and the head fit the bodies as they now are."""
        with self.engine.begin() as connection:
            frontier = Frontier()
            for seq, body in connection.execute(text("SELECT seq, body FROM record_entries ORDER BY seq")).all():
                leaf = leaf_hash(body.encode())
                frontier.append(leaf)
                connection.execute(text("UPDATE record_entries SET leaf_hash = :leaf WHERE seq = :seq"), {"leaf": leaf, "seq": seq})
            connection.execute(
                text("UPDATE record_head SET size = :size, frontier = :frontier"), {"size": frontier.size, "frontier": frontier.to_json()}
            )


def _open(url: str, folder: Path) -> Iterator[Log]:
    engine = make_engine(url)
    yield Log(engine, folder / "data", folder / "site", load_or_make_key(folder / "keys" / "record.pem"))
    engine.dispose()


@pytest.fixture
def log(database_url: str, tmp_path: Path) -> Iterator[Log]:
    """An empty record; the test runs on SQLite and on PostgreSQL."""
    yield from _open(database_url, tmp_path)


@pytest.fixture
def sqlite_log(sqlite_url: str, tmp_path: Path) -> Iterator[Log]:
    yield from _open(sqlite_url, tmp_path)


@pytest.fixture
def postgresql_log(postgresql_url: str, tmp_path: Path) -> Iterator[Log]:
    yield from _open(postgresql_url, tmp_path)


@pytest.fixture
def written(log: Log) -> Log:
    """Twenty entries, sealed after 8, 15 and 20."""
    return log.fill()


@pytest.fixture
def written_sqlite(sqlite_log: Log) -> Log:
    """The same on SQLite only, for what concerns files rather than databases."""
    return sqlite_log.fill()
