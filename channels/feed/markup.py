"""The body of an item as a feed carries it: every address absolute, nothing a reader would have to distrust.

Readers show an entry far from our site, and many ignore ``xml:base``, so relative addresses do not work there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from urllib.parse import quote, urljoin

import nh3

from channels.base import StoredFile

TAGS = {
    *("p", "h2", "h3", "h4", "strong", "em", "u", "s", "sub", "sup", "a", "br", "hr", "img", "figure", "figcaption"),
    *("ul", "ol", "li", "blockquote", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
_FILE = re.compile(r"file:([0-9a-f]{64})")


def file_url(site_url: str, file: StoredFile) -> str:
    """Absolute address of a stored file: ``/files/{sha[:2]}/{sha}/{name}``, the name percent-encoded as UTF-8.

    The website channel writes the file; its name there has no folder, no control character and at most 200 bytes.
    """
    return f"{site_url}/files/{file.sha256[:2]}/{file.sha256}/{quote(_stored_name(file.name))}"


def _stored_name(name: str) -> str:
    plain = re.sub(r"[\x00-\x1f\x7f/\\]+", "_", name).strip().lstrip(".") or "file"
    if len(plain.encode()) <= 200:
        return plain
    stem, dot, ending = plain.rpartition(".")
    ending = dot + ending if dot and len(ending.encode()) <= 20 else ""
    return (stem or plain).encode()[: 200 - len(ending.encode())].decode(errors="ignore") + ending


def absolute(body_html: str, *, site_url: str, page_url: str, pictures: Mapping[str, StoredFile]) -> tuple[str, list[str]]:
    """Return the body with absolute addresses, and the SHA-256 of every picture it names that ``pictures`` lacks.

    Markup outside the publication's own list of elements is removed here too: a feed is shown inside other people's programs.
    """
    missing: list[str] = []

    def address(tag: str, name: str, value: str) -> str | None:
        if (tag, name) == ("img", "src"):
            named = _FILE.fullmatch(value)
            if named is None:
                return urljoin(page_url, value)
            if named[1] not in pictures:
                missing.append(named[1])
                return None
            return file_url(site_url, pictures[named[1]])
        if (tag, name) == ("a", "href"):
            # The site may live under a path of its host, where urljoin would climb out of it.
            return site_url + value if value.startswith("/") and not value.startswith("//") else urljoin(page_url, value)
        return value

    html = nh3.clean(
        body_html,
        tags=TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=address,
        url_schemes={"http", "https", "mailto", "tel", "file"},
        link_rel=None,
    )
    return html, missing


def excerpt(html: str, length: int) -> str:
    """The first ``length`` characters of the text in ``html``, on one line."""
    text = " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())
    return text if len(text) <= length else text[: length - 1] + "…"
