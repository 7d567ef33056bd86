"""The body: what stays, what goes, what is told."""

from __future__ import annotations

import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.intake.body import ATTRIBUTES, TAGS, clean_html, images_of, is_clean, links_of, paragraphs_to_html, summary_of, text_of

SHA = "ab" * 32
PIECES = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=()), max_size=8),
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<div>",
                "</div>",
                "<h1>",
                "</h1>",
                "<h5>",
                "<b>",
                "</b>",
                "<i>",
                "<table>",
                "<tr>",
                "<td>",
                "</td>",
                "</tr>",
                "</table>",
                "<ul>",
                "<li>",
                "</ul>",
                "<br>",
                "<hr>",
                "<figure>",
                "</figure>",
                "<figcaption>",
                "<blockquote>",
                "</blockquote>",
                "<a",
                "href='/x'>",
                "<a",
                "href=javascript:x>",
                "</a>",
                "<script>",
                "</script>",
                "<style>",
                "<svg>",
                "<math>",
                "<!--",
                "-->",
                "<img",
                "src=x",
                "onerror=y>",
                "<p",
                "onclick=z",
                "style=q>",
                "&lt;",
                "&amp;",
                "&#1;",
                "&nbsp;",
                "<span>",
                "</span>",
                "<o:p>",
                "<td",
                "rowspan=0>",
                "<caption>",
                "<thead>",
                "<tbody>",
                "<!DOCTYPE>",
                "<form>",
                "<input>",
                "<iframe>",
                "<template>",
                "<select>",
                "<option>",
                "<p",
                "<a",
                "]]>",
                "̸",
                "\u3000",
                "<pre>",
                "<h2>",
                "</h2>",
                "<ol>",
                "</ol>",
                "<title>",
                "<textarea>",
                "<plaintext>",
            ]
        ),
        st.just(f"<img src='file:{SHA}' alt='图'>"),
    ),
    max_size=14,
).map("".join)


class _Seen(HTMLParser):
    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@given(PIECES)
@example("<p>a<table><tr><td>b</table>c")
@example("<a href='/x'><p>块</p></a>")
@example(">\u0338")
@example("<b><p>x</b>y")
@example("<li>孤立的项")
@example("<td>孤立的格")
@example("<plaintext><b>")
def test_whatever_comes_in_only_the_contract_goes_out(source: str) -> None:
    cleaned = clean_html(source).html
    for tag, attributes in _Seen(cleaned).tags:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES.get(tag, set())
        if tag == "img":
            assert str(attributes["src"]).startswith("file:")
        if tag == "a":
            assert not str(attributes["href"]).lower().strip().startswith(("javascript", "data", "//", "vbscript"))
    assert unicodedata.is_normalized("NFC", cleaned)
    assert clean_html(cleaned).html == cleaned
    assert is_clean(cleaned)
    assert not clean_html(cleaned).problems
    summary_of(cleaned)


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("两<b>个</b>字", "<p>两<strong>个</strong>字</p>"),
        ("<h1>一</h1><h5>五</h5>", "<h2>一</h2><h4>五</h4>"),
        ("<div>甲<div>乙</div></div>", "<p>甲</p><p>乙</p>"),
        ("<p></p><p>&nbsp;</p><p>字</p>", "<p>字</p>"),
        ("<p class=x style='color:red' onclick=y>字</p>", "<p>字</p>"),
        ("<p>字<script>alert(1)</script></p>", "<p>字</p>"),
        ("<a href='https://a.example/'>甲</a>", '<p><a href="https://a.example/">甲</a></p>'),
        ("<a href='mailto:jyj@example.gov.cn'>信</a>", '<p><a href="mailto:jyj@example.gov.cn">信</a></p>'),
        ("<a href='tel:025-00001201'>话</a>", '<p><a href="tel:025-00001201">话</a></p>'),
        ("<a href='/items/x/'>文</a>", '<p><a href="/items/x/">文</a></p>'),
        ("<a href='//evil.example/'>外</a>", "<p>外</p>"),
        ("<a href='java\nscript:x'>坏</a>", "<p>坏</p>"),
        (f"<img src='file:{SHA}' alt='图解'>", f'<p><img src="file:{SHA}" alt="图解"></p>'),
        ("<img src='https://a.example/x.png' alt='外图'>字", "<p>字</p>"),
        ("<td colspan=2>甲</td>", "<p>甲</p>"),
        ("<table><tr><td colspan='2' rowspan='0'>甲</td></tr></table>", '<table><tbody><tr><td colspan="2">甲</td></tr></tbody></table>'),
    ],
)
def test_markup_is_arranged(source: str, kept: str) -> None:
    assert clean_html(source).html == kept


def test_what_was_removed_is_told_and_never_blocks() -> None:
    problems = clean_html(
        "<iframe></iframe><p onclick=x>字</p><a href='javascript:x'>链</a><img src='https://a.example/x.png'><span>静</span>"
    ).problems
    told = "；".join(p.message for p in problems)
    assert all(not p.blocking for p in problems)
    for word in ("<iframe>", "脚本", "javascript:x", "https://a.example/x.png"):
        assert word in told
    assert "span" not in told


def test_plain_text_becomes_paragraphs() -> None:
    assert paragraphs_to_html("　　第一段<b>\r\n\n 第二段 & 三\x01") == "<p>第一段&lt;b&gt;</p><p>第二段 &amp; 三</p>"


@given(st.text(max_size=80))
def test_plain_text_is_clean_html(text: str) -> None:
    assert is_clean(paragraphs_to_html(text))


def test_text_links_and_pictures_are_found() -> None:
    table = "<table><tbody><tr><td>甲</td><td>乙</td></tr></tbody></table>"
    body = f'<p>见<a href="/x">文</a></p>{table}<figure><img src="file:{SHA}" alt="图"></figure>'
    assert text_of(body) == "见文\n甲 乙"
    assert links_of(body) == ["/x"]
    assert images_of(body) == [(SHA, "图")]


@pytest.mark.parametrize(
    ("body", "limit", "summary"),
    [
        ("<p>各街道办事处：</p><p>第一句。第二句。</p>", 120, "第一句。第二句。"),
        ("<p>第一句。第二句。</p>", 5, "第一句。"),
        ("<h2>一、标题</h2><p>正文。</p>", 120, "正文。"),
        ("<p>很长很长很长，没有句号的一句话一直写下去</p>", 12, "很长很长很长……"),
        ("<p>他说：“好！”走了。</p>", 8, "他说：“好！”"),
        ("", 120, ""),
    ],
)
def test_summaries_are_whole_sentences(body: str, limit: int, summary: str) -> None:
    assert summary_of(body, limit) == summary


@given(st.text(max_size=300), st.integers(20, 200))
def test_summaries_keep_their_limit(text: str, limit: int) -> None:
    assert len(summary_of(paragraphs_to_html(text), limit)) <= limit
