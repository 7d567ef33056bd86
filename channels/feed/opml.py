"""``/feeds/index.opml``: the list of all feeds (OPML 2.0), for subscribing to many at once."""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from channels.feed.catalogue import Head, by_group
from channels.feed.render import LANGUAGE


def document(title: str, known: Iterable[Head]) -> bytes:
    """One outline per feed, under its group. Only the Atom form is listed: a reader that imports the file subscribes to
    every outline in it, and would show each item three times."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = title
    body = etree.SubElement(root, "body")
    for group, members in by_group(known).items():
        outline = etree.SubElement(body, "outline", text=group)
        for head in members:
            etree.SubElement(
                outline,
                "outline",
                type="rss",
                text=head.title,
                title=head.title,
                description=head.description,
                language=LANGUAGE,
                xmlUrl=head.url("atom.xml"),
                htmlUrl=head.home,
            )
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
