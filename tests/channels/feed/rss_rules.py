"""A strict reading of RSS 2.0, the Advisory Board's profile and the rules of the W3C feed validator, as a checker.

``faults(data, url)`` lists what is wrong with a feed served at ``url``; an empty list is a clean feed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
DC = "{http://purl.org/dc/elements/1.1/}"
DCTERMS = "{http://purl.org/dc/terms/}"
MEDIA = "{http://search.yahoo.com/mrss/}"
SY = "{http://purl.org/rss/1.0/modules/syndication/}"
CHANNEL = {
    *("title", "link", "description", "language", "copyright", "managingEditor", "webMaster", "pubDate", "lastBuildDate", "category"),
    *("generator", "docs", "cloud", "ttl", "image", "textInput", "skipHours", "skipDays", "item"),
    *(f"{ATOM}link", f"{SY}updatePeriod", f"{SY}updateFrequency"),
}
ITEM = {
    *("title", "link", "description", "author", "category", "comments", "enclosure", "guid", "pubDate", "source"),
    *(f"{CONTENT}encoded", f"{DC}creator", f"{DC}identifier", f"{DC}source", f"{DCTERMS}modified"),
    *(f"{ATOM}updated", f"{ATOM}link", f"{MEDIA}content"),
}
MANY = {"category", "item", f"{ATOM}link", f"{DC}creator", f"{MEDIA}content"}
PERIODS = {"hourly": 60, "daily": 1440}
RFC822 = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d [+-]\d{4}")
TAG_URI = re.compile(r"tag:[a-z0-9.-]+,\d{4}(-\d\d(-\d\d)?)?:[0-9A-Za-z;/?:@&=+$._!~*'(),%#-]+")
RELATIONS = {"self", "related"}


def faults(data: bytes, url: str, now: datetime) -> list[str]:
    """Everything wrong with the feed ``data`` as served from ``url``; dates may not lie after ``now``."""
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        return [f"not well-formed: {error}"]
    if root.tag != "rss" or root.get("version") != "2.0" or [child.tag for child in root] != ["channel"]:
        return ["not an RSS 2.0 document with one channel"]
    return [*_channel(root[0], url, now)]


def _channel(channel: Any, url: str, now: datetime) -> Iterator[str]:
    yield from _elements(channel, CHANNEL, ("title", "link", "description"))
    yield from _address(channel.findtext("link"), "channel link")
    selves = [each for each in channel.findall(f"{ATOM}link") if each.get("rel") == "self"]
    if [each.get("href") for each in selves] != [url]:
        yield "self link missing, doubled or not the feed's own address"
    if any(each.get("type") != "application/rss+xml" for each in selves):
        yield "self link without its type"
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", channel.findtext("language") or "zh-CN"):
        yield "bad language"
    yield from _pace(channel)
    image = channel.find("image")
    if image is not None:
        if (image.findtext("title"), image.findtext("link")) != (channel.findtext("title"), channel.findtext("link")):
            yield "image title or link differs from the channel's"
        if int(image.findtext("width") or 88) > 144 or int(image.findtext("height") or 31) > 400:
            yield "image larger than 144 x 400"
    if (built := channel.findtext("lastBuildDate")) is not None:
        yield from _date(built, now)
    items = channel.findall("item")
    for name in ("guid", f"{ATOM}updated"):
        for value, times in Counter(item.findtext(name) for item in items).items():
            if times > 1:
                yield f"the same {name} {times} times: {value}"
    for item in items:
        yield from _item(item, now)


def _pace(channel: Any) -> Iterator[str]:
    period, frequency, ttl = (channel.findtext(each) for each in (f"{SY}updatePeriod", f"{SY}updateFrequency", "ttl"))
    if ttl is None or not ttl.isdigit():
        yield "ttl is no number of minutes"
    elif period not in PERIODS or int(frequency or 0) < 1 or PERIODS[period] != int(ttl) * int(frequency or 0):
        yield "ttl and syndication module disagree"


def _item(item: Any, now: datetime) -> Iterator[str]:
    yield from _elements(item, ITEM, ("title", "link", "description", "guid", "pubDate", f"{ATOM}updated", f"{CONTENT}encoded"))
    yield from _address(item.findtext("link"), "item link")
    guid = item.find("guid")
    if guid is None or guid.get("isPermaLink") != "false" or not TAG_URI.fullmatch(guid.text or ""):
        yield "guid is not a tag: URI marked as no permalink"
    yield from _date(item.findtext("pubDate") or "", now)
    updated, published = item.findtext(f"{ATOM}updated") or "", item.findtext("pubDate") or ""
    try:
        if datetime.fromisoformat(updated) < parsedate_to_datetime(published):
            yield "updated before it was published"
    except (ValueError, TypeError):
        yield "unreadable atom:updated"
    if item.findtext(f"{DCTERMS}modified") != updated:
        yield "dcterms:modified and atom:updated differ"
    for link in item.findall(f"{ATOM}link"):
        if link.get("rel") not in RELATIONS:
            yield f"unregistered link relation {link.get('rel')}"
        yield from _address(link.get("href"), "atom:link")
    for enclosure, size in [
        *((e, "length") for e in item.findall("enclosure")),
        *((e, "fileSize") for e in item.findall(f"{MEDIA}content")),
    ]:
        yield from _address(enclosure.get("url"), "enclosure")
        if not (enclosure.get(size) or "").isdigit() or not re.fullmatch(r"[^/\s]+/[^/\s]+", enclosure.get("type") or ""):
            yield "enclosure without length or type"
    reader = _Markup()
    reader.feed(item.findtext(f"{CONTENT}encoded") or "")
    reader.feed(item.findtext("description") or "")
    yield from reader.faults


def _elements(parent: Any, known: set[str], required: tuple[str, ...]) -> Iterator[str]:
    times = Counter(child.tag for child in parent)
    for name, count in times.items():
        if name not in known:
            yield f"unknown element {name} in {parent.tag}"
        elif count > 1 and name not in MANY:
            yield f"{count} times {name} in {parent.tag}"
    for name in required:
        if not (parent.findtext(name) or "").strip():
            yield f"{name} missing or empty in {parent.tag}"


def _address(value: str | None, what: str) -> Iterator[str]:
    parts = urlsplit(value or "")
    if parts.scheme not in ("http", "https") or not parts.netloc or not (value or "").isascii() or " " in (value or ""):
        yield f"{what} is no absolute address: {value!r}"


def _date(value: str, now: datetime) -> Iterator[str]:
    if not RFC822.fullmatch(value):
        yield f"no RFC 822 date with zone: {value!r}"
        return
    moment = parsedate_to_datetime(value)
    if moment.strftime("%a") != value[:3]:
        yield f"wrong weekday: {value}"
    if moment.astimezone(UTC) > now:
        yield f"date in the future: {value}"


class _Markup(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "style", "iframe", "object", "embed", "form", "meta", "link"}:
            self.faults.append(f"<{tag}> in content")
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                self.faults.append(f"attribute {name} in content")
            if name in ("src", "href") and not re.match(r"(https?://|mailto:|tel:)", value or ""):
                self.faults.append(f"relative address in content: {value!r}")
