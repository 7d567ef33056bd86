"""What the loopback Weibo remembers: posts, pictures and short links, in one SQLite file."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass

_SCHEMA = """
CREATE TABLE IF NOT EXISTS post (
  seq INTEGER PRIMARY KEY, mid TEXT NOT NULL UNIQUE, sent TEXT NOT NULL, shown TEXT NOT NULL, rip TEXT NOT NULL,
  created REAL NOT NULL, visible REAL NOT NULL, deleted REAL, picture BLOB, picture_type TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS post_created ON post (created);
CREATE INDEX IF NOT EXISTS post_sent ON post (sent, created);
CREATE TABLE IF NOT EXISTS link (code TEXT PRIMARY KEY, url TEXT NOT NULL);
"""
_COLUMNS = "seq, mid, sent, shown, rip, created, visible, deleted, picture_type"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Beyond 2^53 an odd number has no double: whoever reads ``id`` instead of ``idstr`` gets another post.
FIRST_MID = 9_100_000_000_000_001
_MID_STEP = 1_370_002


@dataclass(frozen=True, slots=True)
class Stored:
    seq: int
    mid: str
    sent: str
    """As it came, for the comparison with later posts."""
    shown: str
    """With links rewritten, as the API gives it back."""
    rip: str
    created: float
    """Seconds since the epoch."""
    visible: float
    """From when on the timeline lists it."""
    deleted: float | None
    picture_type: str


class Store:
    """Used under the platform's lock. A platform's state may be lost with the machine, so nothing waits for the disk."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def add(self, sent: str, shown: str, rip: str, created: float, visible: float, picture: tuple[str, bytes] | None) -> Stored:
        kind, body = picture or ("", None)
        last = self._db.execute("SELECT coalesce(max(seq), 0) FROM post").fetchone()[0]
        mid = str(FIRST_MID + last * _MID_STEP)
        self._db.execute(
            "INSERT INTO post (seq, mid, sent, shown, rip, created, visible, picture, picture_type) VALUES (?,?,?,?,?,?,?,?,?)",
            (last + 1, mid, sent, shown, rip, created, visible, body, kind),
        )
        return Stored(last + 1, mid, sent, shown, rip, created, visible, None, kind)

    def get(self, mid: str) -> Stored | None:
        row = self._db.execute(f"SELECT {_COLUMNS} FROM post WHERE mid = ?", (mid,)).fetchone()  # noqa: S608 - a constant
        return Stored(*row) if row else None

    def newest(self, limit: int, offset: int = 0, *, now: float | None = None) -> list[Stored]:
        """Newest first. With ``now``: what the timeline lists at that moment; without: everything, deleted posts too."""
        where = "" if now is None else "WHERE deleted IS NULL AND visible <= :now"
        sql = f"SELECT {_COLUMNS} FROM post {where} ORDER BY seq DESC LIMIT :limit OFFSET :offset"  # noqa: S608 - constants
        return [Stored(*row) for row in self._db.execute(sql, {"now": now, "limit": limit, "offset": offset})]

    def count(self, *, since: float = 0.0, listed: bool = False) -> int:
        """Posts made at or after ``since``; ``listed`` leaves the deleted ones out."""
        sql = "SELECT count(*), count(deleted) FROM post WHERE created >= ?"
        made, deleted = self._db.execute(sql, (since,)).fetchone()
        return int(made - deleted) if listed else int(made)

    def sent_since(self, since: float) -> list[str]:
        """Texts sent at or after ``since``, deleted or not: deleting a post does not make its text new."""
        return [row[0] for row in self._db.execute("SELECT sent FROM post WHERE created >= ?", (since,))]

    def is_sent(self, text: str, since: float) -> bool:
        return self._db.execute("SELECT 1 FROM post WHERE sent = ? AND created >= ?", (text, since)).fetchone() is not None

    def delete(self, mid: str, now: float) -> None:
        self._db.execute("UPDATE post SET deleted = ? WHERE mid = ?", (now, mid))

    def picture(self, mid: str) -> tuple[str, bytes] | None:
        row = self._db.execute("SELECT picture_type, picture FROM post WHERE mid = ? AND deleted IS NULL", (mid,)).fetchone()
        return (row[0], row[1]) if row and row[1] is not None else None

    def shorten(self, url: str) -> str:
        """``http://t.cn/XXXXXXX`` for an address, the same one each time."""
        number = int.from_bytes(hashlib.sha256(url.encode()).digest()[:6], "big")
        code = "A"
        for _ in range(6):
            number, digit = divmod(number, 62)
            code += _DIGITS[digit]
        self._db.execute("INSERT OR IGNORE INTO link VALUES (?, ?)", (code, url))
        return f"http://t.cn/{code}"
