"""What survives of a body, for any body."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.wechat.convert import ALLOWED_ATTRIBUTES, ALLOWED_TAGS, TABLE_FRAME, convert, is_wechat_article, sources

SHA = "ab" * 32
BASE = "https://www.yunchuan.example/items/1/"

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).map(lambda t: escape(t, quote=False))
BLOCKS = ("p", "h2", "h3", "h4", "blockquote", "li", "td", "th", "figcaption")
addresses = st.sampled_from(
    ["https://a.example/x?a=1&b=2", "../2/", "#top", "mailto:a@b.example", "tel:025-1", "https://mp.weixin.qq.com/s/1"]
)


def _wrapped(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    inner = st.lists(children, max_size=3).map("".join)
    plain = st.sampled_from(["p", "h2", "strong", "em", "u", "s", "sub", "sup", "blockquote", "figure", "figcaption", "script-like", "div"])
    return st.one_of(
        st.tuples(plain, inner).map(lambda t: f"<{t[0]}>{t[1]}</{t[0]}>"),
        st.tuples(addresses, inner).map(lambda t: f'<a href="{escape(t[0])}">{t[1]}</a>'),
        inner.map(lambda t: f"<ul><li>{t}</li><li>二</li></ul>"),
        inner.map(
            lambda t: (
                f'<table><caption>表</caption><thead><tr><th>甲</th></tr></thead><tbody><tr><td colspan="2">{t}</td></tr></tbody></table>'
            )
        ),
    )


leaves = st.one_of(words, st.sampled_from(["<br>", "<hr>", f'<img src="file:{SHA}" alt="图&quot;">', "\n ", "<!-- 注 -->"]))
bodies = st.lists(st.recursive(leaves, _wrapped, max_leaves=12), max_size=5).map("".join)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


def bare(text: str) -> str:
    return "".join(text.split())


@given(bodies)
def test_only_what_survives_is_written(body: str) -> None:
    for tag, attributes in read(convert(body, BASE).html).tags:
        assert tag in ALLOWED_TAGS
        assert set(attributes) <= ALLOWED_ATTRIBUTES.get(tag, {"style"})
        assert tag != "a" or is_wechat_article(attributes["href"] or "")


@given(bodies)
def test_converting_twice_changes_nothing(body: str) -> None:
    once = convert(body, BASE).html
    assert convert(once, BASE).html == once
    assert convert(body, BASE).html == once


@given(st.lists(words, min_size=1, max_size=5), st.sampled_from(BLOCKS))
def test_every_word_is_kept(parts: list[str], tag: str) -> None:
    frame = {"li": "<ul>{}</ul>", "td": "<table><tr>{}</tr></table>", "th": "<table><tr>{}</tr></table>"}.get(tag, "{}")
    body = frame.format("".join(f"<{tag}>{part}</{tag}>" for part in parts))
    written = bare("".join(read(convert(body).html).text))
    assert written == bare("".join(read(body).text))
    assert bare(convert(body).text) == written


def test_links_become_numbers_and_addresses() -> None:
    body = (
        '<p><a href="https://a.example/x">甲</a>、<a href="/items/2/">乙</a>、<a href="https://a.example/x">又甲</a>、'
        '<a href="https://b.example/">https://b.example/</a>、<a href="mailto:zf@yc.example">来信</a>、'
        '<a href="tel:025-00001201">025-00001201</a>、<a href="https://mp.weixin.qq.com/s/9">丙</a>、'
        '<a href="javascript:alert(1)">丁</a></p>'
    )
    done = convert(body, BASE)
    assert done.links == ("https://a.example/x", "https://www.yunchuan.example/items/2/")
    text = "".join(read(done.html).text)
    assert text == "甲[1]、乙[2]、又甲[1]、https://b.example/、来信（zf@yc.example）、025-00001201、丙、丁"
    assert done.html.count("<a ") == 1


def test_tables_fit_a_phone() -> None:
    done = convert(
        '<table><caption>岗位表</caption><thead><tr><th>岗位</th></tr></thead><tbody><tr><td rowspan="2">协管员</td></tr></tbody></table>'
    )
    assert done.html.startswith(f'<section style="{TABLE_FRAME}"><section ')
    assert "border-collapse:collapse" in done.html
    assert 'rowspan="2"' in done.html
    assert "thead" not in done.html
    assert "caption" not in done.html


def test_foreign_pictures_leave_their_words() -> None:
    done = convert(f'<p><img src="https://a.example/1.png" alt="流程图"><img src="file:{SHA}" alt="章"></p>')
    assert done.images == (SHA,)
    assert list(sources(done.html)) == [f"file:{SHA}"]
    assert "流程图" in done.html


def test_made_by_a_machine_is_said_beside_the_picture() -> None:
    done = convert(f'<p><img src="file:{SHA}" alt="章"></p>', labels={SHA: "（本图由人工智能生成）"})
    assert "（本图由人工智能生成）</span></p>" in done.html


@pytest.mark.parametrize("body", ["", "  \n", "<!-- 无 -->", "<script>alert(1)</script>", "<style>p{}</style>"])
def test_nothing_gives_nothing(body: str) -> None:
    assert convert(body).html == ""
