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


@dataclass(frozen=True, slots=True)
class Body:
    """``html`` for the page, and what was met on the way: digests without a picture, digests without alt, whether there is any text."""

    html: str
    unknown: tuple[str, ...] = ()
    without_alt: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
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
        "".join(rewriter.text).strip(),
    )


@dataclass
class _Found:
    out: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    without_alt: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)


class _Rewriter(HTMLParser, _Found):
    def __init__(self, pictures: Mapping[str, Picture], domain: str) -> None:
        HTMLParser.__init__(self, convert_charrefs=True)
        _Found.__init__(self)
        self._pictures = pictures
        self._domain = domain.lower()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "img":
            self._picture(values)
            return
        if tag == "a" and self._leaves(values.get("href", "")):
            values |= {"class": "external", "rel": "noopener external"}
        if tag == "table":
            # A focusable region, so that a keyboard can scroll it too (GB/T 37668: full keyboard operation).
            self.out.append('<div class="scroll" role="region" aria-label="表格，可左右滚动" tabindex="0">')
        self.out.append(_tag(tag, values))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
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

    def _leaves(self, href: str) -> bool:
        try:
            host = (urlsplit(href).hostname or "").lower()
        except ValueError:
            return False
        inside = host == self._domain or host.endswith(("." + self._domain, ".gov.cn")) or host == "gov.cn"
        return bool(host) and not inside


def _tag(name: str, values: Mapping[str, str]) -> str:
    pairs = "".join(f' {key}="{escape(value)}"' for key, value in values.items())
    return f"<{name}{pairs}>"
