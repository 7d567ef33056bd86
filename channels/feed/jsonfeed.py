"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from channels.base import dumps_utf8
from channels.feed.catalogue import Head
from channels.feed.entries import Shown
from channels.feed.extension import Tombstone
from channels.feed.render import LANGUAGE

VERSION = "https://jsonfeed.org/version/1.1"


def item(shown: Shown) -> dict[str, Any]:
    """One item. Fields without a value are left out, as the specification asks."""
    payload = shown.payload
    full = shown.full
    own = {"index_no": payload["index_no"], "doc_no": payload["doc_no"] if full else "", "source": payload["source"] if full else ""}
    own["related"] = [{"url": url, "title": title} for url, title in shown.related]
    value: dict[str, Any] = {
        "id": shown.id,
        "url": shown.url,
        "external_url": payload["source_url"] if full else "",
        "title": shown.title,
        "content_html": shown.content_html,
        "summary": shown.summary,
        "image": payload["image"] if full else "",
        "date_published": shown.published.isoformat(),
        "date_modified": shown.updated.isoformat(),
        "authors": [{"name": each} for each in payload["creators"]],
        "tags": [each["term"] for each in payload["categories"]] if full else [],
        "language": LANGUAGE,
        "attachments": _attachments(payload["attachments"]) if full else [],
        "_disclosure": {name: each for name, each in own.items() if each},
    }
    return {name: each for name, each in value.items() if each not in ("", [], {})}


def _attachments(files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = []
    titles: set[str] = set()
    for each in files:
        value = {"url": each["url"], "mime_type": each["media_type"], "title": each["name"], "size_in_bytes": each["size"]}
        # Two attachments of one title are "alternate representations" of one thing to JSON Feed.
        if each["name"] in titles:
            del value["title"]
        titles.add(each["name"])
        listed.append(value)
    return listed


def fragment(shown: Shown) -> bytes:
    return dumps_utf8(item(shown))


def envelope(head: Head, tombstones: Sequence[Tombstone]) -> dict[str, Any]:
    """Everything but the items. The specification has no tombstones; its extension keys begin with an underscore and are objects."""
    value: dict[str, Any] = {
        "version": VERSION,
        "title": head.title,
        "home_page_url": head.home,
        "feed_url": head.url("json"),
        "description": head.description,
        "language": LANGUAGE,
        "authors": [{"name": head.author, "url": head.author_url}],
    }
    if tombstones:
        deleted = [{"id": each.ref, "when": each.when.isoformat(), "comment": each.comment} for each in tombstones]
        value["_tombstones"] = {"about": "https://www.rfc-editor.org/rfc/rfc6721", "deleted": deleted}
    return value


def document(head: Head, fragments: Iterable[bytes], tombstones: Sequence[Tombstone] = ()) -> bytes:
    """The whole feed: the envelope with ``fragments`` as its items."""
    before = dumps_utf8(envelope(head, tombstones))[:-1]
    return before + b',"items":[' + b",".join(fragments) + b"]}"
