"""What the loopback platform remembers (SQLite) and what it can be told to do differently (knobs)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

DEFAULT_APPID = "wx00000000loopback"
DEFAULT_SECRET = "loopback-app-secret-0123456789"  # noqa: S105 - opens nothing but the loopback platform
DEFAULT_CALLBACK_TOKEN = "loopback-callback-token"  # noqa: S105 - the same

DAILY_QUOTAS = {
    "/cgi-bin/stable_token": 500_000,
    "/cgi-bin/token": 2000,
    "/cgi-bin/media/uploadimg": 100_000,
    "/cgi-bin/material/add_material": 100_000,
    "/cgi-bin/draft/add": 1000,
    "/cgi-bin/draft/update": 1000,
    "/cgi-bin/draft/delete": 1000,
    "/cgi-bin/draft/get": 500,
    "/cgi-bin/draft/count": 1000,
    "/cgi-bin/draft/batchget": 1000,
    "/cgi-bin/freepublish/submit": 100,
    "/cgi-bin/freepublish/get": 100,
    "/cgi-bin/freepublish/delete": 10,
    "/cgi-bin/freepublish/getarticle": 100,
    "/cgi-bin/freepublish/batchget": 100,
    "/cgi-bin/message/mass/sendall": 100,
}
"""Calls per Beijing day of a new account (wechat.md §6)."""


class Refusal(Exception):
    """A business error: ``errcode`` inside a 200."""

    def __init__(self, code: int, message: str = "", **more: Any) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.more = more


@dataclass(slots=True)
class Knobs:
    """Everything a control call (``POST /_control/knobs``) may turn."""

    title: str = "云川发布"
    """Name of the account, shown to readers."""
    publish_delay: float = 1.0
    """Seconds of the platform's clock between a submit and its result."""
    consume_at: str = "submit"
    """``submit`` or ``finish``: when a draft leaves the box. Undocumented, so both must work."""
    magic: dict[str, int] = field(default_factory=lambda: {"原创校验不过": 2, "常规失败": 3, "审核不通过": 4})
    """Words in a title that make its publication end with this status."""
    title_limit: int = 32
    author_limit: int = 16
    digest_limit: int = 128
    content_limit: int = 20_000
    freepublish: bool = True
    """False: 48001, as for accounts without the right."""
    refuse_ip: bool = False
    """40164 on every token call."""
    brakes: int = 0
    """How many more submits meet 53501."""
    mass_per_day: int = 1
    mass_retry_gap: float = 1.0
    """Seconds within which a repeated clientmsgid meets 45066."""
    token_life: int = 7200
    quotas: dict[str, int] = field(default_factory=lambda: dict(DAILY_QUOTAS))


class Store:
    """Things by kind and id. One connection, used under the platform's lock."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.executescript(
            """
            CREATE TABLE IF NOT EXISTS things (
                seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, data BLOB NOT NULL, at REAL NOT NULL,
                UNIQUE (kind, id)
            );
            CREATE INDEX IF NOT EXISTS newest ON things (kind, at, seq);
            """
        )

    def close(self) -> None:
        self._db.close()

    def put(self, kind: str, key: str, body: dict[str, Any], at: float, data: bytes = b"") -> None:
        self._db.execute(
            "INSERT INTO things (kind, id, body, data, at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body, at = excluded.at,"
            " data = CASE WHEN length(excluded.data) THEN excluded.data ELSE data END",
            (kind, key, json.dumps(body, ensure_ascii=False), data, at),
        )

    def amend(self, kind: str, key: str, **changes: Any) -> bool:
        """Change some fields and leave the time as it is; False: there is no such thing."""
        body = self.get(kind, key)
        if body is None:
            return False
        self._db.execute(
            "UPDATE things SET body = ? WHERE kind = ? AND id = ?", (json.dumps({**body, **changes}, ensure_ascii=False), kind, key)
        )
        return True

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        row = self._db.execute("SELECT body FROM things WHERE kind = ? AND id = ?", (kind, key)).fetchone()
        return json.loads(row[0]) if row else None

    def data(self, kind: str, key: str) -> tuple[dict[str, Any], bytes] | None:
        row = self._db.execute("SELECT body, data FROM things WHERE kind = ? AND id = ?", (kind, key)).fetchone()
        return (json.loads(row[0]), bytes(row[1])) if row else None

    def drop(self, kind: str, key: str) -> bool:
        return self._db.execute("DELETE FROM things WHERE kind = ? AND id = ?", (kind, key)).rowcount > 0

    def drop_all(self, kind: str) -> None:
        self._db.execute("DELETE FROM things WHERE kind = ?", (kind,))

    def count(self, kind: str) -> int:
        return int(self._db.execute("SELECT count(*) FROM things WHERE kind = ?", (kind,)).fetchone()[0])

    def newest(self, kind: str, count: int = -1, offset: int = 0) -> list[tuple[str, dict[str, Any], float]]:
        """(id, body, time) with the newest first."""
        rows = self._db.execute(
            "SELECT id, body, at FROM things WHERE kind = ? ORDER BY at DESC, seq DESC LIMIT ? OFFSET ?", (kind, count, offset)
        )
        return [(key, json.loads(body), at) for key, body, at in rows]

    def number(self, name: str) -> int:
        """The next number of a series."""
        last = (self.get("series", name) or {"last": 0})["last"] + 1
        self.put("series", name, {"last": last}, 0)
        return int(last)


@dataclass(slots=True)
class Desk:
    """What each call of the platform works with."""

    store: Store
    knobs: Knobs
    clock: Callable[[], float]
    base: str = ""
    """Address under which the caller reached us."""
    outbox: list[str] = field(default_factory=list)
    """Event messages (XML) not yet handed to the messenger."""
    pending: list[tuple[float, str, str]] = field(default_factory=list)
    """Heap of (ready, kind, id) of jobs under way."""
