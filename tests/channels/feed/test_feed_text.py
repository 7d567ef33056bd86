"""Characters and markup on their way into a feed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from channels.base import Picture, Severity
from channels.feed.markup import absolute, file_url
from channels.feed.text import clean, line
from channels.website.addresses import file_address
from tests.channels.feed.district import SITE, District, publication, stored

UNFIT = ["\x00", "\x0b", "\x1f", "\x7f", "\x85", "\ud800", "\udfff", "\ufffd", "\ufffe", "\uffff"]


@given(st.text(st.characters(exclude_categories=())))
def test_clean_text_fits_into_xml_and_cleaning_twice_changes_nothing(text: str) -> None:
    cleaned = clean(text)
    element = etree.Element("t")
    element.text = cleaned
    assert etree.fromstring(etree.tostring(element)).text in (cleaned, None if cleaned == "" else cleaned)
    assert clean(cleaned) == cleaned


@given(st.text("政务公开 abc<&>]\"'😀𠀀\t\n", max_size=30))
def test_fit_text_is_left_alone(text: str) -> None:
    assert clean(text) == text
    assert line(text) == " ".join(text.split())


@pytest.mark.parametrize("character", UNFIT, ids=[f"U+{ord(each):04X}" for each in UNFIT])
@pytest.mark.parametrize("name", ["title", "summary", "body_html", "department", "change_note", "index_no"])
def test_an_unfit_character_is_removed_with_a_warning(district: District, character: str, name: str) -> None:
    item = publication()
    value = getattr(item, name)
    if name == "department":
        spoilt = publication(department=type(value)(value.slug, f"人社{character}局"))
    else:
        spoilt = publication(**{name: f"公开{character}信息"})
    rendition = district.channel.format(spoilt)
    assert [(each.severity, each.code) for each in rendition.findings] == [(Severity.WARN, "unfit_character")]
    assert f"U+{ord(character):04X}" in rendition.findings[0].message
    assert rendition.digest


def test_unfit_characters_kill_no_feed(district: District) -> None:
    every = "".join(UNFIT)
    district.publish(publication("YC-OTHER"), district.at(0))
    district.publish(publication(title=f"公开{every}信息", body_html=f"<p>{every}公开</p>", change_note=every), district.at(1))
    for form, entry in (("rss.xml", "item"), ("atom.xml", "entry")):
        assert len(etree.fromstring(district.read(f"all.{form}")).findall(f".//{{*}}{entry}")) == 2


def test_a_character_reference_in_the_body_is_cleaned_after_parsing(district: District) -> None:
    payload = district.channel.format(publication(body_html="<p>a&#11;b&#x2;c</p>")).payload
    assert re.search("[\x00-\x08\x0b-\x1f]", str(payload["content_html"])) is None


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("/columns/news/", "https://example.cn/gov/columns/news/"),
        ("../YC-2/", "https://example.cn/gov/items/YC-2/"),
        ("#附件", "https://example.cn/gov/items/YC-1/#附件"),
        ("//other.example.cn/x", "https://other.example.cn/x"),
        ("https://www.gov.cn/a?b=1&amp;c=2", "https://www.gov.cn/a?b=1&amp;c=2"),
        ("tel:025-00001201", "tel:025-00001201"),
        ("mailto:a@example.cn", "mailto:a@example.cn"),
    ],
)
def test_links_become_absolute(written: str, shown: str) -> None:
    page = "https://example.cn/gov/items/YC-1/"
    html, missing = absolute(f'<p><a href="{written}">x</a></p>', site_url="https://example.cn/gov", page_url=page, pictures={})
    assert html == f'<p><a href="{shown}">x</a></p>'
    assert missing == []


def test_text_that_looks_like_an_attribute_is_not_rewritten() -> None:
    html, _ = absolute('<p>写作 href="/a" 和 src="file:b"</p>', site_url="https://e.cn", page_url="https://e.cn/", pictures={})
    assert html == '<p>写作 href="/a" 和 src="file:b"</p>'


def test_what_a_feed_reader_must_distrust_is_gone() -> None:
    body = '<p onclick="x()" style="color:red">a<script>alert(1)</script></p><iframe src="/x"></iframe><a href="javascript:x()">b</a>'
    html, _ = absolute(body, site_url="https://e.cn", page_url="https://e.cn/", pictures={})
    assert html == "<p>a</p><a>b</a>"


def test_a_picture_that_is_not_listed_blocks_the_submission(district: District) -> None:
    findings = district.channel.format(publication(body_html=f'<img src="file:{"a" * 64}" alt="x">')).findings
    assert [(each.severity, each.field, each.code) for each in findings] == [(Severity.BLOCK, "body", "picture_unknown")]


def test_an_empty_title_blocks_the_submission(district: District) -> None:
    rendition = district.channel.format(publication(title=" \x0b "))
    assert rendition.blocked
    assert {each.code for each in rendition.findings} == {"title_missing", "unfit_character"}


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=120).map(lambda text: text + ".pdf"))
def test_files_have_the_address_the_website_channel_gives_them(name: str) -> None:
    file = stored("x")
    named = type(file)(file.sha256, name, file.media_type, file.size)
    assert file_url(SITE.url, named) == SITE.url + file_address(named.sha256, named.name)


def test_pictures_point_to_the_site_and_generated_ones_are_labelled(district: District) -> None:
    photo = stored("图 1.png", "image/png")
    item = publication(
        body_html=f'<p><img src="file:{photo.sha256}" alt="示意图"></p>', pictures=(Picture(photo, "示意图", 8, 8, ai_generated=True),)
    )
    content = str(district.channel.format(item).payload["content_html"])
    assert f'<img src="{SITE.url}/files/{photo.sha256[:2]}/{photo.sha256}/%E5%9B%BE%201.png" alt="示意图">' in content
    assert "图片“示意图”由人工智能生成" in content
