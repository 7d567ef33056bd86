"""Dates as people write them in forms, tables and documents."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta

_NUMERIC = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[T\s]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?.*)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_CHINESE = re.compile(r"([〇零○OＯ一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})日")
_DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0, "O": 0, "Ｏ": 0}
# Excel's day 0 is 1899-12-30 once its invented 29 February 1900 is counted. Serials outside these years are other numbers.
_EXCEL_ZERO = date(1899, 12, 30)
_SERIALS = range((date(1980, 1, 1) - _EXCEL_ZERO).days, (date(2100, 1, 1) - _EXCEL_ZERO).days)

DATE_REMEDY = "请写成 2026-11-16 这样的形式"


def parse_date(value: object) -> date | None:
    """A calendar day (no zone: it is what the paper says), or None for an empty value.

    Takes ``date``, ``datetime``, an Excel serial number, and text: 2026-11-16, 2026/11/16, 2026.11.16, 2026年11月16日,
    20261116, 二〇二六年十一月十六日, with full-width digits or a time behind. Raises ValueError, in Chinese, for the rest.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and int(value) in _SERIALS:
        return _EXCEL_ZERO + timedelta(days=int(value))
    written = str(value).strip()
    plain = unicodedata.normalize("NFKC", written)
    for pattern in (_NUMERIC, _COMPACT):
        if match := pattern.fullmatch(plain):
            return _day(written, *(int(g) for g in match.groups()))
    if match := _CHINESE.fullmatch(re.sub(r"\s", "", written)):
        year = int("".join(str(_DIGITS[c]) for c in match[1]))
        return _day(written, year, _small(match[2]), _small(match[3]))
    raise ValueError(f"“{written[:30]}”不是日期")


def _day(written: str, year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise ValueError(f"“{written[:30]}”不是日历上的一天") from error


def _small(numeral: str) -> int:
    """一 … 三十一; 0 for what is no such numeral (the calendar refuses it then)."""
    if "十" not in numeral:
        return _DIGITS[numeral] if len(numeral) == 1 else 0
    tens, _, ones = numeral.partition("十")
    if len(tens) > 1 or len(ones) > 1 or "十" in ones:
        return 0
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)
