"""Whoever owns the database can drop the triggers and change what he likes. Each change is found, and the first broken entry named."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from hub.app.verify import Finding, verify
from hub.domain.record import Entry
from hub.store.record import append
from tests.record.conftest import Log, an_entry


def test_an_intact_record(written: Log) -> None:
    report = written.verify()
    assert report.ok
    assert report.first is None
    assert (report.size, report.root, report.checkpoints) == (20, written.sealed[-1].root.hex(), 3)
    assert "记录完好：共 20 条" in str(report)
    assert report.as_json()["ok"] is True


def test_entries_after_the_last_checkpoint_are_checked_too(written: Log) -> None:
    written.write(21)
    assert written.verify().size == 21
    written.attack("UPDATE record_entries SET actor = 'x' WHERE seq = 21")
    assert first(written) == (21, "entry_fields_differ")


def test_an_empty_record_is_intact(log: Log) -> None:
    assert log.verify().ok
    log.seal()
    assert (log.verify().ok, log.verify().checkpoints) == (True, 1)


def first(log: Log) -> tuple[int, str]:
    found = log.verify().first
    assert found is not None, "the change went unnoticed"
    assert found.seq == 0 or f"第 {found.seq} " in found.message or str(found.seq) in found.message
    return found.seq, found.code


MOVE = "UPDATE record_entries SET seq = {to} WHERE seq = {since}"
SWAP = (
    "UPDATE record_entries SET {column} = (SELECT other.{column} FROM record_entries other WHERE other.seq = 16 - record_entries.seq) "
    "WHERE seq IN (6, 10)"
)

ATTACKS: dict[str, tuple[list[str], tuple[int, str]]] = {
    "a word in a body": (["UPDATE record_entries SET body = replace(body, '同意', '反对') WHERE seq = 7"], (7, "entry_changed")),
    "a space in a body": (["UPDATE record_entries SET body = body || ' ' WHERE seq = 1"], (1, "entry_changed")),
    "a hash": (
        ["UPDATE record_entries SET leaf_hash = (SELECT leaf_hash FROM record_entries WHERE seq = 1) WHERE seq = 9"],
        (9, "entry_changed"),
    ),
    "an actor": (["UPDATE record_entries SET actor = 'person:9' WHERE seq = 4"], (4, "entry_fields_differ")),
    "a subject": (["UPDATE record_entries SET subject = 'item:9' WHERE seq = 4"], (4, "entry_fields_differ")),
    "a verb": (["UPDATE record_entries SET verb = 'review.returned' WHERE seq = 4"], (4, "entry_fields_differ")),
    "a time": (["UPDATE record_entries SET at = (SELECT at FROM record_entries WHERE seq = 5) WHERE seq = 4"], (4, "entry_fields_differ")),
    "the actors of two entries swapped": ([SWAP.format(column="actor")], (6, "entry_fields_differ")),
    "the times of two entries swapped": ([SWAP.format(column="at")], (6, "entry_fields_differ")),
    "two bodies swapped": ([SWAP.format(column="body")], (6, "entry_changed")),
    "two entries swapped": ([SWAP.format(column=one) for one in ("body", "actor", "subject", "at", "leaf_hash")], (6, "entry_moved")),
    "one removed": (["DELETE FROM record_entries WHERE seq = 12"], (12, "entry_missing")),
    "the first removed": (["DELETE FROM record_entries WHERE seq = 1"], (1, "entry_missing")),
    "the last removed": (["DELETE FROM record_entries WHERE seq = 20"], (20, "entry_missing")),
    "all removed": (["DELETE FROM record_entries"], (1, "entry_missing")),
    "one removed and the rest moved up": (
        ["DELETE FROM record_entries WHERE seq = 12", *(MOVE.format(to=n - 1, since=n) for n in range(13, 21))],
        (12, "entry_moved"),
    ),
    "one inserted in the middle": (
        [
            *(MOVE.format(to=n + 1, since=n) for n in range(20, 9, -1)),
            "INSERT INTO record_entries SELECT 10, at, actor, subject, verb, body, leaf_hash FROM record_entries WHERE seq = 3",
        ],
        (10, "entry_moved"),
    ),
    "one inserted at the end": (
        ["INSERT INTO record_entries SELECT 21, at, actor, subject, verb, body, leaf_hash FROM record_entries WHERE seq = 3"],
        (21, "entry_inserted"),
    ),
    "one inserted before the first": (
        ["INSERT INTO record_entries SELECT 0, at, actor, subject, verb, body, leaf_hash FROM record_entries WHERE seq = 3"],
        (0, "entry_inserted"),
    ),
    "the head's size": (["UPDATE record_head SET size = 19"], (20, "head_unreadable")),
    "the head's frontier": (["UPDATE record_head SET frontier = 'x'"], (20, "head_unreadable")),
    "the head removed": (["DELETE FROM record_head"], (20, "head_unreadable")),
    "the head's hashes": (["UPDATE record_head SET frontier = replace(frontier, substr(frontier, 13, 4), 'beef')"], (20, "head_differs")),
}


def test_each_change_is_found(written: Log) -> None:
    written.attack()
    found = {}
    for attack, (statements, _expected) in ATTACKS.items():
        with written.undone():
            written.attack(*statements)
            found[attack] = first(written)
        assert written.verify().ok
    assert found == {attack: expected for attack, (_statements, expected) in ATTACKS.items()}


def test_a_thorough_forger_is_stopped_by_the_checkpoints(written: Log) -> None:
    """He rewrites the body, the columns, every hash and the head, so that the database agrees with itself."""
    written.attack("UPDATE record_entries SET body = replace(body, '同意', '反对') WHERE seq = 11")
    written.rewrite_hashes()
    assert written.verify(files=[]).ok, "nothing inside the database can show it"
    assert first(written) == (9, "checkpoint_differs")
    assert "第 9 至第 15 条" in str(written.verify())
    assert written.verify().checkpoints == 1


def test_a_tail_cut_off_below_a_checkpoint(written: Log) -> None:
    written.attack("DELETE FROM record_entries WHERE seq > 17")
    written.rewrite_hashes()
    assert written.verify(files=[]).ok
    assert first(written) == (18, "record_truncated")
    assert "已签名的检查点有 20 条" in str(written.verify())


def test_a_tail_cut_off_and_written_anew(written: Log) -> None:
    written.attack("DELETE FROM record_entries WHERE seq > 17")
    written.rewrite_hashes()
    written.write(97, 98, 99, 100)
    assert written.verify(files=[]).ok
    assert first(written) == (16, "checkpoint_differs")


def test_forged_checkpoint_files(written: Log) -> None:
    good = written.files[1]
    good.write_text(good.read_text().replace("15", "14", 1))
    report = written.verify()
    assert report.first is not None
    assert (report.first.seq, report.first.code) == (0, "checkpoint_invalid")
    assert good.name in report.first.message
    assert report.checkpoints == 2
    assert written.verify(files=[Path("nowhere.txt")]).first is not None


def test_a_row_that_cannot_be_read_is_named(sqlite_log: Log) -> None:
    """Bytes that are no text, as a damaged disk leaves them: SQLite fails to read the row; PostgreSQL does not store such a thing."""
    written = sqlite_log.fill()
    written.attack("UPDATE record_entries SET body = CAST(x'ff7b' AS TEXT) WHERE seq = 13")
    assert first(written) == (13, "entry_unreadable")
    written.attack("UPDATE record_entries SET body = x'7b' WHERE seq = 13")
    assert first(written) == (13, "entry_changed")


def test_a_foreign_body_with_fitting_hashes_is_named(written: Log) -> None:
    for body in ("[" * 100_000, "{}", "7", '{"seq":5}', "not json"):
        written.attack("UPDATE record_entries SET body = :body WHERE seq = 5", body=body)
        written.rewrite_hashes()
        assert first(written) == (5, "entry_malformed"), body[:10]


def test_progress_and_further_checks(written: Log) -> None:
    steps: list[tuple[int, int]] = []
    extra = Finding(3, "tables_differ", "第 3 条记录与数据表不符")

    def check(connection: object) -> list[Finding]:
        return [extra] if connection.execute(text("SELECT count(*) FROM record_entries")).scalar() == 20 else []  # type: ignore[attr-defined]

    report = verify(written.engine, checkpoints=[], key=written.public, progress=lambda *step: steps.append(step), checks=[check])
    assert steps == [(20, 20)]
    assert report.findings == (extra,)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seq=st.integers(1, 20), place=st.integers(0, 100), letter=st.sampled_from("aé文\U0001f600"))
def test_any_changed_letter_of_any_body(written: Log, seq: int, place: int, letter: str) -> None:
    written.attack()
    with written.engine.begin() as connection:
        body = connection.execute(text("SELECT body FROM record_entries WHERE seq = :seq"), {"seq": seq}).scalar_one()
        changed = body[:place] + letter + body[place + 1 :]
        if changed == body:
            return
        connection.execute(text("UPDATE record_entries SET body = :body WHERE seq = :seq"), {"body": changed, "seq": seq})
    try:
        assert first(written) == (seq, "entry_changed")
    finally:
        with written.engine.begin() as connection:
            connection.execute(text("UPDATE record_entries SET body = :body WHERE seq = :seq"), {"body": body, "seq": seq})


def test_keys_beyond_the_basic_plane_verify(log: Log) -> None:
    """Python and RFC 8785 order such keys differently; the record follows the RFC, and the check must not mind."""
    template = an_entry(1)
    with Session(log.engine) as session:
        append(session, [Entry(template.at, template.actor, template.subject, template.verb, {"\U0001f600": 1, "\ufb33": 2})])
        session.commit()
    assert log.verify().ok
