"""Rules for the facts that only one kind of item has (``Content.details``).

Sources: warnings 突发事件应对法 63-65; consultations 重大行政决策程序暂行条例 15; public notices need a first and a last day.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from hub.domain.content import Content
from hub.domain.problems import Problem
from hub.intake.dates import DATE_REMEDY, parse_date

WARNING_PARTS = {
    "category": "类别",
    "level": "级别",
    "starts_at": "起始时间",
    "area": "可能影响的范围",
    "cautions": "警示事项",
    "measures": "应当采取的措施",
    "issuer": "发布单位",
    "issued_at": "发布时间",
}
WARNING_LEVELS = {1: "红色", 2: "橙色", 3: "黄色", 4: "蓝色"}


def details_problems(content: Content) -> Iterator[Problem]:
    """What is missing or contradictory in ``content.details``; facts of other kinds are left alone."""
    try:
        json.dumps(content.details, allow_nan=False)
    except (TypeError, ValueError):
        yield Problem("details", "not_json", "附加信息不是普通的JSON", "请使用文字、整数、布尔值、列表和对象")
        return
    for name, rule in (("warning", _warning), ("consultation", _consultation), ("publicity", _publicity), ("correction", _correction)):
        value = content.details.get(name)
        if value is None:
            continue
        if isinstance(value, Mapping):
            yield from rule(value)
        else:
            yield Problem(f"details.{name}", "not_object", f"details.{name} 不是对象", "请按样例填写")


def _warning(warning: Mapping[str, Any]) -> Iterator[Problem]:
    for key, label in WARNING_PARTS.items():
        if warning.get(key) in (None, ""):
            yield Problem(f"details.warning.{key}", "required", f"预警没有写明{label}", "突发事件应对法要求写明")
    level, color = warning.get("level"), warning.get("color")
    if level is not None and level not in WARNING_LEVELS:
        yield Problem("details.warning.level", "unknown", f"预警级别“{level}”不在一级至四级之内", "请填1、2、3或4")
    elif level in WARNING_LEVELS and color and color != WARNING_LEVELS[level]:
        yield Problem("details.warning.color", "mismatch", f"{level}级预警是{WARNING_LEVELS[level]}，却写成{color}", "请核对级别和颜色")


def _consultation(value: Mapping[str, Any]) -> Iterator[Problem]:
    days: dict[str, date] = {}
    yield from _period(value, "consultation", ("opens_on", "开始日期"), ("closes_on", "截止日期"), days)
    least = value.get("min_days")
    if len(days) == 2 and isinstance(least, int) and (days["closes_on"] - days["opens_on"]).days < least:
        yield Problem("details.consultation.closes_on", "too_short", f"征求意见不足{least}日", "请延后截止日期")


def _publicity(value: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _period(value, "publicity", ("starts_on", "公示开始日期"), ("ends_on", "公示结束日期"), {})


def _correction(value: Mapping[str, Any]) -> Iterator[Problem]:
    for key, label in (("wrong", "原文"), ("right", "更正后的内容")):
        if not value.get(key):
            yield Problem(f"details.correction.{key}", "required", f"更正没有写明{label}", f"请填写{label}")


def _period(value: Mapping[str, Any], name: str, first: tuple[str, str], last: tuple[str, str], days: dict[str, date]) -> Iterator[Problem]:
    for key, label in (first, last):
        try:
            day = parse_date(value.get(key))
        except ValueError as error:
            yield Problem(f"details.{name}.{key}", "bad_date", f"{label}{error}", DATE_REMEDY)
            continue
        if day is None:
            yield Problem(f"details.{name}.{key}", "required", f"没有写明{label}", f"请填写{label}")
        else:
            days[key] = day
    if len(days) == 2 and days[last[0]] < days[first[0]]:
        yield Problem(f"details.{name}.{last[0]}", "order", f"{last[1]}早于{first[1]}", "请核对两个日期")
