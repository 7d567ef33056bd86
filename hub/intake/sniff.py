"""What a file really is, told from its bytes and held against its name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO
from zipfile import ZipFile, is_zipfile

import filetype

from hub.intake.text import decode

_OOXML = "application/vnd.openxmlformats-officedocument."


@dataclass(frozen=True, slots=True)
class Sort:
    """A kind of file the hub takes. ``families``: what its bytes may turn out to be."""

    ext: str
    media_type: str
    families: frozenset[str]
    picture: bool = False


def _sort(ext: str, media_type: str, *families: str, picture: bool = False) -> Sort:
    return Sort(ext, media_type, frozenset(families), picture)


SORTS: dict[str, Sort] = {
    s.ext: s
    for s in (
        _sort("pdf", "application/pdf", "pdf"),
        _sort("docx", _OOXML + "wordprocessingml.document", "docx"),
        _sort("xlsx", _OOXML + "spreadsheetml.sheet", "xlsx"),
        _sort("pptx", _OOXML + "presentationml.presentation", "pptx"),
        _sort("doc", "application/msword", "doc"),
        _sort("xls", "application/vnd.ms-excel", "xls"),
        _sort("ppt", "application/vnd.ms-powerpoint", "ppt"),
        _sort("ofd", "application/ofd", "ofd"),
        # WPS writes its own formats either as OLE, with the same streams as Office, or as OOXML under another name.
        _sort("wps", "application/vnd.ms-works", "doc", "docx", "ole"),
        _sort("et", "application/vnd.ms-excel", "xls", "xlsx", "ole"),
        _sort("dps", "application/vnd.ms-powerpoint", "ppt", "pptx", "ole"),
        _sort("txt", "text/plain", "text"),
        _sort("csv", "text/csv", "text"),
        _sort("zip", "application/zip", "zip"),
        _sort("mp4", "video/mp4", "mp4"),
        _sort("mp3", "audio/mpeg", "mp3"),
        _sort("jpg", "image/jpeg", "jpg", picture=True),
        _sort("jpeg", "image/jpeg", "jpg", picture=True),
        _sort("png", "image/png", "png", picture=True),
        _sort("gif", "image/gif", "gif", picture=True),
        _sort("webp", "image/webp", "webp", picture=True),
        _sort("bmp", "image/bmp", "bmp", picture=True),
    )
}
"""By extension, lower case, without the dot."""

MACRO_EXTENSIONS = frozenset(["docm", "dotm", "xlsm", "xltm", "xlsb", "xlam", "pptm", "potm", "ppsm", "ppam"])
ACTIVE_EXTENSIONS = frozenset(
    [
        "exe",
        "dll",
        "com",
        "scr",
        "msi",
        "bat",
        "cmd",
        "ps1",
        "vbs",
        "vbe",
        "js",
        "jse",
        "wsf",
        "wsh",
        "hta",
        "jar",
        "apk",
        "app",
        "dmg",
        "deb",
        "rpm",
        "sh",
        "py",
        "php",
        "jsp",
        "asp",
        "aspx",
        "lnk",
        "url",
        "reg",
        "chm",
        "html",
        "htm",
        "xhtml",
        "mht",
        "mhtml",
        "shtml",
        "svg",
        "svgz",
        "xml",
        "swf",
        "iso",
        "img",
        "vhd",
    ]
)
"""Programs, and texts that a browser would run. Refused by name wherever they appear, also inside a zip."""

_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = {"WordDocument": "doc", "Workbook": "xls", "Book": "xls", "PowerPoint Document": "ppt"}
_OOXML_MAIN = {"word/document.xml": "docx", "xl/workbook.xml": "xlsx", "ppt/presentation.xml": "pptx", "OFD.xml": "ofd"}
_MARKUP = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<svg", b"<?xml", b"<iframe", b"<%", b"<?php", b"#!")
_PROGRAMS = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa", b"L\0\0\0\x01\x14\x02\0")
_READ = 1 << 20


def extension(name: str) -> str:
    """Lower case, without the dot; empty when there is none."""
    return PurePath(name).suffix[1:].lower()


def family_of(stream: BinaryIO) -> str:
    """What the bytes are: a family of ``SORTS``, or ``program``, ``markup``, ``macro``, ``encrypted``, ``ole``, another type's
    extension, or an empty string for the unknown. Leaves the stream at its start."""
    stream.seek(0)
    head = stream.read(8192)
    stream.seek(0)
    if head.startswith(_PROGRAMS):
        return "program"
    if head.startswith(b"%PDF-"):
        return "pdf"
    if head.startswith(_OLE_MAGIC):
        return _ole_family(stream)
    if head.startswith(b"PK") and is_zipfile(stream):
        stream.seek(0)
        return _zip_family(stream)
    stream.seek(0)
    guess = filetype.guess(head)
    if guess is not None:
        return {"m4v": "mp4", "mov": "mov"}.get(guess.extension, str(guess.extension))
    return _text_family(stream, head)


def _text_family(stream: BinaryIO, head: bytes) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:64].lower()
    if start.startswith(_MARKUP):
        return "markup"
    data = stream.read(_READ)
    if len(data) == _READ:
        # A character may be cut in two at the end of the part that was read: look only as far as the last line.
        data = data[: data.rfind(b"\n") + 1] or data
    stream.seek(0)
    if not data or (b"\0" in data and data[:2] not in (b"\xff\xfe", b"\xfe\xff")):
        return ""
    try:
        decode(data)
    except UnicodeDecodeError:
        return ""
    return "text"


def _zip_family(stream: BinaryIO) -> str:
    with ZipFile(stream) as archive:
        names = set(archive.namelist())
    stream.seek(0)
    if any(n.rsplit("/", 1)[-1].lower() in ("vbaproject.bin", "vbadata.xml") for n in names):
        return "macro"
    return next((family for part, family in _OOXML_MAIN.items() if part in names), "zip")


def _ole_family(stream: BinaryIO) -> str:
    """OLE names its streams in UTF-16LE in directory entries of 128 bytes; a scan for the names is all that is needed."""
    found: set[str] = set()
    wanted = {n: n.encode("utf-16-le") + b"\0\0" for n in (*_OLE_STREAMS, "EncryptedPackage", "_VBA_PROJECT", "Macros", "_VBA_PROJECT_CUR")}
    overlap = b""
    while block := stream.read(_READ):
        found |= {name for name, pattern in wanted.items() if pattern in overlap + block}
        overlap = block[-64:]
    stream.seek(0)
    if "EncryptedPackage" in found:
        return "encrypted"
    if found & {"_VBA_PROJECT", "Macros", "_VBA_PROJECT_CUR"}:
        return "macro"
    return next((family for name, family in _OLE_STREAMS.items() if name in found), "ole")
