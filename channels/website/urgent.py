"""Which urgent items the home page sets on top.

The rule reads data, never the clock, so that a rebuild tomorrow draws the same page: "now" is the newest publication on the site.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from channels.website.look import BEIJING

MOST = 3
LASTING = timedelta(hours=72)
"""How long an urgent item stays on top when it names no end."""


def current_warnings(urgent: list[dict[str, Any]], newest: str) -> list[dict[str, Any]]:
    """Return the cards of ``urgent`` (newest first) that have not ended when the ``newest`` item appeared, at most ``MOST``."""
    return [card for card in urgent if newest and _ends(card) >= datetime.fromisoformat(newest)][:MOST]


def _ends(card: dict[str, Any]) -> datetime:
    """A warning's own end, else the last moment of the day it expires, else ``LASTING`` after publication."""
    published = datetime.fromisoformat(card["published_at"])
    for text in (card["ends_at"], card["expires_on"]):
        ends = _moment(text)
        if ends is not None:
            return ends
    return published + LASTING


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) == len("2026-11-21"):
        return datetime.combine(found.date(), time.max, BEIJING)
    return found if found.tzinfo else found.replace(tzinfo=BEIJING)
