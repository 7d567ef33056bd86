"""From what one row or file says to one ``Content``: the last step of every source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from hub.domain.content import Content
from hub.domain.problems import Problem
from hub.intake.body import paragraphs_to_html, summary_of
from hub.intake.fields import label_of, read_values
from hub.intake.record import Record, stable_digest
from hub.intake.rules import problems_of
from hub.intake.vocabulary import Vocabulary

DRAFT_CODES = frozenset({"alt_missing"})
"""Blocking problems that do not stop a draft from being made: only someone who sees the picture can mend them."""

_DETAILS = ("withheld_reason", "catalog_item_level1", "catalog_item_level2", "site_column")
_WORDING = {"wechat_title": ("wechat", "title"), "wechat_digest": ("wechat", "digest"), "weibo_text": ("weibo", "text")}
_CONTENT_FIELDS = {f.name for f in fields(Content)}
_REQUIRED = ("title", "kind", "department", "column", "formed_on")


@dataclass(frozen=True, slots=True)
class Assembled:
    """``content`` is None when something stands against making even a draft of it; ``problems`` then say what."""

    content: Content | None
    external_ref: str
    index_no: str
    problems: tuple[Problem, ...]


def assemble(record: Record, vocabulary: Vocabulary, defaults: Mapping[str, object], today: date) -> Assembled:
    """Fill in ``defaults`` (by our field names), find slugs, check every rule. Never raises for bad values."""
    given = {**defaults, **{k: v for k, v in record.values.items() if v not in (None, "", [], ())}}
    values, problems = read_values(given)
    problems = [*record.problems, *problems]
    for name in _REQUIRED:
        if not values.get(name) and not any(p.field == name for p in problems):
            problems.append(Problem(name, "required", f"{label_of(name)}没有填写", f"请填写{label_of(name)}"))
    values |= _slugs(values, vocabulary, problems)
    reference = record.external_ref or str(values.get("external_ref", "")) or _made_reference(values)
    index_no = str(values.get("index_no", ""))
    if any(p.blocking and p.field in _REQUIRED for p in problems):
        return Assembled(None, reference, index_no, tuple(problems))
    content = _content(record, values)
    problems += [p for p in problems_of(content, vocabulary, today=today) if p not in problems]
    stopped = any(p.blocking and p.code not in DRAFT_CODES for p in problems)
    return Assembled(None if stopped else content, reference, index_no, tuple(problems))


def _slugs(values: Mapping[str, object], vocabulary: Vocabulary, problems: list[Problem]) -> dict[str, object]:
    found: dict[str, object] = {}
    answers = {
        "department": vocabulary.department(str(values["department"])) if values.get("department") else None,
        "column": vocabulary.column(str(values["column"]), str(values.get("site_column", ""))) if values.get("column") else None,
        "area": vocabulary.area(str(values["area"])) if values.get("area") else None,
    }
    for name, answer in answers.items():
        if isinstance(answer, Problem):
            problems.append(answer)
            found[name] = ""
        elif answer is not None:
            found[name] = answer
    return found


def _content(record: Record, values: Mapping[str, object]) -> Content:
    chosen: dict[str, Any] = {
        k: v for k, v in values.items() if k in _CONTENT_FIELDS and k not in ("details", "wording", "files", "relations")
    }
    chosen["body"] = record.body_html or paragraphs_to_html(str(values.get("body", "")))
    chosen.setdefault("summary", summary_of(chosen["body"]))
    wording = {channel: dict(said) for channel, said in record.wording.items()}
    for name, (channel, key) in _WORDING.items():
        if values.get(name):
            wording.setdefault(channel, {})[key] = str(values[name])
    details = {**{k: values[k] for k in _DETAILS if values.get(k)}, **record.details}
    return Content(**chosen, wording=wording, details=details, files=record.files, relations=record.relations)


def _made_reference(values: Mapping[str, object]) -> str:
    return "row:" + stable_digest(str(values.get("department", "")), str(values.get("title", "")), str(values.get("formed_on", "")))
