"""The facts only one kind of item has (预警、问答、征求意见、更正、公示), as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from channels.website.look import moment

LEVELS = {"1": "一级（红色）", "2": "二级（橙色）", "3": "三级（黄色）", "4": "四级（蓝色）"}
"""突发事件应对法: four levels, always in these colours."""
TITLES = {"warning": "预警信息", "qa": "问答信息", "consultation": "征求意见", "correction": "更正内容", "publicity": "公示信息"}
ROWS: dict[str, tuple[tuple[str, str], ...]] = {
    "warning": (
        ("category", "类别"),
        ("level", "级别"),
        ("starts_at", "起始时间"),
        ("ends_at", "结束时间"),
        ("area", "可能影响的范围"),
        ("cautions", "警示事项"),
        ("measures", "应当采取的措施"),
        ("issuer", "发布单位"),
        ("issued_at", "发布时间"),
    ),
    "qa": (("asker", "提问人"), ("question_received_at", "收到日期"), ("answered_at", "答复日期"), ("answer_unit", "答复单位")),
    "consultation": (("opens_on", "开始日期"), ("closes_on", "截止日期"), ("min_days", "期限（日）"), ("contact", "意见反馈方式")),
    "correction": (
        ("location", "更正位置"),
        ("wrong", "原内容"),
        ("right", "更正为"),
        ("reason", "更正原因"),
        ("found_by", "发现方式"),
        ("found_at", "发现时间"),
    ),
    "publicity": (("starts_on", "公示开始"), ("ends_on", "公示截止"), ("contact", "意见反馈方式")),
}


@dataclass(frozen=True, slots=True)
class Block:
    kind: str
    title: str
    rows: tuple[tuple[str, str], ...]


def blocks(details: Mapping[str, Any]) -> list[Block]:
    """Return the tables of an item in a fixed order; rows without a value are left out, values of an unforeseen shape are shown as text."""
    found = []
    for kind, rows in ROWS.items():
        facts = details.get(kind)
        if not isinstance(facts, Mapping):
            continue
        shown = tuple((label, _text(facts, key)) for key, label in rows if facts.get(key) not in (None, ""))
        if shown:
            found.append(Block(kind, TITLES[kind], shown))
    return found


def _text(facts: Mapping[str, Any], key: str) -> str:
    value = facts[key]
    if key == "level":
        return LEVELS.get(str(value), str(value))
    if isinstance(value, list):
        return "；".join(str(each) for each in value)
    return moment(value) if isinstance(value, str) else str(value)
