"""Brings dirty pages to the disk: draw, write in batches, clear. Runs under the state's lock, can be cut off anywhere and run again."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import TemplateError

from channels.base import Files
from channels.files import Batch, sweep
from channels.website.addresses import HOME, SITEMAP, folder_of
from channels.website.look import Look
from channels.website.pages import Content, StoredCopy, draw

log = logging.getLogger(__name__)
CHUNK = 100
"""Pages per round of syncs."""
DRAWING_FAULTS = (TemplateError, AttributeError, LookupError, TypeError, ValueError)
"""What a payload of another shape ends in, wherever it is first read."""
PLAIN = (".html", ".xml", ".txt", ".css", ".svg")
"""Endings that get a ``.gz``; everything below ``files/`` is sent as it is."""


@dataclass(slots=True)
class Written:
    """What a round did. ``faults``: page → why it could not be written; such pages stay dirty."""

    pages: int = 0
    changed: int = 0
    removed: int = 0
    faults: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where pages go and where the files they offer come from."""

    look: Look
    files: Files
    root: Path


def dirty(db: sqlite3.Connection) -> list[str]:
    """Pages noted as dirty, in the order in which readers should see them: files, items, listings, home, sitemap."""
    return in_order(row[0] for row in db.execute("SELECT page FROM dirty"))


def in_order(pages: Iterable[str]) -> list[str]:
    ranks = {"fixed": 0, "file": 1, "item": 2, "list": 3, HOME: 4, SITEMAP: 5}
    return sorted(pages, key=lambda page: (ranks.get(page.partition(":")[0], 9), page))


def write_dirty(db: sqlite3.Connection, place: Place) -> Written:
    """Write every dirty page and clear it. A page that fails stays dirty and stops no other."""
    done = Written()
    pages = dirty(db)
    for start in range(0, len(pages), CHUNK):
        chunk = pages[start : start + CHUNK]
        good = write_pages(db, place, chunk, done)
        db.execute("BEGIN IMMEDIATE")
        db.executemany("DELETE FROM dirty WHERE page = ?", [(page,) for page in good])
        db.execute("COMMIT")
    return done


def write_pages(db: sqlite3.Connection, place: Place, pages: Sequence[str], done: Written) -> list[str]:
    """Draw and write these pages as one batch; returns those that are now right on disk, adds to ``done``."""
    batch = Batch()
    good = []
    changed = removed = 0
    for page in pages:
        try:
            for path, content in draw(db, place.look, page).items():
                if content is None:
                    removed += batch.remove(place.root / path, shown=path)
                else:
                    changed += _stage(batch, place, path, content)
            good.append(page)
        except (*DRAWING_FAULTS, OSError) as fault:
            log.exception("page %s could not be written", page)
            done.faults[page] = f"{type(fault).__name__}: {fault}"
    try:
        batch.commit()
    except OSError as fault:
        log.exception("a batch of %d pages could not be written", len(good))
        done.faults |= {page: f"{type(fault).__name__}: {fault}" for page in good}
        return []
    done.pages += len(good)
    done.changed += changed
    done.removed += removed
    return good


def tidy(db: sqlite3.Connection, root: Path) -> None:
    """Remove the temporary files a killed process left in the folders of pages that are still dirty."""
    for folder in {folder_of(page) for page in dirty(db)}:
        sweep(root / folder)


def as_drawn(db: sqlite3.Connection, place: Place, page: str) -> bool:
    """Whether the disk holds exactly what the page should be. Writes nothing."""
    return all(_same(place.root / path, content, place.files) for path, content in draw(db, place.look, page).items())


def _stage(batch: Batch, place: Place, path: str, content: Content) -> bool:
    if isinstance(content, StoredCopy):
        return batch.place(place.root / path, place.files.path(content.sha256), content.sha256, shown=path)
    assert content is not None
    return batch.put(place.root / path, content, gzip=path.endswith(PLAIN), shown=path)


def _same(path: Path, content: Content, files: Files) -> bool:
    if content is None:
        return not path.exists()
    if not path.is_file():
        return False
    if isinstance(content, StoredCopy):
        return path.stat().st_size == files.path(content.sha256).stat().st_size
    return path.read_bytes() == content
