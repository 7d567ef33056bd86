"""What subscribers see of one item over its life: the item, its correction notices, its withdrawal notice, its tombstones.

Everything here is a pure function of the item's whole history, so a feed grown one publication at a time and a feed
rebuilt from the hub's database cannot differ.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from html import escape
from typing import Any

from channels.base import Json, SiteIdentity
from channels.feed.text import line, paragraphs

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Asia/Shanghai has kept +08:00 without summer time since 1992."""
_NO_NOTE = "内容已更正，请以最新内容为准。"
_NO_REASON = "该信息已由发布机构撤回。"


@dataclass(frozen=True, slots=True)
class Release:
    """One revision as this channel published it."""

    revision: int
    payload: dict[str, Json]
    """``Rendition.payload`` of this channel for this revision."""
    updated_at: datetime
    """``Job.updated_at`` of the delivery: when this revision was released. UTC."""
    note: str = ""
    """``Job.note``: the change note. Used only where the payload has none."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The history of one item in this channel: what the hub hands to ``rebuild``.

    ``releases`` are the revisions whose PUBLISH or CORRECT delivery on this channel is ``delivered`` (also those
    replaced or withdrawn since), by rising revision. A revision that was superseded before it was sent is not among them.
    """

    published_at: datetime
    """``Job.published_at``: first publication, never changed. UTC."""
    releases: tuple[Release, ...]
    withdrawn_at: datetime | None = None
    """``Job.first_attempt_at`` of the WITHDRAW delivery, None while the item is public. UTC."""
    reason: str = ""
    """``Job.note`` of the WITHDRAW delivery: the reason shown to the public."""

    def __post_init__(self) -> None:
        """Raises ValueError for a history that cannot have been: no release, revisions that do not rise, two items in one."""
        revisions = [each.revision for each in self.releases]
        if not revisions or revisions != sorted(set(revisions)):
            raise ValueError(f"订阅源条目的版本须至少一个且依次递增，现为 {revisions}；请检查重建时给出的发布记录")
        if len({each.payload["public_id"] for each in self.releases}) > 1:
            raise ValueError(f"订阅源条目的各版本不属于同一信息：{self.public_id}；请检查重建时给出的发布记录")

    @property
    def public_id(self) -> str:
        return str(self.releases[-1].payload["public_id"])


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry of a feed, ready to be written in any format."""

    key: str
    """``item:{public_id}``, ``notice:{public_id}.{revision}`` or ``notice:{public_id}.withdrawal``."""
    id: str
    """The ``tag:`` URI (RFC 4151)."""
    title: str
    summary: str
    content_html: str
    url: str
    published: datetime
    updated: datetime
    """Distinct for every entry, see ``_stamp``."""
    payload: dict[str, Any]
    """Creators, categories, index_no …, of the revision the entry speaks of."""
    related: tuple[tuple[str, str], ...]
    """(address, title) of what the entry refers to."""
    feeds: tuple[str, ...]
    full: bool
    """True for the item itself, which carries attachments, image and origin; False for a notice."""


@dataclass(frozen=True, slots=True)
class Gone:
    """An entry that feeds carried and carry no more (RFC 6721)."""

    key: str
    when: datetime
    comment: str
    feeds: tuple[str, ...]


def tag(site: SiteIdentity, specific: str) -> str:
    """A ``tag:`` URI of this site. It is made of our own key, so a moved or renamed page is never a new entry."""
    return f"tag:{site.domain.lower()},{site.tag_date}:{specific}"


def expand(entry: Entry, site: SiteIdentity) -> tuple[list[Shown], list[Gone]]:
    """Return the entries that feeds show of this item, and the tombstones they keep of it."""
    newest = entry.releases[-1]
    moments = _moments(entry.releases)
    everywhere = _feeds(*entry.releases)
    notices = [_correction(site, old, new, when) for old, new, when in zip(entry.releases, entry.releases[1:], moments[1:], strict=False)]
    if entry.withdrawn_at is None:
        return [_item(site, entry, newest, moments[-1]), *notices], []
    # A correction notice may quote what had to be withdrawn, so it goes with its item.
    comment = line(entry.reason) or _NO_REASON
    keys = [f"item:{entry.public_id}", *(each.key for each in notices)]
    return [_withdrawal(site, entry, newest)], [Gone(key, entry.withdrawn_at, comment, everywhere) for key in keys]


def _moments(releases: tuple[Release, ...]) -> list[datetime]:
    """When each release changed what readers see. A correction is always later than what it corrects, also where both
    were released for one moment: a reader that compares ``updated`` would keep the old words."""
    moments: list[datetime] = []
    for each in releases:
        moments.append(max(each.updated_at, moments[-1] + timedelta(seconds=1)) if moments else each.updated_at)
    return moments


def _item(site: SiteIdentity, entry: Entry, newest: Release, updated_at: datetime) -> Shown:
    payload: dict[str, Any] = newest.payload
    key = f"item:{entry.public_id}"
    return Shown(
        key=key,
        id=tag(site, key),
        title=payload["title"],
        summary=payload["summary"],
        content_html=payload["content_html"],
        url=payload["url"],
        published=_second(entry.published_at),
        updated=_stamp(updated_at, key),
        payload=payload,
        related=tuple((each["url"], each["title"]) for each in payload["related"]),
        feeds=_feeds(newest),
        full=True,
    )


def _correction(site: SiteIdentity, old: Release, new: Release, when: datetime) -> Shown:
    payload: dict[str, Any] = new.payload
    title, before = payload["title"], str(old.payload["title"])
    note = payload["change_note"] or new.note.strip() or _NO_NOTE
    lines = [
        f"《{_link(payload['url'], title)}》已于{_moment(when)}更正。",
        f"<strong>更正说明：</strong>{paragraphs(note)}",
        f"原标题：《{escape(before, quote=False)}》" if before != title else "",
    ]
    return _notice(site, f"{payload['public_id']}.{new.revision}", f"更正公告：{title}", note, lines, new, when, _feeds(old, new))


def _withdrawal(site: SiteIdentity, entry: Entry, newest: Release) -> Shown:
    payload: dict[str, Any] = newest.payload
    assert entry.withdrawn_at is not None
    reason = entry.reason.strip() or _NO_REASON
    lines = [
        f"《{_link(payload['url'], payload['title'])}》已于{_moment(entry.withdrawn_at)}撤回。",
        f"<strong>撤回原因：</strong>{paragraphs(reason)}",
    ]
    name = f"{payload['public_id']}.withdrawal"
    return _notice(site, name, f"撤回公告：{payload['title']}", reason, lines, newest, entry.withdrawn_at, _feeds(*entry.releases))


def _notice(
    site: SiteIdentity, name: str, title: str, summary: str, lines: list[str], about: Release, when: datetime, feeds: tuple[str, ...]
) -> Shown:
    payload: dict[str, Any] = about.payload
    key = f"notice:{name}"
    lines.append(f"索引号：{escape(payload['index_no'], quote=False)}" if payload["index_no"] else "")
    return Shown(
        key=key,
        id=tag(site, key),
        title=title,
        summary=line(summary),
        content_html="".join(f"<p>{each}</p>" for each in lines if each),
        url=payload["url"],
        published=_second(when),
        updated=_stamp(when, key),
        payload=payload,
        related=((payload["url"], payload["title"]),),
        feeds=feeds,
        full=False,
    )


def _feeds(*releases: Release) -> tuple[str, ...]:
    named: dict[str, None] = {}
    for release in releases:
        payload: dict[str, Any] = release.payload
        named.update(dict.fromkeys(each["slug"] for each in payload["feeds"]))
    return tuple(named)


def _second(moment: datetime) -> datetime:
    return moment.astimezone(SHANGHAI).replace(microsecond=0)


def _stamp(moment: datetime, key: str) -> datetime:
    """``moment`` plus less than one second that depends on ``key`` alone.

    Items released together share a moment, and a correction shares it with its notice; two entries with one ``updated``
    are a fault to the W3C validator (DuplicateUpdated) and leave readers without an order. The same key gets the same
    addition every time, so a later revision always has the later stamp.
    """
    fraction = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % 1_000_000
    return moment.astimezone(SHANGHAI) + timedelta(microseconds=fraction)


def _link(url: str, title: str) -> str:
    return f'<a href="{escape(url)}">{escape(title, quote=False)}</a>'


def _moment(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") + "（北京时间）"
