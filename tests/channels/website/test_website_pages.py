"""The pages themselves: valid, tagged by the rules, without scripts, every link leading somewhere."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import html5lib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.base import Relation
from channels.website.look import Look, look_of
from tests.channels.samples import a_picture
from tests.channels.website.district import CIVIL, NEWS, POLICY, SITE, District, item

SPACE = "{http://www.w3.org/1999/xhtml}"
NASTY = "<b>&\"'</script><!-- 〔2026〕1号"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> District:
    """A site with one of everything."""
    with pytest.MonkeyPatch.context() as patch:
        from channels.website import listings

        patch.setattr(listings, "PER_PAGE", 2)
        patch.setattr(listings, "PER_SITEMAP", 3)
        district = District(tmp_path_factory.mktemp("built"))
        picture = a_picture(district.files)
        table = district.files.add(b"table", "附件1：表 #1?.xlsx", "application/vnd.ms-excel")
        body = (
            f'<h2>一、对象</h2><p>见<a href="http://a.example.com/?a=1&amp;b=2">说明</a></p><img src="file:{picture.file.sha256}" alt="">'
            "<table><caption>表</caption><thead><tr><th>甲</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>"
        )
        policy = item(
            "P-1", title="补贴办法", column=POLICY, department=CIVIL, body_html=body, pictures=(picture,), attachments=(table,),
            doc_no="云川民规〔2026〕2号", issued_on=date(2026, 10, 30), effective_on=date(2027, 1, 1), expires_on=date(2031, 12, 31),
            validity="尚未施行", genre="通知", author="民政局", subtitle="副题",
        )  # fmt: skip
        publications = [
            policy,
            item("R-1", column=NEWS, relations=(Relation("interprets", "P-1", "补贴办法", f"{SITE.url}/items/P-1/"),)),
            item("W-1", kind="emergency", urgency="特急", details={"warning": {"category": "寒潮", "level": 3}}),
            item("X-1", title=NASTY, subtitle=NASTY, summary=NASTY, keywords=(NASTY,), source=NASTY, theme=NASTY),
            item("Q-1", kind="qa", details={"qa": {"asker": NASTY, "answered_at": "2026-11-13"}}, area=None, validity="废止"),
            *(item(f"A-{n}") for n in range(6)),
        ]
        district.publish_many([(each, n, None) for n, each in enumerate(publications)])
        district.publish(item("A-1", revision=2, change_note=NASTY), 6, 90)
        district.withdraw(item("A-2"), 95, NASTY)
    return district


def pages(district: District) -> dict[str, str]:
    return {path: data.decode() for path, data in district.tree().items() if path.endswith(".html")}


def parsed(text: str) -> Any:
    return html5lib.HTMLParser(strict=True).parse(text)


def metas(text: str) -> dict[str, str]:
    return {each.get("name"): each.get("content") for each in parsed(text).iter(f"{SPACE}meta") if each.get("name")}


def test_every_page_is_valid_html(built: District) -> None:
    for path, text in pages(built).items():
        try:
            tree = parsed(text)
        except html5lib.html5parser.ParseError as fault:
            pytest.fail(f"{path}: {fault}")
        ids = [each.get("id") for each in tree.iter() if each.get("id")]
        assert len(ids) == len(set(ids)), path
        assert tree.get("lang") == "zh-CN"
        assert len(list(tree.iter(f"{SPACE}h1"))) == 1, path
        assert len(list(tree.iter(f"{SPACE}main"))) == 1, path
        assert all(each.get("alt") is not None for each in tree.iter(f"{SPACE}img")), path


def test_no_page_runs_or_styles_anything_inline(built: District) -> None:
    for path, text in pages(built).items():
        for each in parsed(text).iter():
            if each.tag == f"{SPACE}script":
                assert each.get("type") == "application/ld+json", path
                assert json.loads(each.text)["@context"] == "https://schema.org", path
            assert each.tag != f"{SPACE}style", path
            assert not [name for name in each.keys() if name == "style" or name.startswith("on")], path  # noqa: SIM118 - an Element


def test_every_link_inside_the_site_leads_somewhere(built: District) -> None:
    root = built.around.site_dir
    seen = 0
    for path, text in pages(built).items():
        for each in parsed(text).iter():
            for address in filter(None, (each.get("href"), each.get("src"))):
                parts = urlsplit(address)
                if (parts.netloc not in ("", SITE.domain)) or parts.path.startswith("/feeds/") or not parts.path:
                    continue
                target = root / unquote(parts.path).lstrip("/")
                seen += 1
                assert (target / "index.html" if parts.path.endswith("/") else target).is_file(), f"{path} → {address}"
    assert seen > 500


def test_every_sitemap_address_leads_somewhere_and_every_shown_item_is_in_one(built: District) -> None:
    root = built.around.site_dir
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    found = set()
    for sitemap in ElementTree.parse(root / "sitemap.xml").iter(f"{space}loc"):
        for place in ElementTree.parse(root / urlsplit(str(sitemap.text)).path.lstrip("/")).iter(f"{space}loc"):
            path = urlsplit(str(place.text)).path
            assert (root / path.lstrip("/") / "index.html").is_file(), path
            found.add(path)
    shown = {
        f"/{path.removesuffix('index.html')}"
        for path in pages(built)
        if path.count("/") == 2 and path.startswith("items/") and path.endswith("index.html")
    }
    assert shown <= found
    assert "/items/A-2/" not in found


def test_the_three_site_tags_are_on_every_page(built: District) -> None:
    for path, text in pages(built).items():
        found = metas(text)
        assert (found["SiteName"], found["SiteDomain"], found["SiteIDCode"]) == (SITE.name, SITE.domain, SITE.id_code), path


def test_column_pages_have_their_four_tags(built: District) -> None:
    found = metas(pages(built)["columns/policy/index.html"])
    assert {name: found[name] for name in found if name.startswith("Column")} == {
        "ColumnName": "政策文件",
        "ColumnDescription": "行政规范性文件",
        "ColumnKeywords": "政策",
        "ColumnType": "政策文件",
    }
    for path, text in pages(built).items():
        if path.startswith(("columns/", "departments/", "areas/")):
            assert all(metas(text)[f"Column{name}"] for name in ("Name", "Description", "Keywords", "Type")), path


def test_articles_have_exactly_the_tags_of_the_rules(built: District) -> None:
    page = pages(built)["items/P-1/index.html"]
    found = metas(page)
    ours = [each.get("name") for each in parsed(page).iter(f"{SPACE}meta") if (each.get("name") or "")[:1].isupper()]
    assert ours == [
        "SiteName", "SiteDomain", "SiteIDCode", "ColumnName", "ColumnDescription", "ColumnKeywords", "ColumnType",
        "ArticleTitle", "PubDate", "ContentSource", "Keywords", "Author", "Description", "Image", "Url",
    ]  # fmt: skip
    assert found["ArticleTitle"] == "补贴办法"
    assert found["PubDate"] == "2026-11-01 09:00"
    assert found["Url"] == f"{SITE.url}/items/P-1/"
    assert found["Image"].startswith(f"{SITE.url}/files/")
    bare = metas(pages(built)["items/A-0/index.html"])
    assert "Image" not in bare


def test_the_metadata_table_is_complete(built: District) -> None:
    tree = parsed(pages(built)["items/P-1/index.html"])
    names = [each.text for each in tree.iter(f"{SPACE}dt")]
    wanted = "索引号 发布机构 成文日期 发布日期 文号 效力 生效日期 有效期至 体裁 主题分类 公开属性 信息来源 关键词"
    assert names == wanted.split()


def test_nasty_words_stay_words(built: District) -> None:
    tree = parsed(pages(built)["items/X-1/index.html"])
    assert next(tree.iter(f"{SPACE}h1")).text == NASTY
    assert metas(pages(built)["items/X-1/index.html"])["ArticleTitle"] == NASTY
    ld = next(each for each in tree.iter(f"{SPACE}script"))
    assert json.loads(ld.text)["headline"] == NASTY
    assert NASTY in "".join(parsed(pages(built)["items/A-2/gone.html"]).itertext())


def test_pages_name_their_feeds_and_their_own_address(built: District) -> None:
    tree = parsed(pages(built)["items/P-1/index.html"])
    links = [(each.get("rel"), each.get("type"), each.get("href")) for each in tree.iter(f"{SPACE}link")]
    for scope in ("all", "column-policy", "department-civil", "area-jobs"):
        assert ("alternate", "application/rss+xml", f"/feeds/{scope}.rss.xml") in links
        assert ("alternate", "application/atom+xml", f"/feeds/{scope}.atom.xml") in links
        assert ("alternate", "application/feed+json", f"/feeds/{scope}.json") in links
    assert ("canonical", None, f"{SITE.url}/items/P-1/") in links
    assert "/feeds/index.opml" in pages(built)["subscribe/index.html"]


def test_ended_documents_are_marked_in_words(built: District) -> None:
    assert "本文件已废止" in pages(built)["items/Q-1/index.html"]
    assert any(">废止<" in text for path, text in pages(built).items() if path.startswith("columns/notice/"))


def test_the_stylesheet_is_named_by_its_bytes_and_no_template_colours_by_itself(built: District) -> None:
    look: Look = look_of(SITE)
    assert (built.around.site_dir / look.stylesheet_path.lstrip("/")).read_bytes() == look.stylesheet
    assert b"url(" not in look.stylesheet
    assert b"@import" not in look.stylesheet


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_colours_keep_the_contrast_of_level_aa() -> None:
    import re

    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", look_of(SITE).stylesheet.decode()))
    for ink in ("main", "main-dark", "alarm", "ink", "soft"):
        for paper in ("#ffffff", colours["tint"], colours["page"], colours["alarm-tint"]):
            light, dark = sorted((luminance(colours[ink]), luminance(paper)), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, paper)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=25)
@given(words=st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=30))
def test_any_words_make_a_valid_page(words: str, tmp_path: Path) -> None:
    from channels.website.tags import item_facts

    payload = District(tmp_path / "any").channel.format(item("A-1", title=words, subtitle=words, change_note=words)).payload
    drawn = look_of(SITE).draw(
        "gone.html", tags=[("SiteName", words)], feeds=[], payload=payload, withdrawn_at="2026-11-01T00:00:00.000000+00:00", note=words
    )
    parsed(drawn.decode())
    assert item_facts(SITE, dict(payload), "2026-11-01T00:00:00.000000+00:00", "2026-11-01T00:00:00.000000+00:00")
