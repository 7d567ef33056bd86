"""Opaque cursors: where the next page starts, tied to the filters it was made for."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping

from hub.domain.problems import Invalid, Problem

MOST = 2**63 - 1
"""Largest number a database key can hold."""


def make(place: int, filters: Mapping[str, object]) -> str | None:
    """The cursor behind ``place`` (0: there is no next page)."""
    if not place:
        return None
    return base64.urlsafe_b64encode(f"{place}.{_mark(filters)}".encode()).decode().rstrip("=")


def read(cursor: str, filters: Mapping[str, object]) -> int:
    """The place a cursor of ours stands for; 0 for an empty one. Raises Invalid for any other, or one of another list."""
    if not cursor:
        return 0
    try:
        place, _, mark = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(".")
        number = int(place)
    except (ValueError, binascii.Error):
        number, mark = 0, ""
    if not 0 < number <= MOST or mark != _mark(filters):
        raise Invalid((Problem("cursor", "cursor_bad", "翻页标记无效，或不属于这组筛选条件", "请从第一页重新开始"),))
    return number


def _mark(filters: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(filters, sort_keys=True, default=str).encode()).hexdigest()[:12]
