"""Characters and dates."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from xml.etree.ElementTree import Element, fromstring, tostring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.intake.dates import parse_date
from hub.intake.text import bad_characters, clean_line, clean_text, decode

ANY = st.text(st.characters(exclude_categories=()), max_size=60)
"""Every code point, lone surrogates included."""


@given(ANY)
def test_clean_text_is_fit_for_xml_and_stable(text: str) -> None:
    cleaned = clean_text(text)
    element = Element("x")
    element.text = cleaned
    assert fromstring(tostring(element, encoding="utf-8")).text == (cleaned or None)
    assert unicodedata.is_normalized("NFC", cleaned)
    assert clean_text(cleaned) == cleaned
    assert not bad_characters(cleaned)
    assert "\r" not in cleaned


@given(ANY)
def test_clean_line_is_one_line_and_stable(text: str) -> None:
    line = clean_line(text)
    assert "\n" not in line
    assert line == line.strip()
    assert clean_line(line) == line


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("冬季延时开放　周末夜读", "冬季延时开放　周末夜读"),
        ("　　标题　", "标题"),
        ("a\x00b\ufffe\ud800c", "abc"),
        ("e\u0301", "é"),
        ("一\u200b二\ufeff三\u202e四", "一二三四"),
        ("两行\r\n标题", "两行 标题"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("𠮷野", "𠮷野"),
    ],
)
def test_lines_keep_what_readers_see(given_text: str, kept: str) -> None:
    assert clean_line(given_text) == kept


def test_bad_characters_are_named() -> None:
    assert bad_characters("a\x01b\x01\u202e") == ("U+0001", "U+202E")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings_are_recognised(encoding: str) -> None:
    text = "云川区民政局关于印发《办法》的通知，第一条。"
    assert decode(text.encode(encoding))[0] == text


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UnicodeDecodeError):
        decode(bytes(range(128, 256)) * 8)


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-16",
        "2026/11/16",
        "2026.11.16",
        "2026年11月16日",
        "２０２６年１１月１６日",
        "2026 年 11 月 16 日",
        "20261116",
        "2026-11-16 00:00:00",
        "2026-11-16T09:30:00+08:00",
        "二〇二六年十一月十六日",
        date(2026, 11, 16),
        datetime(2026, 11, 16, 9, 30),  # noqa: DTZ001 - what openpyxl gives
        46342,
    ],
)
def test_dates_as_people_write_them(written: object) -> None:
    assert parse_date(written) == date(2026, 11, 16)


@pytest.mark.parametrize("written", [None, "", "  "])
def test_no_date_is_none(written: object) -> None:
    assert parse_date(written) is None


@pytest.mark.parametrize(
    "written", ["2026-02-30", "明天", "11月16日", "2026", "二〇二六年十三月一日", "二〇二六年十十月一日", 12, True, "2026-11-16起"]
)
def test_what_is_no_date_is_refused_in_words(written: object) -> None:
    with pytest.raises(ValueError, match="不是"):
        parse_date(written)


@given(st.dates(date(1950, 1, 1), date(2099, 12, 31)))
def test_every_form_of_a_day_reads_back(day: date) -> None:
    numerals = "〇一二三四五六七八九"

    def small(number: int) -> str:
        tens, ones = divmod(number, 10)
        return ("" if tens == 0 else "十" if tens == 1 else numerals[tens] + "十") + (numerals[ones] if ones else "")

    chinese = f"{''.join(numerals[int(d)] for d in str(day.year))}年{small(day.month)}月{small(day.day)}日"
    for form in (day.isoformat(), f"{day.year}年{day.month}月{day.day}日", f"{day:%Y%m%d}", chinese):
        assert parse_date(form) == day


@given(st.text(max_size=20))
def test_parse_date_never_fails_otherwise(text: str) -> None:
    try:
        found = parse_date(text)
    except ValueError:
        return
    assert found is None or isinstance(found, date)
