"""Finding our own post among the newest of the account (weibo.md §7). Pure.

The platform gives no key of ours back, so the text is the key: addresses are masked (the platform rewrites them to
``http://t.cn/…``), white space and entities are evened out, and the post may not be older than our first attempt.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from html import unescape
from typing import Any

from channels.weibo.text import url_spans

_MONTHS = {name: n for n, name in enumerate(("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1)}
_CREATED = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{2}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2}) (\d{4})")
# Answers end in a zero-width space now and then.
_INVISIBLE = re.compile("[\\s\u200b\u200c\u200d\ufeff]+")


@dataclass(frozen=True, slots=True)
class Post:
    """The parts of a status object that we trust: ids as text only (numbers come rounded beyond 2^53)."""

    id: str
    mid: str
    uid: str
    text: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Search:
    found: Post | None
    complete: bool
    """What was seen reaches back to before the given moment, so a post that is not here is not there."""


def parse_created_at(value: str) -> datetime | None:
    """``Wed Nov 18 10:00:03 +0800 2026`` as UTC. Read by table: ``%a %b`` would follow the machine's locale."""
    match = _CREATED.fullmatch(value.strip())
    if not match or match[1] not in _MONTHS:
        return None
    zone = timezone((1 if match[6] == "+" else -1) * timedelta(hours=int(match[7]), minutes=int(match[8])))
    try:
        moment = datetime(int(match[9]), _MONTHS[match[1]], int(match[2]), int(match[3]), int(match[4]), int(match[5]), tzinfo=zone)
    except ValueError:
        return None
    return moment.astimezone(UTC)


def read_post(status: object) -> Post | None:
    """Read a status object; None when it carries no id as text."""
    if not isinstance(status, Mapping):
        return None
    texts = {name: status[name] for name in ("idstr", "mid", "text", "created_at") if isinstance(status.get(name), str)}
    post_id = texts.get("idstr") or texts.get("mid") or ""
    if not (post_id.isascii() and post_id.isdigit()) or post_id.startswith("0") or str(status.get("deleted", "0")) == "1":
        return None
    mid = texts.get("mid", "")
    return Post(
        id=post_id,
        mid=mid if mid.isascii() and mid.isdigit() else post_id,
        uid=_uid(status),
        text=texts.get("text", ""),
        created_at=parse_created_at(texts.get("created_at", "")),
    )


def _uid(status: Mapping[str, Any]) -> str:
    """With ``trim_user`` the user is a bare id."""
    user = status.get("user")
    value = user.get("idstr") if isinstance(user, Mapping) else status.get("uid", user)
    return str(value) if isinstance(value, int | str) and str(value).isdigit() else ""


def even(text: str) -> str:
    """The form in which a sent and a returned text are compared."""
    parts, end = [], 0
    text = unescape(text)
    for start, stop in url_spans(text):
        parts += [text[end:start], "\x00"]
        end = stop
    return _INVISIBLE.sub("", "".join(parts) + text[end:])


def search(statuses: Iterable[object], text: str, since: datetime, visible: int, ours: Callable[[Post], bool]) -> Search:
    """Look for ``text`` among ``statuses`` (newest first), posted at or after ``since`` (UTC, whole seconds count).

    ``visible`` is how many posts the platform shows at most; ``ours`` may rule out a post that is known to be another
    delivery's. Of several, the oldest is ours: a later one with the same masked text is somebody else's.
    """
    listed = list(statuses)
    posts = [post for post in map(read_post, listed) if post]
    floor = since.replace(microsecond=0)
    wanted = even(text)
    candidates = [p for p in posts if p.created_at and p.created_at >= floor and even(p.text) == wanted and ours(p)]
    older = any(p.created_at and p.created_at < floor for p in posts)
    return Search(min(candidates, key=lambda p: (p.created_at, int(p.id)), default=None), older or len(listed) < visible)
