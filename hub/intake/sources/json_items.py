"""Items as JSON: the exchange shape of other platforms (``sample_items.json``) and our own ``Content.to_json``.

The exchange shape is ``{"items": [{"id", "title", "body" (plain text), "formed_date", "channels", …}]}`` with Chinese names for
department, column and area; our own has slugs or names, an HTML body, and files by SHA-256 that the store already holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hub.domain.content import Content, FileUse, RelationTo
from hub.domain.problems import Invalid, Problem
from hub.intake.body import clean_html, paragraphs_to_html
from hub.intake.fields import field_of
from hub.intake.files import FileStore
from hub.intake.record import Reading, Record, Unusable
from hub.intake.sources.beside import find_beside, take_beside, with_pictures
from hub.intake.sources.workbooks import table_workbook
from hub.intake.text import clean_line, clean_text, decode

DETAIL_KEYS = (
    "warning",
    "qa",
    "consultation",
    "correction",
    "publicity",
    "time_limit",
    "catalog_item_level1",
    "catalog_item_level2",
    "catalog_row",
    "site_column",
    "interpretation_elements",
    "sla_minutes",
    "disclosure_deadline",
    "planned_publish_at",
    "withheld_reason",
)
# Other systems' own steps and test notes. The hub has signatures and clocks of its own and takes nobody's word for them.
_IGNORED = frozenset(["submitted_at", "secrecy_review", "expected_findings", "note_for_tests", "summary_auto"])
_STRUCTURED = frozenset(["files", "attachments", "images", "relations", "wording", "details", "body_html", *DETAIL_KEYS])


def read(path: Path, reading: Reading) -> Iterator[Record]:
    """One record per item, ``row`` counted from 1. Raises ``Unusable`` for what is no JSON or holds no items."""
    for row, item in enumerate(_items(path), 1):
        if isinstance(item, dict):
            yield _record(row, item, path, reading.files)
        else:
            yield Record(row, {}, problems=(Problem("item", "not_object", f"第{row}条不是对象", "每条信息应当是一个 {…}"),))


def _items(path: Path) -> list[Any]:
    try:
        document = json.loads(decode(path.read_bytes())[0], parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise Unusable("encoding", f"“{path.name}”的文字编码无法识别", "请另存为UTF-8编码") from error
    except json.JSONDecodeError as error:
        raise Unusable(
            "not_json", f"“{path.name}”不是完整的JSON（第{error.lineno}行第{error.colno}列）", "请重新导出，文件可能被截断"
        ) from error
    except (RecursionError, ValueError) as error:
        raise Unusable("not_json", f"“{path.name}”不是可用的JSON（{error}）", "请重新导出") from error
    items = document.get("items") if isinstance(document, dict) else document
    if isinstance(document, dict) and items is None and "title" in document:
        items = [document]
    if not isinstance(items, list) or not items:
        raise Unusable("no_items", f"“{path.name}”里没有信息", '应当是 {"items": [ … ]} 或一个列表')
    return items


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} 不是JSON的值")


def _record(row: int, item: dict[str, Any], path: Path, files: FileStore) -> Record:
    problems: list[Problem] = []
    values: dict[str, object] = {}
    details: dict[str, Any] = dict(item["details"]) if isinstance(item.get("details"), dict) else {}
    for key, value in item.items():
        if key in DETAIL_KEYS and value is not None:
            details[key] = _cleaned(value)
        name = field_of(key)
        if name and key not in _STRUCTURED - {"site_column"}:
            values[name] = value
        elif key not in _IGNORED and key not in _STRUCTURED:
            problems.append(Problem(key, "unknown_key", f"不认识的项目“{key}”，已忽略", blocking=False))
    uses = [*_kept(item, files, problems), *_attachments(item, path, files, problems)]
    pictures = _pictures(item, path, files, problems)
    body = _body(item, problems)
    return Record(
        row,
        values,
        body_html=with_pictures(body, pictures) if body or pictures else "",
        files=(*uses, *pictures),
        relations=_relations(item, problems),
        wording=_wording(item, problems),
        details=details,
        external_ref=clean_line(str(item.get("external_ref") or item.get("id") or item.get("编号") or "")),
        problems=tuple(problems),
    )


def _body(item: dict[str, Any], problems: list[Problem]) -> str:
    """Our own shape and ``body_html`` hold HTML; the exchange shape holds plain text, one paragraph per line."""
    markup = item.get("body_html") or (
        item.get("body") if "formed_on" in item and str(item.get("body", "")).lstrip().startswith("<") else ""
    )
    if markup:
        cleaned = clean_html(str(markup))
        problems += cleaned.problems
        return cleaned.html
    return paragraphs_to_html(str(item.get("body") or item.get("正文") or ""))


def _objects(item: dict[str, Any], key: str, problems: list[Problem]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(dotted path, object) of a list of objects; anything else in it becomes a problem."""
    value = item.get(key) or []
    if not isinstance(value, list):
        problems.append(Problem(key, "not_list", f"“{key}”不是列表", "请写成 [ … ]"))
        return
    for index, entry in enumerate(value):
        if isinstance(entry, dict):
            yield f"{key}.{index}", entry
        else:
            problems.append(Problem(f"{key}.{index}", "not_object", f"“{key}”的第{index + 1}项不是对象", "请写成 {…}"))


def _attachments(item: dict[str, Any], path: Path, files: FileStore, problems: list[Problem]) -> Iterator[FileUse]:
    for where, entry in _objects(item, "attachments", problems):
        name = clean_line(str(entry.get("name") or entry.get("file") or ""))
        if not name:
            problems.append(Problem(where, "required", "附件没有名称", "请填写 name"))
            continue
        if isinstance(entry.get("table"), dict) and find_beside(path, name) is None:
            yield from _outcome(_table(name, entry["table"], files, where), problems)
        else:
            yield from _outcome(take_beside(path, name, files, field=where), problems)


def _table(name: str, table: dict[str, Any], files: FileStore, where: str) -> FileUse | tuple[Problem, ...]:
    columns, rows = table.get("columns"), table.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list) or not all(isinstance(r, list) for r in rows):
        return (Problem(where, "bad_table", f"附件“{name}”的表格不完整", "表格应当有 columns 和 rows"),)
    try:
        return files.take(name, table_workbook([str(c) for c in columns], rows), field_name=where)
    except Invalid as refusal:
        return refusal.problems


def _pictures(item: dict[str, Any], path: Path, files: FileStore, problems: list[Problem]) -> list[FileUse]:
    uses: list[FileUse] = []
    for where, entry in _objects(item, "images", problems):
        name = clean_line(str(entry.get("file") or entry.get("name") or ""))
        taken = take_beside(
            path,
            name,
            files,
            field=where,
            role="picture",
            alt=str(entry.get("alt") or ""),
            caption=str(entry.get("caption") or ""),
            ai_generated=entry.get("ai_generated") is True,
        )
        uses += _outcome(taken, problems)
    return uses


def _kept(item: dict[str, Any], files: FileStore, problems: list[Problem]) -> Iterator[FileUse]:
    for where, entry in _objects(item, "files", problems):
        try:
            use = FileUse(**entry)
            files.path(use.sha256)
            yield use
        except TypeError:
            problems.append(Problem(where, "bad_file", "文件的记录不完整", "应当与导出的格式一致"))
        except FileNotFoundError as error:
            problems.append(Problem(where, "file_missing", str(error)))


def _outcome(taken: FileUse | tuple[Problem, ...], problems: list[Problem]) -> list[FileUse]:
    if isinstance(taken, FileUse):
        return [taken]
    problems += taken
    return []


def _relations(item: dict[str, Any], problems: list[Problem]) -> tuple[RelationTo, ...]:
    entries = [e for _, e in _objects(item, "relations", problems)]
    return tuple(RelationTo(clean_line(str(e.get("type") or "")), clean_line(str(e.get("target") or ""))) for e in entries)


def _wording(item: dict[str, Any], problems: list[Problem]) -> dict[str, dict[str, str]]:
    value = item.get("wording") or {}
    if not isinstance(value, dict) or not all(isinstance(said, dict) for said in value.values()):
        problems.append(Problem("wording", "not_object", "各渠道文案不是对象", '请写成 {"wechat": {"title": "…"}}'))
        return {}
    return {channel: {key: clean_text(str(said)) for key, said in saids.items()} for channel, saids in value.items()}


def _cleaned(value: Any) -> Any:
    """Plain JSON with clean texts, at every depth."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return {clean_text(str(k)): _cleaned(v) for k, v in value.items()}
    return [_cleaned(v) for v in value] if isinstance(value, list) else value


def to_items(contents: Mapping[str, Content]) -> dict[str, Any]:
    """Our own shape, for ``read``: external reference → content. Files are named by digest and must be carried over apart."""
    return {"items": [{"external_ref": reference, **content.to_json()} for reference, content in contents.items()]}
