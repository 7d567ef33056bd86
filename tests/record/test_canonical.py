"""The bytes of an entry: the same as the rfc8785 package writes, and nothing that cannot be read back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.record import INT_MAX, Entry, canonical, canonical_json, instant, parse_entry
from hub.domain.verbs import LABELS, Verb

NOW = datetime(2026, 11, 22, 1, 2, 3, 4, tzinfo=UTC)
texts = st.text(st.characters(exclude_categories=["Cs"]))
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-INT_MAX, INT_MAX) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
)
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
moments = st.builds(
    lambda days, micro, zone: (NOW + timedelta(days=days, microseconds=micro)).astimezone(zone),
    st.integers(-700_000, 2_900_000),
    st.integers(0, 10**11),
    st.sampled_from([UTC, timezone(timedelta(hours=8))]),
)


@given(plain)
def test_same_bytes_as_the_reference(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


def test_keys_are_ordered_by_utf16_units() -> None:
    # RFC 8785 §3.2.3: as UTF-16, 😀 (D83D DE00) comes before U+FB33, though its code point is higher.
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "ö": 7}
    assert [*json.loads(canonical_json(value))] == ["\r", "1", "\x80", "ö", "\u20ac", "\U0001f600", "\ufb33"]
    assert canonical_json(value) == rfc8785.dumps(value)


@given(st.integers(1, INT_MAX), moments, names, names, st.sampled_from(list(Verb)), st.dictionaries(texts, plain, max_size=3))
def test_an_entry_reads_back(seq: int, at: datetime, actor: str, subject: str, verb: Verb, details: dict[str, Any]) -> None:
    entry = Entry(at, actor, subject, verb, details)
    body = canonical(seq, entry)
    assert parse_entry(body.decode()) == (seq, Entry(at.astimezone(UTC), actor, subject, str(verb), details))


def test_the_exact_bytes() -> None:
    entry = Entry(NOW, "person:李", "item:20261122-1", Verb.ITEM_SUBMITTED, {"revision": 3, "digest": "ab"})
    assert canonical(7, entry).decode() == (
        '{"actor":"person:李","at":"2026-11-22T01:02:03.000004Z","details":{"digest":"ab","revision":3},'
        '"seq":7,"subject":"item:20261122-1","verb":"item.submitted"}'
    )


def test_times_are_utc_with_six_digits() -> None:
    assert instant(datetime(2026, 1, 1, 7, 30, tzinfo=timezone(timedelta(hours=8)))) == "2025-12-31T23:30:00.000000Z"


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"a": 1.5}, r"\$\.details\.a: float"),
        ({"a": [1, {"b": INT_MAX + 1}]}, r"\$\.details\.a\[1\]\.b: 9007199254740992"),
        ({"a": -INT_MAX - 1}, r"\$\.details\.a"),
        ({"a": "\ud800"}, "lone surrogate"),
        ({"\udfff": 1}, "lone surrogate"),
        ({"a": NOW}, "datetime"),
        ({"a": b"x"}, "bytes"),
        ({1: "a"}, "no string"),
    ],
)
def test_what_has_no_canonical_form_is_refused(value: Any, path: str) -> None:
    with pytest.raises(ValueError, match=path):
        canonical(1, Entry(NOW, "person:1", "item:1", Verb.ITEM_CREATED, value))


@pytest.mark.parametrize(
    "changed",
    [
        {"at": NOW.replace(tzinfo=None)},
        {"actor": ""},
        {"actor": "a\nb"},
        {"subject": "x\x00"},
        {"subject": ""},
        {"verb": "submit"},
        {"verb": "item.x\n"},
    ],
)
def test_entries_that_could_not_be_stored_are_refused(changed: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"at": NOW, "actor": "person:1", "subject": "item:1", "verb": "item.created"}
    with pytest.raises(ValueError, match="record entry"):
        Entry(**{**fields, **changed})


@pytest.mark.parametrize(
    "body",
    [
        "null",
        "{}",
        "not json",
        '{"actor":"a","at":"2026-11-22T01:02:03.000004Z","details":{},"seq":"7","subject":"s","verb":"a.b"}',
        '{"actor":"a","at":"2026-11-22T01:02:03.000004Z","details":[],"seq":7,"subject":"s","verb":"a.b"}',
        '{"actor":"a","at":"2026-11-22T01:02:03.000004Z","details":{"x":1.0},"seq":7,"subject":"s","verb":"a.b"}',
        '{"actor":"a","at":"2026-11-22T01:02:03.000004Z","details":{"x":NaN},"seq":7,"subject":"s","verb":"a.b"}',
        '{"actor":"a","at":"2026-11-22T01:02:03.000004Z", "details":{},"seq":7,"subject":"s","verb":"a.b"}',
        '{"actor":"a","at":"2026-11-22T01:02:03Z","details":{},"seq":7,"subject":"s","verb":"a.b"}',
        '{"actor":1,"at":"2026-11-22T01:02:03.000004Z","details":{},"seq":7,"subject":"s","verb":"a.b"}',
    ],
)
def test_bodies_in_another_form_are_refused(body: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_entry(body)


def test_every_verb_has_a_label_and_the_form_noun_verb() -> None:
    assert set(LABELS) == set(Verb)
    for verb, label in LABELS.items():
        assert all("\u4e00" <= one <= "\u9fff" for one in label), f"{verb} needs a Chinese label"
        assert Entry(NOW, "person:1", "item:1", verb).verb == verb
    assert len(set(LABELS.values())) == len(LABELS), "two acts would look the same in a list"
    assert len(Verb.__members__) == len(Verb), "two names stand for one act"
