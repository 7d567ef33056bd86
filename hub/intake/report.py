"""Reading what was handed in: every row and every file succeeds or fails by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import rfc8785

from channels.base import sha256_hex
from hub.domain.content import Content
from hub.domain.problems import Problem
from hub.intake.assemble import assemble
from hub.intake.fields import field_of
from hub.intake.files import FileStore
from hub.intake.record import Reading, Source, Unusable
from hub.intake.sniff import extension
from hub.intake.sources import docx_file, json_items, markdown_file, xlsx_rows
from hub.intake.vocabulary import Vocabulary

SHANGHAI = ZoneInfo("Asia/Shanghai")
_REMEDIES = {
    "doc": "请用Word或WPS另存为 .docx",
    "wps": "请用WPS另存为 .docx",
    "xls": "请用Excel或WPS另存为 .xlsx",
    "et": "请用WPS另存为 .xlsx",
    "csv": "请用Excel打开后另存为 .xlsx",
    "pdf": "请把PDF作为附件上传，正文用 .docx 或 .md 提交",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """One item, ready to become a draft.

    ``source`` is the file's name, ``row`` where in it (0: the whole file). ``external_ref`` is the same each time the same thing
    is handed in. Relations still name external references of the same import; the caller puts public ids in their place.
    ``problems``: warnings, and missing picture descriptions, which stop the submission but not the draft.
    """

    source: str
    row: int
    external_ref: str
    content: Content
    index_no: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def digest(self) -> str:
        """Hex SHA-256 over the canonical JSON of the content: equal means unchanged since the last import."""
        return sha256_hex(rfc8785.dumps(self.content.to_json()))


@dataclass(frozen=True, slots=True)
class Refused:
    """One row or file that could not be taken; ``problems`` name each field and its remedy, in Chinese."""

    source: str
    row: int
    title: str
    problems: tuple[Problem, ...]


_SOURCES: dict[str, Source] = {
    "json": json_items.read,
    "xlsx": xlsx_rows.read,
    "docx": docx_file.read,
    "md": markdown_file.read,
    "markdown": markdown_file.read,
}


def read_sources(
    paths: Iterable[Path],
    vocabulary: Vocabulary,
    files: FileStore,
    defaults: Mapping[str, object],
    now: datetime,
    *,
    mapping: Mapping[str, str] | None = None,
) -> Iterator[Taken | Refused]:
    """Read ``.json``, ``.xlsx``, ``.docx`` and ``.md`` files, one result per item, in order, lazily.

    ``defaults`` fill what an item does not say, by our field names or their Chinese labels; ``mapping`` sends a table's own
    headers to fields. ``now`` is the hub's clock, UTC. Nothing is raised for bad input: it comes back as ``Refused``.
    """
    named = {field_of(k) or k: v for k, v in defaults.items()}
    today = now.astimezone(SHANGHAI).date()
    reading = Reading(vocabulary, files, named, mapping or {}, today)
    for path in paths:
        yield from _read_one(path, reading)


def _read_one(path: Path, reading: Reading) -> Iterator[Taken | Refused]:
    source = _SOURCES.get(extension(path.name))
    try:
        if source is None:
            kind = extension(path.name)
            remedy = _REMEDIES.get(kind, f"可以导入{'、'.join('.' + e for e in _SOURCES)}")
            raise Unusable("type", f"不能从“{path.name}”导入", remedy)
        records = list(source(path, reading))
    except Unusable as error:
        yield Refused(path.name, 0, path.stem, (error.problem,))
        return
    except OSError as error:
        problem = Problem(
            "file", "unreadable", f"读不到文件“{path.name}”（{error.strerror or error}）", "请检查文件是否存在、是否有读取权限"
        )
        yield Refused(path.name, 0, path.stem, (problem,))
        return
    vocabulary = reading.vocabulary
    if vocabulary.items is not None:
        vocabulary = replace(vocabulary, items=vocabulary.items | {r.external_ref for r in records if r.external_ref})
    seen: dict[str, int] = {}
    for record in records:
        made = assemble(record, vocabulary, reading.defaults, reading.today)
        problems = made.problems
        first = seen.setdefault(made.external_ref, record.row)
        if first != record.row:
            problems = (
                *problems,
                Problem("external_ref", "repeated", f"与第{first}行（条）是同一条信息", "请删除重复的，或填写不同的编号"),
            )
        if made.content is None or first != record.row:
            yield Refused(path.name, record.row, record.title or path.stem, tuple(p for p in problems if p.blocking))
        else:
            yield Taken(path.name, record.row, made.external_ref, made.content, made.index_no, problems)
