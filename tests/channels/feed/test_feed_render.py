"""feedgen mended, and the joining of cached fragments."""

from __future__ import annotations

import json
import locale
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import feedparser
import pytest
from feedgen.feed import FeedGenerator
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from channels.base import Json, StoredFile
from channels.feed import jsonfeed, render
from channels.feed.catalogue import Head, heads, settings_of
from channels.feed.entries import Entry, Release, Shown, expand
from channels.feed.extension import Tombstone
from channels.feed.payload import build
from tests.channels.feed.district import SITE, START, publication, rich, stored

IMAGE = {"image": {"path": "/static/logo.png", "width": 88, "height": 31}}
ATOM = "{http://www.w3.org/2005/Atom}"
MEDIA = "{http://search.yahoo.com/mrss/}"
NASTY = ["a ]]> b", "甲 & 乙 < 丙 > 丁", "表情 😀 𠀀", "\"引号\" '单'", "&amp;已转义&#38;", "<script>x</script>", "‏右到左", "​零宽"]
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)


def head(given: dict[str, Any] | None = None) -> Head:
    return heads(SITE, settings_of(given or {}, SITE), {})["all"]


def shown(**changes: Any) -> list[Shown]:
    """Every entry of an item that was corrected once."""
    first = build(rich(**changes), SITE)[0]
    second = build(rich(revision=2, change_note="更正 & 说明", **changes), SITE)[0]
    releases = (Release(1, first, START), Release(2, second, START + timedelta(hours=1)))
    return expand(Entry(START, releases), SITE)[0]


@given(TEXT.filter(str.strip), TEXT, st.integers(0, 3))
def test_joined_fragments_are_the_bytes_of_one_whole_feedgen_run(title: str, summary: str, tombstones: int) -> None:
    entries = shown(title=title, summary=summary)
    if not entries[0].title:
        return
    gone = [Tombstone(f"tag:x.cn,2026:item:{n}", START, "撤回 <&>") for n in range(tombstones)]
    for form, tomb in (("rss.xml", ()), ("atom.xml", gone)):
        whole = render.generator(head(IMAGE), form, START, tomb)
        for each in entries:
            render.add(whole, each)
        expected = whole.rss_str() if form == "rss.xml" else whole.atom_str()
        fragments = [render.fragment(head(), each, form) for each in entries]
        joined = render.document(head(IMAGE), form, START, fragments, tomb)
        assert joined == expected
        assert etree.tostring(etree.fromstring(joined), method="c14n") == etree.tostring(etree.fromstring(expected), method="c14n")
    value = {**jsonfeed.envelope(head(), gone), "items": [jsonfeed.item(each) for each in entries]}
    data = jsonfeed.document(head(), [jsonfeed.fragment(each) for each in entries], gone)
    assert json.loads(data) == value
    assert data == json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def test_every_attachment_reaches_the_reader_in_every_format() -> None:
    item = shown()[0]
    names = [each["name"] for each in item.payload["attachments"]]
    atom = etree.fromstring(render.document(head(), "atom.xml", START, [render.fragment(head(), item, "atom.xml")]))
    links = atom.findall(f"{ATOM}entry/{ATOM}link[@rel='enclosure']")
    assert [(each.get("title"), each.get("length"), each.get("type")) for each in links] == [
        (names[0], "2048", "application/vnd.ms-excel"),
        (names[1], "2048", "application/pdf"),
        (names[2], "2048", "application/octet-stream"),
    ]
    assert atom.find(f"{ATOM}entry/{ATOM}link[@rel='via']").get("href") == "https://paper.example.cn/a?b=1&c=2"
    rss = etree.fromstring(render.document(head(), "rss.xml", START, [render.fragment(head(), item, "rss.xml")]))
    urls = [each.get("url") for each in [*rss.iter(f"{MEDIA}content"), *rss.iter("enclosure")]]
    assert urls == [each["url"] for each in item.payload["attachments"]]
    assert [each["title"] for each in jsonfeed.item(item)["attachments"]] == names


def test_attachments_of_one_name_are_not_alternatives_of_each_other_in_json() -> None:
    twins = (stored("附件.pdf"), StoredFile("b" * 64, "附件.pdf", "application/pdf", 1))
    entry = Entry(START, (Release(1, build(publication(attachments=twins), SITE)[0], START),))
    listed = jsonfeed.item(expand(entry, SITE)[0][0])["attachments"]
    assert [each.get("title") for each in listed] == ["附件.pdf", None]
    assert len({each["url"] for each in listed}) == 2


def test_unmended_feedgen_still_needs_the_mend() -> None:
    """When this fails, feedgen keeps its Atom links and ``AtomEntry`` may lose that part."""
    feed = FeedGenerator()
    feed.id("tag:x.cn,2026:f")
    feed.title("t")
    entry = feed.add_entry()
    entry.id("tag:x.cn,2026:e")
    entry.title("t")
    entry.content("c", type="html")
    entry.link(href="https://x.cn/a.pdf", rel="enclosure", type="application/pdf", length="1")
    assert etree.fromstring(feed.atom_str()).find(f"{ATOM}entry/{ATOM}link").attrib == {"href": "https://x.cn/a.pdf"}


def test_no_date_comes_from_the_clock_and_the_locale_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    monkeypatch.setattr(locale, "setlocale", lambda *arguments: calls.append(arguments))
    for form in ("rss.xml", "atom.xml"):
        data = render.document(head(), form, START, [render.fragment(head(), each, form) for each in shown()])
        assert str(datetime.now(UTC).year - 1).encode() not in data
        dates = [each.text for each in etree.fromstring(data).iter("lastBuildDate", f"{ATOM}updated")]
        assert dates[0] in ("Fri, 20 Nov 2026 01:00:00 +0000", "2026-11-20T01:00:00+00:00")
    assert data.count(b"<published>") == 2
    assert calls == []
    rss = render.document(head(), "rss.xml", START, [])
    assert rss.count(b"<lastBuildDate>") == 1
    assert b"lastBuildDate" not in render.document(head(), "rss.xml", None, [])


def test_the_stylesheet_is_css_and_no_hub_is_promised() -> None:
    for form in ("rss.xml", "atom.xml"):
        data = render.document(head(), form, START, [])
        assert b'<?xml-stylesheet type="text/css" href="https://www.yunchuan.gov.cn/feeds/feed.css"?>' in data
        assert b"xsl" not in data.replace(b"text/xsl", b"xsl?")
        assert b'"hub"' not in data


@pytest.mark.parametrize("title", NASTY)
def test_nasty_titles_arrive_as_written(title: str) -> None:
    item = shown(title=title)[0]
    for form, path in (("rss.xml", ".//item/title"), ("atom.xml", f".//{ATOM}entry/{ATOM}title")):
        data = render.document(head(), form, START, [render.fragment(head(), item, form)])
        assert etree.fromstring(data).find(path).text == item.title
        assert not feedparser.parse(data).bozo


@given(TEXT)
def test_any_text_survives_the_way_through_feedparser(text: str) -> None:
    site = replace(SITE, name="云川")
    payload: dict[str, Json] = build(publication(title=f"题{text}", summary=f"摘{text}", body_html=""), site)[0]
    item = expand(Entry(START, (Release(1, payload, START),)), site)[0][0]
    parsed = feedparser.parse(render.document(head(), "atom.xml", START, [render.fragment(head(), item, "atom.xml")]))
    assert not parsed.bozo
    entry = parsed.entries[0]
    assert (entry.title, entry.summary) == (payload["title"], payload["summary"])
    assert entry.title_detail.type == entry.summary_detail.type == "text/plain"
    rss = feedparser.parse(render.document(head(), "rss.xml", START, [render.fragment(head(), item, "rss.xml")]))
    assert not rss.bozo
    assert (rss.entries[0].id, rss.entries[0].link) == (item.id, item.url)
    again = json.loads(jsonfeed.document(head(), [jsonfeed.fragment(item)]))["items"][0]
    assert (again["title"], again["summary"]) == (payload["title"], payload["summary"])


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"count": 0}, "count"),
        ({"count": "50"}, "count"),
        ({"ttl": 7}, "ttl"),
        ({"ttl": True}, "ttl"),
        ({"hub": "x"}, "hub"),
        ({"image": {"path": "/a.png", "width": 145, "height": 31}}, "image.width"),
        ({"image": {"path": "/a.svg", "width": 88, "height": 31}}, "image.path"),
        ({"image": "/a.png"}, "image"),
    ],
)
def test_a_wrong_setting_is_named(given: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        settings_of(given, SITE)


@pytest.mark.parametrize(
    ("field", "value"), [("domain", "https://x.cn"), ("domain", "x.cn:80"), ("tag_date", "26"), ("tag_date", "2026-13-01")]
)
def test_a_site_that_cannot_make_ids_is_refused(field: str, value: str) -> None:
    with pytest.raises(ValueError, match=value):
        settings_of({}, replace(SITE, **{field: value}))


@pytest.mark.parametrize(
    ("ttl", "sy"), [(5, ("hourly", 12)), (15, ("hourly", 4)), (60, ("hourly", 1)), (120, ("daily", 12)), (1440, ("daily", 1))]
)
def test_ttl_and_update_frequency_agree(ttl: int, sy: tuple[str, int]) -> None:
    assert settings_of({"ttl": ttl}, SITE).sy == sy
