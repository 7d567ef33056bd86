"""Body HTML → what survives in a WeChat article (wechat.md §3 "HTML that survives").

The platform drops classes, scripts, foreign images and links to other sites without a word, so everything it would
drop is settled here, before review: styles are written inline, links leave their text and a numbered address, tables
fit a phone. Pictures stay ``file:SHA256`` until they are uploaded. Converting twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from urllib.parse import urljoin, urlsplit

from lxml import html as lxml_html
from lxml.etree import ParserError
from lxml.html import HtmlElement

PARAGRAPH = "margin:0 0 1em"
TIGHT = "margin:0"
CAPTION = "margin:0 0 1em;font-size:13px;color:#666;text-align:center"
TABLE_FRAME = "margin:0 0 1em;overflow-x:auto"
RULE = "margin:1.2em 0;border-top:1px solid #ddd"
UNDERLINE = "text-decoration:underline"
STRUCK = "text-decoration:line-through"
RAISED = "vertical-align:super;font-size:75%"
LOWERED = "vertical-align:sub;font-size:75%"
PICTURE = "max-width:100%;height:auto"
QUOTE = "margin:0 0 1em;padding:8px 12px;border-left:3px solid #b3202a;background:#f7f7f7"
LIST = "margin:0 0 1em;padding-left:1.6em"
HEADING = "margin:1.2em 0 .6em;font-weight:bold"
TABLE = "width:100%;border-collapse:collapse;font-size:13px;line-height:1.5"
CELL = "padding:5px;border:1px solid #ccc"
HEAD_CELL = "padding:5px;border:1px solid #ccc;background:#f5f5f5"

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
ALLOWED_TAGS = frozenset(
    ("section", "p", "span", "strong", "em", "br", "img", "ul", "ol", "li", "blockquote", "table", "tr", "td", "th", "a", *HEADINGS)
)
ALLOWED_ATTRIBUTES = {
    "img": {"src", "alt", "style"},
    "a": {"href"},
    "td": {"style", "colspan", "rowspan"},
    "th": {"style", "colspan", "rowspan"},
}
"""By tag; every other tag may carry ``style`` only."""

# tag of the body → (tag of the article, its style)
_TAGS: dict[str, tuple[str, str]] = {
    "p": ("p", PARAGRAPH),
    "section": ("section", ""),
    "div": ("section", ""),
    "figure": ("section", ""),
    "figcaption": ("section", CAPTION),
    "caption": ("section", CAPTION),
    "span": ("span", ""),
    "strong": ("strong", ""),
    "b": ("strong", ""),
    "em": ("em", ""),
    "i": ("em", ""),
    "u": ("span", UNDERLINE),
    "s": ("span", STRUCK),
    "sub": ("span", LOWERED),
    "sup": ("span", RAISED),
    "ul": ("ul", LIST),
    "ol": ("ol", LIST),
    "li": ("li", ""),
    "blockquote": ("blockquote", QUOTE),
    "tr": ("tr", ""),
    "td": ("td", CELL),
    "th": ("th", HEAD_CELL),
    **{tag: (tag, HEADING) for tag in HEADINGS},
}
_KNOWN = frozenset((*_TAGS, "br", "hr", "img", "a", "table", "thead", "tbody", "tfoot"))
_OWN_STYLES = {
    "p": {PARAGRAPH, TIGHT},
    "section": {TABLE_FRAME, RULE, CAPTION},
    "span": {UNDERLINE, STRUCK, RAISED, LOWERED},
}
_FIELDS = ("form", "input", "button", "select", "textarea")
_DROPPED_WHOLE = frozenset(
    ("script", "style", "link", "meta", "head", "title", "noscript", "template", "iframe", "object", "embed", "svg", "math", *_FIELDS)
)
_BLOCKS = frozenset(("p", "section", "div", "figure", "figcaption", "caption", "ul", "ol", "li", "blockquote", "table", "hr", *HEADINGS))
_TIGHT_INSIDE = frozenset(("li", "td", "th", "blockquote"))
_AROUND_BLOCKS = re.compile(r" *(</?(?:section|p|ul|ol|li|blockquote|table|tr|td|th|h[1-6])(?: [^>]*)?>) *")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_FILE = re.compile(r"file:([0-9a-f]{64})\Z")


@dataclass(frozen=True, slots=True)
class Converted:
    html: str
    links: tuple[str, ...]
    """Addresses that the article cannot link to, in the order of their numbers (from 1)."""
    images: tuple[str, ...]
    """SHA-256 of the pictures shown, each once, in order of appearance."""
    text: str
    """The words alone, white space collapsed, without link numbers."""


@dataclass(slots=True)
class _Writer:
    base: str
    labels: dict[str, str]
    out: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    links: dict[str, int] = field(default_factory=dict)
    images: dict[str, None] = field(default_factory=dict)

    def text(self, value: str | None) -> None:
        if value:
            value = _SPACE.sub(" ", value)
            self.out.append(escape(value, quote=False))
            self.words.append(value)

    def children(self, element: HtmlElement) -> None:
        self.text(element.text)
        for child in element:
            self.element(child)
            self.text(child.tail)

    def element(self, element: HtmlElement) -> None:
        tag = element.tag
        if tag == "br":
            self.out.append("<br>")
            self.words.append(" ")
        elif tag == "hr":
            self.out.append(f'<section style="{RULE}"><br></section>')
        elif tag == "img":
            self.image(element)
        elif tag == "a":
            self.link(element)
        elif tag == "table":
            self.table(element)
        elif tag in _TAGS:
            self.plain(element, *_TAGS[tag])
        else:
            # thead, tbody, tfoot: their rows stand in the table itself.
            self.children(element)

    def plain(self, element: HtmlElement, tag: str, style: str) -> None:
        own = element.get("style", "")
        parent = element.getparent()
        if own in _OWN_STYLES.get(tag, ()):
            style = own
        elif style == PARAGRAPH and parent is not None and parent.tag in _TIGHT_INSIDE:
            style = TIGHT
        self.out.append(f"<{tag}{_attribute('style', style)}{_spans(element) if tag in ('td', 'th') else ''}>")
        self.children(element)
        self.out.append(f"</{tag}>")
        if element.tag in _BLOCKS or tag in ("td", "th"):
            self.words.append(" ")

    def table(self, table: HtmlElement) -> None:
        parent = table.getparent()
        framed = parent is not None and parent.tag == "section" and parent.get("style") == TABLE_FRAME
        if not framed:
            self.out.append(f'<section style="{TABLE_FRAME}">')
        for caption in table.findall("caption"):
            self.plain(caption, "section", CAPTION)
            # Its place is before the table: `caption` is no tag that survives. drop_tree keeps what follows it.
            caption.drop_tree()
        self.out.append(f'<table style="{TABLE}">')
        self.children(table)
        self.out.append("</table>" if framed else "</table></section>")

    def image(self, element: HtmlElement) -> None:
        found = _FILE.match(element.get("src", ""))
        alt = _SPACE.sub(" ", element.get("alt", ""))
        if found is None:
            self.text(alt)
            return
        sha = found[1]
        self.images.setdefault(sha)
        self.out.append(f'<img src="file:{sha}"{_attribute("alt", alt)} style="{PICTURE}">')
        if sha in self.labels:
            self.out.append(f'<span style="{LOWERED}">{escape(self.labels.pop(sha), quote=False)}</span>')

    def link(self, element: HtmlElement) -> None:
        address = _SPACE.sub("", element.get("href", ""))
        if is_wechat_article(address):
            self.out.append(f"<a{_attribute('href', address)}>")
            self.children(element)
            self.out.append("</a>")
            return
        self.children(element)
        text = _SPACE.sub("", "".join(element.itertext()))
        scheme = address.partition(":")[0].lower()
        if scheme in ("mailto", "tel"):
            target = address.partition(":")[2].partition("?")[0]
            if target not in text:
                self.text(f"（{target}）")
            return
        absolute = urljoin(self.base, address) if address and not address.startswith("#") else ""
        if urlsplit(absolute).scheme in ("http", "https") and absolute not in text:
            number = self.links.setdefault(absolute, len(self.links) + 1)
            self.out.append(f'<span style="{RAISED}">[{number}]</span>')


def convert(body: str, base: str = "", labels: dict[str, str] | None = None) -> Converted:
    """Convert sanitised body HTML.

    ``base`` resolves relative addresses; ``labels`` holds words to be shown beside a picture, by its SHA-256.
    """
    try:
        root = lxml_html.fragment_fromstring(body, create_parent="div")
    except ParserError:
        # Nothing but white space or comments.
        return Converted("", (), (), "")
    _clear(root)
    writer = _Writer(base, dict(labels or {}))
    writer.children(root)
    words = _SPACE.sub(" ", "".join(writer.words)).strip()
    return Converted(_tidy("".join(writer.out)), tuple(writer.links), tuple(writer.images), words)


def _tidy(html: str) -> str:
    """Spaces beside a block, and all but one of several, show nowhere and would only count against the limit."""
    return _AROUND_BLOCKS.sub(r"\1", _SPACE.sub(" ", html)).strip(" ")


def _clear(root: HtmlElement) -> None:
    """Take out what never shows, first of all: only then do the texts around it meet, and their spaces with them."""
    for element in list(root.iterdescendants()):
        if not isinstance(element.tag, str) or element.tag in _DROPPED_WHOLE:
            element.drop_tree()
        elif element.tag not in _KNOWN:
            element.drop_tag()


def is_wechat_article(address: str) -> bool:
    """The only links an article may carry."""
    parts = urlsplit(address)
    return parts.scheme in ("http", "https") and parts.netloc == "mp.weixin.qq.com"


def _attribute(name: str, value: str) -> str:
    return f' {name}="{escape(value)}"' if value else ""


def _spans(element: HtmlElement) -> str:
    return "".join(_span(element, name) for name in ("colspan", "rowspan"))


def _span(element: HtmlElement, name: str) -> str:
    value = element.get(name, "")
    return _attribute(name, value) if re.fullmatch(r"[1-9][0-9]{0,3}", value) else ""


def sources(html: str) -> Iterator[str]:
    """Every ``src`` of the pictures in an article."""
    root = lxml_html.fragment_fromstring(html, create_parent="div")
    for image in root.iter("img"):
        yield image.get("src", "")
