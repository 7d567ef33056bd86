"""What publishing, correcting and withdrawing do to the index, and which pages they make dirty. Writes no file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from channels.website.addresses import ARCHIVE, HOME, SITEMAP, URGENT, file_key, files_of, item_key, list_key, listings_of, sitemap_key
from channels.website.listings import enter, entries, finished, hide, leave, places, seen_on, sitemaps
from channels.website.payload import refuse_unsafe


class Superseded(Exception):
    """A newer revision, or the withdrawal of this one, is already on the site."""


class Altered(Exception):
    """The same revision is there with other bytes: what was approved must not change."""


@dataclass(frozen=True, slots=True)
class Version:
    """One revision as it is to be shown. Times as ``index.stamp`` writes them."""

    payload: dict[str, Any]
    digest: str
    published_at: str
    updated_at: str

    @property
    def public_id(self) -> str:
        return str(self.payload["public_id"])


def card(version: Version) -> dict[str, Any]:
    """What a listing shows of an item."""
    p = version.payload
    warning = p["details"].get("warning")
    return {
        "public_id": p["public_id"],
        "title": p["title"],
        "summary": p["summary"],
        "kind": p["kind"],
        "department": p["department"]["name"],
        "column": p["column"]["name"],
        "doc_no": p["doc_no"],
        "validity": p["validity"],
        "urgency": p["urgency"],
        "expires_on": p["expires_on"],
        "ends_at": warning.get("ends_at", "") if isinstance(warning, dict) else "",
        "corrected": bool(p["change_note"]),
    }


def put(db: sqlite3.Connection, version: Version, configured: Collection[str]) -> set[str]:
    """Publish or correct; returns the dirty pages. ``configured``: listings whose names come from the configuration.

    Raises Superseded, Altered, ValueError for an unsafe payload, KeyError for a broken one.
    """
    refuse_unsafe(version.payload)
    public_id, revision = version.public_id, int(version.payload["revision"])
    old = db.execute("SELECT revision, digest, published_at, withdrawn_at, payload FROM item WHERE public_id = ?", (public_id,)).fetchone()
    if old and (revision < old["revision"] or (revision == old["revision"] and old["withdrawn_at"])):
        raise Superseded(
            f"网站上已有第 {old['revision']} 版" + ("（已撤下）" if old["withdrawn_at"] else "") + f"，不能再发布第 {revision} 版"
        )
    if old and revision == old["revision"] and version.digest != old["digest"]:
        raise Altered(f"网站上第 {revision} 版的内容与要发布的不一致，已批准的版本不得更改，请生成新版本")
    published_at = old["published_at"] if old else version.published_at
    pages = set() if old is None else _previous(db, public_id, json.loads(old["payload"]))
    write_row(db, version, published_at=published_at, withdrawn_at=None, note="")

    wanted = listings_of(version.payload)
    left = [place for place in places(db, public_id) if place.listing not in wanted]
    for place in left:
        pages |= leave(db, place)
    standing = {place.listing for place in places(db, public_id)}
    for listing in wanted:
        if listing not in standing:
            before = entries(db, listing)
            pages |= enter(db, listing, public_id, published_at, hidden=False)
            if listing == ARCHIVE:
                pages |= _sitemaps(db, public_id, before)
    for place in places(db, public_id):
        hide(db, place, hidden=False)
        pages |= seen_on(db, place)
    pages |= _sitemap(db, public_id) | {item_key(public_id), HOME} | {file_key(path) for path in files_of(version.payload)}
    pages |= {item_key(each["public_id"]) for each in version.payload["relations"]}
    if old is None or old["withdrawn_at"]:
        pages |= _linking(db, public_id)
    named = {*wanted, *(place.listing for place in left)}.difference(configured)
    return _shown(pages) | relabel(db, named)


def take_back(db: sqlite3.Connection, public_id: str, revision: int, withdrawn_at: str, note: str) -> set[str]:
    """Withdraw; returns the dirty pages, none when it is not there or already withdrawn. Raises Superseded when a newer one is shown."""
    old = db.execute("SELECT revision, withdrawn_at, payload FROM item WHERE public_id = ?", (public_id,)).fetchone()
    if old is None or old["withdrawn_at"]:
        return set()
    if revision < old["revision"]:
        raise Superseded(f"网站上是第 {old['revision']} 版，不能按第 {revision} 版撤下")
    pages = _previous(db, public_id, json.loads(old["payload"]))
    db.execute("UPDATE item SET withdrawn_at = ?, note = ? WHERE public_id = ?", (withdrawn_at, note, public_id))
    db.execute("DELETE FROM file WHERE public_id = ?", (public_id,))
    for place in places(db, public_id):
        hide(db, place, hidden=True)
        pages |= seen_on(db, place)
    return _shown(pages | _sitemap(db, public_id) | _linking(db, public_id) | {item_key(public_id), HOME})


def write_row(db: sqlite3.Connection, version: Version, *, published_at: str, withdrawn_at: str | None, note: str) -> None:
    """Write the item itself, its relations and the files it uses; a withdrawn item uses none. Places are not touched."""
    p, public_id = version.payload, version.public_id
    row = (
        public_id,
        int(p["revision"]),
        version.digest,
        published_at,
        version.updated_at,
        withdrawn_at,
        note,
        _dump(card(version)),
        _dump(p),
    )
    db.execute("INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    db.execute("DELETE FROM relation WHERE source = ?", (public_id,))
    db.executemany(
        "INSERT OR IGNORE INTO relation VALUES (?, ?, ?)", [(public_id, each["type"], each["public_id"]) for each in p["relations"]]
    )
    db.execute("DELETE FROM file WHERE public_id = ?", (public_id,))
    if withdrawn_at is None:
        db.executemany("INSERT INTO file VALUES (?, ?, ?)", [(path, public_id, sha256) for path, sha256 in files_of(p).items()])


def relabel(db: sqlite3.Connection, listings: Iterable[str]) -> set[str]:
    """Names of listings the configuration does not know come from their newest item; a new name changes every page of the listing."""
    pages: set[str] = set()
    for listing in sorted(listings):
        row = db.execute(
            "SELECT l.label, l.entries, i.payload FROM listing l JOIN entry e ON e.listing = l.name AND e.position = l.entries"
            " JOIN item i ON i.public_id = e.public_id WHERE l.name = ?",
            (listing,),
        ).fetchone()
        if row is None:
            continue
        label = _dump(label_of(listing, json.loads(row["payload"])))
        if label != row["label"]:
            db.execute("UPDATE listing SET label = ? WHERE name = ?", (label, listing))
            pages |= {list_key(listing, number) for number in range(finished(row["entries"]) + 1)}
    return _shown(pages)


def label_of(listing: str, payload: dict[str, Any]) -> dict[str, Any]:
    """How an item names a listing it stands in."""
    group, _, slug = listing.partition("/")
    if group == "departments":
        return dict(payload["department"])
    if group == "areas":
        return dict(payload["area"])
    column = payload["column"]
    if group != "columns" or slug == column["slug"]:
        return dict(column) if group == "columns" else {}
    parents = column["parents"]
    place = [each["slug"] for each in parents].index(slug)
    return {"slug": slug, "name": parents[place]["name"], "type": "", "description": "", "keywords": [], "parents": parents[:place]}


def note_dirty(db: sqlite3.Connection, pages: set[str]) -> None:
    db.executemany("INSERT OR IGNORE INTO dirty VALUES (?)", [(page,) for page in sorted(pages)])


def _previous(db: sqlite3.Connection, public_id: str, payload: dict[str, Any]) -> set[str]:
    """Pages that show something of the older revision."""
    pages = {item_key(each["public_id"]) for each in payload["relations"]} | {file_key(path) for path in files_of(payload)}
    for place in places(db, public_id):
        pages |= seen_on(db, place)
    return pages


def _linking(db: sqlite3.Connection, public_id: str) -> set[str]:
    """Pages that name this item and link to it only while it is shown."""
    return {item_key(row[0]) for row in db.execute("SELECT source FROM relation WHERE target = ?", (public_id,))}


def _sitemap(db: sqlite3.Connection, public_id: str) -> set[str]:
    return {sitemap_key(sitemaps(place.position)) for place in places(db, public_id) if place.listing == ARCHIVE}


def _sitemaps(db: sqlite3.Connection, public_id: str, before: int) -> set[str]:
    """Sitemap files behind a new entry of the archive, and the sitemap index when their number changed."""
    position = next(place.position for place in places(db, public_id) if place.listing == ARCHIVE)
    first, last = sitemaps(position), sitemaps(before + 1)
    pages = {sitemap_key(number) for number in range(first, last + 1)}
    return pages | {SITEMAP} if last != sitemaps(before) else pages


def _shown(pages: set[str]) -> set[str]:
    return {page for page in pages if page != f"list:{URGENT}" and not page.startswith(f"list:{URGENT}:")}


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
