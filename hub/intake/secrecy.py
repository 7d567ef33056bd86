"""Classified papers must not come in: the marks of 公文 (GB/T 9704-2012 §7.2) on texts, files and file names.

A mark is 绝密, 机密 or 秘密 standing alone at the head of a page, or with ★ and its period (``机密★1年``), or a six-digit
copy number (份号) as the first line. The same words inside a sentence (保守国家秘密法, 商业秘密) are no mark. Scans hold no
words: a person must look at them, which is what the department's secrecy review (保密审查) is for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from hub.intake.extract import Part

HEAD_LINES = 12
"""How many lines of a page, header, text box or sheet count as its head."""

_LEVEL = r"(?:绝\s*密|机\s*密|秘\s*密)"
_PERIOD = r"(?:\d{1,3}\s*(?:年|个月|月|天|日)|[一二三四五六七八九十]{1,3}\s*(?:年|个月)|长\s*期|启用前|解密前|永久)"
_COPY = r"(?:(?:份\s*号|[Nn][Oo]\.?)?\s*[:：]?\s*\d{6}\s*)"
_URGENT = r"(?:特\s*提|特\s*急|加\s*急|平\s*急|紧\s*急)"
_LABEL = r"(?:密\s*级(?:\s*和保密期限)?\s*[:：]?\s*)"
_STARRED = re.compile(rf"{_COPY}?{_LABEL}?[\[【(（〔]?\s*{_LEVEL}\s*级?\s*[★☆⭐]\s*{_PERIOD}?\s*[\]】)）〕]?(?:\s*{_URGENT})?")
_STARRED_START = re.compile(rf"{_COPY}?{_LABEL}?{_LEVEL}\s*[★☆⭐]\s*{_PERIOD}")
_ALONE = re.compile(rf"{_COPY}?[\[【(（〔]?\s*{_LEVEL}(?:件|级)?\s*[\]】)）〕]?(?:\s*{_PERIOD})?(?:\s*{_URGENT})?")
_LABELLED = re.compile(rf"{_COPY}?{_LABEL}[\[【(（]?\s*{_LEVEL}\s*级?\s*[\]】)）]?(?:\s*[★☆]?\s*{_PERIOD})?(?:\s*{_URGENT})?")
_COPY_NUMBER = re.compile(r"(?:份\s*号\s*[:：]?\s*\d{6}|\d{6})")
_NAMED = re.compile(
    r"^(?:绝密|机密|秘密)(?:$|级?[★☆\s_\-—.、:：)）\]】]|文件$|件$)|[\[【(（〔](?:绝密|机密|秘密)(?:件|级)?(?:[★☆].*?)?[\]】)）〕]|(?:绝密|机密|秘密)[★☆]"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """``text`` as it stands there, ``where`` for a person (第1页, 页眉, 工作表“Sheet1” B2, 文件名)."""

    text: str
    where: str


def find_mark(text: str, where: str = "正文") -> Mark | None:
    """The first mark in a text that came without a file (pasted body, title, table row)."""
    return mark_in([Part(where, tuple(text.splitlines()))])


def mark_in_name(name: str) -> Mark | None:
    """A mark in a file's name: ``【机密】…``, ``机密★1年 ….docx``; not 机密文件管理办法.docx."""
    stem = unicodedata.normalize("NFKC", PurePath(name).stem).strip()
    return Mark(found[0].strip(), "文件名") if (found := _NAMED.search(stem)) else None


def mark_in(parts: Iterable[Part]) -> Mark | None:
    """The first mark in the parts of a file (``extract.parts_of``), or None."""
    for part in parts:
        head = 0
        for index, line in enumerate(part.lines):
            plain = unicodedata.normalize("NFKC", line).strip()
            if not plain:
                continue
            head += 1
            place = f"{part.where} {part.places[index]}" if part.places else part.where
            if len(plain) <= 40 and (_STARRED.fullmatch(plain) or _LABELLED.fullmatch(plain)):
                return Mark(plain, place)
            top = _row(part.places[index]) <= HEAD_LINES if part.cells else head <= HEAD_LINES
            if top and (_ALONE.fullmatch(plain) or _STARRED_START.match(plain)):
                return Mark(plain[:40], place)
            if head == 1 and part.first and _COPY_NUMBER.fullmatch(plain):
                return Mark(plain, f"{place}的份号")
    return None


def _row(place: str) -> int:
    digits = re.sub(r"\D", "", place)
    return int(digits) if digits else 1
