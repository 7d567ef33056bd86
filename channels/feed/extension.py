"""feedgen 1.0.0 mended from outside, through its own extension hook.

feedgen overwrites the entry's Atom links while it writes them (its issues #135, #143), allows one enclosure per RSS
item, needs an e-mail address before it shows an RSS author, and knows neither tombstones nor a stylesheet. An
extension runs after the element is built and may put right what is wrong. The classes are feedgen extensions by shape:
it calls ``extend_ns``, ``extend_atom`` and ``extend_rss``, and makes them without arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from lxml import etree

ATOM = "http://www.w3.org/2005/Atom"
DC = "http://purl.org/dc/elements/1.1/"
DCTERMS = "http://purl.org/dc/terms/"
MEDIA = "http://search.yahoo.com/mrss/"
SY = "http://purl.org/rss/1.0/modules/syndication/"
TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """``at:deleted-entry`` of RFC 6721."""

    ref: str
    when: datetime
    comment: str


@dataclass(slots=True)
class Extra:
    """What an entry has that feedgen cannot say."""

    entry: Any = None
    """The FeedEntry itself: only it still knows its links."""
    published: datetime | None = None
    updated: datetime | None = None
    creators: Sequence[str] = ()
    identifier: str = ""
    source: str = ""
    related: Sequence[tuple[str, str]] = ()


def _add(parent: Any, name: str, text: str, **attributes: str) -> None:
    element = etree.SubElement(parent, name, attributes)
    element.text = text or None


def _stylesheet(root: Any, href: str) -> None:
    root.addprevious(etree.ProcessingInstruction("xml-stylesheet", f'type="text/css" href="{href}"'))


class AtomFeed:
    """Feed extension, Atom side. Tombstones come before the entries, else RFC 4287's grammar fails."""

    def __init__(self) -> None:
        self.stylesheet = ""
        self.tombstones: Sequence[Tombstone] = ()

    def extend_ns(self) -> dict[str, str]:
        # The validator warns of an unknown namespace wherever it is declared, so only where it is used.
        return {"dc": DC, **({"at": TOMBSTONES} if self.tombstones else {})}

    def extend_atom(self, feed: Any) -> Any:
        _stylesheet(feed, self.stylesheet)
        for each in self.tombstones:
            deleted = etree.SubElement(feed, f"{{{TOMBSTONES}}}deleted-entry", {"ref": each.ref, "when": each.when.isoformat()})
            _add(deleted, f"{{{TOMBSTONES}}}comment", each.comment)
        return feed


class AtomEntry:
    """Entry extension, Atom side: gives every link back what feedgen lost, and adds the dates and Dublin Core."""

    def __init__(self) -> None:
        self.extra = Extra()

    def extend_atom(self, element: Any) -> Any:
        for link, known in zip(element.findall("link"), self.extra.entry.link(), strict=True):
            for name in ("rel", "type", "hreflang", "title", "length"):
                if known.get(name):
                    link.set(name, known[name])
        if self.extra.published is not None:
            _add(element, "published", self.extra.published.isoformat())
        for each in self.extra.creators:
            _add(element, f"{{{DC}}}creator", each)
        if self.extra.identifier:
            _add(element, f"{{{DC}}}identifier", self.extra.identifier)
        if self.extra.source:
            _add(element, f"{{{DC}}}source", self.extra.source)
        return element


class RssFeed:
    """Feed extension, RSS side."""

    def __init__(self) -> None:
        self.stylesheet = ""
        self.updated: datetime | None = None
        self.sy: tuple[str, int] = ("hourly", 1)

    def extend_ns(self) -> dict[str, str]:
        return {"dc": DC, "dcterms": DCTERMS, "media": MEDIA, "sy": SY}

    def extend_rss(self, rss: Any) -> Any:
        _stylesheet(rss, self.stylesheet)
        channel = rss.find("channel")
        if self.updated is not None:
            _add(channel, "lastBuildDate", format_datetime(self.updated))
        period, frequency = self.sy
        _add(channel, f"{{{SY}}}updatePeriod", period)
        _add(channel, f"{{{SY}}}updateFrequency", str(frequency))
        return rss


class RssEntry:
    """Entry extension, RSS side: dates, authors, and every enclosure but the one feedgen wrote."""

    def __init__(self) -> None:
        self.extra = Extra()

    def extend_rss(self, item: Any) -> Any:
        extra = self.extra
        if extra.published is not None:
            _add(item, "pubDate", format_datetime(extra.published))
        for each in extra.creators:
            _add(item, f"{{{DC}}}creator", each)
        if extra.identifier:
            _add(item, f"{{{DC}}}identifier", extra.identifier)
        if extra.source:
            _add(item, f"{{{DC}}}source", extra.source)
        if extra.updated is not None:
            _add(item, f"{{{ATOM}}}updated", extra.updated.isoformat())
            _add(item, f"{{{DCTERMS}}}modified", extra.updated.isoformat())
        for url, title in extra.related:
            _add(item, f"{{{ATOM}}}link", "", rel="related", href=url, title=title)
        enclosures = [each for each in extra.entry.link() if each.get("rel") == "enclosure"]
        for each in enclosures[:-1]:
            _add(item, f"{{{MEDIA}}}content", "", url=each["href"], type=each["type"], fileSize=each["length"])
        return item
