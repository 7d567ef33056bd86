"""Small real files made for one test: Word, Excel, PDF, zip, OLE, pictures."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterable
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import docx
from docx.oxml.ns import qn
from openpyxl import Workbook
from PIL import Image
from pypdf import PdfReader, PdfWriter
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def lean(document: Any) -> None:
    """Take python-docx's ninety table styles out: reading them is most of the time such a small paper costs."""
    styles = document.styles.element
    for style in list(styles):
        name = style.find(qn("w:name"))
        if style.tag == qn("w:latentStyles") or (
            style.get(qn("w:type")) == "table" and name.get(qn("w:val")) not in ("Table Grid", "Normal Table")
        ):
            styles.remove(style)


def word(*paragraphs: str, arrange: Callable[[Any], None] = lambda _document: None) -> bytes:
    """A .docx with plain paragraphs; ``arrange`` gets the python-docx document before it is saved."""
    document = docx.Document()
    for text in paragraphs:
        document.add_paragraph(text)
    arrange(document)
    lean(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def excel(*rows: Iterable[object], arrange: Callable[[Workbook], None] = lambda _workbook: None) -> bytes:
    workbook = Workbook()
    for row in rows:
        workbook.worksheets[0].append(list(row))
    arrange(workbook)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def pdf(*pages: Iterable[str], password: str = "") -> bytes:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    out = io.BytesIO()
    paper = canvas.Canvas(out, pagesize=A4, invariant=1)
    for lines in pages:
        paper.setFont("STSong-Light", 12)
        for index, line in enumerate(lines):
            paper.drawString(60, 780 - 24 * index, line)
        paper.showPage()
    paper.save()
    if not password:
        return out.getvalue()
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(out.getvalue())))
    writer.encrypt(password)
    locked = io.BytesIO()
    writer.write(locked)
    return locked.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def with_part(package: bytes, name: str, data: bytes) -> bytes:
    """The same OOXML package with one part added or replaced."""
    with ZipFile(io.BytesIO(package)) as archive:
        parts = {n: archive.read(n) for n in archive.namelist()}
    return zipped({**parts, name: data})


def ole(*streams: str, text: str = "") -> bytes:
    """The outline of an old binary Office file: magic, directory names in UTF-16LE, some text."""
    names = b"".join((s.encode("utf-16-le") + b"\0\0").ljust(128, b"\0") for s in streams)
    return OLE_MAGIC + b"\0" * 504 + names + b"\1\0" + text.encode("utf-16-le") + b"\1\0"


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), mode: str = "RGB", colour: Any = (200, 30, 30), **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, kind, **more)
    return out.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A tiny PNG whose header claims a huge picture."""
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
