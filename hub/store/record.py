"""The record in the database: its entries, its head, and the one way to append.

``record_head`` is a single row whose lock puts all appends in one order; a sequence could not, because numbers drawn
from it are neither gapless nor in commit order. Only the unit of work calls ``append``, as the last thing before it commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import BigInteger, CheckConstraint, Connection, Index, Integer, LargeBinary, String, Table, Text, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from hub.domain.merkle import Frontier, leaf_hash
from hub.domain.record import Entry, canonical, parse_entry
from hub.store.base import Base, Utc
from hub.store.triggers import append_only, attach, refuse

# SQLite numbers its rows by a column of the type INTEGER and by no other; as BIGINT the key would be a second index.
_Seq = BigInteger().with_variant(Integer(), "sqlite")


class RecordEntry(Base):
    """One entry. ``body`` is the canonical JSON exactly as hashed; the other columns repeat parts of it for searching."""

    __tablename__ = "record_entries"
    __table_args__ = (
        Index("ix_record_entries_subject", "subject", "seq"),
        Index("ix_record_entries_actor", "actor", "seq"),
        Index("ix_record_entries_verb", "verb", "at"),
    )

    seq: Mapped[int] = mapped_column(_Seq, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Utc)
    actor: Mapped[str] = mapped_column(String)
    subject: Mapped[str] = mapped_column(String)
    verb: Mapped[str] = mapped_column(String)
    body: Mapped[str] = mapped_column(Text)
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class RecordHead(Base):
    """How many entries there are and the frontier of their Merkle tree, in one row with the id 1."""

    __tablename__ = "record_head"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)
    frontier: Mapped[str] = mapped_column(Text)


entries: Table = Base.metadata.tables["record_entries"]
heads: Table = Base.metadata.tables["record_head"]
_COLUMNS = [column.name for column in entries.columns]
_COPY = f"COPY record_entries ({', '.join(_COLUMNS)}) FROM STDIN"
EMPTY_HEAD = {"id": 1, "size": 0, "frontier": Frontier().to_json()}
"""The row every new database starts with; a migration inserts the same."""

attach(entries, *append_only("record_entries", "seq"))
attach(
    heads,
    refuse("record_head", "DELETE", "record_head：记录头不得删除"),
    refuse("record_head", "UPDATE", "record_head：记录只增不减", when="NEW.size <= OLD.size"),
    rows=[EMPTY_HEAD],
)


class RecordBroken(RuntimeError):
    """The head is gone, unreadable, or contradicted by the entries: not set up by our migrations, or changed by somebody."""


def append(session: Session, new: Sequence[Entry]) -> list[int]:
    """Append entries in order and return their numbers. Flush everything else before, commit straight after.

    Takes the lock on the head, so every transaction that records something waits here for the one before; with no lock
    taken after it, no two of them can wait for each other. Raises ValueError (an entry without canonical form; nothing
    was written then) and RecordBroken.
    """
    if not new:
        return []
    # The connection, not the session: its events and autoflush are for rows that need an entry, not for the entries.
    connection = session.connection()
    frontier = _head(connection, lock=True)
    before = frontier.size
    rows: list[dict[str, Any]] = []
    for entry in new:
        body = canonical(frontier.size + 1, entry)
        leaf = leaf_hash(body)
        frontier.append(leaf)
        rows.append(
            {
                "seq": frontier.size,
                "at": entry.at,
                "actor": entry.actor,
                "subject": entry.subject,
                "verb": str(entry.verb),
                "body": body.decode(),
                "leaf_hash": leaf,
            }
        )
    _insert(connection, rows)
    connection.execute(update(heads).where(heads.c.id == 1).values(size=frontier.size, frontier=frontier.to_json()))
    return list(range(before + 1, frontier.size + 1))


def _insert(connection: Connection, rows: list[dict[str, Any]]) -> None:
    try:
        if connection.dialect.name == "postgresql":
            # COPY takes half the time of an INSERT for each row, and the head stays locked meanwhile.
            driver = connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
                for row in rows:
                    copy.write_row([row[name] for name in _COLUMNS])
        else:
            connection.execute(insert(entries), rows)
    except (IntegrityError, psycopg.IntegrityError) as error:
        raise RecordBroken(f"第 {rows[0]['seq']} 条记录已经存在，而记录头说还没有：数据库被改动过，请执行 hub audit verify") from error


def head(session: Session | Connection) -> Frontier:
    """The head as the database holds it: ``size`` and ``root()``. Raises RecordBroken."""
    return _head(session.connection() if isinstance(session, Session) else session, lock=False)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry that stands in the record."""

    seq: int
    entry: Entry
    body: str
    leaf: bytes


def read_entries(
    session: Session | Connection,
    after: int = 0,
    limit: int = 100,
    *,
    subject: str | None = None,
    actor: str | None = None,
    verb: str | None = None,
    newest_first: bool = False,
) -> list[Recorded]:
    """Read entries with a number above ``after`` in order, or (``newest_first``) below ``after`` (0: from the end) backwards."""
    query = select(entries.c.seq, entries.c.body, entries.c.leaf_hash).limit(limit)
    for column, wanted in ((entries.c.subject, subject), (entries.c.actor, actor), (entries.c.verb, verb)):
        if wanted is not None:
            query = query.where(column == wanted)
    if newest_first:
        query = query.order_by(entries.c.seq.desc())
        query = query.where(entries.c.seq < after) if after else query
    else:
        query = query.where(entries.c.seq > after).order_by(entries.c.seq)
    return [Recorded(seq, parse_entry(body)[1], body, leaf) for seq, body, leaf in session.execute(query)]


def bodies(connection: Connection, after: int, upto: int, limit: int) -> list[tuple[int, str, bytes]]:
    """One page of (number, body, leaf hash) with ``after`` < number ≤ ``upto``, unparsed: for sealing and exporting."""
    query = select(entries.c.seq, entries.c.body, entries.c.leaf_hash).where(entries.c.seq > after, entries.c.seq <= upto)
    return [(seq, body, leaf) for seq, body, leaf in connection.execute(query.order_by(entries.c.seq).limit(limit))]


def _head(connection: Connection, *, lock: bool) -> Frontier:
    query = select(heads.c.size, heads.c.frontier).where(heads.c.id == 1)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise RecordBroken("记录头（record_head）不存在：请先执行 hub db upgrade；若曾经存在，说明数据库被改动过")
    try:
        frontier = Frontier.from_json(row.frontier)
    except ValueError as error:
        raise RecordBroken("记录头（record_head.frontier）无法读取：数据库被改动过") from error
    if frontier.size != row.size:
        raise RecordBroken("记录头（record_head）的 size 与 frontier 不一致：数据库被改动过")
    return frontier
