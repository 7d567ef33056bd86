"""The words inside a file, part by part, for the checks that must see them (secrecy marks, personal data).

Nothing here judges; what cannot be read (scans, videos, archives in a foreign format) simply yields no words.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError
from zipfile import BadZipFile, ZipFile

import defusedxml.ElementTree
import pypdf
from defusedxml.common import DefusedXmlException
from pypdf.errors import PyPdfError

from hub.intake.text import decode

PAGES_READ = 1000
PART_BYTES = 32 * 1024 * 1024
"""Largest XML part that is read whole; the cells of a sheet are read one by one and may be more."""
TEXT_BYTES = 16 * 1024 * 1024
_WORD_PART = re.compile(r"word/(document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml")
_SLIDE_PART = re.compile(r"ppt/(slides|notesSlides|slideMasters|slideLayouts)/[^/]+\.xml")
_SHEET_PART = re.compile(r"xl/worksheets/[^/]+\.xml")
_MARGINS = ("oddHeader", "evenHeader", "firstHeader", "oddFooter", "evenFooter", "firstFooter")
_OFD_PART = re.compile(r".*/(Pages|Tpls)/.*\.xml")
_WHERE = {"document": "正文", "header": "页眉", "footer": "页脚", "footnotes": "脚注", "endnotes": "尾注", "comments": "批注"}


class Unreadable(ValueError):
    """The file is of the right type but cannot be read; the message is Chinese."""


@dataclass(frozen=True, slots=True)
class Part:
    """Lines of one page, sheet, header, text box … ``where`` names it for a person. ``first``: the file begins here.

    ``cells``: the lines are table cells, addressed by ``places`` (``B7``) of the same length.
    """

    where: str
    lines: tuple[str, ...]
    first: bool = False
    cells: bool = False
    places: tuple[str, ...] = ()


def parts_of(stream: BinaryIO, family: str) -> Iterator[Part]:
    """Every part with words in it. ``family`` as told by ``sniff.family_of``. Raises ``Unreadable`` for a broken file."""
    stream.seek(0)
    try:
        if family == "pdf":
            yield from _pdf(stream)
        elif family in ("docx", "xlsx", "pptx", "ofd"):
            with ZipFile(stream) as archive:
                yield from {"docx": _docx, "xlsx": _xlsx, "pptx": _pptx, "ofd": _ofd}[family](archive)
        elif family == "text":
            yield Part("正文", tuple(decode(stream.read(TEXT_BYTES))[0].splitlines()), first=True)
        elif family in ("doc", "xls", "ppt", "ole"):
            yield _ole(stream)
    except UnicodeDecodeError as error:
        raise Unreadable("文字编码无法识别") from error
    except (BadZipFile, ParseError, DefusedXmlException, EOFError, KeyError, OSError) as error:
        raise Unreadable("文件已损坏，打不开") from error
    finally:
        stream.seek(0)


def _pdf(stream: BinaryIO) -> Iterator[Part]:
    try:
        reader = pypdf.PdfReader(stream)
        if reader.is_encrypted:
            raise Unreadable("文件设有密码")
        for number, page in enumerate(reader.pages[:PAGES_READ], 1):
            lines = tuple(page.extract_text().splitlines())
            if lines:
                yield Part(f"第{number}页", lines, first=number == 1)
    # pypdf lets plain Python errors through when a broken file breaks its assumptions.
    except (PyPdfError, ValueError, TypeError, AttributeError, IndexError, RecursionError, AssertionError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable("文件已损坏，打不开") from error


def _xml(archive: ZipFile, name: str) -> Element:
    with archive.open(name) as part:
        data = part.read(PART_BYTES + 1)
    if len(data) > PART_BYTES:
        raise Unreadable("文件内部的内容过大")
    root: Element = defusedxml.ElementTree.fromstring(data, forbid_dtd=True)
    return root


def _local(node: Element) -> str:
    return str(node.tag).rpartition("}")[2]


def _docx(archive: ZipFile) -> Iterator[Part]:
    for name in sorted(archive.namelist()):
        if match := _WORD_PART.fullmatch(name):
            label = _WHERE[re.sub(r"\d", "", match[1])]
            lines, boxes = _word_lines(_xml(archive, name))
            yield Part(label, lines, first=label in ("正文", "页眉"))
            for box in boxes:
                yield Part(f"{label}中的文本框", box, first=label == "正文")


def _word_lines(root: Element) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Lines of the paragraphs, and those of each text box. ``mc:Fallback`` repeats a box for old programs: passed over."""
    lines: list[str] = []
    boxes: list[tuple[str, ...]] = []

    def words(node: Element, into: list[str]) -> None:
        for child in node:
            name = _local(child)
            if name == "t":
                into.append(child.text or "")
            elif name == "tab":
                into.append(" ")
            elif name in ("br", "cr"):
                into.append("\n")
            elif name == "txbxContent":
                inner, deeper = _word_lines(child)
                boxes.extend([inner, *deeper])
            elif name not in ("Fallback", "del", "instrText"):
                words(child, into)

    def walk(node: Element) -> None:
        for child in node:
            if _local(child) == "p":
                into: list[str] = []
                words(child, into)
                lines.extend("".join(into).splitlines())
            elif _local(child) != "Fallback":
                walk(child)

    walk(root)
    return tuple(lines), boxes


def _xlsx(archive: ZipFile) -> Iterator[Part]:
    names = archive.namelist()
    shared = list(_shared_strings(archive)) if "xl/sharedStrings.xml" in names else []
    titles = _sheet_titles(archive) if "xl/workbook.xml" in names else {}
    for name in sorted(n for n in names if _SHEET_PART.fullmatch(n)):
        title = titles.get(name, name.rsplit("/", 1)[-1])
        cells: list[str] = []
        places: list[str] = []
        margins: list[str] = []
        for node in _ended(archive, name):
            if _local(node) == "c" and (value := _cell(node, shared)).strip():
                cells.append(value)
                places.append(node.get("r", ""))
            elif _local(node) == "row":
                node.clear()
            elif _local(node) in _MARGINS and node.text:
                margins += [m for m in re.split(r"&[LCRPNDTZFA]|&\"[^\"]*\"|&\d+", node.text) if m]
        yield Part(f"工作表“{title}”", tuple(cells), cells=True, places=tuple(places))
        if margins:
            yield Part(f"工作表“{title}”的页眉页脚", tuple(margins))
    for name in sorted(n for n in names if re.fullmatch(r"xl/(drawings/drawing\d+|comments\d*|threadedComments/[^/]+)\.xml", n)):
        yield Part("文本框或批注", _paragraphs(_xml(archive, name)))


def _ended(archive: ZipFile, name: str) -> Iterator[Element]:
    """Elements of a large part as each one ends."""
    with archive.open(name) as part:
        for _, node in defusedxml.ElementTree.iterparse(part, forbid_dtd=True):
            yield node


def _shared_strings(archive: ZipFile) -> Iterator[str]:
    for node in _ended(archive, "xl/sharedStrings.xml"):
        if _local(node) == "si":
            yield _run_text(node)
            node.clear()


def _sheet_titles(archive: ZipFile) -> dict[str, str]:
    targets = {r.get("Id"): r.get("Target", "") for r in _xml(archive, "xl/_rels/workbook.xml.rels")}
    titles = {}
    for sheet in _xml(archive, "xl/workbook.xml").iter():
        if _local(sheet) == "sheet":
            key = next((v for k, v in sheet.attrib.items() if k.endswith("}id")), "")
            target = targets.get(key, "").lstrip("/")
            titles[target if target.startswith("xl/") else f"xl/{target}"] = sheet.get("name", "")
    return titles


def _cell(node: Element, shared: list[str]) -> str:
    value = next((c.text or "" for c in node if _local(c) == "v"), "")
    if node.get("t") == "s":
        return shared[int(value)] if value.isdigit() and int(value) < len(shared) else ""
    return "".join(_run_text(c) for c in node if _local(c) == "is") if node.get("t") == "inlineStr" else value


def _run_text(node: Element) -> str:
    # rPh holds the reading of the characters (ruby), not the text.
    return "".join((c.text or "") if _local(c) == "t" else _run_text(c) for c in node if _local(c) != "rPh")


def _paragraphs(root: Element) -> tuple[str, ...]:
    paragraphs = [n for n in root.iter() if _local(n) in ("p", "text")]
    return tuple(line for p in paragraphs if (line := "".join(t.text or "" for t in p.iter() if _local(t) == "t")).strip())


def _pptx(archive: ZipFile) -> Iterator[Part]:
    for name in sorted(n for n in archive.namelist() if _SLIDE_PART.fullmatch(n)):
        yield Part(
            f"幻灯片 {name.rsplit('/', 1)[-1].removesuffix('.xml')}", _paragraphs(_xml(archive, name)), first="slides/slide1." in name
        )


def _ofd(archive: ZipFile) -> Iterator[Part]:
    pages = sorted(n for n in archive.namelist() if _OFD_PART.fullmatch(n))
    for index, name in enumerate(pages[:PAGES_READ]):
        lines = tuple(node.text or "" for node in _xml(archive, name).iter() if _local(node) == "TextCode")
        yield Part(f"第{index + 1}页", lines, first=index == 0)


def _ole(stream: BinaryIO) -> Part:
    """The old binary formats keep most text as UTF-16LE: runs of Chinese characters are lifted out, order is not promised."""
    text = io.BytesIO(stream.read(TEXT_BYTES)).getvalue()
    lines: list[str] = []
    for offset in (0, 1):
        decoded = text[offset : offset + (len(text) - offset) // 2 * 2].decode("utf-16-le", errors="replace")
        lines += re.findall(r"[\u2605\u3000-\u303f\u4e00-\u9fff\uff00-\uffef0-9A-Za-z .,:;()-]{2,}", decoded)
    return Part("正文", tuple(line for line in lines if re.search("[\u4e00-\u9fff]", line)))
