"""The export, and the page of code by which an outsider checks it: it agrees with ours, and finds the same tampering."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.app import seal as module
from hub.app.export import export
from hub.app.seal import verifier_key
from hub.domain.checkpoint import Checkpoint, sign_note
from hub.domain.merkle import Frontier, leaf_hash
from tests.record.conftest import ORIGIN, Log

SCRIPT = Path(__file__).parents[2] / "docs" / "verify_record.py"


def write(log: Log, path: Path, after: int = 0) -> list[str]:
    with path.open("w", encoding="utf-8") as out:
        export(log.engine, out, note=(log.folder / "checkpoints" / "latest.txt").read_text(encoding="utf-8"), key=log.public, after=after)
    return path.read_text(encoding="utf-8").splitlines(keepends=True)


def run(*arguments: object) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", SCRIPT, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    return done.returncode, done.stdout + done.stderr


def test_the_script_fits_on_a_page_and_needs_nothing_of_ours() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert "hub" not in text
    imports = {line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imports - set(sys.stdlib_module_names) == {"cryptography"}


def test_an_export_is_intact(written: Log, tmp_path: Path) -> None:
    lines = write(written, tmp_path / "all.jsonl")
    assert len(lines) == 22
    assert json.loads(lines[0]) == {"format": "disclosure-hub record 1", "origin": ORIGIN, "after": 0, "frontier": []}
    row = json.loads(lines[7])
    assert (row["seq"], leaf_hash(row["body"].encode()).hex()) == (7, row["leaf"])
    assert run(tmp_path / "all.jsonl") == (0, f"intact: entries 1 to 20 of {ORIGIN}, key {written.public.text()}\n")


@pytest.mark.parametrize("after", [1, 8, 13, 19, 20])
def test_a_later_part_alone(sqlite_log: Log, tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.app.export.PAGE", 3)
    written = sqlite_log.fill()
    assert len(write(written, tmp_path / "part.jsonl", after)) == 22 - after
    assert run(tmp_path / "part.jsonl")[0] == 0


def test_kept_checkpoints_and_the_published_key(written_sqlite: Log, tmp_path: Path) -> None:
    write(written_sqlite, tmp_path / "all.jsonl")
    kept = [part for path in written_sqlite.files for part in ("--checkpoint", path)]
    assert run(tmp_path / "all.jsonl", *kept, "--key", written_sqlite.site / "record" / "key.txt")[0] == 0
    (tmp_path / "key.txt").write_text(verifier_key(Ed25519PrivateKey.generate(), ORIGIN).text())
    code, said = run(tmp_path / "all.jsonl", "--key", tmp_path / "key.txt")
    assert code == 1
    assert "the signature is wrong" in said
    write(written_sqlite, tmp_path / "part.jsonl", after=10)
    code, said = run(tmp_path / "part.jsonl", "--checkpoint", written_sqlite.files[0])
    assert (code, "over 8 entries" in said) == (1, True)


def test_entries_after_the_checkpoint_wait_for_the_next(written_sqlite: Log, tmp_path: Path) -> None:
    written_sqlite.write(21)
    assert len(write(written_sqlite, tmp_path / "all.jsonl")) == 22
    assert run(tmp_path / "all.jsonl")[0] == 0


def test_an_empty_record(sqlite_log: Log, tmp_path: Path) -> None:
    sqlite_log.seal()
    assert len(write(sqlite_log, tmp_path / "all.jsonl")) == 2
    assert run(tmp_path / "all.jsonl")[0] == 0


def test_what_cannot_be_exported(written_sqlite: Log) -> None:
    note = written_sqlite.files[0].read_text(encoding="utf-8")
    for after in (-1, 9):
        with pytest.raises(ValueError, match="--after"):
            export(written_sqlite.engine, io.StringIO(), note=note, key=written_sqlite.public, after=after)
    with pytest.raises(ValueError, match="signature"):
        export(written_sqlite.engine, io.StringIO(), note=note.replace("8", "7", 1), key=written_sqlite.public)


Edit = Callable[[list[str]], list[str]]


def without(line: int) -> Edit:
    return lambda lines: lines[: line - 1] + lines[line:]


def replaced(line: int, old: str, new: str) -> Edit:
    return lambda lines: [one.replace(old, new) if number == line else one for number, one in enumerate(lines, 1)]


def swapped(one: int, two: int) -> Edit:
    def edit(lines: list[str]) -> list[str]:
        lines[one - 1], lines[two - 1] = lines[two - 1], lines[one - 1]
        return lines

    return edit


EDITS: dict[str, tuple[Edit, int, str]] = {
    "a body": (replaced(8, "同意", "反对"), 8, "entry 7 was changed"),
    "a hash": (replaced(8, '"leaf":"', '"leaf":"0'), 8, "entry 7 was changed"),
    "a number": (replaced(8, '"seq":7,', '"seq":8,'), 8, "entry 7 is missing"),
    "removed": (without(13), 13, "entry 12 is missing"),
    "inserted": (lambda lines: [*lines[:9], lines[3], *lines[9:]], 10, "entry 9 is missing"),
    "reordered": (swapped(5, 9), 5, "entry 4 is missing"),
    "last removed": (without(21), 21, "does not reach"),
    "end cut off": (lambda lines: lines[:15], 15, "the end was cut off"),
    "header's frontier": (replaced(1, "[]", f'["{"00" * 32}"]'), 22, "not those signed"),
    "header's origin": (replaced(1, ORIGIN, "elsewhere"), 22, "not signed by elsewhere"),
    "something at the end": (lambda lines: [*lines, lines[3]], 22, "something follows"),
    "checkpoint's size": (replaced(22, r"\n20\n", r"\n19\n"), 22, "signature is wrong"),
    "no JSON": (lambda lines: [*lines[:4], "{\n", *lines[5:]], 5, "Expecting"),
    "empty": (lambda lines: [], 1, ""),
}


def test_the_script_finds_every_edit(sqlite_log: Log, tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    lines = write(sqlite_log.fill(), path)
    for name, (edit, number, words) in EDITS.items():
        path.write_text("".join(edit(lines[:])), encoding="utf-8")
        code, said = run(path)
        assert (code, f"BROKEN at line {number}: " in said, words in said) == (1, True, True), f"{name}: {said}"


def test_a_forged_export_is_stopped_by_a_kept_checkpoint(sqlite_log: Log, tmp_path: Path) -> None:
    """The forger owns the database *and* makes a key of his own; whoever kept one checkpoint or the key is not fooled."""
    written = sqlite_log.fill()
    written.attack("UPDATE record_entries SET body = replace(body, '同意', '反对') WHERE seq = 7")
    written.rewrite_hashes()
    forger = Ed25519PrivateKey.generate()
    public = verifier_key(forger, ORIGIN)
    with written.engine.connect() as connection:
        root = module.head(connection).root()
    with (tmp_path / "forged.jsonl").open("w", encoding="utf-8") as out:
        export(written.engine, out, note=sign_note(Checkpoint(ORIGIN, 20, root).text(), public, forger.sign), key=public)
    assert run(tmp_path / "forged.jsonl")[0] == 0
    assert run(tmp_path / "forged.jsonl", "--checkpoint", written.files[0])[0] == 1
    assert run(tmp_path / "forged.jsonl", "--key", written.site / "record" / "key.txt")[0] == 1
    # With the real key stolen as well, only the root of a kept checkpoint tells.
    with (tmp_path / "forged.jsonl").open("w", encoding="utf-8") as out:
        export(
            written.engine, out, note=sign_note(Checkpoint(ORIGIN, 20, root).text(), written.public, written.key.sign), key=written.public
        )
    code, said = run(tmp_path / "forged.jsonl", "--checkpoint", written.files[0])
    assert (code, "the first 8 entries are not those signed" in said) == (1, True)


def test_the_export_shows_what_the_database_holds(written: Log, tmp_path: Path) -> None:
    """Tampering in the database is found in the export at the same entry."""
    for statements in (
        ["UPDATE record_entries SET body = replace(body, '同意', '反对') WHERE seq = 7"],
        ["DELETE FROM record_entries WHERE seq = 7"],
        ["UPDATE record_entries SET body = (SELECT o.body FROM record_entries o WHERE o.seq = 3) WHERE seq = 7"],
    ):
        written.attack()
        with written.undone():
            written.attack(*statements)
            ours = written.verify().first
            write(written, tmp_path / "all.jsonl")
            code, said = run(tmp_path / "all.jsonl")
        assert ours is not None
        assert ours.seq == 7
        assert (code, "BROKEN at line 8: entry 7" in said) == (1, True), said


def test_roots_agree_at_every_size(sqlite_log: Log, tmp_path: Path) -> None:
    """Script and hub build the same tree at every size, also where it is lopsided."""
    frontier = Frontier()
    for size in range(1, 18):
        sqlite_log.write(size)
        sqlite_log.seal()
    for line in write(sqlite_log, tmp_path / "all.jsonl")[1:-1]:
        frontier.append(bytes.fromhex(json.loads(line)["leaf"]))
    assert frontier.root() == sqlite_log.sealed[-1].root
    assert run(tmp_path / "all.jsonl", *[part for path in sqlite_log.files for part in ("--checkpoint", path)])[0] == 0
