"""One item as Markdown, with optional front matter (``---`` … ``---``, ``key: value`` lines, Chinese or English keys).

The collections of laws that circulate as ``标题(YYYY-MM-DD).md`` come out right without front matter: title from the first heading,
day from the file name, 施行 from the lines between the title and ``<!-- INFO END -->``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from hub.domain.content import FileUse
from hub.domain.problems import Problem
from hub.intake.body import clean_html, summary_of
from hub.intake.dates import parse_date
from hub.intake.fields import field_of
from hub.intake.record import Reading, Record, Unusable, stable_digest
from hub.intake.sources.beside import take_beside
from hub.intake.text import clean_line, clean_text, decode

MOST_BYTES = 8 * 1024 * 1024
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_NAMED_DAY = re.compile(r"(.+?)\s*[(（](\d{4}-\d{2}-\d{2})[)）]")
_PREAMBLE_END = "<!-- INFO END -->"
_EFFECTIVE = re.compile(r"(\d{4}年\d{1,2}月\d{1,2}日)\s*(?:起)?施行")


def read(path: Path, reading: Reading) -> Iterator[Record]:
    """One record, ``row`` 0. Raises ``Unusable`` for what is no text or has no words."""
    text, encoding = _text(path)
    front, text = _front_matter(text)
    values: dict[str, object] = {}
    problems: list[Problem] = []
    if encoding == "gb18030":
        problems.append(Problem("file", "encoding", f"“{path.name}”按GB18030编码读入", "请核对有无乱码", blocking=False))
    for key, value in front.items():
        if name := field_of(key):
            values[name] = value
        else:
            problems.append(Problem(key, "unknown_key", f"不认识的项目“{key}”，已忽略", blocking=False))
    title, tokens, parser = _parsed(text)
    named = _NAMED_DAY.fullmatch(path.stem)
    values.setdefault("title", title or clean_line(named[1] if named else path.stem))
    if named:
        values.setdefault("issued_on", named[2])
        values.setdefault("formed_on", named[2])
    if "issued_on" in values:
        values.setdefault("formed_on", values["issued_on"])
    if day := _effective(text, str(values.get("issued_on", ""))):
        values.setdefault("effective_on", day)
    pictures = _pictures(tokens, path, reading, problems)
    if gist := _gist(tokens, parser):
        values.setdefault("summary", gist)
    cleaned = clean_html(parser.renderer.render(tokens, parser.options, {}))
    yield Record(
        0,
        values,
        body_html=cleaned.html,
        files=tuple(pictures),
        external_ref=str(values.get("external_ref", "")) or f"file:{stable_digest(path.name, str(reading.defaults.get('department', '')))}",
        problems=(*problems, *cleaned.problems),
    )


def _text(path: Path) -> tuple[str, str]:
    if path.stat().st_size > MOST_BYTES:
        raise Unusable("too_large", f"“{path.name}”过大", f"不能超过{MOST_BYTES // 1024 // 1024} MB")
    try:
        text, encoding = decode(path.read_bytes())
    except UnicodeDecodeError as error:
        raise Unusable("encoding", f"“{path.name}”的文字编码无法识别", "请另存为UTF-8编码") from error
    if not text.strip():
        raise Unusable("empty", f"“{path.name}”是空的", "请检查后重新导入")
    return clean_text(text), encoding


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    match = _FRONT.match(text)
    if not match:
        return {}, text
    pairs = (
        line.partition(":" if ":" in line.split("：")[0] else "：")
        for line in match[1].split("\n")
        if line.strip() and not line.startswith("#")
    )
    return {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}, text[match.end() :]


def _parsed(text: str) -> tuple[str, list[Token], MarkdownIt]:
    """(title, tokens without it, parser). The title is the first heading, if it is of level 1 and nothing but comments precede it."""
    parser = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"])
    tokens = parser.parse(text)
    for index, token in enumerate(tokens):
        if token.type == "html_block" and token.content.lstrip().startswith("<!--"):
            continue
        if token.type == "heading_open" and token.tag == "h1":
            return _plain(tokens[index + 1]), [*tokens[:index], *tokens[index + 3 :]], parser
        break
    return "", tokens, parser


def _plain(inline: Token) -> str:
    return clean_line(
        "".join(" " if t.type in ("softbreak", "hardbreak") else t.content for t in inline.children or [] if t.type != "html_inline")
    )


def _effective(text: str, issued: str) -> str:
    """The last 施行 day of the preamble that is not before the paper itself."""
    preamble, marker, _ = text.partition(_PREAMBLE_END)
    days = [parse_date(d) for d in _EFFECTIVE.findall(preamble)] if marker else []
    try:
        floor = parse_date(issued)
    except ValueError:
        floor = None
    later = [d for d in days if d and (floor is None or d >= floor)]
    return later[-1].isoformat() if later else ""


def _gist(tokens: list[Token], parser: MarkdownIt) -> str:
    """Summary of what follows the preamble (who passed it, and when); empty where there is none."""
    ends = [i for i, t in enumerate(tokens) if t.type == "html_block" and _PREAMBLE_END in t.content]
    return summary_of(str(parser.renderer.render(tokens[ends[0] + 1 : ends[0] + 40], parser.options, {}))) if ends else ""


def _pictures(tokens: list[Token], path: Path, reading: Reading, problems: list[Problem]) -> list[FileUse]:
    """Take every local picture into the store and point the token at it; a picture elsewhere is taken out by the cleaning."""
    uses: dict[str, FileUse] = {}
    for token in (child for t in tokens for child in t.children or [] if child.type == "image"):
        address = unquote(str(token.attrs.get("src", "")))
        if re.match(r"[a-z][a-z0-9+.-]*:|//", address, re.IGNORECASE):
            continue
        taken = take_beside(path, PurePosixPath(address).name, reading.files, field="body", role="picture", alt=token.content)
        if isinstance(taken, FileUse):
            uses.setdefault(taken.sha256, taken)
            token.attrs["src"] = f"file:{taken.sha256}"
        else:
            problems += taken
    return list(uses.values())
