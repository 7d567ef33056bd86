"""Every feed against the rules of its format."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from lxml import etree

from tests.channels.feed.district import HEALTH, NEWS, SITE, START, District, publication, rich
from tests.channels.feed.rss_rules import faults
from tests.tools import need

DATA = Path(__file__).with_name("data")
NOW = START + timedelta(days=2)
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> District:
    """Feeds with everything that can stand in one: rich items, batches of one moment, corrections, a withdrawal, empty feeds."""
    district = District(tmp_path_factory.mktemp("full"))
    district.settings = {"image": {"path": "/static/logo.png", "width": 144, "height": 144}}
    district.publish(rich(), district.at(0))
    district.publish_many([publication(f"YC-{number:02}") for number in range(8)], district.at(1))
    district.publish(publication("YC-02", 2, change_note="报名电话更正为\n025-00001201。"), district.at(2))
    district.publish(publication("YC-02", 3, title="招聘公告（更正）", change_note="标题更正。"), district.at(3))
    district.publish(publication("YC-NEWS", column=NEWS, department=HEALTH, area=None), district.at(3))
    district.withdraw("YC-03", district.at(4))
    return district


def test_rss_is_clean(full: District) -> None:
    feeds = [name for name in full.files() if name.endswith(".rss.xml")]
    assert len(feeds) == 7
    for name in feeds:
        assert faults(full.read(name), f"{SITE.url}/feeds/{name}", NOW) == [], name


def spoil(data: bytes, *changes: tuple[str, str]) -> bytes:
    text = data.decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text.encode()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('isPermaLink="false"', 'isPermaLink="true"'),
        (":item:YC-04<", ":item:YC-05<"),
        ("<pubDate>Fri,", "<pubDate>Thu,"),
        (" +0800</pubDate>", "</pubDate>"),
        ("2026 13:00:00 +0800", "2099 13:00:00 +0800"),
        ("<ttl>15</ttl>", "<ttl>20</ttl>"),
        ("<width>144<", "<width>145<"),
        ("all.rss.xml", "other.rss.xml"),
        ("zh-CN", "Chinese"),
        ("&lt;p&gt;", "&lt;p&gt;&lt;script&gt;"),
        ('src="https://www.yunchuan.gov.cn/', 'src="/'),
        (' length="2048"', ""),
        ("<dc:creator>", "<dc:creator/><author/><dc:creator>"),
        ("招聘公告（更正）", "招聘\x0b公告"),
    ],
)
def test_the_rss_rules_notice_faults(full: District, old: str, new: str) -> None:
    assert faults(spoil(full.read("all.rss.xml"), (old, new)), f"{SITE.url}/feeds/all.rss.xml", NOW)


def test_atom_satisfies_the_grammar_of_rfc_4287(full: District) -> None:
    grammar = etree.RelaxNG(etree.parse(DATA / "atom.rng"))
    feeds = [name for name in full.files() if name.endswith(".atom.xml")]
    for name in feeds:
        grammar.assertValid(etree.fromstring(full.read(name)))
    tombstone_last = etree.fromstring(full.read("all.atom.xml"))
    tombstone_last.append(tombstone_last.find("{http://purl.org/atompub/tombstones/1.0}deleted-entry"))
    assert not grammar.validate(tombstone_last)


def test_jing_agrees(full: District) -> None:
    feeds = [str(full.folder / name) for name in full.files() if name.endswith(".atom.xml")]
    done = subprocess.run([need("jing"), str(DATA / "atom.rng"), *feeds], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_atom_keeps_what_the_grammar_cannot_say(full: District) -> None:
    for name in [name for name in full.files() if name.endswith(".atom.xml")]:
        feed = etree.fromstring(full.read(name))
        assert feed.find(f"{ATOM}link[@rel='self']").get("href") == f"{SITE.url}/feeds/{name}"
        stamps = [each.text for each in feed.findall(f"{ATOM}entry/{ATOM}updated")]
        assert len(set(stamps)) == len(stamps), "DuplicateUpdated"
        assert stamps == sorted(stamps, reverse=True)
        if stamps:
            assert feed.findtext(f"{ATOM}updated") == stamps[0]
        for entry in feed.findall(f"{ATOM}entry"):
            assert len(entry.findall(f"{ATOM}link[@rel='alternate']")) == 1
            assert entry.findtext(f"{ATOM}updated") >= entry.findtext(f"{ATOM}published")
            assert entry.find(f"{ATOM}content").get("type") == "html"


def test_json_feed_satisfies_its_schema(full: District) -> None:
    schema: dict[str, Any] = json.loads((DATA / "jsonfeed-1.1.schema.json").read_text())
    check = jsonschema.Draft202012Validator(schema)
    feeds = [name for name in full.files() if name.endswith(".json")]
    assert len(feeds) == 7
    for name in feeds:
        feed = json.loads(full.read(name))
        check.validate(feed)
        assert feed["feed_url"] == f"{SITE.url}/feeds/{name}"
        assert len({each["id"] for each in feed["items"]}) == len(feed["items"])
    assert not check.is_valid({**feed, "_tombstones": []})
    assert not check.is_valid({**feed, "items": [{"id": 1}]})


def test_an_empty_feed_is_valid_and_does_not_move(district: District) -> None:
    assert district.channel.prepare() > 0
    before = district.files()
    assert district.channel.prepare() == 0
    assert district.files() == before
    assert faults(district.read("area-jobs.rss.xml"), f"{SITE.url}/feeds/area-jobs.rss.xml", NOW) == []
    assert b"<updated>2026-01-01T00:00:00+08:00</updated>" in district.read("area-jobs.atom.xml")


def test_the_opml_list_names_every_feed_once(full: District) -> None:
    root = etree.fromstring(full.read("index.opml"))
    assert root.get("version") == "2.0"
    listed = [each.get("xmlUrl") for each in root.iter("outline") if each.get("xmlUrl")]
    written = [f"{SITE.url}/feeds/{name}" for name in full.files() if name.endswith(".atom.xml")]
    assert sorted(listed) == sorted(written)
    for outline in root.iter("outline"):
        assert outline.get("text")
        assert (outline.get("type") == "rss") == (outline.get("xmlUrl") is not None)
