"""One entry of the record (审计留痕), and the exact bytes it is hashed as.

The bytes are RFC 8785 canonical JSON, restricted: no floating-point numbers, and integers within ±(2^53 - 1). With that
restriction the form needs nothing beyond the standard library, so an outsider can check it with a page of code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeAlias, Union

Json: TypeAlias = Union[bool, int, str, "Sequence[Json]", "Mapping[str, Json]", None]

INT_MAX = 2**53 - 1
"""Largest whole number that every JSON reader keeps exactly (RFC 8785 §3.2.2.3, RFC 7493 §2.2)."""

_VERB = re.compile(r"[a-z_]+\.[a-z_]+")
# PostgreSQL text cannot hold U+0000, and a line break in a name would forge a second line in every listing.
_CONTROL = re.compile("[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what to what, when. Raises ValueError when a field could not be stored and read back exactly.

    ``at``: aware, kept in UTC to the microsecond. ``actor``: ``person:…``, ``token:…`` or ``worker:…``. ``subject``:
    ``item:…``, ``delivery:…``, …. ``details``: plain JSON without floats, never secrets; refused acts name the verb
    they tried in ``attempted``.
    """

    at: datetime
    actor: str
    subject: str
    verb: str
    details: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("record entry: `at` has no time zone")
        for name in ("actor", "subject"):
            value = getattr(self, name)
            if not value or _CONTROL.search(value):
                raise ValueError(f"record entry: `{name}` is empty or holds control characters: {value!r}")
        if not _VERB.fullmatch(self.verb):
            raise ValueError(f"record entry: `verb` is not of the form noun.verb: {self.verb!r}")


def canonical(seq: int, entry: Entry) -> bytes:
    """Return the bytes of entry number ``seq`` (the first is 1) that become a leaf of the Merkle tree.

    Raises ValueError for what has no canonical form here: a float, a large integer, a lone surrogate, a foreign type.
    """
    body: dict[str, Json] = {
        "seq": seq,
        "at": instant(entry.at),
        "actor": entry.actor,
        "subject": entry.subject,
        "verb": entry.verb,
        "details": entry.details,
    }
    return canonical_json(body)


def instant(at: datetime) -> str:
    """Write an aware time as ``YYYY-MM-DDTHH:MM:SS.ffffffZ``, always with six digits."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def read_instant(text: str) -> datetime:
    """The inverse of ``instant``. Raises ValueError."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def canonical_json(value: Json) -> bytes:
    """RFC 8785 bytes of a value without floats. Raises ValueError naming the path of what cannot be written."""
    if _usual(value):
        try:
            return _sorted(value).encode()
        except UnicodeEncodeError:
            # A lone surrogate somewhere: the slower way says where.
            return _as_they_come(_ordered(value, "$")).encode()
    return _as_they_come(_ordered(value, "$")).encode()


def parse_entry(body: str) -> tuple[int, Entry]:
    """Read back what ``canonical`` wrote: number and entry. Raises ValueError for anything else."""
    found = json.loads(body, parse_float=_no_float, parse_constant=_no_float)
    if not isinstance(found, dict) or found.keys() != {"seq", "at", "actor", "subject", "verb", "details"}:
        raise ValueError("record entry: the fields are not exactly seq, at, actor, subject, verb, details")
    if not isinstance(found["seq"], int) or not isinstance(found["details"], dict):
        raise ValueError("record entry: `seq` is no integer or `details` no object")
    if not all(isinstance(found[name], str) for name in ("at", "actor", "subject", "verb")):
        raise ValueError("record entry: `at`, `actor`, `subject` and `verb` must be strings")
    entry = Entry(read_instant(found["at"]), found["actor"], found["subject"], found["verb"], found["details"])
    if canonical(found["seq"], entry) != body.encode():
        raise ValueError("record entry: the JSON is not in canonical form")
    return found["seq"], entry


def _no_float(text: str) -> Json:
    raise ValueError(f"record entry: {text} is not a whole number")


_sorted = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, sort_keys=True).encode
_as_they_come = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def _usual(value: Json) -> bool:
    """Is this what Python's own sorting encoder writes canonically? Nearly everything is, and it is three times as fast."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return -INT_MAX <= value <= INT_MAX  # type: ignore[operator]
    if kind is dict:
        for key, inner in value.items():  # type: ignore[union-attr]
            # RFC 8785 §3.2.3 orders keys by UTF-16 code units, which is Python's order as long as all are below U+E000.
            if type(key) is not str or not (key.isascii() or max(key) < "\ue000"):
                return False
            if type(inner) is not str and not _usual(inner):
                return False
        return True
    if kind is list or kind is tuple:
        return all(map(_usual, value))  # type: ignore[arg-type]
    # Verbs and states are members of a StrEnum: the encoder writes their text.
    return isinstance(value, StrEnum)


def _ordered(value: Json, path: str) -> Json:
    """Copy ``value`` with its keys in RFC 8785 order, refusing what the restricted form does not know."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        _encodable(value, path)
        return value
    if isinstance(value, int):
        if abs(value) > INT_MAX:
            raise ValueError(f"{path}: {value} is beyond ±(2^53 - 1)")
        return int(value)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise ValueError(f"{path}: the key {key!r} is no string")
            _encodable(key, path)
        return {key: _ordered(value[key], f"{path}.{key}") for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    if isinstance(value, list | tuple):
        return [_ordered(item, f"{path}[{index}]") for index, item in enumerate(value)]
    raise ValueError(f"{path}: {type(value).__name__} has no canonical form (write amounts and times as text)")


def _encodable(text: str, path: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{path}: the text holds a lone surrogate") from error
