"""The whole site from the hub's database: a new index, then every page; what is there already stays untouched.

Readers keep being served: pages are replaced one by one, and what no page owns any more is removed last. Publishing goes on
between chunks. A rebuild that is cut off is run again; until then every page is right by the old index or the new one.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from channels.base import Json, Rendition, Surroundings
from channels.website.addresses import ARCHIVE, HOME, OWNED, SITEMAP, file_key, fixed_key, item_key, list_key, listings_of, sitemap_key
from channels.website.changes import Version, relabel, write_row
from channels.website.fixed import fixed_pages
from channels.website.index import State, open_index, savepoint, set_meta, stamp, transaction
from channels.website.listings import entries as count
from channels.website.listings import finished, sitemaps
from channels.website.look import Look, look_of
from channels.website.pages import configured
from channels.website.payload import refuse_unsafe
from channels.website.writer import CHUNK, DRAWING_FAULTS, PLAIN, Place, Written, in_order, write_pages

FILES = "SELECT path FROM file WHERE path > ? GROUP BY path ORDER BY path LIMIT ?"
ITEMS = "SELECT public_id FROM item WHERE public_id > ? ORDER BY public_id LIMIT ?"
LISTING = re.compile(r"(?P<name>items|(?:columns|departments|areas)/[^/]+)/(?:page/(?P<number>[1-9][0-9]*)/)?index\.html\Z")
ITEM = re.compile(r"items/(?P<public_id>[^/]+)/(?P<file>index|gone)\.html\Z")


@dataclass(frozen=True, slots=True)
class Entry:
    """One item as the hub's database has it: the newest released revision that this channel was given. Times are aware."""

    payload: dict[str, Json]
    """The approved rendition's payload."""
    published_at: datetime
    updated_at: datetime
    """When this revision was released."""
    withdrawn_at: datetime | None
    """``first_attempt_at`` of the withdrawal's delivery; None while shown."""
    note: str
    """The reason of the withdrawal as the public reads it."""
    revision: int


@dataclass(slots=True)
class RebuildReport:
    items: int = 0
    withdrawn: int = 0
    pages: int = 0
    """Pages drawn."""
    changed: int = 0
    """Files that were new or had other bytes."""
    removed: int = 0
    """Files of the website's own folders that belong to no page."""
    faults: dict[str, str] = field(default_factory=dict)
    """Public id or page → why it could not be drawn; empty when all is well."""


def rebuild(
    around: Surroundings, entries: Iterable[Entry], *, progress: Callable[[str, int], None] = lambda _stage, _count: None
) -> RebuildReport:
    """Rebuild index and site. ``progress`` gets a stage (index, pages, tidy) and how many are done.

    Folders the website does not own (``feeds``, ``record`` …) are left alone. Raises index.Busy, sqlite3.Error and OSError; items that
    cannot be drawn are reported and left out.
    """
    state = State(around.state_dir)
    place = Place(look_of(around.site), around.files, around.site_dir)
    report = RebuildReport()
    with state.alone():
        name = state.next_name()
        with closing(open_index(state.folder / name)) as db:
            _fill(db, place, entries, report, progress)
        state.turn(name)
    done = Written()
    for chunk in _chunks(state, place):
        with state.held() as db:
            good = write_pages(db, place, chunk, done)
            with transaction(db):
                db.executemany("DELETE FROM dirty WHERE page = ?", [(page,) for page in good])
        progress("pages", done.pages)
    report.removed = _tidy(state, place)
    with state.held() as db, transaction(db):
        set_meta(db, "rebuilding", "")
        set_meta(db, "drawn", place.look.digest)
    progress("tidy", report.removed)
    report.pages, report.changed, report.removed = done.pages, done.changed, report.removed + done.removed
    report.faults |= done.faults
    return report


def _fill(
    db: sqlite3.Connection, place: Place, entries: Iterable[Entry], report: RebuildReport, progress: Callable[[str, int], None]
) -> None:
    known = configured(place.look)
    with transaction(db):
        db.execute("CREATE TEMP TABLE standing (listing TEXT, public_id TEXT, published_at TEXT, hidden INTEGER)")
        for entry in entries:
            public_id = str(entry.payload.get("public_id"))
            try:
                with savepoint(db):
                    _add(db, entry)
            except DRAWING_FAULTS as fault:
                report.faults[public_id] = f"{type(fault).__name__}: {fault}"
                continue
            report.items += 1
            report.withdrawn += entry.withdrawn_at is not None
            if report.items % 1000 == 0:
                progress("index", report.items)
        db.execute(
            "INSERT INTO entry SELECT listing, row_number() OVER (PARTITION BY listing ORDER BY published_at, public_id),"
            " public_id, published_at, hidden FROM standing"
        )
        db.execute("INSERT INTO listing SELECT listing, count(*), sum(1 - hidden), '' FROM standing GROUP BY listing")
        db.execute("DROP TABLE standing")
        relabel(db, {row[0] for row in db.execute("SELECT name FROM listing")}.difference(known))
        set_meta(db, "rebuilding", "1")
        set_meta(db, "started", place.look.digest)
    progress("index", report.items)


def _add(db: sqlite3.Connection, entry: Entry) -> None:
    refuse_unsafe(entry.payload)
    if db.execute("SELECT 1 FROM item WHERE public_id = ?", (entry.payload["public_id"],)).fetchone():
        raise ValueError("同一条信息出现了两次")
    if entry.payload["revision"] != entry.revision:
        raise ValueError(f"登记的版本 {entry.revision} 与内容的版本 {entry.payload['revision']} 不符")
    rendition = Rendition("website", entry.payload)
    version = Version(entry.payload, rendition.digest, stamp(entry.published_at), stamp(entry.updated_at))
    withdrawn_at = stamp(entry.withdrawn_at) if entry.withdrawn_at else None
    write_row(db, version, published_at=version.published_at, withdrawn_at=withdrawn_at, note=entry.note)
    rows = [(listing, version.public_id, version.published_at, int(withdrawn_at is not None)) for listing in listings_of(version.payload)]
    db.executemany("INSERT INTO standing VALUES (?, ?, ?, ?)", rows)


def _chunks(state: State, place: Place) -> Iterator[list[str]]:
    """Every page of the site, a few at a time, each list read freshly so that what is published meanwhile is not missed."""
    look = place.look
    yield [fixed_key(path) for path in fixed_pages(look)]
    for query, key in ((FILES, file_key), (ITEMS, item_key)):
        last = ""
        while True:
            with state.held() as db:
                found = [row[0] for row in db.execute(query, (last, CHUNK))]
            if not found:
                break
            last = found[-1]
            yield [key(each) for each in found]
    with state.held() as db:
        counts = {
            row["name"]: row["entries"] for row in db.execute("SELECT name, entries FROM listing WHERE name != 'urgent' ORDER BY name")
        }
    names = sorted({*counts, *configured(look)})
    lists = (list_key(name, number) for name in names for number in range(finished(counts.get(name, 0)) + 1))
    maps = (sitemap_key(number) for number in range(1, sitemaps(counts.get(ARCHIVE, 0)) + 1))
    for keys in (lists, iter([HOME]), maps, iter([SITEMAP])):
        while chunk := list(islice(keys, CHUNK)):
            yield in_order(chunk)


def _tidy(state: State, place: Place) -> int:
    """Remove files in the website's folders that no page owns, and folders left empty. Returns how many files."""
    removed = 0
    tops = {place.root / name for name in OWNED}
    walk = (found for top in sorted(tops) for found in os.walk(top, topdown=False))
    while chunk := list(islice(walk, CHUNK)):
        with state.held() as db:
            for folder, _, files in chunk:
                here = Path(folder)
                for path in (here / file for file in files):
                    if not owned(db, place.look, path.relative_to(place.root).as_posix()):
                        path.unlink(missing_ok=True)
                        removed += 1
                if here not in tops and not any(here.iterdir()):
                    here.rmdir()
    return removed


def owned(db: sqlite3.Connection, look: Look, path: str) -> bool:
    """Whether a page of the index has a file at ``path`` (relative to the site)."""
    path = path.removesuffix(".gz") if path.endswith(tuple(f"{ending}.gz" for ending in PLAIN)) and not path.startswith("files/") else path
    if path in fixed_pages(look):
        return True
    top, _, rest = path.partition("/")
    if top == "files":
        return db.execute("SELECT 1 FROM file WHERE path = ?", (rest,)).fetchone() is not None
    if top == "sitemaps":
        number = rest.removesuffix(".xml")
        return number.isdecimal() and 1 <= int(number) <= sitemaps(count(db, ARCHIVE))
    listing = LISTING.match(path)
    if listing:
        name, page = listing["name"], int(listing["number"] or 0)
        return page <= finished(count(db, name)) if page else name in configured(look) or count(db, name) > 0
    item = ITEM.match(path)
    if item is None:
        return False
    row = db.execute("SELECT withdrawn_at FROM item WHERE public_id = ?", (item["public_id"],)).fetchone()
    return row is not None and (item["file"] == "gone") == bool(row["withdrawn_at"])
