"""Looking for our own work on the platform by its fingerprint: title and 阅读原文 address (wechat.md §9)."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

from channels.base import Unknown
from channels.wechat.client import Problem
from channels.wechat.office import Office, number

PAGE = 20
PAGES = 50
"""A listing is read back to the time of the first attempt: 1000 entries are all that a day's quota of draft/add can make."""
CLOCK_SKEW = timedelta(seconds=120)
"""The platform's clock is not ours: what is this much older than the first attempt may still be ours."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    title: str
    url: str
    since: datetime
    """UTC; nothing from before it can be ours."""

    def fits(self, entry: dict[str, Any]) -> bool:
        news = entry.get("content", {}).get("news_item") or [{}]
        first = news[0]
        same = _plain(first.get("title")) == _plain(self.title) and _plain(first.get("content_source_url")) == _plain(self.url)
        return same and not first.get("is_deleted") and _moment(entry) >= self.since - CLOCK_SKEW


def find_draft(office: Office, mark: Fingerprint, but: Container[str]) -> str | Problem | None:
    """media_id of the newest draft that is ours; None: there is none."""
    for entry in _newest(office, "/cgi-bin/draft/batchget", "查询草稿箱", mark.since):
        if isinstance(entry, Problem):
            return entry
        media_id = str(entry.get("media_id", ""))
        if mark.fits(entry) and media_id and media_id not in but:
            return media_id
    return None


def find_article(office: Office, mark: Fingerprint, but: Container[str]) -> tuple[str, str] | Problem | None:
    """(article_id, url) of the newest freely published article that is ours; None: there is none."""
    for entry in _newest(office, "/cgi-bin/freepublish/batchget", "查询已发布列表", mark.since):
        if isinstance(entry, Problem):
            return entry
        article_id = str(entry.get("article_id", "")).strip()
        if mark.fits(entry) and article_id and article_id not in but:
            return article_id, str(entry["content"]["news_item"][0].get("url", ""))
    return None


def _newest(office: Office, path: str, what: str, since: datetime) -> Iterator[dict[str, Any] | Problem]:
    """Entries of a listing, newest first, until they are too old to be ours.

    A listing that could not be read back that far ends with a ``Problem``: not having found something there proves nothing.
    """
    for page in range(PAGES):
        answer = office.client.post(path, {"offset": page * PAGE, "count": PAGE, "no_content": 1}, what)
        if isinstance(answer, Problem):
            yield answer
            return
        entries = [e for e in answer.get("item") or [] if isinstance(e, dict)]
        yield from entries
        if len(entries) < PAGE or _moment(entries[-1]) < since - CLOCK_SKEW:
            return
    yield Problem(Unknown(f"{what}：最近 {PAGES * PAGE} 条仍未覆盖首次发送时间，未找到不能证明未发布"))


def _plain(text: object) -> str:
    return " ".join(unescape(str(text or "")).split())


def _moment(entry: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(number(entry.get("update_time")) or 0, UTC)
