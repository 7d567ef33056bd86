"""What real feed readers make of publication, correction and withdrawal, over real sockets."""

from __future__ import annotations

import gzip
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import feedparser
import feedparser_sgmllib
import pytest
import requests
from reader import make_reader

from tests.channels.feed.district import District, publication, rich
from tests.channels.feed.subscriber_server import StaticServer, serving
from tests.tools import need

# reader carries an older feedparser of its own, which imports this module by the name it had in Python 2.
sys.modules.setdefault("sgmllib", feedparser_sgmllib)

FORMS = ("rss.xml", "atom.xml", "json")
ITEM = "tag:www.yunchuan.gov.cn,2026:item:YC-01"


@pytest.fixture
def server(district: District) -> Iterator[StaticServer]:
    """The feeds of a district with one item, served."""
    district.publish(publication(), district.at(0))
    with serving(district.folder) as running:
        yield running


def correct(district: District) -> None:
    district.publish(publication(revision=2, body_html="<p>人数为28名。</p>", change_note="人数更正为28名。"), district.at(5))


@pytest.mark.parametrize("form", FORMS)
def test_etags_stand_still_until_the_feed_changes(district: District, server: StaticServer, form: str) -> None:
    url = f"{server.url}/feeds/all.{form}"
    for encoding in ("identity", "gzip"):
        first = requests.get(url, headers={"Accept-Encoding": encoding}, timeout=10)
        assert first.status_code == 200
        assert first.content == district.read(f"all.{form}")
        asked = {"Accept-Encoding": encoding, "If-None-Match": first.headers["ETag"]}
        assert requests.get(url, headers=asked, timeout=10).status_code == 304
        district.channel.prepare()
        district.channel.rebuild(list(district.entries.values()))
        assert requests.get(url, headers=asked, timeout=10).status_code == 304
        district.publish(publication(f"YC-{encoding}"), district.at(1))
        assert requests.get(url, headers=asked, timeout=10).status_code == 200
    assert gzip.decompress(district.read(f"all.{form}.gz")) == district.read(f"all.{form}")


@pytest.mark.parametrize("form", ["rss.xml", "atom.xml"])
def test_feedparser_through_the_five_stages(district: District, server: StaticServer, form: str) -> None:
    url = f"{server.url}/feeds/all.{form}"
    first = feedparser.parse(url)
    assert (first.status, first.bozo, [each.id for each in first.entries]) == (200, 0, [ITEM])
    assert feedparser.parse(url, etag=first.etag).status == 304
    district.publish(rich("YC-02"), district.at(1))
    second = feedparser.parse(url, etag=first.etag)
    assert (second.status, second.bozo, len(second.entries)) == (200, 0, 2)
    assert {each.rel for each in second.entries[0].links} >= {"alternate", "enclosure"}
    correct(district)
    third = {each.id: each for each in feedparser.parse(url).entries}
    old = {each.id: each for each in second.entries}
    assert len(third) == 3
    assert third[ITEM].updated_parsed > old[ITEM].updated_parsed
    assert third[ITEM].published_parsed == old[ITEM].published_parsed
    assert "人数为28名" in third[ITEM].content[0].value
    district.withdraw("YC-01", district.at(6))
    fourth = feedparser.parse(url)
    assert not fourth.bozo
    assert {each.id.rpartition(":")[2] for each in fourth.entries} == {"YC-02", "YC-01.withdrawal"}


@pytest.mark.parametrize("form", FORMS)
def test_reader_sees_each_item_once_and_a_correction_as_a_change(district: District, server: StaticServer, form: str) -> None:
    url = f"{server.url}/feeds/all.{form}"
    with closing(make_reader(":memory:")) as reader:
        reader.add_feed(url)

        def update() -> tuple[int, int]:
            # None: the feed answered 304, or with the bytes it had before.
            done = reader.update_feed(url)
            return (done.new, done.modified) if done else (0, 0)

        assert update() == (1, 0)
        assert update() == (0, 0)
        assert server.seen[-1].status == 304
        district.publish(publication("YC-02"), district.at(1))
        assert update() == (1, 0)
        correct(district)
        assert update() == (1, 1)
        changed = reader.get_entry((url, ITEM))
        assert changed.content[0].value.startswith("<p><strong>更正说明：</strong>人数更正为28名。")
        assert changed.updated is not None
        assert changed.published is not None
        assert changed.updated > changed.published
        district.withdraw("YC-01", district.at(6))
        assert update() == (1, 0)
        titles = [entry.title for entry in reader.get_entries()]
        assert sorted(titles) == sorted(set(titles))
        assert "撤回公告：公益性岗位招聘公告 YC-01" in titles


class Newsboat:
    """newsboat with a profile of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        self.program = need("newsboat")
        self.folder = folder
        folder.mkdir()
        (folder / "urls").write_text(f"{url}\n")
        (folder / "config").write_text("auto-reload no\n")

    def reload(self) -> None:
        files = [f"--{name}-file={self.folder / place}" for name, place in (("config", "config"), ("url", "urls"), ("cache", "cache.db"))]
        surroundings = {"HOME": str(self.folder), "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"], "no_proxy": "127.0.0.1"}
        done = subprocess.run(
            [self.program, *files, "-x", "reload"], env=surroundings, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr + done.stdout

    def rows(self) -> dict[str, tuple[str, int, str]]:
        """guid → (title, unread, content)."""
        with closing(sqlite3.connect(self.folder / "cache.db")) as db:
            found = db.execute("SELECT guid, title, unread, content FROM rss_item").fetchall()
        assert len(found) == len({each[0] for each in found})
        return {guid.rpartition(":")[2]: (title, unread, content) for guid, title, unread, content in found}

    def read_all(self) -> None:
        with closing(sqlite3.connect(self.folder / "cache.db")) as db, db:
            db.execute("UPDATE rss_item SET unread = 0")


@pytest.mark.parametrize("form", ["rss.xml", "atom.xml"])
def test_newsboat_keeps_one_row_per_item(district: District, server: StaticServer, form: str) -> None:
    boat = Newsboat(district.root / "newsboat", f"{server.url}/feeds/all.{form}")
    boat.reload()
    assert {guid: unread for guid, (_, unread, _) in boat.rows().items()} == {"YC-01": 1}
    # It keeps the validators of the second fetch, so the third one is the first that can be answered 304.
    boat.reload()
    boat.reload()
    assert server.seen[-1].status == 304
    boat.read_all()
    district.publish(publication("YC-02"), district.at(1))
    boat.reload()
    assert {guid: unread for guid, (_, unread, _) in boat.rows().items()} == {"YC-01": 0, "YC-02": 1}
    correct(district)
    boat.reload()
    rows = boat.rows()
    assert set(rows) == {"YC-01", "YC-02", "YC-01.2"}
    assert "人数为28名" in rows["YC-01"][2]
    assert rows["YC-01.2"][:2] == ("更正公告：公益性岗位招聘公告 YC-01", 1)
    district.withdraw("YC-01", district.at(6))
    boat.reload()
    assert boat.rows()["YC-01.withdrawal"][:2] == ("撤回公告：公益性岗位招聘公告 YC-01", 1)
