"""Places in listings and the pages they fall on.

Entries stand in order of (first publication, public id) at places 1, 2, 3 … from the old end. Page *k* holds places
(k-1)·N+1 … k·N and is *finished*, with an address of its own, once two newer pages have begun; the landing page shows
all places after the last finished page, newest first (between N+1 and 2N of them once there are that many). So one more
item changes the landing page alone, and every N items one page is finished. A withdrawn item keeps its place, hidden.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from channels.website.addresses import list_key

PER_PAGE = 20
PER_SITEMAP = 500


def finished(entries: int) -> int:
    """How many pages of a listing with so many entries are finished."""
    return max(0, -(-entries // PER_PAGE) - 2)


def page_of(position: int) -> int:
    return (position - 1) // PER_PAGE + 1


def span(number: int, last: int) -> tuple[int, int]:
    """First and last place a page shows; ``number`` 0 is the landing page of a listing with ``last`` finished pages."""
    return ((number - 1) * PER_PAGE + 1, number * PER_PAGE) if number else (last * PER_PAGE + 1, (last + 2) * PER_PAGE)


def sitemaps(entries: int) -> int:
    """How many sitemap files an archive with so many entries has."""
    return -(-entries // PER_SITEMAP)


def sitemap_span(number: int) -> tuple[int, int]:
    return (number - 1) * PER_SITEMAP + 1, number * PER_SITEMAP


@dataclass(frozen=True, slots=True)
class Place:
    listing: str
    position: int


def places(db: sqlite3.Connection, public_id: str) -> list[Place]:
    return [Place(*row) for row in db.execute("SELECT listing, position FROM entry WHERE public_id = ? ORDER BY listing", (public_id,))]


def entries(db: sqlite3.Connection, listing: str) -> int:
    row = db.execute("SELECT entries FROM listing WHERE name = ?", (listing,)).fetchone()
    return row[0] if row else 0


def seen_on(db: sqlite3.Connection, place: Place) -> set[str]:
    """Pages that show this place: its finished page, and the landing page, which counts everything."""
    number = page_of(place.position)
    pages = {list_key(place.listing)}
    if number <= finished(entries(db, place.listing)):
        pages.add(list_key(place.listing, number))
    return pages


def enter(db: sqlite3.Connection, listing: str, public_id: str, published_at: str, *, hidden: bool) -> set[str]:
    """Give an item its place; returns the changed pages. At the newest end nothing else moves."""
    before = entries(db, listing)
    row = db.execute(
        "SELECT position FROM entry WHERE listing = ? AND (published_at, public_id) > (?, ?) ORDER BY published_at, public_id LIMIT 1",
        (listing, published_at, public_id),
    ).fetchone()
    position = row[0] if row else before + 1
    if row:
        _shift(db, listing, position, +1)
    db.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?)", (listing, position, public_id, published_at, int(hidden)))
    db.execute(
        "INSERT INTO listing VALUES (?, 1, ?, '')"
        " ON CONFLICT (name) DO UPDATE SET entries = entries + 1, visible = visible + excluded.visible",
        (listing, int(not hidden)),
    )
    return _changed(listing, position, before, before + 1, moved=row is not None)


def leave(db: sqlite3.Connection, place: Place) -> set[str]:
    """Take an item out of a listing (its column changed); those after it move up. Returns the changed pages."""
    before = entries(db, place.listing)
    hidden = db.execute("SELECT hidden FROM entry WHERE listing = ? AND position = ?", (place.listing, place.position)).fetchone()[0]
    db.execute("DELETE FROM entry WHERE listing = ? AND position = ?", (place.listing, place.position))
    _shift(db, place.listing, place.position + 1, -1)
    db.execute("UPDATE listing SET entries = entries - 1, visible = visible - ? WHERE name = ?", (int(not hidden), place.listing))
    db.execute("DELETE FROM listing WHERE name = ? AND entries = 0", (place.listing,))
    return _changed(place.listing, place.position, before, before - 1, moved=True)


def hide(db: sqlite3.Connection, place: Place, *, hidden: bool) -> None:
    """Show or hide a place; its pages are those of ``seen_on``."""
    was = db.execute("SELECT hidden FROM entry WHERE listing = ? AND position = ?", (place.listing, place.position)).fetchone()[0]
    if bool(was) != hidden:
        db.execute("UPDATE entry SET hidden = ? WHERE listing = ? AND position = ?", (int(hidden), place.listing, place.position))
        db.execute("UPDATE listing SET visible = visible + ? WHERE name = ?", (-1 if hidden else 1, place.listing))


def _shift(db: sqlite3.Connection, listing: str, start: int, step: int) -> None:
    # Through negative numbers: SQLite checks uniqueness row by row, so a plain +1 would meet its neighbour.
    db.execute("UPDATE entry SET position = -(position + ?) WHERE listing = ? AND position >= ?", (step, listing, start))
    db.execute("UPDATE entry SET position = -position WHERE listing = ? AND position < 0", (listing,))


def _changed(listing: str, position: int, before: int, after: int, *, moved: bool) -> set[str]:
    old, new = finished(before), finished(after)
    numbers: set[int] = set()
    if moved:
        numbers.update(range(page_of(position), max(old, new) + 1))
    elif page_of(position) <= new:
        numbers.add(page_of(position))
    if old != new:
        # The page that was the newest finished one gets (or loses) a newer neighbour.
        numbers.update(range(max(1, min(old, new)), max(old, new) + 1))
    return {list_key(listing), *(list_key(listing, number) for number in numbers)}
