"""The body of an item as the page shows it: pictures get their address on the site, wide tables a frame that scrolls.

The body arrives sanitised (see ``Publication.body_html``); this rewrites it tag by tag and keeps its words as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from urllib.parse import urlsplit

from channels.base import Picture
from channels.website.addresses import file_address

VOID = frozenset({"br", "hr", "img"})
KNOWN = frozenset(
    (
        *("p", "h2", "h3", "h4", "strong", "em", "u", "s", "sub", "sup", "ul", "ol", "li", "blockquote", "br", "hr", "a"),
        *("table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "img", "figure", "figcaption"),
    )
)
"""What ``Publication.body_html`` may hold. Nothing else is passed on, whoever sanitised the body and however."""
ATTRIBUTES = {"a": ("href",), "th": ("colspan", "rowspan"), "td": ("colspan", "rowspan")}
SCHEMES = ("", "http", "https", "mailto", "tel")


@dataclass(frozen=True, slots=True)
class Body:
    """``html`` for the page, and what was met on the way: digests without a picture, digests without alt, whether there is any text."""

    html: str
    unknown: tuple[str, ...] = ()
    without_alt: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    """Marks that were left out."""
    text: str = ""


def resolve(body_html: str, pictures: Mapping[str, Picture], domain: str) -> Body:
    """Rewrite ``body_html``. ``pictures`` by SHA-256; ``domain`` is the site's own, links to other hosts outside gov.cn get marked."""
    rewriter = _Rewriter(pictures, domain)
    rewriter.feed(body_html)
    rewriter.close()
    return Body(
        "".join(rewriter.out),
        tuple(rewriter.unknown),
        tuple(rewriter.without_alt),
        tuple(rewriter.shown),
        tuple(dict.fromkeys(rewriter.foreign)),
        "".join(rewriter.text).strip(),
    )


@dataclass
class _Found:
    out: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    without_alt: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


class _Rewriter(HTMLParser, _Found):
    def __init__(self, pictures: Mapping[str, Picture], domain: str) -> None:
        HTMLParser.__init__(self, convert_charrefs=True)
        _Found.__init__(self)
        self._pictures = pictures
        self._domain = domain.lower()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in KNOWN:
            self.foreign.append(tag)
            return
        if tag == "img":
            self._picture(given)
            return
        values = {name: given[name] for name in ATTRIBUTES.get(tag, ()) if name in given}
        if tag == "a":
            self._link(values)
        if tag == "table":
            # A focusable region, so that a keyboard can scroll it too (GB/T 37668: full keyboard operation).
            self.out.append('<div class="scroll" role="region" aria-label="表格，可左右滚动" tabindex="0">')
        self.out.append(_tag(tag, values))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID or tag not in KNOWN:
            return
        self.out.append(f"</{tag}>")
        if tag == "table":
            self.out.append("</div>")

    def handle_data(self, data: str) -> None:
        self.out.append(escape(data, quote=False))
        self.text.append(data)

    def _picture(self, values: dict[str, str]) -> None:
        digest = values.get("src", "").removeprefix("file:")
        picture = self._pictures.get(digest)
        if picture is None:
            self.unknown.append(values.get("src", ""))
            return
        alt = values.get("alt", "").strip() or picture.alt.strip()
        if not alt:
            self.without_alt.append(digest)
        self.shown.append(digest)
        size = {"width": str(picture.width), "height": str(picture.height)} if picture.width > 0 and picture.height > 0 else {}
        address = file_address(digest, picture.file.name)
        self.out.append(_tag("img", {"src": address, "alt": alt, **size, "loading": "lazy", "decoding": "async"}))
        if picture.ai_generated:
            # 人工智能生成合成内容标识办法 (2025-09-01): the label must be seen, not only stored.
            self.out.append('<span class="made-by-ai">图片由人工智能生成</span>')

    def _link(self, values: dict[str, str]) -> None:
        """Mark a link that leaves for a site that is not the government's; a link that could run something loses its address."""
        try:
            parts = urlsplit(values.get("href", "").strip())
            host = (parts.hostname or "").lower()
        except ValueError:
            parts, host = None, ""
        if parts is None or parts.scheme.lower() not in SCHEMES:
            self.foreign.append("a")
            values.pop("href", None)
        elif host and host not in (self._domain, "gov.cn") and not host.endswith((f".{self._domain}", ".gov.cn")):
            values |= {"class": "external", "rel": "noopener external"}


def _tag(name: str, values: Mapping[str, str]) -> str:
    pairs = "".join(f' {key}="{escape(value)}"' for key, value in values.items())
    return f"<{name}{pairs}>"
