"""Brings the files below ``/feeds/`` into agreement with the index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from channels.base import SiteIdentity
from channels.feed import jsonfeed, opml, render
from channels.feed.catalogue import FORMATS, Head, Settings, heads
from channels.feed.entries import SHANGHAI, Entry, Shown, expand, tag
from channels.feed.extension import Tombstone
from channels.feed.index import Fragments, Index, Member, moment
from channels.feed.text import fits
from channels.files import Batch, sweep

FORM = "1"
"""Raise it when the rendering of entries changes: cached fragments of the older form are then made again."""
_CSS = Path(__file__).with_name("feed.css")


class Writer:
    """Writes feeds from an index. Construction is cheap."""

    def __init__(self, site: SiteIdentity, settings: Settings, site_dir: Path) -> None:
        self._site = site
        self._settings = settings
        self.folder = site_dir / "feeds"
        self._plain = heads(site, settings, {})["all"]

    def heads(self, index: Index) -> dict[str, Head]:
        return heads(self._site, self._settings, index.names())

    def survey(self, index: Index) -> None:
        """Mark every feed whose head, or whose way of being written, differs from what was last written."""
        form = f"{FORM} {tag(self._site, '')}"
        if index.meta("form") != form:
            index.forget_fragments()
            index.mark_all()
            index.set_meta("form", form)
        index.survey({slug: head.digest for slug, head in self.heads(index).items()})

    def make(self, shown: Shown) -> Fragments:
        """Render one entry in the three formats. Raises what lxml raises for text that XML cannot hold."""
        rss, atom = (render.fragment(self._plain, shown, form) for form in ("rss.xml", "atom.xml"))
        return Fragments(rss, atom, jsonfeed.fragment(shown))

    def store(self, index: Index, entry: Entry, *, eager: bool = True) -> set[str]:
        """Put an item's history into the index; with ``eager`` its entries are rendered at once. Returns the feeds that change.

        Raises ValueError for text that XML cannot hold: what cannot be rendered is refused before a feed depends on it.
        """
        for each in entry.releases:
            if not fits(each.payload):
                raise ValueError(f"{entry.public_id} 第 {each.revision} 版含有订阅源不能承载的字符")
        shown, gone = expand(entry, self._site)
        touched = index.save(entry, shown, gone)
        if eager:
            for one in shown:
                index.keep(one.key, entry.public_id, self.make(one))
        return touched

    def write(self, index: Index) -> int:
        """Write every dirty feed once, then note them as written. Returns how many files changed. Raises OSError."""
        known = self.heads(index)
        dirty = [slug for slug in index.dirty() if slug in known]
        batch = Batch()
        try:
            for slug in dirty:
                for form, data in self.documents(index, known[slug]):
                    batch.put(self.folder / f"{slug}.{form}", data, shown=f"feeds/{slug}.{form}")
            title = f"{self._site.name} - 订阅源目录"
            batch.put(self.folder / "index.opml", opml.document(title, known.values()), shown="feeds/index.opml")
            batch.put(self.folder / render.STYLESHEET, _CSS.read_bytes(), shown=f"feeds/{render.STYLESHEET}")
            changed = len(batch)
            batch.commit()
        except BaseException:
            batch.abandon()
            raise
        with index.transaction():
            index.clean(dirty)
            index.prune()
        return changed

    def sweep(self) -> None:
        """Remove temporary files that a killed process left."""
        sweep(self.folder)

    def documents(self, index: Index, head: Head) -> Iterator[tuple[str, bytes]]:
        """(format, bytes) of one feed as the index has it."""
        members = index.members(head.slug, self._settings.count, gone=False)
        made = self._fragments(index, members)
        updated = moment(members[0].stamp).astimezone(SHANGHAI) if members else None
        removed = index.members(head.slug, self._settings.count, gone=True)
        tombstones = [Tombstone(tag(self._site, each.key), moment(each.stamp).astimezone(SHANGHAI), each.comment) for each in removed]
        rss, atom, json = FORMATS
        yield rss, render.document(head, rss, updated, [each.rss for each in made])
        yield atom, render.document(head, atom, updated, [each.atom for each in made], tombstones)
        yield json, jsonfeed.document(head, [each.json for each in made], tombstones)

    def _fragments(self, index: Index, members: list[Member]) -> list[Fragments]:
        made: list[Fragments] = []
        for member in members:
            found = index.fragments(member.key)
            if found is None:
                entry = index.entry(member.public_id)
                assert entry is not None
                shown = next(each for each in expand(entry, self._site)[0] if each.key == member.key)
                found = self.make(shown)
                index.keep(member.key, member.public_id, found)
            made.append(found)
        return made
