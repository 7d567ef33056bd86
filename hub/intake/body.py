"""The body (正文): from whatever HTML or plain text comes in to the few tags every channel can show.

The set of tags and attributes is the one promised in ``channels.base.Publication.body_html``. nh3 has the last word on
what is safe; a walk over the tree renames old tags and makes paragraphs, and a plain parser counts what will be lost, so
that the author is told.
"""

from __future__ import annotations

import html
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

import lxml.html
import nh3
from lxml.html import HtmlElement

from hub.domain.problems import Problem
from hub.intake.text import clean_line, clean_text, without_forbidden

TAGS = frozenset(
    [
        "p",
        "h2",
        "h3",
        "h4",
        "strong",
        "em",
        "u",
        "s",
        "sub",
        "sup",
        "ul",
        "ol",
        "li",
        "blockquote",
        "table",
        "caption",
        "thead",
        "tbody",
        "tfoot",
        "tr",
        "th",
        "td",
        "img",
        "a",
        "br",
        "hr",
        "figure",
        "figcaption",
    ]
)
ATTRIBUTES: dict[str, set[str]] = {"a": {"href"}, "img": {"src", "alt"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
RENAMED = {"b": "strong", "i": "em", "h1": "h2", "h5": "h4", "h6": "h4", "del": "s", "strike": "s", "ins": "u", "section": "div"}
# Tags that only held the layout: nobody misses them, so nobody is told.
_SILENT = frozenset(
    [
        "div",
        "span",
        "font",
        "center",
        "article",
        "main",
        "header",
        "footer",
        "html",
        "head",
        "meta",
        "body",
        "col",
        "colgroup",
        "tt",
        "small",
        "big",
        "label",
        "o:p",
    ]
)
_BLOCKS = frozenset(["p", "h2", "h3", "h4", "ul", "ol", "blockquote", "table", "hr", "figure"])
_HOLDERS = frozenset(["ul", "ol", "table", "thead", "tbody", "tfoot", "tr"])
_HREF = re.compile(r"https?://[^\s/]|mailto:[^\s@]+@|tel:[+\d]|/(?![/\\])|#|\?|\./|\.\./|[^\s:/?#\\]+(?:[/?#]|$)", re.IGNORECASE)
_SRC = re.compile(r"file:[0-9a-f]{64}")
_SPAN = re.compile(r"[1-9]\d{0,2}")
_SENTENCE = re.compile(r"[^。！？!?]*[。！？!?]+[”’」』）)]*|[^。！？!?]+$")


@dataclass(frozen=True, slots=True)
class CleanBody:
    """``html`` is ready for ``Content.body``; ``problems`` say what was taken out (never blocking)."""

    html: str
    problems: tuple[Problem, ...] = ()


def clean_html(source: str) -> CleanBody:
    """Sanitised HTML of the contract's tags. Idempotent: cleaning its result again changes nothing.

    Links keep http, https, mailto, tel and relative addresses; pictures only ``file:SHA256``. Old tags are renamed
    (b, i, h1, h5 …), loose text becomes paragraphs, empty paragraphs go.
    """
    source = without_forbidden(source)
    markup = _sanitised(source, TAGS | RENAMED.keys() | {"div"})
    # HTML5's nesting rules may split what the walk has just made: walk again until nothing changes.
    for _ in range(6):
        arranged = _sanitised(_arranged(markup), TAGS)
        if arranged == markup:
            break
        markup = arranged
    return CleanBody(markup, _losses(source))


def is_clean(markup: str) -> bool:
    """Whether ``clean_html`` would leave ``markup`` as it is."""
    return without_forbidden(markup) == markup and _sanitised(_arranged(markup), TAGS) == markup


def paragraphs_to_html(text: str) -> str:
    """Plain text, one paragraph per line; blank lines and indentation go, markup characters are escaped."""
    lines = (line.strip(" \t\u3000") for line in clean_text(text).replace("\u00a0", " ").split("\n"))
    return "".join(f"<p>{html.escape(line, quote=False)}</p>" for line in lines if line)


def text_of(markup: str) -> str:
    """What a reader sees, one block per line. Table cells are separated by spaces."""
    return "\n".join(line for line, _ in _lines(markup))


def images_of(markup: str) -> list[tuple[str, str]]:
    """(SHA-256, alt) of every picture in a clean body, in reading order."""
    return [(str(i.get("src", ""))[5:], str(i.get("alt", ""))) for i in _tree(markup).iter("img")]


def links_of(markup: str) -> list[str]:
    """Every address a reader can follow from the body, in reading order."""
    return [str(a.get("href")) for a in _tree(markup).iter("a") if a.get("href")]


def summary_of(markup: str, limit: int = 120) -> str:
    """The first whole sentences of the text, at most ``limit`` characters.

    Headings and a salutation (各街道办事处：) are passed over. A first sentence that is too long is cut behind its last
    comma and ends with ``……``.
    """
    lines = (line for line, tag in _lines(markup) if not tag.startswith("h"))
    first = next(lines, "")
    if first.endswith(("：", ":")) and len(first) <= 40:
        first = next(lines, first)
    taken = ""
    for sentence in (s for line in itertools.chain([first], lines) for s in _SENTENCE.findall(line)):
        if len(taken) + len(sentence) > limit:
            break
        taken += sentence
    if taken or not first:
        return taken.strip()
    head = first[: limit - 2]
    cut = max(head.rfind(c) for c in "，、；：,;")
    return head[: cut if cut > limit // 3 else len(head)].rstrip("，、；：,; ") + "……"


# ------------------------------------------------------------------------------------------------------------- inside


def _kept(tag: str, attribute: str, value: str) -> str | None:
    """The value to keep, or None: the one rule for addresses, used for cleaning and for telling."""
    value = value.strip()
    if attribute == "href":
        return value if _HREF.match(value) else None
    if attribute == "src":
        return value if _SRC.fullmatch(value) else None
    if attribute in ("colspan", "rowspan"):
        return value if _SPAN.fullmatch(value) else None
    return clean_line(value)


def _sanitised(markup: str, tags: frozenset[str] | set[str]) -> str:
    cleaned = nh3.clean(
        markup,
        tags=set(tags),
        attributes=ATTRIBUTES,
        attribute_filter=_kept,
        link_rel=None,
        url_schemes={"http", "https", "mailto", "tel", "file"},
        clean_content_tags={"script", "style", "iframe", "object", "embed", "noscript", "template", "svg", "math", "title", "textarea"},
    )
    # Character references (&#1;) bring in what the source itself did not hold.
    return without_forbidden(cleaned)


def _tree(markup: str) -> HtmlElement:
    return lxml.html.fragment_fromstring(markup, create_parent="div")


def _arranged(markup: str) -> str:
    """One walk: clean texts, new names for old tags, divisions and loose text into paragraphs, empties out."""
    root = _tree(markup)
    for node in list(root.iter()):
        node.text = _clean_node(node.text)
        node.tail = _clean_node(node.tail)
        if node is root:
            continue
        node.tag = RENAMED.get(node.tag, node.tag)
        if node.tag == "img" and not node.get("src"):
            node.drop_tree()
        elif node.tag == "a" and not node.get("href"):
            node.drop_tag()
        elif node.tag == "div":
            if any(child.tag in _BLOCKS or child.tag == "div" for child in node):
                node.drop_tag()
            else:
                node.tag = "p"
    _wrap_loose(root)
    for node in list(root.iter("p", "h2", "h3", "h4", "figure", "strong", "em")):
        if node.find(".//img") is None and not "".join(node.itertext()).strip(" \t\n\u00a0\u3000"):
            node.drop_tree()
    return (root.text or "") + "".join(str(lxml.html.tostring(child, encoding="unicode")) for child in root)


def _clean_node(text: str | None) -> str | None:
    """A combining mark at the start would melt into the tag before it when the whole body is normalised: it goes."""
    if not text:
        return text
    text = clean_text(text)
    while text and unicodedata.combining(text[0]):
        text = text[1:]
    return text


def _wrap_loose(root: HtmlElement) -> None:
    """Put every run of text and inline tags that lies beside the blocks into a paragraph of its own."""
    pieces: list[str | HtmlElement] = [root.text or ""]
    for child in list(root):
        tail, child.tail = child.tail or "", None
        pieces += [child, tail]
        root.remove(child)
    root.text = None
    current: HtmlElement | None = None
    for piece in pieces:
        if isinstance(piece, str):
            if current is None and not piece.strip(" \t\n"):
                continue
            if current is None:
                current = lxml.html.Element("p")
                root.append(current)
            if len(current):
                current[-1].tail = (current[-1].tail or "") + piece
            else:
                current.text = (current.text or "") + piece
        elif piece.tag in _BLOCKS:
            current = None
            root.append(piece)
        else:
            if current is None:
                current = lxml.html.Element("p")
                root.append(current)
            current.append(piece)


class _Loss(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.counted: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS and tag not in RENAMED and tag not in _SILENT:
            self.counted[f"<{tag}>"] += 1
        for name, value in attrs:
            if name.startswith("on"):
                self.counted["脚本"] += 1
            elif name == "href" and tag == "a" and _kept(tag, name, value or "") is None:
                self.counted[f"链接“{clean_line(value or '')[:60]}”"] += 1
            elif name == "src" and tag == "img" and _kept(tag, name, value or "") is None:
                shown = (value or "").split(",")[0] if (value or "").startswith("data:") else (value or "")
                self.counted[f"图片“{clean_line(shown)[:60]}”"] += 1


_REMEDIES = {"图片": "请把图片上传到本稿件后再插入", "链接": "只能使用 http、https、mailto、tel 或站内链接"}


def _losses(source: str) -> tuple[Problem, ...]:
    parser = _Loss()
    parser.feed(source)
    parser.close()
    return tuple(
        Problem(
            "body",
            "markup_removed",
            f"正文中的{what}已去除" + (f"（{count}处）" if count > 1 else ""),
            _REMEDIES.get(what[:2], ""),
            blocking=False,
        )
        for what, count in sorted(parser.counted.items())
    )


def _lines(markup: str) -> Iterator[tuple[str, str]]:
    """(text of one block, its tag). A table row is one line."""
    if not markup.strip():
        return
    for node in _tree(markup).iter("p", "h2", "h3", "h4", "li", "tr", "caption", "figcaption"):
        if (
            node.tag == "p"
            and next(node.iterancestors("li", "td", "th", "blockquote"), None) is not None
            and node.getparent().tag != "blockquote"
        ):
            continue
        parts = [_flat(cell) for cell in node.iter("td", "th")] if node.tag == "tr" else [_flat(node)]
        line = " ".join(part for part in parts if part)
        if line:
            yield line, str(node.tag)


def _flat(node: HtmlElement) -> str:
    for br in node.iter("br"):
        br.tail = "\n" + (br.tail or "").lstrip("\n")
    return re.sub("[ \t\n\u00a0]+", " ", "".join(node.itertext())).strip(" \u3000")
