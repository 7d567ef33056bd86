"""Files that readers may open at any moment: written beside their place, synced, then renamed over it.

A reader sees the old bytes or the new ones, never a part; after a power cut the same holds. Bytes that are already there
are left alone, so modification times and ETags stand still. Every text gets a ``.gz`` sibling for servers that send it as it is.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

from channels.base import Exchange, note_exchange, sha256_hex

PART = ".part"
"""Ending of temporary names; ``sweep`` removes those that a crash left behind."""


def gzipped(data: bytes) -> bytes:
    """Gzip ``data``, the same bytes on every machine: no time, no name, operating system "unknown" (RFC 1952)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = packer.compress(data) + packer.flush()
    return (
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
        + body
        + zlib.crc32(data).to_bytes(4, "little")
        + (len(data) & 0xFFFFFFFF).to_bytes(4, "little")
    )


def write_atomically(path: Path, data: bytes, *, gzip: bool = True, shown: str = "") -> bool:
    """Make ``path`` (and ``path.gz``) hold ``data``. Folders are made as needed. Raises OSError.

    Returns False when both already held these bytes: nothing is written. ``shown`` is how the evidence names the file.
    Many files at once are cheaper in one ``Batch``.
    """
    batch = Batch()
    written = batch.put(path, data, gzip=gzip, shown=shown)
    batch.commit()
    return written


def remove(path: Path, *, shown: str = "") -> bool:
    """Remove ``path`` and its ``.gz``; False when neither was there. A folder left empty stays. Raises OSError."""
    batch = Batch()
    removed = batch.remove(path, shown=shown)
    batch.commit()
    return removed


def sweep(folder: Path) -> int:
    """Remove the temporary files an interrupted write left in ``folder``. Only for the one who may write there now."""
    leftovers = [entry for entry in folder.iterdir() if entry.name.startswith(".") and entry.name.endswith(PART)] if folder.is_dir() else []
    for entry in leftovers:
        entry.unlink()
    return len(leftovers)


@dataclass(frozen=True, slots=True)
class _Staged:
    temporary: Path | None
    path: Path


class Batch:
    """Changes of several files that become visible together, in the order given: one round of syncs instead of one per file.

    ``put``, ``place`` and ``remove`` only stage; ``commit`` syncs the new files, renames and removes, and syncs the folders.
    A batch that is never committed is undone with ``abandon``. A failing ``commit`` abandons what is left; what was renamed stays.
    """

    def __init__(self) -> None:
        self._staged: list[_Staged] = []
        self._notes: list[Exchange] = []
        self._folders: dict[Path, None] = {}

    def __len__(self) -> int:
        return len(self._staged)

    def put(self, path: Path, data: bytes, *, gzip: bool = True, shown: str = "") -> bool:
        """Stage ``data`` for ``path``; False when nothing would change. With ``gzip=False`` a stale ``.gz`` goes away."""
        started = time.monotonic()
        before = _read(path)
        sibling = _sibling(path)
        packed = gzipped(data) if gzip else None
        packed_before = _read(sibling)
        if before == data and packed_before == packed:
            return False
        # The sibling first: when the plain file is found to be new after a crash, its sibling is new as well.
        if packed is None:
            if packed_before is not None:
                self._stage(None, sibling)
        elif packed != packed_before:
            self._stage(self._spill(sibling, packed), sibling)
        if before != data:
            self._stage(self._spill(path, data), path)
        self._note("WRITE", path, shown, "written", sha256_hex(data), sha256_hex(before) if before is not None else "", started)
        return True

    def place(self, path: Path, source: Path, sha256: str, *, shown: str = "") -> bool:
        """Stage the file ``source`` for ``path`` as a hard link where that works, else as a copy; False when ``path`` has its size already.

        Raises ValueError when the bytes of ``source`` are not those of ``sha256``, OSError when it cannot be read.
        """
        started = time.monotonic()
        size = source.stat().st_size
        if path.is_file() and path.stat().st_size == size:
            return False
        self._make(path.parent)
        temporary = _temporary(path)
        try:
            # A private file would stay private through a link, and the web server runs as somebody else.
            if source.stat().st_mode & 0o004:
                try:
                    os.link(source, temporary)
                except OSError:
                    shutil.copyfile(source, temporary)
            else:
                shutil.copyfile(source, temporary)
            with temporary.open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
            if found != sha256:
                raise ValueError(f"文件内容与登记的摘要不符：{path.name}（应为 {sha256}，实为 {found}）")
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        self._stage(temporary, path)
        self._note("WRITE", path, shown, "written", sha256, "", started)
        return True

    def remove(self, path: Path, *, shown: str = "") -> bool:
        """Stage the removal of ``path`` and its ``.gz``; False when neither is there."""
        started = time.monotonic()
        gone = [each for each in (_sibling(path), path) if each.is_file()]
        for each in gone:
            self._stage(None, each)
        if gone:
            self._note("REMOVE", path, shown, "removed", "", "", started)
        return bool(gone)

    def commit(self) -> None:
        """Make the staged changes visible and lasting. Raises OSError."""
        try:
            for staged in self._staged:
                if staged.temporary is not None:
                    _sync(staged.temporary)
            while self._staged:
                staged = self._staged[0]
                if staged.temporary is None:
                    staged.path.unlink(missing_ok=True)
                else:
                    replace(staged.temporary, staged.path)
                del self._staged[0]
            for folder in self._folders:
                _sync(folder)
        except BaseException:
            self.abandon()
            raise
        self._folders.clear()
        for note in self._notes:
            note_exchange(note)
        self._notes.clear()

    def abandon(self) -> None:
        """Forget what is staged and not yet visible."""
        for staged in self._staged:
            if staged.temporary is not None:
                staged.temporary.unlink(missing_ok=True)
        self._staged.clear()
        self._notes.clear()
        self._folders.clear()

    def _stage(self, temporary: Path | None, path: Path) -> None:
        self._staged.append(_Staged(temporary, path))
        self._folders[path.parent] = None

    def _spill(self, path: Path, data: bytes) -> Path:
        self._make(path.parent)
        temporary = _temporary(path)
        try:
            temporary.write_bytes(data)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return temporary

    def _make(self, folder: Path) -> None:
        """Make ``folder``; the folder that got a new entry is synced with the rest."""
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for each in reversed(missing):
            each.mkdir(exist_ok=True)
            self._folders[each.parent] = None

    def _note(self, verb: str, path: Path, shown: str, status: str, new: str, old: str, started: float) -> None:
        took = round((time.monotonic() - started) * 1000)
        self._notes.append(Exchange(f"{verb} {shown or path.as_posix()}", status, new, old, took))


def replace(temporary: Path, path: Path) -> None:
    """The one step that readers see."""
    temporary.replace(path)


def _sibling(path: Path) -> Path:
    return path.with_name(path.name + ".gz")


def _temporary(path: Path) -> Path:
    # The name is not built on the file's own: that may fill the 255 bytes a file system allows.
    return path.with_name(f".{secrets.token_hex(8)}{PART}")


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _sync(path: Path) -> None:
    """Ask the system to bring a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
