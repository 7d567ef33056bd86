"""Files that readers may open at any moment."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import files
from channels.base import recording, sha256_hex
from channels.files import Batch, gzipped, remove, sweep, write_atomically


@given(st.binary(max_size=2000))
def test_gzip_is_gzip_and_the_same_every_time(data: bytes) -> None:
    assert gzip.decompress(gzipped(data)) == data
    assert gzipped(data) == gzipped(data)


def test_written_with_its_sibling_and_the_folders_above(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "index.html"
    with recording() as exchanges:
        assert write_atomically(path, "页".encode(), shown="a/b/index.html")
    assert path.read_bytes() == gzip.decompress(path.with_name("index.html.gz").read_bytes()) == "页".encode()
    assert [(each.what, each.request_digest, each.response_digest) for each in exchanges] == [
        ("WRITE a/b/index.html", sha256_hex("页".encode()), "")
    ]
    assert sorted(each.name for each in path.parent.iterdir()) == ["index.html", "index.html.gz"]


def test_the_same_bytes_are_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_atomically(path, b"one")
    before = path.stat()
    with recording() as exchanges:
        assert not write_atomically(path, b"one")
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert exchanges == []


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"other")])
def test_a_damaged_sibling_is_mended(damage: object, tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_atomically(path, b"one")
    damage(tmp_path / "x.gz")  # type: ignore[operator]
    assert write_atomically(path, b"one")
    assert gzip.decompress((tmp_path / "x.gz").read_bytes()) == b"one"


def test_without_gzip_a_stale_sibling_goes(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_atomically(path, b"one")
    assert write_atomically(path, b"one", gzip=False)
    assert [each.name for each in tmp_path.iterdir()] == ["x"]


def test_removing_takes_the_sibling_along(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_atomically(path, b"one")
    assert remove(path)
    assert not remove(path)
    assert list(tmp_path.iterdir()) == []


def test_a_long_name_leaves_room_for_the_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / ("表" * 84)
    assert write_atomically(path, b"x", gzip=False)
    assert path.read_bytes() == b"x"


def test_a_failing_step_leaves_old_bytes_and_no_leftovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    write_atomically(path, b"old")

    def fail(_temporary: Path, _path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "replace", fail)
    with recording() as exchanges, pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["x", "x.gz"]
    assert exchanges == []


def test_nothing_of_a_batch_shows_before_it_is_committed(tmp_path: Path) -> None:
    batch = Batch()
    batch.put(tmp_path / "one", b"1")
    batch.put(tmp_path / "two", b"2")
    assert not (tmp_path / "one").exists()
    batch.commit()
    assert (tmp_path / "two").read_bytes() == b"2"
    batch.put(tmp_path / "three", b"3")
    batch.abandon()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["one", "one.gz", "two", "two.gz"]


def test_placing_a_file_checks_its_bytes(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"attachment")
    with pytest.raises(ValueError, match="摘要不符"):
        Batch().place(tmp_path / "site" / "a.pdf", source, sha256_hex(b"other"))
    assert list((tmp_path / "site").iterdir()) == []
    batch = Batch()
    assert batch.place(tmp_path / "site" / "a.pdf", source, sha256_hex(b"attachment"))
    batch.commit()
    assert (tmp_path / "site" / "a.pdf").read_bytes() == b"attachment"
    assert not Batch().place(tmp_path / "site" / "a.pdf", source, sha256_hex(b"attachment"))


def test_a_private_file_is_copied_so_that_the_web_server_may_read_it(tmp_path: Path) -> None:
    public, private = tmp_path / "public", tmp_path / "private"
    for source, mode in ((public, 0o644), (private, 0o600)):
        source.write_bytes(b"x")
        source.chmod(mode)
        batch = Batch()
        batch.place(tmp_path / "site" / source.name, source, sha256_hex(b"x"))
        batch.commit()
    assert (tmp_path / "site" / "public").stat().st_ino == public.stat().st_ino
    assert (tmp_path / "site" / "private").stat().st_ino != private.stat().st_ino
    umask = os.umask(0o022)
    os.umask(umask)
    assert (tmp_path / "site" / "private").stat().st_mode & 0o777 == 0o666 & ~umask


def test_leftovers_are_swept_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".0123456789abcdef.part").write_bytes(b"half")
    (tmp_path / "index.html").write_bytes(b"whole")
    assert sweep(tmp_path) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["index.html"]
    assert sweep(tmp_path / "none") == 0
