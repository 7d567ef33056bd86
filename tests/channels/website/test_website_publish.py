"""Publishing, correcting, withdrawing: what is answered and what stands on disk."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from channels.base import Absent, Action, Live, RefusalClass, Refused, Relation, Rendition, Unavailable, recording
from channels.website.addresses import file_address
from tests.channels.samples import a_picture
from tests.channels.website.district import CIVIL, EMPTY, NEWS, POLICY, SITE, District, at, item, job


def relation(kind: str, target: str) -> Relation:
    return Relation(kind, target, f"关于{target}的公告", f"{SITE.url}/items/{target}/")


def test_a_publication_is_live_at_its_address(district: District) -> None:
    with recording() as exchanges:
        outcome = district.publish(item("A-1"), 5)
    assert outcome == Live({"public_id": "A-1", "revision": 1}, f"{SITE.url}/items/A-1/")
    assert "关于A-1的公告" in district.page("/items/A-1/")
    written = {each.what for each in exchanges}
    assert "WRITE items/A-1/index.html" in written
    assert all(len(each.request_digest) == 64 for each in exchanges)


def test_it_is_listed_in_the_column_and_those_above_the_department_the_area_and_the_archive(district: District) -> None:
    district.publish(item("A-1", column=POLICY), 5)
    for path in ("/", "/columns/policy/", "/columns/news/", "/departments/labour/", "/areas/jobs/", "/items/"):
        assert 'href="/items/A-1/"' in district.page(path), path
    assert 'href="/items/A-1/"' not in district.page("/columns/notice/")


def test_columns_without_items_say_so(district: District) -> None:
    district.channel.prepare()
    assert "暂无内容" in district.page("/columns/empty/")
    assert "还没有公开的信息" in district.page("/")


def test_pushing_twice_writes_once(district: District) -> None:
    publication = item("A-1")
    district.publish(publication, 5)
    with recording() as exchanges:
        assert isinstance(district.publish(publication, 5), Live)
    assert exchanges == []


def test_a_correction_replaces_the_page_and_keeps_the_publication_time(district: District) -> None:
    district.publish(item("A-1"), 0)
    district.publish(item("A-1", revision=2, title="改过的标题", change_note="报名时间有误，已更正。"), 0, 60)
    page = district.page("/items/A-1/")
    assert "改过的标题" in page
    assert "报名时间有误，已更正。" in page
    assert "更正说明" in page
    assert "2026-11-01 10:00" in page  # when it was corrected
    assert '<meta name="PubDate" content="2026-11-01 09:00">' in page
    assert "已更正" in district.page("/columns/notice/")


def test_a_corrected_column_moves_the_item(district: District) -> None:
    district.publish(item("A-1"), 0)
    district.publish(item("A-1", revision=2, column=NEWS, area=None, department=CIVIL), 0, 60)
    assert "A-1" not in district.page("/columns/notice/")
    assert "A-1" not in district.page("/areas/jobs/")
    assert "A-1" not in district.page("/departments/labour/")
    assert "A-1" in district.page("/columns/news/")
    assert "A-1" in district.page("/departments/civil/")


def test_an_older_revision_never_overwrites(district: District) -> None:
    district.publish(item("A-1", revision=3, title="新"), 0, 60)
    outcome = district.publish(item("A-1", revision=2, title="旧"), 0, 30)
    assert isinstance(outcome, Refused)
    assert (outcome.kind, outcome.code) == (RefusalClass.CONTENT, "superseded")
    assert "<title>新 - " in district.page("/items/A-1/")


def test_the_same_revision_with_other_words_is_refused(district: District) -> None:
    district.publish(item("A-1"), 0)
    outcome = district.publish(item("A-1", title="偷换的标题"), 0)
    assert isinstance(outcome, Refused)
    assert outcome.code == "altered"
    assert "偷换" not in district.page("/items/A-1/")


def test_a_withdrawn_item_leaves_its_notice_and_nothing_else(district: District) -> None:
    attachment = district.files.add(b"names", "名单.xlsx", "application/vnd.ms-excel")
    publication = item("A-1", attachments=(attachment,))
    district.publish(publication, 0)
    address = f"files/{attachment.sha256[:2]}/{attachment.sha256}/名单.xlsx"
    assert district.has(address)
    assert isinstance(district.withdraw(publication, 90, "含有个人信息"), Absent)
    notice = (district.around.site_dir / "items/A-1/gone.html").read_text()
    for words in ("关于A-1的公告", "区人力资源和社会保障局", "2026-11-01 10:30", "含有个人信息"):
        assert words in notice
    assert "公益性岗位" not in notice
    left = [path for path, data in district.tree().items() if b"A-1" in data and not path.endswith(".gz")]
    assert left == ["items/A-1/gone.html"]
    assert not district.has(address)
    assert sorted(path for path in district.tree() if path.startswith("items/A-1/")) == ["items/A-1/gone.html", "items/A-1/gone.html.gz"]


def test_withdrawing_again_or_what_was_never_there_is_absent(district: District) -> None:
    publication = item("A-1")
    district.publish(publication, 0)
    district.withdraw(publication, 5, "甲")
    before = district.tree()
    assert isinstance(district.withdraw(publication, 9, "乙"), Absent)
    assert district.tree() == before
    never = item("A-2")
    assert isinstance(district.channel.withdraw(district.channel.format(never), job(never, Action.WITHDRAW, at(0), at(1))), Absent)
    assert not district.has("items/A-2")


def test_a_withdrawn_revision_does_not_come_back_but_a_newer_one_may(district: District) -> None:
    publication = item("A-1")
    district.publish(publication, 0)
    district.withdraw(publication, 5)
    outcome = district.publish(publication, 0)
    assert isinstance(outcome, Refused)
    assert outcome.code == "superseded"
    assert isinstance(district.publish(item("A-1", revision=2), 0, 30), Live)
    assert district.has("items/A-1/index.html")
    assert not district.has("items/A-1/gone.html")
    assert "A-1" in district.page("/columns/notice/")


def test_an_older_withdrawal_does_not_take_a_newer_revision_away(district: District) -> None:
    old = item("A-1")
    district.publish(old, 0)
    district.publish(item("A-1", revision=2), 0, 5)
    outcome = district.channel.withdraw(district.channel.format(old), job(old, Action.WITHDRAW, at(0), at(9)))
    assert isinstance(outcome, Refused)
    assert outcome.code == "superseded"


def test_relations_link_both_ways_while_both_are_shown(district: District) -> None:
    policy, reading = item("P-1", column=POLICY), item("R-1", relations=(relation("interprets", "P-1"),))
    district.publish(reading, 0)
    assert 'href="/items/P-1/"' not in district.page("/items/R-1/")
    assert "关于P-1的公告" in district.page("/items/R-1/")
    district.publish(policy, 5)
    assert 'href="/items/P-1/"' in district.page("/items/R-1/")
    assert 'href="/items/R-1/"' in district.page("/items/P-1/")
    assert "政策解读" in district.page("/items/P-1/")
    district.publish(item("R-1", revision=2, title="一图读懂", relations=(relation("interprets", "P-1"),)), 0, 20)
    assert "一图读懂" in district.page("/items/P-1/")
    district.withdraw(policy, 30)
    assert 'href="/items/P-1/"' not in district.page("/items/R-1/")


def test_a_withdrawn_reading_disappears_from_the_policy(district: District) -> None:
    policy, reading = item("P-1", column=POLICY), item("R-1", relations=(relation("interprets", "P-1"),))
    district.publish_many([(policy, 0, None), (reading, 5, None)])
    district.withdraw(reading, 30)
    assert "R-1" not in district.page("/items/P-1/")


def test_a_relation_dropped_in_a_correction_is_dropped_on_both_pages(district: District) -> None:
    district.publish_many([(item("P-1"), 0, None), (item("R-1", relations=(relation("replaces", "P-1"),)), 5, None)])
    assert "本文件已被以下文件替代" in district.page("/items/P-1/")
    district.publish(item("R-1", revision=2), 5, 9)
    assert "R-1" not in district.page("/items/P-1/")
    assert "P-1" not in district.page("/items/R-1/")


def test_attachments_are_copied_once_and_removed_when_no_page_offers_them(district: District) -> None:
    table = district.files.add(b"table", "附件1：表 格.xlsx", "application/vnd.ms-excel")
    one, two = item("A-1", attachments=(table,)), item("A-2", attachments=(table,))
    district.publish_many([(one, 0, None), (two, 1, None)])
    stored = district.around.site_dir / "files" / table.sha256[:2] / table.sha256 / table.name
    assert stored.read_bytes() == b"table"
    page = district.page("/items/A-1/")
    assert f'href="{file_address(table.sha256, table.name)}"' in page
    assert "XLSX" in page
    assert "5 字节" in page
    district.withdraw(one, 9)
    assert stored.exists()
    district.publish(item("A-2", revision=2), 1, 12)
    assert not stored.exists()


def test_an_item_whose_file_is_lost_waits(district: District) -> None:
    lost = district.files.add(b"x", "表.pdf", "application/pdf")
    district.files.path(lost.sha256).unlink()
    outcomes = district.publish_many([(item("A-1", attachments=(lost,)), 0, None), (item("A-2"), 1, None)])
    assert isinstance(outcomes[0], Unavailable)
    assert isinstance(outcomes[1], Live)
    assert not district.has("items/A-1")


def test_one_bad_item_in_a_batch_fails_alone(district: District) -> None:
    good, broken, unsafe = (district.delivery(item(name), n) for n, name in enumerate(("A-1", "A-2", "A-3")))
    broken = (replace(broken[0], payload={key: value for key, value in broken[0].payload.items() if key != "keywords"}), broken[1])
    escaping = {**unsafe[0].payload, "department": {"slug": "../../etc", "name": "甲"}}
    outcomes = district.channel.push_many([broken, good, (Rendition("website", escaping), unsafe[1])])
    assert [type(each) for each in outcomes] == [Refused, Live, Refused]
    assert [each.code for each in outcomes if isinstance(each, Refused)] == ["payload", "payload"]
    assert not district.has("items/A-2")
    assert not district.has("items/A-3")
    assert "A-2" not in district.page("/items/")


@pytest.mark.usefixtures("short_pages")
def test_a_batch_touches_every_page_once(district: District) -> None:
    with recording() as exchanges:
        district.publish_many([(item(f"A-{n}"), n, None) for n in range(9)])
    names = [each.what for each in exchanges]
    assert len(names) == len(set(names))


@pytest.mark.usefixtures("short_pages")
def test_page_numbers_stand_still_while_the_site_grows(district: District) -> None:
    for n in range(7):
        district.publish(item(f"A-{n}"), n)
    first = district.page("/columns/notice/page/1/")
    assert "A-0" in first
    assert "A-1" in first
    assert "A-2" not in first
    landing = district.page("/columns/notice/")
    assert landing.index("A-6") < landing.index("A-5") < landing.index("A-4")
    assert 'href="/columns/notice/page/2/"' in landing
    for n in range(7, 12):
        district.publish(item(f"A-{n}"), n)
    assert district.page("/columns/notice/page/1/") == first.replace(
        'rel="prev" href="/columns/notice/"', 'rel="prev" href="/columns/notice/page/2/"'
    )


@pytest.mark.usefixtures("short_pages")
def test_a_withdrawn_item_keeps_its_place_hidden(district: District) -> None:
    items = [item(f"A-{n}") for n in range(8)]
    for n, each in enumerate(items):
        district.publish(each, n)
    second = district.page("/items/page/2/")
    district.withdraw(items[0], 60)
    assert district.page("/items/page/2/") == second
    assert "A-0" not in district.page("/items/page/1/")
    assert "A-1" in district.page("/items/page/1/")


def test_urgent_items_are_on_top_until_newer_news_is_later_than_their_end(district: District) -> None:
    warning = {"category": "寒潮", "level": 3, "starts_at": "2026-11-01T09:00:00+08:00", "ends_at": "2026-11-02T09:00:00+08:00"}
    district.publish(item("W-1", kind="emergency", urgency="特急", details={"warning": warning}), 0)
    assert "紧急信息" in district.page("/")
    assert "三级（黄色）" in district.page("/items/W-1/")
    district.publish(item("A-1"), 60)
    assert "紧急信息" in district.page("/")
    district.publish(item("A-2"), 24 * 60 + 1)
    assert "紧急信息" not in district.page("/")


def test_an_urgent_item_without_an_end_lasts_to_the_end_of_its_last_day(district: District) -> None:
    district.publish(item("W-1", kind="emergency", expires_on=date(2026, 11, 2)), 0)
    district.publish(item("A-1"), 38 * 60)  # 2026-11-02 23:00 in Beijing
    assert "紧急信息" in district.page("/")
    district.publish(item("A-2"), 39 * 60 + 1)
    assert "紧急信息" not in district.page("/")


def test_pictures_get_addresses_and_the_first_is_the_cover(district: District) -> None:
    picture = a_picture(district.files)
    digest = picture.file.sha256
    district.publish(item("A-1", body_html=f'<p>图</p><img src="file:{digest}" alt="">', pictures=(picture,)), 0)
    page = district.page("/items/A-1/")
    address = file_address(digest, picture.file.name)
    assert f'<img src="{address}" alt="办理流程图" width="90" height="60"' in page
    assert f'<meta name="Image" content="{SITE.url}{address}">' in page
    assert district.has(f"files/{digest[:2]}/{digest}/{picture.file.name}")


def test_reconcile_is_live_only_for_what_is_really_there(district: District) -> None:
    publication = item("A-1")
    rendition, work = district.delivery(publication, 0)
    assert isinstance(district.channel.reconcile(rendition, work), Absent)
    district.channel.push(rendition, work)
    found = district.channel.reconcile(rendition, work)
    assert isinstance(found, Live)
    assert found.url == publication.url
    page = district.around.site_dir / "items/A-1/index.html"
    page.write_bytes(page.read_bytes() + b" ")
    assert isinstance(district.channel.reconcile(rendition, work), Absent)
    district.channel.push(rendition, work)
    assert isinstance(district.channel.reconcile(rendition, work), Live)
    newer, newer_work = district.delivery(item("A-1", revision=2), 0, 5)
    assert isinstance(district.channel.reconcile(newer, newer_work), Absent)
    district.channel.push(newer, newer_work)
    assert isinstance(district.channel.reconcile(rendition, work), Live)


def test_reconcile_of_a_withdrawal(district: District) -> None:
    publication = item("A-1")
    rendition, published = district.delivery(publication, 0)
    work = job(publication, Action.WITHDRAW, at(0), at(9), "有误")
    assert isinstance(district.channel.reconcile(rendition, work), Absent)
    district.channel.push(rendition, published)
    assert isinstance(district.channel.reconcile(rendition, work), Live)
    district.channel.withdraw(rendition, work)
    assert isinstance(district.channel.reconcile(rendition, work), Absent)
    assert isinstance(district.channel.reconcile(rendition, published), Absent)


def test_a_missing_attachment_makes_reconcile_absent(district: District) -> None:
    table = district.files.add(b"table", "表.xlsx", "application/vnd.ms-excel")
    rendition, work = district.delivery(item("A-1", attachments=(table,)), 0)
    district.channel.push(rendition, work)
    next(district.around.site_dir.glob("files/*/*/*")).unlink()
    assert isinstance(district.channel.reconcile(rendition, work), Absent)


def test_listings_of_an_unknown_department_take_the_name_from_their_newest_item(district: District) -> None:
    from channels.base import Named

    district.publish(item("A-1", department=Named("old", "旧局")), 0)
    assert "旧局" in district.page("/departments/old/")
    district.publish(item("A-2", department=Named("old", "新局")), 1)
    assert '<h1 id="heading">新局</h1>' in district.page("/departments/old/")
    district.publish(item("A-1", revision=2), 0, 5)
    district.publish(item("A-2", revision=2), 1, 5)
    assert not district.has("departments/old/index.html")


def test_check_tells_what_is_wrong(district: District, tmp_path: Path) -> None:
    assert district.channel.check().ok
    greedy = District(tmp_path / "greedy", settings={"spare_bytes": 1 << 62}).channel.check()
    assert not greedy.ok
    assert "清理" in greedy.message
    blocked = District(tmp_path / "blocked")
    blocked.around.site_dir.rmdir()
    blocked.around.site_dir.write_text("not a folder")
    assert not blocked.channel.check().ok


def test_settings_of_the_wrong_kind_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="lock_seconds"):
        District(tmp_path, settings={"lock_seconds": "long"})
    with pytest.raises(ValueError, match="spare_bytes"):
        District(tmp_path, settings={"spare_bytes": -1})


def test_the_empty_column_stays_as_it_is(district: District) -> None:
    district.publish(item("A-1", column=EMPTY), 0)
    assert "暂无内容" not in district.page("/columns/empty/")
