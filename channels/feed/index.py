"""The channel's own index: every item's history, which entry stands in which feed, and which feeds are still to be written.

One SQLite file in the state folder, used only under the folder's lock. It holds nothing that the hub's database lacks.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from channels.base import dumps_utf8
from channels.feed.entries import Entry, Gone, Release, Shown

VERSION = 1
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE item (
    public_id TEXT PRIMARY KEY, published_at INTEGER NOT NULL, withdrawn_at INTEGER, reason TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE TABLE release (
    public_id TEXT NOT NULL, revision INTEGER NOT NULL, payload BLOB NOT NULL, updated_at INTEGER NOT NULL, note TEXT NOT NULL,
    PRIMARY KEY (public_id, revision)
);
CREATE TABLE member (
    feed TEXT NOT NULL, gone INTEGER NOT NULL, stamp INTEGER NOT NULL, key TEXT NOT NULL, public_id TEXT NOT NULL,
    comment TEXT NOT NULL, PRIMARY KEY (feed, gone, stamp, key)
) WITHOUT ROWID;
CREATE INDEX member_item ON member (public_id);
CREATE TABLE fragment (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, public_id TEXT NOT NULL, rss BLOB NOT NULL, atom BLOB NOT NULL, json BLOB NOT NULL
);
CREATE INDEX fragment_item ON fragment (public_id);
CREATE TABLE feed (
    slug TEXT PRIMARY KEY, name TEXT NOT NULL, named_at INTEGER NOT NULL, head TEXT NOT NULL, dirty INTEGER NOT NULL
) WITHOUT ROWID;
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FRAGMENTS_KEPT = 20_000
"""A cache: what is dropped is rendered again when a withdrawal brings an old item back into a feed's last entries."""


class Busy(Exception):
    """Another process held the feeds for too long. Nothing was changed."""


def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC. ValueError without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"时间缺少时区：{moment.isoformat()}")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(stamp: int) -> datetime:
    """The inverse of ``micros``, in UTC."""
    return _EPOCH + timedelta(microseconds=stamp)


@contextmanager
def locked(folder: Path, patience: timedelta) -> Iterator[None]:
    """Hold the state folder alone, over all processes and threads. A killed holder's lock falls by itself. Raises Busy, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    ends = time.monotonic() + patience.total_seconds()
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= ends:
                    raise Busy("订阅源正由另一个进程写入（可能在重建），请稍后再试") from None
                time.sleep(0.01)
        yield
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class Member:
    """One entry, or one tombstone, in one feed."""

    key: str
    public_id: str
    stamp: int
    comment: str


@dataclass(frozen=True, slots=True)
class Fragments:
    """One entry in the three formats."""

    rss: bytes
    atom: bytes
    json: bytes


class Index:
    """An open index. Use it only while ``locked``."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator[Index]:
        """Open or create the index in ``folder``. Raises sqlite3.Error; DatabaseError when another version of the program made it."""
        with closing(sqlite3.connect(folder / "feeds.db", isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            # FULL: an entry that readers have seen must not vanish from the next feed because the power went.
            db.execute("PRAGMA synchronous = FULL")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
            elif version != VERSION:
                message = f"订阅源索引的版本是 {version}，本程序需要 {VERSION}；请删除 feeds.db 后运行 hub site rebuild"
                raise sqlite3.DatabaseError(message)
            yield cls(db)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit at the end, roll back on any exception."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.db.execute("COMMIT")
        finally:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part of a transaction that can fail alone."""
        self.db.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK TO part")
            raise
        finally:
            self.db.execute("RELEASE part")

    def meta(self, key: str) -> str:
        row = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else ""

    def set_meta(self, key: str, value: str) -> None:
        self.db.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value))

    # ------------------------------------------------------------------------------------------------ histories

    def entry(self, public_id: str) -> Entry | None:
        """The whole history of one item; None when the channel never had it."""
        row = self.db.execute("SELECT published_at, withdrawn_at, reason FROM item WHERE public_id = ?", (public_id,)).fetchone()
        if row is None:
            return None
        found = self.db.execute(
            "SELECT revision, payload, updated_at, note FROM release WHERE public_id = ? ORDER BY revision", (public_id,)
        )
        releases = tuple(Release(revision, json.loads(zlib.decompress(payload)), moment(at), note) for revision, payload, at, note in found)
        return Entry(moment(row[0]), releases, None if row[1] is None else moment(row[1]), row[2])

    def save(self, entry: Entry, shown: Iterable[Shown], gone: Iterable[Gone]) -> set[str]:
        """Store the history and its places in the feeds; mark and return the feeds that change. Raises ValueError, sqlite3.Error."""
        public_id = entry.public_id
        withdrawn_at = None if entry.withdrawn_at is None else micros(entry.withdrawn_at)
        self.db.execute(
            "INSERT INTO item VALUES (?, ?, ?, ?) ON CONFLICT (public_id) DO UPDATE"
            " SET withdrawn_at = excluded.withdrawn_at, reason = excluded.reason",
            (public_id, micros(entry.published_at), withdrawn_at, entry.reason),
        )
        for each in entry.releases:
            row = (public_id, each.revision, zlib.compress(dumps_utf8(each.payload), 6), micros(each.updated_at), each.note)
            self.db.execute("INSERT INTO release VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
            self._name_feeds(each)
        touched = {row[0] for row in self.db.execute("SELECT DISTINCT feed FROM member WHERE public_id = ?", (public_id,))}
        self.db.execute("DELETE FROM member WHERE public_id = ?", (public_id,))
        self.db.execute("DELETE FROM fragment WHERE public_id = ?", (public_id,))
        rows = [(feed, 0, micros(each.updated), each.key, public_id, "") for each in shown for feed in each.feeds]
        rows += [(feed, 1, micros(each.when), each.key, public_id, each.comment) for each in gone for feed in each.feeds]
        self.db.executemany("INSERT INTO member VALUES (?, ?, ?, ?, ?, ?)", rows)
        touched |= {row[0] for row in rows}
        self.mark(touched)
        return touched

    def _name_feeds(self, release: Release) -> None:
        # The newest release that mentions a feed names it, in whatever order releases arrive here.
        feeds = release.payload["feeds"]
        assert isinstance(feeds, list)
        for each in feeds:
            assert isinstance(each, dict)
            row = (each["slug"], each["name"], micros(release.updated_at))
            self.db.execute(
                "INSERT INTO feed VALUES (?, ?, ?, '', 1) ON CONFLICT (slug) DO UPDATE"
                " SET name = excluded.name, named_at = excluded.named_at"
                " WHERE (excluded.named_at, excluded.name) > (feed.named_at, feed.name)",
                row,
            )

    # ----------------------------------------------------------------------------------------------------- feeds

    def names(self) -> dict[str, str]:
        """Slug → name of every feed that items brought along."""
        return dict(self.db.execute("SELECT slug, name FROM feed WHERE named_at > 0"))

    def survey(self, digests: dict[str, str]) -> None:
        """Note the feeds there are (slug → digest of the head); new ones and those whose head changed become dirty."""
        known = dict(self.db.execute("SELECT slug, head FROM feed"))
        for slug, digest in digests.items():
            if known.get(slug) != digest:
                self.db.execute(
                    "INSERT INTO feed VALUES (?, '', 0, ?, 1) ON CONFLICT (slug) DO UPDATE SET head = excluded.head, dirty = 1",
                    (slug, digest),
                )

    def mark(self, slugs: Iterable[str]) -> None:
        self.db.executemany("UPDATE feed SET dirty = 1 WHERE slug = ?", [(slug,) for slug in slugs])

    def mark_all(self) -> None:
        self.db.execute("UPDATE feed SET dirty = 1")

    def dirty(self) -> list[str]:
        return [row[0] for row in self.db.execute("SELECT slug FROM feed WHERE dirty ORDER BY slug")]

    def clean(self, slugs: Iterable[str]) -> None:
        self.db.executemany("UPDATE feed SET dirty = 0 WHERE slug = ?", [(slug,) for slug in slugs])

    def feeds_of(self, public_id: str) -> set[str]:
        return {row[0] for row in self.db.execute("SELECT DISTINCT feed FROM member WHERE public_id = ?", (public_id,))}

    def members(self, feed: str, count: int, *, gone: bool) -> list[Member]:
        """The last ``count`` entries (or tombstones) of a feed, newest first."""
        found = self.db.execute(
            "SELECT key, public_id, stamp, comment FROM member WHERE feed = ? AND gone = ? ORDER BY stamp DESC, key LIMIT ?",
            (feed, int(gone), count),
        )
        return [Member(*row) for row in found]

    # ------------------------------------------------------------------------------------------------- fragments

    def fragments(self, key: str) -> Fragments | None:
        row = self.db.execute("SELECT rss, atom, json FROM fragment WHERE key = ?", (key,)).fetchone()
        return Fragments(*map(zlib.decompress, row)) if row else None

    def keep(self, key: str, public_id: str, made: Fragments) -> None:
        row = (key, public_id, zlib.compress(made.rss, 1), zlib.compress(made.atom, 1), zlib.compress(made.json, 1))
        self.db.execute("INSERT OR REPLACE INTO fragment (key, public_id, rss, atom, json) VALUES (?, ?, ?, ?, ?)", row)

    def prune(self) -> None:
        """Drop the oldest fragments above the cache's size."""
        self.db.execute("DELETE FROM fragment WHERE number <= (SELECT max(number) FROM fragment) - ?", (_FRAGMENTS_KEPT,))

    def forget_fragments(self) -> None:
        self.db.execute("DELETE FROM fragment")

    def forget(self) -> None:
        """Empty the index, as the first step of a rebuild."""
        for table in ("item", "release", "member", "fragment", "feed"):
            self.db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the line above
