"""Zip containers (zip, docx, xlsx, pptx, ofd): bounds that hold before anything in them is unpacked."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

from hub.intake.sniff import ACTIVE_EXTENSIONS, MACRO_EXTENSIONS, extension

_ARCHIVES = frozenset(["zip", "rar", "7z", "tar", "gz", "tgz", "bz2", "xz", "zst"])
_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Most entries, most bytes once unpacked (``xml``: of the parts that are parsed, which take many times as much memory), and
    how many times larger an entry over 1 MB may grow."""

    entries: int = 10_000
    unpacked: int = 512 * 1024 * 1024
    xml: int = 256 * 1024 * 1024
    ratio: int = 200


def archive_fault(stream: BinaryIO, family: str, limits: ArchiveLimits) -> tuple[str, str, str] | None:
    """(code, message, remedy) when the container must be refused, else None. Leaves the stream at its start."""
    try:
        with ZipFile(stream) as archive:
            return next(_faults(archive, family, limits), None)
    except (BadZipFile, EOFError, OSError, ValueError, NotImplementedError, UnicodeDecodeError):
        return "broken", "文件已损坏，打不开", "请重新保存或压缩后再上传"
    finally:
        stream.seek(0)


def _faults(archive: ZipFile, family: str, limits: ArchiveLimits) -> Iterator[tuple[str, str, str]]:
    entries = archive.infolist()
    if len(entries) > limits.entries:
        yield "bomb", f"压缩包内有{len(entries)}个文件", f"不能超过{limits.entries}个"
    if sum(e.file_size for e in entries) > limits.unpacked:
        yield "bomb", "文件展开后过大", f"展开后不能超过{limits.unpacked // 1024 // 1024} MB，请拆分后上传"
    if sum(e.file_size for e in entries if e.filename.endswith(".xml")) > limits.xml:
        yield "bomb", "文件的文字部分过大", f"展开后不能超过{limits.xml // 1024 // 1024} MB，请拆分后上传"
    if any(e.file_size > 1 << 20 and e.file_size > limits.ratio * max(e.compress_size, 1) for e in entries):
        yield "bomb", "文件的压缩比异常", "请重新保存或压缩后再上传"
    spans = sorted((e.header_offset, e.header_offset + 30 + e.compress_size) for e in entries)
    if any(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans)):
        yield "bomb", "压缩包内的文件互相重叠", "请重新压缩后再上传"
    if any(e.flag_bits & 1 for e in entries):
        yield "encrypted", "文件设有密码", "请去掉密码后再上传，公开的文件人人都要能打开"
    for entry in entries:
        if family == "zip":
            yield from _inner_faults(entry.filename)
        elif entry.filename.endswith((".xml", ".rels")) and _declares_entities(archive, entry.filename):
            # Office never writes a DTD: whoever does wants entities expanded or fetched.
            yield "markup", "文件内部含有不正常的声明", "请用办公软件另存后再上传"


def _inner_faults(name: str) -> Iterator[tuple[str, str, str]]:
    kind, shown = extension(name), name.rsplit("/", 1)[-1][:60]
    if ".." in name.split("/") or name.startswith("/") or "\\" in name:
        yield "bad_name", f"压缩包内的文件路径“{name[:60]}”不安全", "请重新压缩后再上传"
    if kind in ACTIVE_EXTENSIONS:
        yield "program", f"压缩包内有程序或网页文件“{shown}”", "请去掉后重新压缩"
    if kind in MACRO_EXTENSIONS:
        yield "macro", f"压缩包内有带宏的文件“{shown}”", "请另存为不带宏的格式后重新压缩"
    if kind in _ARCHIVES:
        yield "nested", f"压缩包内还有压缩包“{shown}”", "请解压后分别上传"


def _declares_entities(archive: ZipFile, name: str) -> bool:
    with archive.open(name) as part:
        head = part.read(4096)
    return bool(_DOCTYPE.search(head) or _DOCTYPE.search(head.replace(b"\0", b"")))
