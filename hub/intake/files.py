"""Files by their content: checked at the door, kept once under their SHA-256, never changed afterwards.

``FileStore`` is what channels get as ``channels.base.Files``.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import BinaryIO
from zipfile import ZipFile

import pypdf
from pypdf.errors import PyPdfError

from hub.domain.content import FileUse
from hub.domain.problems import Invalid, Problem
from hub.intake.archives import ArchiveLimits, archive_fault
from hub.intake.extract import Part, Unreadable, parts_of
from hub.intake.pictures import BadPicture, PictureLimits, encode_picture
from hub.intake.secrecy import Mark, mark_in, mark_in_name
from hub.intake.sniff import ACTIVE_EXTENSIONS, MACRO_EXTENSIONS, SORTS, Sort, extension, family_of
from hub.intake.text import clean_line

_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNSAFE = re.compile(r'[/\\:*?"<>|\x00-\x1f]')
_NAME_LENGTH = 120
_BLOCK = 1 << 20
_REFUSED_FAMILIES = {
    "program": ("program", "这是可执行程序", "程序不能作为附件公开"),
    "markup": ("markup", "这是网页或脚本文件", "请另存为PDF或DOCX后再上传"),
    "macro": ("macro", "文件带有宏", "请另存为不带宏的格式（如 .docx、.xlsx）后再上传"),
    "encrypted": ("encrypted", "文件设有密码", "请去掉密码后再上传，公开的文件人人都要能打开"),
}


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Sizes in bytes."""

    attachment: int = 100 * 1024 * 1024
    picture: int = 20 * 1024 * 1024
    archive: ArchiveLimits = field(default_factory=ArchiveLimits)
    pictures: PictureLimits = field(default_factory=PictureLimits)


class FileStore:
    """Content-addressed files under ``root``: ``root/ab/abcdef…``. Safe for many processes at once: the same content lands at the
    same place, whole or not at all."""

    def __init__(self, root: Path, limits: FileLimits | None = None) -> None:
        self.root = root
        self.limits = limits or FileLimits()

    def path(self, sha256: str) -> Path:
        """Where the bytes lie. Raises FileNotFoundError, in Chinese, for a wrong or unknown digest."""
        if not _SHA256.fullmatch(sha256):
            raise FileNotFoundError(f"“{sha256[:80]}”不是文件摘要（应为64位小写十六进制）")
        place = self._place(sha256)
        if not place.is_file():
            raise FileNotFoundError(f"文件库中没有摘要为 {sha256} 的文件，请从备份恢复或重新上传")
        return place

    def take(
        self,
        name: str,
        source: bytes | Path,
        *,
        role: str = "attachment",
        alt: str = "",
        caption: str = "",
        ai_generated: bool = False,
        field_name: str = "files",
    ) -> FileUse:
        """Check one file and keep it. ``name`` is what the reader will see; ``role`` attachment, picture or cover.

        Pictures are re-encoded whatever their role, so the digest is that of the new bytes, and the name gets their extension.
        Raises ``Invalid`` with one problem on ``field_name`` naming file, fault and remedy; nothing is kept then.
        """
        name = safe_name(name)
        sort = self._sort(name, role, field_name)
        with _opened(source) as stream:
            size = stream.seek(0, io.SEEK_END)
            stream.seek(0)
            most = self.limits.picture if sort.picture else self.limits.attachment
            if not size:
                raise _refused(field_name, name, "empty", "文件是空的", "请检查后重新上传")
            if size > most:
                raise _refused(
                    field_name, name, "too_large", f"文件有{size / 1048576:.1f} MB", f"不能超过{most // 1048576} MB，请压缩或拆分"
                )
            family = family_of(stream)
            self._check_family(name, sort, family, field_name)
            self._check_inside(name, family, stream, field_name)
            if sort.picture:
                try:
                    picture = encode_picture(stream, family, self.limits.pictures)
                except BadPicture as error:
                    raise _refused(field_name, name, error.code, str(error), error.remedy) from error
                kept = name if extension(name) in ("jpeg", picture.ext) else f"{PurePath(name).stem}.{picture.ext}"
                sha = self._keep(io.BytesIO(picture.data))
                return FileUse(
                    sha,
                    kept,
                    picture.media_type,
                    len(picture.data),
                    role,
                    clean_line(alt),
                    clean_line(caption),
                    picture.width,
                    picture.height,
                    ai_generated,
                )
            return FileUse(
                self._keep(stream), name, sort.media_type, size, role, clean_line(alt), clean_line(caption), ai_generated=ai_generated
            )

    # --------------------------------------------------------------------------------------------------------- checks

    def _sort(self, name: str, role: str, field_name: str) -> Sort:
        ext = extension(name)
        if ext in MACRO_EXTENSIONS:
            raise _refused(field_name, name, *_REFUSED_FAMILIES["macro"])
        if ext in ACTIVE_EXTENSIONS:
            raise _refused(field_name, name, "program", f"不接受“.{ext}”文件", "程序和网页不能作为附件公开，请另存为PDF或DOCX")
        sort = SORTS.get(ext)
        if sort is None or (role != "attachment" and not sort.picture):
            allowed = "、".join(e for e, s in SORTS.items() if role == "attachment" or s.picture)
            raise _refused(field_name, name, "type", f"不接受“.{ext}”文件" if ext else "文件名没有扩展名", f"可以上传{allowed}")
        return sort

    def _check_family(self, name: str, sort: Sort, family: str, field_name: str) -> None:
        if family in _REFUSED_FAMILIES:
            raise _refused(field_name, name, *_REFUSED_FAMILIES[family])
        if family not in sort.families:
            real = f"内容其实是{family}" if family in SORTS else "内容不是这种格式"
            raise _refused(field_name, name, "mismatch", f"扩展名是“.{sort.ext}”，{real}", "请用原来的软件另存为所需格式，不要只改扩展名")

    def _check_inside(self, name: str, family: str, stream: BinaryIO, field_name: str) -> None:
        if family in ("zip", "docx", "xlsx", "pptx", "ofd") and (fault := archive_fault(stream, family, self.limits.archive)):
            raise _refused(field_name, name, *fault)
        if family == "pdf" and _pdf_locked(stream):
            raise _refused(field_name, name, *_REFUSED_FAMILIES["encrypted"])
        try:
            mark = mark_in_name(name) or (self._mark_in_zip(stream) if family == "zip" else mark_in(parts_of(stream, family)))
        except Unreadable as error:
            raise _refused(field_name, name, "broken", str(error), "请重新保存后再上传") from error
        if mark:
            raise _refused(field_name, name, "secrecy_mark", f"{mark.where}有涉密标志“{mark.text}”", SECRECY_REMEDY)

    def _mark_in_zip(self, stream: BinaryIO) -> Mark | None:
        with ZipFile(stream) as archive:
            for entry in archive.infolist():
                inner = PurePath(entry.filename).name
                if mark := mark_in_name(inner):
                    return Mark(mark.text, f"压缩包内的文件名“{inner}”")
                if entry.is_dir() or extension(inner) not in SORTS or SORTS[extension(inner)].picture:
                    continue
                data = io.BytesIO(archive.read(entry))
                family = family_of(data)
                if family in ("docx", "xlsx", "pptx", "ofd") and (fault := archive_fault(data, family, self.limits.archive)):
                    raise Unreadable(f"压缩包内的“{inner}”：{fault[1]}")
                if mark := mark_in(_prefixed(inner, parts_of(data, family))):
                    return mark
        return None

    # -------------------------------------------------------------------------------------------------------- keeping

    def _place(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256

    def _keep(self, stream: BinaryIO) -> str:
        """Write to a temporary name, sync, rename, sync the folder: after a crash there is the whole file or none."""
        self.root.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        stream.seek(0)
        handle, temporary = tempfile.mkstemp(prefix="incoming-", dir=self.root)
        try:
            with os.fdopen(handle, "wb") as out:
                while block := stream.read(_BLOCK):
                    digest.update(block)
                    out.write(block)
                out.flush()
                os.fsync(out.fileno())
            sha = digest.hexdigest()
            place = self._place(sha)
            place.parent.mkdir(exist_ok=True)
            # The temporary file is private; nginx and other workers must be able to read the kept one.
            os.chmod(temporary, 0o644)
            os.replace(temporary, place)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        for folder in (place.parent, self.root):
            _sync_folder(folder)
        return sha


SECRECY_REMEDY = "涉密文件不得上传，请立即删除并按保密规定处理；确已解密的，请换用去除密级标志的正式公开文本"


def safe_name(name: str) -> str:
    """A file name for readers: no folders, no characters that a system forbids, at most 120 characters with its extension."""
    base = clean_line(name.replace("\\", "/").rsplit("/", 1)[-1])
    base = _UNSAFE.sub("_", base).strip(". ") or "未命名"
    stem, suffix = PurePath(base).stem, PurePath(base).suffix
    return stem[: _NAME_LENGTH - len(suffix)] + suffix


def _refused(field_name: str, name: str, code: str, message: str, remedy: str) -> Invalid:
    return Invalid((Problem(field_name, code, f"文件“{name}”：{message}", remedy),))


def _prefixed(inner: str, parts: Iterator[Part]) -> Iterator[Part]:
    for part in parts:
        yield Part(f"压缩包内“{inner}”的{part.where}", part.lines, part.first, part.cells, part.places)


def _pdf_locked(stream: BinaryIO) -> bool:
    try:
        return pypdf.PdfReader(stream).is_encrypted
    except (PyPdfError, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, AssertionError, OSError):
        return False  # Broken, not locked: reading its words will say so.
    finally:
        stream.seek(0)


@contextmanager
def _opened(source: bytes | Path) -> Iterator[BinaryIO]:
    if isinstance(source, Path):
        with source.open("rb") as stream:
            yield stream
    else:
        yield io.BytesIO(source)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
