"""One item as a Word document: body with headings, lists, tables and pictures; title, 发文字号 and 成文日期 recognised.

What a document cannot say (column, kind, …) comes from the defaults of the caller.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any
from zipfile import BadZipFile

import lxml.html
import mammoth
from lxml.etree import LxmlError

from hub.domain.content import FileUse
from hub.domain.problems import Invalid, Problem
from hub.intake.archives import ArchiveLimits, archive_fault
from hub.intake.body import clean_html
from hub.intake.dates import parse_date
from hub.intake.extract import Unreadable, parts_of
from hub.intake.record import Reading, Record, Unusable, stable_digest
from hub.intake.rules import DOC_NO, doc_no_hint, secrecy_problem
from hub.intake.secrecy import mark_in, mark_in_name
from hub.intake.sniff import family_of
from hub.intake.text import clean_line

MOST_BYTES = 50 * 1024 * 1024
# mammoth builds a DOM, about fifty times the size of the XML.
_LIMITS = ArchiveLimits(entries=5000, unpacked=256 * 1024 * 1024, xml=16 * 1024 * 1024)
_STYLES = """
p[style-name='Title'] => h1.title:fresh
p[style-name='标题'] => h1.title:fresh
p[style-name='Subtitle'] => h1.subtitle:fresh
p[style-name='centred'] => p.centred:fresh
p[style-name='Heading 1'] => h2:fresh
p[style-name='标题 1'] => h2:fresh
p[style-name='Heading 2'] => h3:fresh
p[style-name='标题 2'] => h3:fresh
p[style-name='Heading 3'] => h4:fresh
p[style-name='标题 3'] => h4:fresh
p[style-name='Heading 4'] => h4:fresh
p[style-name='Caption'] => p:fresh
u => u
strike => s
"""
_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp", "image/bmp": "bmp"}
_LETTERHEAD = re.compile(r"^(?!关于).{2,40}(?:文件|公报|办公室)$")
_FRAME = re.compile(r"(?:特提|特急|加急|平急|\d{6}|签发人[:：].*)")
_DATED = re.compile(
    r"[(（]?(\d{4}\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日|[〇零○一二三四五六七八九]{4}年[一二三四五六七八九十]{1,3}月[一二三四五六七八九十]{1,3}日)[)）]?"
)
HEAD_BLOCKS = 12


def read(path: Path, reading: Reading) -> Iterator[Record]:
    """One record, ``row`` 0. Pictures go to the store with the document's own alternative text. Raises ``Unusable``."""
    stream = _opened(path)
    pictures: dict[str, FileUse] = {}
    problems: list[Problem] = []
    try:
        result = mammoth.convert_to_html(
            stream,
            style_map=_STYLES,
            include_default_style_map=True,
            convert_image=mammoth.images.img_element(lambda image: _picture(image, reading, pictures, problems)),
            transform_document=mammoth.transforms.paragraph(_mark_centred),
        )
    # mammoth has no error of its own: a broken part shows as whatever Python raised over it.
    except (
        BadZipFile,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        OSError,
        LxmlError,
        SyntaxError,
        RecursionError,
    ) as error:
        raise Unusable("broken", f"“{path.name}”已损坏，打不开", "请用Word或WPS打开后另存为新文件") from error
    values, body = _recognised(result.value)
    values.setdefault("title", path.stem)
    if "issued_on" in values:
        values["formed_on"] = values["issued_on"]
    cleaned = clean_html(body)
    # A picture that could not be taken has its own problem already; its empty place in the body need not be told again.
    told = [p for p in cleaned.problems if "图片“”" not in p.message]
    yield Record(
        0,
        values,
        body_html=cleaned.html,
        files=tuple(pictures.values()),
        external_ref=f"file:{stable_digest(path.name, str(reading.defaults.get('department', '')))}",
        problems=(*problems, *told),
    )


def _opened(path: Path) -> io.BytesIO:
    if path.stat().st_size > MOST_BYTES:
        raise Unusable("too_large", f"“{path.name}”过大", f"不能超过{MOST_BYTES // 1024 // 1024} MB")
    stream = io.BytesIO(path.read_bytes())
    family = family_of(stream)
    if family in ("encrypted", "macro"):
        what = {"encrypted": ("设有密码", "请去掉密码后再导入"), "macro": ("带有宏", "请另存为不带宏的 .docx")}[family]
        raise Unusable(family, f"“{path.name}”{what[0]}", what[1])
    if family != "docx":
        raise Unusable("broken", f"“{path.name}”不是完好的 .docx 文件", "请用Word或WPS打开后另存为 .docx，不要只改扩展名")
    if fault := archive_fault(stream, family, _LIMITS):
        raise Unusable(fault[0], f"“{path.name}”：{fault[1]}", fault[2])
    try:
        mark = mark_in_name(path.name) or mark_in(parts_of(stream, family))
    except Unreadable as error:
        raise Unusable("broken", f"“{path.name}”：{error}", "请用Word或WPS打开后另存为新文件") from error
    if mark:
        problem = secrecy_problem("file", mark)
        raise Unusable(problem.code, f"“{path.name}”的{problem.message}", problem.remedy)
    return stream


def _mark_centred(paragraph: Any) -> Any:
    """mammoth drops alignment: centred paragraphs without a style of their own get one, so that a title can be told."""
    if paragraph.alignment == "center" and paragraph.style_name in (None, "Normal", "正文", "Body Text"):
        return paragraph.copy(style_name="centred")
    return paragraph


def _picture(image: Any, reading: Reading, pictures: dict[str, FileUse], problems: list[Problem]) -> dict[str, str]:
    number = len(pictures) + 1
    kind = _EXTENSIONS.get(image.content_type)
    if kind is None:
        problems.append(
            Problem("body", "picture_type", f"第{number}幅图片的格式（{image.content_type}）不能使用", "请转为JPG或PNG后重新插入")
        )
        return {"src": ""}
    with image.open() as opened:
        data = opened.read()
    try:
        use = reading.files.take(f"图{number}.{kind}", data, role="picture", alt=_alt(image), field_name="body")
    except Invalid as refusal:
        problems.extend(refusal.problems)
        return {"src": ""}
    use = pictures.setdefault(use.sha256, use)
    return {"src": f"file:{use.sha256}", "alt": use.alt}


def _alt(image: Any) -> str:
    """Word fills in the file name, or a guess, where nobody wrote a description: that describes nothing."""
    alt = clean_line(image.alt_text or "")
    return (
        ""
        if PurePath(alt).suffix.lower() in (".jpg", ".jpeg", ".png", ".gif", ".bmp") or re.fullmatch(r"(?:图片|Picture|Image)\s*\d*", alt)
        else alt
    )


def _recognised(markup: str) -> tuple[dict[str, object], str]:
    """(title, doc_no, issued_on …, body without them). The letterhead and the number above the title go with it."""
    values: dict[str, object] = {}
    root = lxml.html.fragment_fromstring(markup, create_parent="div")
    blocks = list(root)
    title_at = _title_at(blocks)
    for index, block in enumerate(blocks[:HEAD_BLOCKS]):
        text = _words(block)
        if block.tag != "p" or (title_at is not None and index > title_at + 2):
            continue
        number = doc_no_hint(text) if len(text) <= 30 and text.endswith("号") else ""
        if number and DOC_NO.fullmatch(number):
            values.setdefault("doc_no", number)
            block.drop_tree()
        elif (
            title_at is not None
            and index < title_at
            and (_FRAME.fullmatch(text) or (_LETTERHEAD.fullmatch(text) and block.get("class") == "centred"))
        ):
            block.drop_tree()
    if title_at is not None:
        values["title"] = _words(blocks[title_at])
        blocks[title_at].drop_tree()
    for block in reversed(list(root)[-6:]):
        if block.tag == "p" and (match := _DATED.fullmatch(_words(block))):
            values["issued_on"] = parse_date(match[1].replace(" ", ""))
            break
    return {k: v for k, v in values.items() if v}, "".join(str(lxml.html.tostring(b, encoding="unicode")) for b in root)


def _title_at(blocks: list[Any]) -> int | None:
    """The title style first, then a first centred paragraph that is no letterhead, then a heading before any other words."""
    for index, block in enumerate(blocks):
        if block.get("class") == "title" and _words(block):
            return index
    for index, block in enumerate(blocks[:HEAD_BLOCKS]):
        text = _words(block)
        if block.get("class") == "centred" and text and not (_LETTERHEAD.fullmatch(text) or doc_no_hint(text) or _FRAME.fullmatch(text)):
            return index
    for index, block in enumerate(blocks[:HEAD_BLOCKS]):
        if block.tag in ("h1", "h2") and _words(block):
            return index
        if _words(block) and not doc_no_hint(_words(block)):
            break
    return None


def _words(block: Any) -> str:
    return clean_line("".join(block.itertext()))
