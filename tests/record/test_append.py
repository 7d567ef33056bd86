"""Appending on both databases: gapless under contention, whole or not at all, and refused any change afterwards."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Integer, MetaData, String, Table, create_engine, event, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.schema import Column

from hub.domain.merkle import EMPTY_ROOT, leaf_hash, root_of
from hub.domain.record import Entry, canonical
from hub.domain.verbs import Verb
from hub.store.record import RecordBroken, append, entries, head, heads, read_entries
from hub.store.triggers import append_only, attach, drop_statements, refuse, statements
from tests.record.conftest import RECORD_TABLES, START, Log, an_entry


def test_entries_are_numbered_hashed_and_read_back(log: Log) -> None:
    assert log.write(1, 2) == [1, 2]
    assert log.write(3) == [3]
    with Session(log.engine) as session:
        found = read_entries(session)
        root = head(session).root()
    assert [(one.seq, one.entry) for one in found] == [(n, an_entry(n)) for n in (1, 2, 3)]
    assert [one.body.encode() for one in found] == [canonical(n, an_entry(n)) for n in (1, 2, 3)]
    assert root == root_of([leaf_hash(canonical(n, an_entry(n))) for n in (1, 2, 3)])


def test_an_empty_record_has_the_empty_root(log: Log) -> None:
    with Session(log.engine) as session:
        assert append(session, []) == []
        assert (head(session).size, head(session).root()) == (0, EMPTY_ROOT)
        assert read_entries(session) == []


def test_reading_pages_filters_and_backwards(log: Log) -> None:
    log.write(*range(1, 13))
    with Session(log.engine) as session:

        def seqs(after: int = 0, limit: int = 100, *, back: bool = False, **filters: str) -> list[int]:
            return [one.seq for one in read_entries(session, after, limit, newest_first=back, **filters)]

        assert seqs(4, 3) == [5, 6, 7]
        assert seqs(0, 3, back=True) == [12, 11, 10]
        assert seqs(10, 3, back=True) == [9, 8, 7]
        assert seqs(subject="item:2") == [2, 7, 12]
        assert seqs(subject="item:2", actor="person:1") == [7]
        assert seqs(verb="item.released") == []


def test_an_entry_without_canonical_form_writes_nothing(log: Log) -> None:
    bad = Entry(START, "person:1", "item:1", Verb.ITEM_CREATED, {"price": 1.5})  # type: ignore[dict-item]
    with Session(log.engine) as session, pytest.raises(ValueError, match="float"):
        append(session, [an_entry(1), bad])
    assert log.write(1) == [1]
    assert log.verify().ok


def test_concurrent_transactions_leave_no_gap(log: Log) -> None:
    """50 transactions at once, every fifth rolled back after it appended: 40 entries, numbered 1 to 40."""
    barrier = threading.Barrier(10)
    seqs: list[int] = []

    def work(worker: int) -> None:
        barrier.wait()
        for turn in range(5):
            with Session(log.engine) as session:
                found = append(session, [an_entry(worker * 10 + turn)])
                if (worker + turn) % 5 == 0:
                    session.rollback()
                else:
                    session.commit()
                    seqs.extend(found)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(10)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(seqs) == list(range(1, 41))
    report = log.verify()
    assert (report.ok, report.size) == (True, 40)


REFUSED = (
    "UPDATE record_entries SET actor = 'person:9' WHERE seq = 2",
    "UPDATE record_entries SET body = body",
    "DELETE FROM record_entries WHERE seq = 3",
    "DELETE FROM record_head",
    "UPDATE record_head SET size = 2",
    "UPDATE record_head SET frontier = ''",
    "INSERT INTO record_head (id, size, frontier) VALUES (2, 0, '')",
)


def test_the_database_refuses_changes(log: Log) -> None:
    log.write(1, 2, 3)
    for statement in REFUSED:
        with pytest.raises(IntegrityError, match="record_"), log.engine.begin() as connection:
            connection.execute(text(statement))
    assert log.verify().ok


def test_postgresql_refuses_truncate(postgresql_log: Log) -> None:
    postgresql_log.write(1)
    for statement in ("TRUNCATE record_entries", "TRUNCATE record_entries, record_head CASCADE"):
        with pytest.raises(IntegrityError, match="只能追加"), postgresql_log.engine.begin() as connection:
            connection.execute(text(statement))


@pytest.mark.parametrize("how", ["INSERT OR REPLACE INTO", "REPLACE INTO"])
def test_sqlite_refuses_replacing(sqlite_log: Log, how: str) -> None:
    log = sqlite_log
    log.write(1, 2)
    with pytest.raises(IntegrityError, match="只能追加"), log.engine.begin() as connection:
        connection.execute(
            text(f"{how} record_entries SELECT 1, at, actor, subject, verb, body, leaf_hash FROM record_entries WHERE seq = 2")
        )
    assert log.verify().ok


def test_a_missing_or_broken_head_is_never_written_over(log: Log) -> None:
    log.write(1)
    log.attack("UPDATE record_head SET size = 7")
    with pytest.raises(RecordBroken, match="不一致"):
        log.write(2)
    log.attack("UPDATE record_head SET frontier = '{}'")
    with pytest.raises(RecordBroken, match="无法读取"):
        log.write(2)
    log.attack("DELETE FROM record_head")
    with pytest.raises(RecordBroken, match="不存在"):
        log.write(2)


def test_an_entry_where_the_next_should_go_is_never_written_over(log: Log) -> None:
    log.write(1)
    log.attack("INSERT INTO record_entries SELECT 2, at, actor, subject, verb, body, leaf_hash FROM record_entries")
    with pytest.raises(RecordBroken, match="第 2 条记录已经存在"):
        log.write(2)


def test_hostile_texts_survive(log: Log) -> None:
    """Tabs, backslashes, quotes and NUL in details; letters beyond the basic plane everywhere."""
    details = {"a\tb": "\\N \\. \x00 \n\r'\"%s :x", "\U0001f600": ["政务", None, True, -1, {"": ""}]}
    entry = Entry(START, "person:\\N", "item:%(x)s'\";:y \U0001f600", Verb.ITEM_CREATED, details)
    with Session(log.engine) as session:
        append(session, [entry])
        session.commit()
        assert read_entries(session)[0].entry == entry
    assert log.verify().ok


def test_dropped_rules_come_back_by_the_same_statements(log: Log) -> None:
    log.write(1)
    log.attack()
    with log.engine.begin() as connection:
        connection.execute(text("UPDATE record_entries SET actor = actor"))
        for statement in statements(log.engine.dialect.name, RECORD_TABLES):
            connection.exec_driver_sql(statement)
    with pytest.raises(IntegrityError, match="只能追加"), log.engine.begin() as connection:
        connection.execute(text("UPDATE record_entries SET actor = actor"))


def test_append_reads_the_head_last_and_writes_twice(log: Log) -> None:
    """However many entries: one lock, one insert, one update. More would show in every commit of the hub."""
    said: list[str] = []
    event.listen(log.engine, "before_cursor_execute", lambda _c, _cur, statement, *_: said.append(statement.split()[0]))
    log.write(*range(1, 200))
    # PostgreSQL's COPY goes past SQLAlchemy.
    writes = ["INSERT", "UPDATE"] if log.engine.dialect.name == "sqlite" else ["UPDATE"]
    assert [one for one in said if one != "BEGIN"] == ["SELECT", *writes]


def test_rules_of_other_tables(log: Log) -> None:
    """What other rooms use: conditions over OLD and NEW, composite keys, and rules that are found by table."""
    metadata = MetaData()
    table = Table("seals", metadata, Column("a", Integer, primary_key=True), Column("b", Integer, primary_key=True), Column("note", String))
    notes = Table("memos", metadata, Column("id", Integer, primary_key=True), Column("done", Integer), Column("note", String))
    attach(table, *append_only("seals", "a, b"))
    attach(
        notes,
        refuse("memos", "UPDATE", "memos：it's done", when="OLD.done = 1"),
        refuse("memos", "INSERT", "memos：空", when="NEW.note IS NULL"),
    )
    with pytest.raises(ValueError, match="twice"):
        attach(table, *append_only("seals"))
    metadata.create_all(log.engine)
    dialect = log.engine.dialect.name

    def run(statement: str) -> None:
        with log.engine.begin() as connection:
            connection.execute(text(statement))

    run("INSERT INTO seals VALUES (1, 1, 'x'), (1, 2, 'y')")
    run("INSERT INTO memos VALUES (1, 0, 'x')")
    run("UPDATE memos SET done = 1")
    refused = ["UPDATE seals SET note = 'z'", "DELETE FROM seals", "UPDATE memos SET note = 'z'", "INSERT INTO memos VALUES (2, 0, NULL)"]
    refused += ["INSERT OR REPLACE INTO seals VALUES (1, 2, 'z')"] if dialect == "sqlite" else ["TRUNCATE seals"]
    for statement in refused:
        with pytest.raises(IntegrityError, match=r"seals：|memos："):
            run(statement)
    assert all("memos" in one for one in drop_statements(dialect, ["memos"], metadata=metadata))
    for statement in drop_statements(dialect, metadata=metadata):
        run(statement)
    run("DELETE FROM seals")
    metadata.drop_all(log.engine)


def test_create_all_in_a_fresh_database_starts_an_empty_record() -> None:
    engine = create_engine("sqlite://")
    entries.metadata.create_all(engine, tables=[entries, heads])
    with Session(engine) as session:
        assert append(session, [an_entry(1)]) == [1]
    engine.dispose()
