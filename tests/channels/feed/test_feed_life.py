"""Publishing, correcting, withdrawing: what lands in the files, and what the hub is told."""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from channels.base import (
    Absent,
    Action,
    Live,
    Named,
    Refused,
    Rendition,
    recording,
)
from channels.feed import Entry, Feed, Release
from channels.feed.catalogue import Head
from channels.feed.index import Index
from channels.feed.writer import Writer
from tests.channels.feed.district import HEALTH, JOBS, NEWS, NOTICES, SITE, TAG, District, ids, items, job, publication

ATOM = "{http://www.w3.org/2005/Atom}"
AT = "{http://purl.org/atompub/tombstones/1.0}"


def test_an_item_stands_in_all_its_feeds_and_those_of_columns_above(district: District) -> None:
    assert isinstance(district.publish(publication(), district.at(0)), Live)
    assert ids(district) == ["item:YC-01"]
    for feed in ("column-notices", "column-open", "area-jobs", "department-labour"):
        assert ids(district, feed) == ["item:YC-01"], feed
    for feed in ("column-news", "department-health"):
        assert ids(district, feed) == [], feed


def test_the_packed_sibling_holds_the_same_bytes(district: District) -> None:
    district.publish(publication(), district.at(0))
    plain = {name: data for name, data in district.files().items() if not name.endswith(".gz")}
    assert plain
    for name, data in plain.items():
        assert gzip.decompress(district.read(f"{name}.gz")) == data


def test_a_correction_keeps_the_id_moves_updated_and_adds_a_notice(district: District) -> None:
    district.publish(publication(), district.at(0))
    before = items(district)[0]
    outcome = district.publish(publication(revision=2, title="更正后的标题", change_note="电话更正。"), district.at(5))
    assert outcome == Live({"id": f"{TAG}item:YC-01", "revision": 2}, f"{SITE.url}/feeds/all.atom.xml")
    by_id = {each["id"]: each for each in items(district)}
    assert set(by_id) == {f"{TAG}item:YC-01", f"{TAG}notice:YC-01.2"}
    after, notice = by_id[f"{TAG}item:YC-01"], by_id[f"{TAG}notice:YC-01.2"]
    assert after["date_published"] == before["date_published"]
    assert after["date_modified"] > before["date_modified"]
    assert after["content_html"].startswith("<p><strong>更正说明：</strong>电话更正。</p>")
    assert notice["title"] == "更正公告：更正后的标题"
    assert "电话更正。" in notice["content_html"]
    assert "原标题：《公益性岗位招聘公告 YC-01》" in notice["content_html"]
    entry = etree.fromstring(district.read("all.atom.xml")).find(f"{ATOM}entry[{ATOM}id='{TAG}notice:YC-01.2']")
    assert entry.find(f"{ATOM}link[@rel='related']").get("href") == f"{SITE.url}/items/YC-01/"
    assert etree.fromstring(district.read("all.rss.xml")).find(".//item/{http://www.w3.org/2005/Atom}link").get("rel") == "related"


def test_a_correction_released_for_the_same_moment_is_still_later(district: District) -> None:
    district.publish(publication(), district.at(0))
    stamps = [items(district)[0]["date_modified"]]
    for revision in (2, 3):
        district.publish(publication(revision=revision), district.at(0))
        stamps += [each["date_modified"] for each in items(district) if each["id"].endswith("item:YC-01")]
    assert stamps == sorted(set(stamps))
    assert len({each["date_modified"] for each in items(district)}) == 3


def test_a_withdrawal_leaves_a_tombstone_and_a_notice_and_none_of_the_words(district: District) -> None:
    district.publish(publication(body_html="<p>不应公开的内容</p>", summary="不应公开的内容"), district.at(0))
    district.publish(publication(revision=2, body_html="<p>不应公开的内容</p>", change_note="不应公开的内容已更正"), district.at(1))
    outcome = district.withdraw("YC-01", district.at(2), "涉及个人信息。")
    assert isinstance(outcome, Absent)
    assert ids(district) == ["notice:YC-01.withdrawal"]
    notice = items(district)[0]
    assert notice["title"] == "撤回公告：公益性岗位招聘公告 YC-01"
    assert "涉及个人信息。" in notice["content_html"]
    feed = etree.fromstring(district.read("all.atom.xml"))
    tombs = feed.findall(f"{AT}deleted-entry")
    assert {each.get("ref") for each in tombs} == {f"{TAG}item:YC-01", f"{TAG}notice:YC-01.2"}
    assert {(each.get("when"), each.findtext(f"{AT}comment")) for each in tombs} == {("2026-11-20T11:00:00+08:00", "涉及个人信息。")}
    assert [each.tag for each in feed].index(f"{AT}deleted-entry") < [each.tag for each in feed].index(f"{ATOM}entry")
    deleted = json.loads(district.read("all.json"))["_tombstones"]["deleted"]
    assert {each["id"] for each in deleted} == {f"{TAG}item:YC-01", f"{TAG}notice:YC-01.2"}
    for data in district.files().values():
        assert "不应公开".encode() not in data
    with closing(sqlite3.connect(district.root / "state" / "feeds.db")) as db:
        assert db.execute("SELECT key FROM fragment").fetchall() == [("notice:YC-01.withdrawal",)]
    for feed_name in ("column-notices", "column-open", "area-jobs", "department-labour"):
        assert ids(district, feed_name) == ["notice:YC-01.withdrawal"]


def test_withdrawing_twice_or_what_never_was_is_absent_and_changes_nothing(district: District) -> None:
    district.publish(publication(), district.at(0))
    district.withdraw("YC-01", district.at(1))
    before = district.files()
    assert isinstance(district.withdraw("YC-01", district.at(2), "别的原因"), Absent)
    stranger = district.channel.format(publication("YC-NONE"))
    assert isinstance(district.channel.withdraw(stranger, job(stranger, district.at(3), Action.WITHDRAW)), Absent)
    assert district.files() == before


@pytest.mark.parametrize(("withdrawn", "late"), [(False, 1), (True, 1), (True, 2), (True, 3)])
def test_an_older_revision_never_follows_a_newer_one_and_none_follows_a_withdrawal(district: District, withdrawn: bool, late: int) -> None:
    district.publish(publication(revision=2), district.at(1))
    if withdrawn:
        district.withdraw("YC-01", district.at(2))
    before = district.files()
    rendition = district.channel.format(publication(revision=late))
    outcome = district.channel.push(rendition, job(rendition, district.at(0)))
    assert isinstance(outcome, Refused)
    assert outcome.code == "superseded"
    assert district.files() == before


def test_pushing_the_same_again_changes_nothing_and_other_words_under_the_same_revision_are_refused(district: District) -> None:
    district.publish(publication(), district.at(0))
    before = district.files()
    same = district.channel.format(publication())
    with recording() as exchanges:
        assert isinstance(district.channel.push(same, job(same, district.at(9))), Live)
    assert exchanges == []
    other = district.channel.format(publication(title="另一个标题"))
    outcome = district.channel.push(other, job(other, district.at(9)))
    assert isinstance(outcome, Refused)
    assert outcome.code == "altered"
    assert district.files() == before


def test_a_correction_that_moves_an_item_takes_it_out_of_its_old_feeds(district: District) -> None:
    district.publish(publication(), district.at(0))
    district.publish(publication(revision=2, column=NEWS, department=HEALTH, area=None, change_note="栏目更正。"), district.at(1))
    assert set(ids(district, "column-news")) == {"item:YC-01", "notice:YC-01.2"}
    assert ids(district, "column-notices") == ["notice:YC-01.2"]
    assert AT.encode() not in district.read("column-notices.atom.xml")


def test_notices_count_among_the_entries_and_the_oldest_fall_out(district: District) -> None:
    district.settings = {"count": 3}
    district.publish_many([publication(f"YC-{n}") for n in range(3)], district.at(0))
    district.publish(publication("YC-2", 2), district.at(1))
    assert set(ids(district)[:2]) == {"item:YC-2", "notice:YC-2.2"}
    assert len(ids(district)) == 3
    district.withdraw("YC-2", district.at(2))
    assert set(ids(district)) == {"notice:YC-2.withdrawal", "item:YC-0", "item:YC-1"}


def test_one_bad_delivery_changes_only_its_own_outcome(district: District) -> None:
    good = [district.channel.format(publication(f"YC-{n}")) for n in range(3)]
    broken = [
        Rendition("feed", {**good[0].payload, "public_id": "YC-X", "feeds": [{"slug": "../../etc/x", "name": "x"}]}),
        Rendition("feed", {**good[0].payload, "public_id": "YC-Y", "title": "坏\x0b字"}),
        Rendition("feed", {"public_id": "YC-Z", "revision": 1}),
        Rendition("feed", {**good[0].payload, "public_id": "YC-Q", "attachments": [{}]}),
    ]
    order = [good[0], broken[0], broken[1], good[1], broken[2], broken[3], good[2]]
    outcomes = district.channel.push_many([(each, job(each, district.at(0))) for each in order])
    assert [type(each) for each in outcomes] == [Live, Refused, Refused, Live, Refused, Refused, Live]
    assert {getattr(each, "code", "") for each in outcomes if isinstance(each, Refused)} == {"unfit"}
    assert set(ids(district)) == {"item:YC-0", "item:YC-1", "item:YC-2"}
    assert isinstance(district.publish(publication("YC-9"), district.at(1)), Live)


def written(district: District, *items: Any, hours: float) -> list[str]:
    with recording() as exchanges:
        assert all(isinstance(each, Live) for each in district.publish_many(items, district.at(hours)))
    return [each.what.removeprefix("WRITE feeds/") for each in exchanges]


def test_only_touched_feeds_are_built_and_written_and_each_once(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    departments = tuple(Named(f"d{n}", f"单位{n}") for n in range(40))
    district.site = replace(SITE, departments=departments)
    models = [district.channel.format(publication(department=each)).payload for each in departments]
    payloads = ({**models[n % 40], "public_id": f"YC-{n:04}"} for n in range(2000))
    with recording() as exchanges:
        district.channel.rebuild(Entry(district.at(0), (Release(1, each, district.at(0)),)) for each in payloads)
    assert len({each.what for each in exchanges}) == len(exchanges) == 3 * (1 + 40 + 1 + 3) + 2
    built: list[str] = []
    documents = Writer.documents

    def counted(self: Writer, index: Index, head: Head) -> Iterator[tuple[str, bytes]]:
        built.append(head.slug)
        return documents(self, index, head)

    monkeypatch.setattr(Writer, "documents", counted)
    touched = written(district, publication("YC-NEW", department=departments[7], column=NEWS, area=None), hours=1)
    assert sorted(touched) == sorted(
        f"{feed}.{form}" for feed in ("all", "column-news", "department-d7") for form in ("rss.xml", "atom.xml", "json")
    )
    assert sorted(built) == ["all", "column-news", "department-d7"]
    batch = [publication(f"YC-B{n}", department=departments[7], column=NEWS, area=None) for n in range(20)]
    assert sorted(written(district, *batch, hours=2)) == sorted(touched)
    assert sorted(built) == sorted(["all", "column-news", "department-d7"] * 2)


def test_a_new_column_gets_an_empty_feed_and_a_line_in_the_list(district: District) -> None:
    district.publish(publication(), district.at(0))
    untouched = district.read("all.atom.xml")
    district.site = replace(SITE, columns=(*SITE.columns, replace(NEWS, slug="video", name="视频")))
    with recording() as exchanges:
        assert district.channel.prepare() > 0
    assert {each.what.removeprefix("WRITE feeds/") for each in exchanges} == {
        "column-video.rss.xml", "column-video.atom.xml", "column-video.json", "index.opml",
    }  # fmt: skip
    assert ids(district, "column-video") == []
    assert b"column-video.atom.xml" in district.read("index.opml")
    assert district.read("all.atom.xml") == untouched


def test_a_new_site_name_reaches_every_feed(district: District) -> None:
    district.publish(publication(), district.at(0))
    district.site = replace(SITE, name="云川新区人民政府")
    district.channel.prepare()
    for name, data in district.files().items():
        if name.endswith((".xml", ".json", ".opml")):
            assert "云川新区".encode() in data, name


def test_check_tells_the_age_of_the_newest_entry_and_a_folder_it_cannot_use(district: District) -> None:
    assert district.channel.check().message == "订阅源目录可写，还没有条目"
    district.publish(publication(), district.at(0))
    health = district.channel.check()
    assert health.ok
    assert "2026-11-20 09:00（北京时间），距今 1 天 23 小时" in health.message
    shutil.rmtree(district.folder)
    district.folder.write_bytes(b"a file in the way")
    health = district.channel.check()
    assert not health.ok
    assert "不可写" in health.message


def test_a_feed_named_only_by_items_takes_its_newest_name(district: District) -> None:
    district.site = replace(SITE, areas=())
    for number, name in enumerate(("旧名", "新名")):
        district.publish(publication(f"YC-{number}", area=Named(JOBS.slug, name)), district.at(number))
    assert json.loads(district.read("area-jobs.json"))["title"] == "新名 - 云川区人民政府"
    assert NOTICES.slug in district.read("index.opml").decode()


def test_the_channel_is_what_the_registry_expects(district: District) -> None:
    from channels.registry import create_channel, limits_of

    channel = create_channel(district.account, district.around)
    assert isinstance(channel, Feed)
    assert limits_of("feed").can_edit
    assert limits_of("feed").absence_is_proof
