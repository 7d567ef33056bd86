"""The website's own index: which items stand where, and which pages still have to be written.

One SQLite file, used only under the lock of the state folder: two workers never interleave, and the lock of a killed one
falls by itself. Everything in it can be rebuilt from the hub's database.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from channels.files import write_atomically

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE item (
    public_id TEXT PRIMARY KEY, revision INTEGER NOT NULL, digest TEXT NOT NULL,
    published_at TEXT NOT NULL, updated_at TEXT NOT NULL, withdrawn_at TEXT, note TEXT NOT NULL,
    card TEXT NOT NULL, payload TEXT NOT NULL
);
CREATE TABLE listing (name TEXT PRIMARY KEY, entries INTEGER NOT NULL, visible INTEGER NOT NULL, label TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entry (
    listing TEXT NOT NULL, position INTEGER NOT NULL, public_id TEXT NOT NULL, published_at TEXT NOT NULL, hidden INTEGER NOT NULL,
    PRIMARY KEY (listing, position)
) WITHOUT ROWID;
CREATE UNIQUE INDEX entry_item ON entry (public_id, listing);
CREATE INDEX entry_order ON entry (listing, published_at, public_id);
CREATE TABLE relation (
    source TEXT NOT NULL, type TEXT NOT NULL, target TEXT NOT NULL, PRIMARY KEY (source, type, target)
) WITHOUT ROWID;
CREATE INDEX relation_target ON relation (target, source);
CREATE TABLE file (path TEXT NOT NULL, public_id TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (path, public_id)) WITHOUT ROWID;
CREATE INDEX file_item ON file (public_id);
CREATE TABLE dirty (page TEXT PRIMARY KEY) WITHOUT ROWID;
PRAGMA user_version = 1;
"""
USER_VERSION = 1
POINTER = "current"
"""Names the index in use. A rebuild makes a new file and turns the pointer: a SQLite file with a live WAL must not be renamed over."""


class Busy(Exception):
    """Another process held the site for too long. Nothing was changed."""


class State:
    """The state folder: its lock, and the index the pointer names."""

    def __init__(self, folder: Path, *, patience: timedelta = timedelta(seconds=30)) -> None:
        self.folder = folder
        self._patience = patience.total_seconds()

    @contextmanager
    def held(self) -> Iterator[sqlite3.Connection]:
        """Hold the site alone and yield its index. Raises Busy after the patience, sqlite3.Error and OSError."""
        with self.alone(), closing(open_index(self.folder / self._current())) as db:
            yield db

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the site without its index."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._lock(handle)
            yield
        finally:
            os.close(handle)

    def turn(self, name: str) -> None:
        """Make ``name`` the index in use and remove the others. Only while held."""
        write_atomically(self.folder / POINTER, name.encode(), gzip=False, shown="website/current")
        for path in self.folder.glob("index-*.db*"):
            if not path.name.startswith(name):
                path.unlink()

    def next_name(self) -> str:
        """A name no index has: one more than the current one; leftovers of an interrupted rebuild under it are removed."""
        number = int(self._current().removeprefix("index-").removesuffix(".db")) + 1
        name = f"index-{number}.db"
        for path in self.folder.glob(f"{name}*"):
            path.unlink()
        return name

    def _current(self) -> str:
        try:
            return (self.folder / POINTER).read_text()
        except FileNotFoundError:
            self.turn("index-1.db")
            return "index-1.db"

    def _lock(self, handle: int) -> None:
        ends = time.monotonic() + self._patience
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= ends:
                    raise Busy("网站正由另一个进程写入（可能在重建），请稍后再试") from None
                time.sleep(0.01)


def open_index(path: Path) -> sqlite3.Connection:
    """Open or create the index. Transactions are explicit (``transaction``)."""
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")
        elif version != USER_VERSION:
            raise sqlite3.DatabaseError(f"网站索引的版本是 {version}，本程序需要 {USER_VERSION}，请运行 hub site rebuild")
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Commit at the end, roll back on any exception."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def savepoint(db: sqlite3.Connection) -> Iterator[None]:
    """A part of a transaction that can fail alone."""
    db.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK TO part")
        raise
    finally:
        db.execute("RELEASE part")


def stamp(moment: datetime) -> str:
    """A time as stored: UTC, always with microseconds, so that text order is time order. ValueError without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"时间缺少时区：{moment.isoformat()}")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def meta(db: sqlite3.Connection, key: str) -> str:
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return row[0] if row else ""


def set_meta(db: sqlite3.Connection, key: str, value: str) -> None:
    db.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value))
