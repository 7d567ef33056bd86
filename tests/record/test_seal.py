"""Sealing: what is written where, only when there is something new, and never against what was signed before."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from structlog.testing import capture_logs

from hub.app import seal as module
from hub.app.seal import Inconsistent, latest, load_or_make_key, publish, read_checkpoint
from hub.domain.checkpoint import VerifierKey
from hub.domain.merkle import Frontier
from hub.store.record import RecordBroken
from tests.record.conftest import ORIGIN, Log


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_what_is_written(written_sqlite: Log) -> None:
    names = [f"{size:020d}.txt" for size in (8, 15, 20)]
    kept, public = tree(written_sqlite.folder / "checkpoints"), tree(written_sqlite.site / "record")
    assert sorted(kept) == [*names, "latest.txt", "list-2026-11.txt"]
    assert sorted(public) == ["checkpoint.txt", *(f"checkpoints/{name}" for name in [*names, "list-2026-11.txt"]), "key.txt"]
    assert kept["latest.txt"] == kept[names[2]] == public["checkpoint.txt"] == public[f"checkpoints/{names[2]}"]
    assert VerifierKey.parse(public["key.txt"].decode()) == written_sqlite.public
    assert [read_checkpoint(kept[name].decode(), written_sqlite.public) for name in names] == written_sqlite.sealed
    assert kept["list-2026-11.txt"].decode().splitlines() == [
        f"2026-11-22T01:{minute:02d}:00Z {name} {point.root.hex()}"
        for minute, name, point in zip((15, 30, 45), names, written_sqlite.sealed, strict=True)
    ]


def test_nothing_new_writes_nothing(written_sqlite: Log) -> None:
    before = {path: path.stat().st_mtime_ns for path in [*written_sqlite.folder.rglob("*"), *written_sqlite.site.rglob("*")]}
    assert written_sqlite.seal() == written_sqlite.sealed[2]
    assert {path: path.stat().st_mtime_ns for path in [*written_sqlite.folder.rglob("*"), *written_sqlite.site.rglob("*")]} == before


def test_checkpoints_close_in_time_give_way_to_the_latest(sqlite_log: Log) -> None:
    """Sealing every two minutes for half an hour keeps one checkpoint in ten minutes, and always the latest, on the site too."""
    for number in range(1, 17):
        sqlite_log.write(number)
        sqlite_log.seal(minutes=2)
        assert [path.name for path in sqlite_log.files] == sorted(
            path.name for path in (sqlite_log.site / "record" / "checkpoints").glob("0*")
        )
    assert [int(path.stem) for path in sqlite_log.files] == [1, 6, 11, 16]
    listed = (sqlite_log.site / "record" / "checkpoints" / "list-2026-11.txt").read_text().splitlines()
    assert [int(line.split(" ")[1].removesuffix(".txt")) for line in listed] == [1, 6, 11, 16]
    assert (sqlite_log.verify().ok, sqlite_log.verify().checkpoints) == (True, 4)


def test_only_new_entries_are_read(written_sqlite: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost of sealing must not grow with the record."""
    asked: list[int] = []
    real = module.bodies
    monkeypatch.setattr(
        module, "bodies", lambda connection, after, upto, limit: asked.append(after) or real(connection, after, upto, limit)
    )
    written_sqlite.write(21)
    written_sqlite.seal()
    assert asked == [20]


@pytest.mark.parametrize("content", [None, "", "{}", Frontier().to_json()])
def test_a_lost_frontier_is_computed_anew(written_sqlite: Log, content: str | None) -> None:
    path = written_sqlite.folder / "frontier.json"
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    written_sqlite.write(21)
    assert written_sqlite.seal().size == 21
    assert written_sqlite.verify().checkpoints == 4


def test_an_interrupted_seal_is_finished_by_the_next(written_sqlite: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """The power fails between any two writes; afterwards sealing again gives what it would have given at once."""
    real, written = module.write_atomically, list[Path]()
    written_sqlite.write(21)
    for survives in range(20):
        written.clear()

        def failing(path: Path, data: bytes, *, gzip: bool, survives: int = survives) -> bool:
            if len(written) == survives:
                raise OSError("power")
            written.append(path)
            return real(path, data, gzip=gzip)

        monkeypatch.setattr(module, "write_atomically", failing)
        with suppress(OSError):
            written_sqlite.seal()
            break
    assert survives >= 5, "the seal was to be interrupted at several places"
    assert written_sqlite.sealed[-1].size == 21
    kept, public = tree(written_sqlite.folder / "checkpoints"), tree(written_sqlite.site / "record" / "checkpoints")
    assert {name: data for name, data in kept.items() if name != "latest.txt"} == public
    assert [line.split(" ")[1][18:20] for line in kept["list-2026-11.txt"].decode().splitlines()] == ["08", "15", "20", "21"]
    assert (written_sqlite.verify().ok, written_sqlite.verify().checkpoints) == (True, 4)


def test_many_pages(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 3)
    log.write(*range(1, 11))
    assert log.seal().size == 10
    log.write(11, 12, 13, 14)
    (log.folder / "frontier.json").unlink()
    assert log.seal().size == 14
    assert log.verify().ok


ATTACKS = {
    "cut": ("末尾被截断", ["DELETE FROM record_entries WHERE seq > 17"], True),
    "cut and written anew": ("与已签名的检查点不同|记录头的根", ["DELETE FROM record_entries WHERE seq > 19"], True),
    "head": ("记录头的根", ["UPDATE record_head SET frontier = replace(frontier, substr(frontier, 13, 4), 'beef')"], False),
    "new entry changed": ("第 21 条记录缺失或被改动", ["UPDATE record_entries SET body = body || ' ' WHERE seq = 21"], False),
    "new entry removed": ("第 21 条记录不存在", ["DELETE FROM record_entries WHERE seq >= 21"], False),
    "head removed": ("不存在", ["DELETE FROM record_head"], False),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_contradicts_the_last_checkpoint_is_never_signed(written_sqlite: Log, name: str) -> None:
    why, statements, thorough = ATTACKS[name]
    if not thorough:
        written_sqlite.write(21)
    written_sqlite.attack(*statements)
    if thorough:
        written_sqlite.rewrite_hashes()
        if "anew" in name:
            written_sqlite.write(98, 99)
    before = tree(written_sqlite.folder), tree(written_sqlite.site)
    with capture_logs() as logs, pytest.raises((Inconsistent, RecordBroken), match=why):
        written_sqlite.seal()
    assert [(one["log_level"], one["event"]) for one in logs] == [("error", "record_inconsistent")]
    assert (tree(written_sqlite.folder), tree(written_sqlite.site)) == before


def test_old_entries_rewritten_with_a_lost_frontier(written_sqlite: Log) -> None:
    written_sqlite.attack("UPDATE record_entries SET body = replace(body, '同意', '反对') WHERE seq = 3")
    written_sqlite.rewrite_hashes()
    (written_sqlite.folder / "frontier.json").unlink()
    written_sqlite.write(21)
    with pytest.raises(Inconsistent, match="前 20 条记录的根与已签名的检查点不同"):
        written_sqlite.seal()


def test_another_key_does_not_continue_our_checkpoints(written_sqlite: Log, tmp_path: Path) -> None:
    written_sqlite.key = load_or_make_key(tmp_path / "other.pem")
    written_sqlite.write(21)
    with pytest.raises(Inconsistent, match="不是本中枢密钥所签"):
        written_sqlite.seal()


def test_a_checkpoint_once_written_is_never_replaced(written_sqlite: Log) -> None:
    written_sqlite.write(21)
    (written_sqlite.folder / "checkpoints" / f"{21:020d}.txt").write_text("something else")
    with pytest.raises(Inconsistent, match="已有另一个 21 条的检查点"):
        written_sqlite.seal()


def test_two_at_once(log: Log) -> None:
    """Two beats on one folder: each finds the other's work done or waits; nothing is written twice or out of order."""
    log.write(*range(1, 50))
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait()
        for _ in range(3):
            log.write(1)
            log.seal()

    with ThreadPoolExecutor(4) as pool:
        for one in [pool.submit(work) for _ in range(4)]:
            one.result()
    point = latest(log.folder, log.public)
    assert point is not None
    assert point.size == 61
    sizes = [int(path.stem) for path in log.files]
    assert sizes[-1] == 61
    assert (log.verify().ok, log.verify().checkpoints) == (True, len(sizes))
    listed = (log.folder / "checkpoints" / "list-2026-11.txt").read_text().splitlines()
    assert [int(line.split(" ")[1].split(".")[0]) for line in listed] == sizes


def test_a_rebuilt_site_gets_every_checkpoint_again(written_sqlite: Log) -> None:
    before = tree(written_sqlite.site)
    shutil.rmtree(written_sqlite.site)
    publish(written_sqlite.folder, written_sqlite.site, written_sqlite.public)
    assert tree(written_sqlite.site) == before


def test_publishing_before_the_first_seal(sqlite_log: Log) -> None:
    (sqlite_log.folder / "checkpoints").mkdir(parents=True)
    publish(sqlite_log.folder, sqlite_log.site, sqlite_log.public)
    assert sorted(tree(sqlite_log.site)) == ["record/key.txt"]
    assert latest(sqlite_log.folder, sqlite_log.public) is None


def test_two_processes_agree_on_one_key(tmp_path: Path) -> None:
    path, barrier = tmp_path / "record.pem", threading.Barrier(8)

    def work() -> bytes:
        barrier.wait()
        return load_or_make_key(path).private_bytes_raw()

    with ThreadPoolExecutor(8) as pool:
        keys = [one.result() for one in [pool.submit(work) for _ in range(8)]]
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_only_ed25519_keys_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "record.pem"
    path.write_bytes(ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(ValueError, match="不是 Ed25519 私钥"):
        load_or_make_key(path)


def test_origins_that_no_key_may_be_named() -> None:
    with pytest.raises(ValueError, match="key name"):
        module.verifier_key(Ed25519PrivateKey.generate(), "政务 公开")
    assert module.verifier_key(Ed25519PrivateKey.generate(), ORIGIN).name == ORIGIN
