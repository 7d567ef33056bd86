"""RSS 2.0 and Atom 1.0 by feedgen, one entry at a time: a feed is its envelope with ready fragments between.

feedgen writes each entry once, in a feed of its own; the element is cut out and kept. A publication then costs one
entry and the joining of texts, not fifty entries per feed, and the bytes are those of one whole feedgen run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from html import escape
from typing import Any

from feedgen.feed import FeedGenerator

from channels.feed.catalogue import MEDIA_TYPES, Head
from channels.feed.entries import Shown
from channels.feed.extension import AtomEntry, AtomFeed, Extra, RssEntry, RssFeed, Tombstone

LANGUAGE = "zh-CN"
GENERATOR = "disclosure-hub"
STYLESHEET = "feed.css"
_CUTS = {"rss.xml": (b"<item>", b"</item>"), "atom.xml": (b"<entry>", b"</entry>")}
_ENDS = {"rss.xml": b"</channel></rss>", "atom.xml": b"</feed>"}


def generator(head: Head, form: str, updated: datetime | None, tombstones: Sequence[Tombstone] = ()) -> Any:
    """A feedgen feed in format ``rss.xml`` or ``atom.xml``, without entries. ``updated`` None: the feed has none."""
    feed = FeedGenerator()
    feed.register_extension("hub_atom", AtomFeed, AtomEntry, atom=True, rss=False)
    feed.register_extension("hub_rss", RssFeed, RssEntry, atom=False, rss=True)
    feed.hub_atom.stylesheet = feed.hub_rss.stylesheet = head.folder + STYLESHEET
    feed.hub_atom.tombstones = tombstones
    feed.hub_rss.updated = updated
    feed.hub_rss.sy = head.settings.sy
    feed.id(head.id)
    feed.title(head.title)
    feed.subtitle(head.description)
    feed.author(name=head.author, uri=head.author_url)
    feed.language(LANGUAGE)
    feed.generator(GENERATOR)
    feed.ttl(head.settings.ttl)
    feed.link(href=head.url(form), rel="self", type=MEDIA_TYPES[form])
    # The last link becomes the channel's <link>, whatever its rel.
    feed.link(href=head.home, rel="alternate", type="text/html")
    if (image := head.settings.image) is not None:
        feed.image(url=image.url, title=head.title, link=head.home, width=str(image.width), height=str(image.height))
    feed.updated(updated or head.born)
    # feedgen formats RSS dates under a process-wide setlocale("C"), which other threads would see (their open() picks
    # its encoding by it). The extensions write the dates, so feedgen must find none.
    feed._FeedGenerator__rss_lastBuildDate = None
    return feed


def add(feed: Any, shown: Shown) -> None:
    """Append ``shown`` to a feedgen feed."""
    payload = shown.payload
    entry = feed.add_entry(order="append")
    extra = Extra(
        entry=entry,
        published=shown.published,
        updated=shown.updated,
        creators=payload["creators"],
        identifier=payload["index_no"],
        source=payload["source"] if shown.full and payload["source"] not in payload["creators"] else "",
        related=shown.related,
    )
    entry.hub_atom.extra = extra
    entry.hub_rss.extra = extra
    entry.id(shown.id)
    entry.title(shown.title)
    entry.updated(shown.updated)
    entry.author([{"name": each} for each in payload["creators"]])
    entry.content(shown.content_html, type="html")
    entry.summary(shown.summary)
    # An RSS description is HTML by custom, so plain text is escaped once more there.
    entry.description(escape(shown.summary, quote=False), isSummary=True)
    entry.summary(shown.summary)
    entry.link(href=shown.url, rel="alternate", type="text/html")
    for url, title in shown.related:
        entry.link(href=url, rel="related", title=title)
    for category in payload["categories"] if shown.full else ():
        entry.category({"term": category["term"], **({"scheme": category["scheme"]} if category["scheme"] else {})})
    if shown.full:
        if payload["source_url"]:
            entry.link(href=payload["source_url"], rel="via")
        for each in payload["attachments"]:
            entry.link(href=each["url"], rel="enclosure", type=each["media_type"], length=str(each["size"]), title=each["name"])


def _bytes(feed: Any, form: str) -> bytes:
    data: bytes = feed.rss_str() if form == "rss.xml" else feed.atom_str()
    return data


def fragment(head: Head, shown: Shown, form: str) -> bytes:
    """The entry's own element, cut out of a feed that holds nothing else. Any ``head`` gives the same bytes."""
    feed = generator(replace(head, settings=replace(head.settings, image=None)), form, shown.updated)
    add(feed, shown)
    data = _bytes(feed, form)
    first, last = _CUTS[form]
    return data[data.index(first) : data.rindex(last) + len(last)]


def document(head: Head, form: str, updated: datetime | None, fragments: Iterable[bytes], tombstones: Sequence[Tombstone] = ()) -> bytes:
    """The whole feed: feedgen's envelope with ``fragments`` at the place of the entries."""
    envelope = _bytes(generator(head, form, updated, tombstones), form)
    end = _ENDS[form]
    assert envelope.rstrip().endswith(end)
    cut = envelope.rindex(end)
    return b"".join((envelope[:cut], *fragments, envelope[cut:]))
