"""The unit of work: the only thing that commits, and only together with a record of what it did (invariant 5).

    with Work(engine, clock, actor="person:li") as work:
        item.state = "submitted"
        work.record(Verb.ITEM_SUBMITTED, "item:20261120-…", {"revision": 3})
        work.commit()

Leaving the block without ``commit`` rolls everything back. A commit that would change rows without a record entry is
refused with ``Unrecorded``; the guard listens to the statements themselves, so bulk updates, raw SQL and rows flushed
early cannot slip past it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session

from hub.domain.record import Entry
from hub.domain.verbs import Verb
from hub.store.engine import READ_ONLY
from hub.store.record import append

UNRECORDED_TABLES = frozenset({"progress", "idempotency", "record_entries", "record_head"})
"""Scratch (ADR 0013) and the record itself."""
_WRITE = re.compile(r'^\s*(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM)\s+"?(\w+)', re.IGNORECASE)
_CHANGED = "hub_changed_tables"


class Unrecorded(Exception):
    """A bug: rows were changed and nothing was recorded. The transaction has been rolled back."""


class Work:
    """One transaction. ``now`` is read from the clock once, so everything in it has one time."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime], actor: str) -> None:
        self._engine = engine
        self._entries: list[Entry] = []
        self.actor = actor
        self.now = clock().astimezone(UTC)
        self.session = Session(engine, expire_on_commit=False)

    def __enter__(self) -> Self:
        _watch(self._engine)
        self.session.connection().info[_CHANGED] = set()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.session.close()

    def record(self, verb: Verb, subject: str, details: Mapping[str, Any] | None = None, *, actor: str = "") -> None:
        """Note what is being done. ``details``: plain JSON without floats and without secrets."""
        self._entries.append(Entry(at=self.now, actor=actor or self.actor, subject=subject, verb=verb, details=dict(details or {})))

    def commit(self) -> None:
        """Flush, refuse what is not recorded, append to the record as the last statements, commit.

        The record's lock comes last on purpose: taken while other inserts are still to come, two transactions that
        touch the same rows in another order would wait for each other for ever.
        """
        self.session.flush()
        changed = self.session.connection().info[_CHANGED] - UNRECORDED_TABLES
        if changed and not self._entries:
            self.session.rollback()
            raise Unrecorded(f"changed without a record entry: {', '.join(sorted(changed))}")
        if self._entries:
            append(self.session, self._entries)
        self.session.commit()
        self._entries.clear()


class Reading:
    """A read-only session: it cannot write on SQLite and never commits."""

    def __init__(self, engine: Engine) -> None:
        self.session = Session(engine.execution_options(**{READ_ONLY: True}), expire_on_commit=False, autoflush=False)

    def __enter__(self) -> Session:
        return self.session

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.session.close()


def _watch(engine: Engine) -> None:
    if not event.contains(engine, "before_cursor_execute", _note_write):
        event.listen(engine, "before_cursor_execute", _note_write)


def _note_write(connection: Connection, _cursor: Any, statement: str, _parameters: Any, _context: Any, _many: bool) -> None:
    written = _WRITE.match(statement)
    if written:
        connection.info.setdefault(_CHANGED, set()).add(written.group(1).lower())
