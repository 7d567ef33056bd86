"""Publishing, correcting and taking back on a platform that behaves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from channels.base import Absent, Accepted, Action, Live, Publication, RefusalClass, Refused, Unavailable, Unknown
from tests.channels.hubloop import Delivery, live, refused
from tests.channels.samples import a_picture, image
from tests.channels.wechat.conftest import Bench


def test_a_free_publication_becomes_live_with_its_address(bench: Bench) -> None:
    delivery = bench.delivery()
    outcome = live(delivery.run())
    (article,) = bench.shown()
    assert outcome.url.endswith(f"/s/{article['id']}")
    assert article["url"] == delivery.publication.url
    assert isinstance(delivery.outcomes[0], Accepted)
    assert bench.drafts() == []


def test_draft_mode_stops_at_the_draft_box(bench: Bench) -> None:
    outcome = bench.delivery(bench.channel(mode="draft")).run()
    assert live(outcome).url == ""
    assert len(bench.drafts()) == 1
    assert bench.articles() == []


def test_mass_mode_sends_once(bench: Bench) -> None:
    delivery = bench.delivery(bench.channel(mode="mass"))
    live(delivery.run())
    assert [a["via"] for a in bench.shown()] == ["mass"]


def test_pictures_are_uploaded_once_per_content(bench: Bench) -> None:
    files = bench.around.files
    picture = a_picture(files)  # type: ignore[arg-type]
    body = f'<p>一</p><img src="file:{picture.file.sha256}" alt="图"><img src="file:{picture.file.sha256}" alt="图">'
    for number in range(2):
        live(bench.delivery(public_id=f"2026-{number}", body_html=body, pictures=(picture,)).run())
    assert bench.calls("/cgi-bin/media/uploadimg") == 1
    assert bench.calls("/cgi-bin/material/add_material") == 1
    _, body, _ = bench.platform.desk.store.newest("article")[0]
    assert body["news"][0]["content"].count("/mmbiz/") == 2
    assert "file:" not in body["news"][0]["content"]


def test_polls_grow_rare(bench: Bench) -> None:
    bench.platform.knobs.publish_delay = 4000
    delivery = bench.delivery()
    live(delivery.run())
    pauses = [o.check_after.total_seconds() for o in delivery.outcomes if isinstance(o, Accepted)]
    assert pauses == [30, 120, 300, 900, 3600]


def test_time_scale_shortens_every_pause(bench: Bench) -> None:
    outcome = bench.delivery(bench.channel(time_scale=0.01)).send()
    assert isinstance(outcome, Accepted)
    assert outcome.check_after.total_seconds() == pytest.approx(0.3)


@pytest.mark.parametrize(("word", "says"), [("原创校验不过", "原创校验失败"), ("常规失败", "运维人员"), ("审核不通过", "平台审核不通过")])
def test_the_platform_decides_against_it(bench: Bench, word: str, says: str) -> None:
    outcome = refused(bench.delivery(title=f"公告{word}").run())
    assert says in outcome.reason
    assert outcome.kind is RefusalClass.CONTENT
    assert bench.articles() == []


@pytest.mark.parametrize("mode", ["publish", "mass"])
def test_a_person_may_send_again_what_failed(bench: Bench, mode: str) -> None:
    delivery = bench.delivery(bench.channel(mode=mode), title="公告常规失败")
    refused(delivery.run())
    bench.platform.knobs.magic = {}
    live(delivery.run())
    assert len(bench.shown()) == 1
    assert bench.drafts() == []


def test_no_right_to_publish_says_switch_to_draft_mode(bench: Bench) -> None:
    bench.platform.knobs.freepublish = False
    delivery = bench.delivery()
    outcome = refused(delivery.run())
    assert outcome.kind is RefusalClass.PERMISSION
    assert outcome.code == "48001"
    assert "草稿模式" in outcome.reason
    # The keeper switches; the same delivery goes on with the draft that is already there.
    delivery.channel = bench.channel(mode="draft")
    live(delivery.run())
    assert len(bench.drafts()) == 1


def test_brake_and_quota_stop_the_account_for_a_while(bench: Bench) -> None:
    bench.platform.knobs.brakes = 1
    brake = refused(bench.delivery().send())
    assert brake.kind is RefusalClass.BRAKE
    assert brake.until is not None
    assert brake.until.total_seconds() == 1800
    bench.platform.knobs.quotas["/cgi-bin/draft/add"] = 0
    quota = refused(bench.delivery(public_id="2026-2").send())
    assert quota.kind is RefusalClass.QUOTA
    assert quota.until is not None
    # 09:00 in Beijing: fifteen hours and five minutes to go.
    assert quota.until.total_seconds() == 15 * 3600 + 300


@pytest.mark.parametrize("mode", ["publish", "mass", "draft"])
def test_a_correction_replaces_the_article(bench: Bench, mode: str) -> None:
    first = bench.delivery(bench.channel(mode=mode))
    live(first.run())
    second = first.then(Action.CORRECT, corrected(first), note="更正招聘人数")
    live(second.run())
    if mode == "draft":
        assert [d["title"] for d in bench.drafts()] == ["更正｜云川区2026年第四季度公益性岗位招聘公告"]
    else:
        assert sorted((a["title"][:3], a["status"]) for a in bench.articles()) == [("云川区", 5), ("更正｜", 0)]


def test_a_correction_leaves_the_old_one_when_told_to(bench: Bench) -> None:
    first = bench.delivery(bench.channel(replace_on_correction=False))
    live(first.run())
    live(first.then(Action.CORRECT, corrected(first)).run())
    assert len(bench.shown()) == 2


def test_a_correction_waits_for_tomorrow_when_the_deletions_are_spent(bench: Bench) -> None:
    first = bench.delivery()
    live(first.run())
    bench.platform.knobs.quotas["/cgi-bin/freepublish/delete"] = 0
    second = first.then(Action.CORRECT, corrected(first))
    outcome = second.run(attempts=2)
    assert isinstance(outcome, Unavailable)
    assert "旧文章待删除" in outcome.why
    assert len(bench.shown()) == 2
    bench.platform.knobs.quotas["/cgi-bin/freepublish/delete"] = 10
    live(second.run())
    assert len(bench.shown()) == 1


@pytest.mark.parametrize("mode", ["publish", "mass", "draft"])
def test_taking_back_twice_is_fine(bench: Bench, mode: str) -> None:
    first = bench.delivery(bench.channel(mode=mode))
    live(first.run())
    gone = first.then(Action.WITHDRAW, note="内容有误")
    assert isinstance(gone.look(), Live)
    for _ in range(2):
        assert isinstance(gone.run(), Absent)
    assert isinstance(gone.look(), Absent)
    assert bench.shown() == []
    assert bench.drafts() == []


@pytest.mark.parametrize(
    ("mode", "path", "code"),
    [("publish", "freepublish/delete", 53600), ("publish", "freepublish/delete", 40007), ("draft", "draft/delete", 40007)],
)
def test_what_somebody_else_has_just_deleted_counts_as_taken_back(bench: Bench, mode: str, path: str, code: int) -> None:
    first = bench.delivery(bench.channel(mode=mode))
    live(first.run())
    bench.platform.fail("business", f"/cgi-bin/{path}", code=code)
    assert isinstance(first.then(Action.WITHDRAW).send(), Absent)


def test_taking_back_what_never_was(bench: Bench) -> None:
    delivery = bench.delivery()
    assert isinstance(delivery.then(Action.WITHDRAW).send(), Absent)
    assert bench.platform.log == type(bench.platform.log)()


def test_a_draft_that_a_person_published_is_found_and_taken_back(bench: Bench) -> None:
    first = bench.delivery(bench.channel(mode="draft"))
    live(first.run())
    live(bench.delivery(bench.channel(), public_id="other").run())
    by_hand = bench.delivery()
    by_hand.ref = {"media_id": first.ref["media_id"]}
    live(by_hand.run())
    found = first.look()
    assert live(found).url
    assert isinstance(first.then(Action.WITHDRAW).run(), Absent)
    assert [a["url"].rsplit("/", 2)[-2] for a in bench.shown()] == ["other"]


def test_a_vanished_draft_is_a_question_for_a_person(bench: Bench) -> None:
    first = bench.delivery(bench.channel(mode="draft"))
    live(first.run())
    bench.platform.desk.store.drop_all("draft")
    assert isinstance(first.look(), Unknown)
    bench.platform.knobs.freepublish = False
    outcome = first.then(Action.WITHDRAW).send()
    assert isinstance(outcome, Unknown)
    assert "公众号后台" in outcome.why


@pytest.mark.parametrize(("status", "says"), [(5, "删除"), (6, "封禁")])
def test_a_live_article_that_is_taken_down_is_noticed(bench: Bench, status: int, says: str) -> None:
    delivery = bench.delivery()
    live(delivery.run())
    live(delivery.look())
    assert bench.platform.desk.store.amend("article", bench.shown()[0]["id"], status=status)
    outcome = delivery.look()
    assert isinstance(outcome, Absent)
    assert says in outcome.why


def test_what_is_banned_before_we_saw_it_is_not_sent_again_by_itself(bench: Bench) -> None:
    delivery = bench.delivery()
    delivery.send()
    bench.clock.advance(seconds=25)
    bench.platform.desk.store.amend("article", bench.shown()[0]["id"], status=6)
    outcome = refused(delivery.look())
    assert "封禁" in outcome.reason
    assert len(bench.articles()) == 1
    live(delivery.run())  # a person decided so
    assert len(bench.articles()) == 2


def test_a_cover_deleted_in_the_console_is_uploaded_anew(bench: Bench) -> None:
    live(bench.delivery().run())
    bench.platform.desk.store.drop_all("material")
    delivery = bench.delivery(public_id="2026-2")
    live(delivery.run())
    assert isinstance(delivery.outcomes[0], Unavailable)


def test_a_blocked_rendition_is_never_sent(bench: Bench) -> None:
    outcome = bench.delivery(title="长" * 40).send()
    assert isinstance(outcome, Refused)
    assert "40 字，超过上限 32 字" in outcome.reason
    assert bench.platform.log == type(bench.platform.log)()


def test_a_missing_picture_file_is_named(bench: Bench) -> None:
    picture = a_picture(bench.around.files, image(colour="#123456"))  # type: ignore[arg-type]
    bench.around.files.path(picture.file.sha256).unlink()
    delivery = bench.delivery(body_html=f'<img src="file:{picture.file.sha256}" alt="">', pictures=(picture,))
    assert "找不到图片文件" in refused(delivery.send()).reason


def test_check_tells_quota_and_rights(bench: Bench) -> None:
    live(bench.delivery().run())
    health = bench.channel().check()
    assert health.ok
    assert health.used == {"/cgi-bin/freepublish/submit": 1}
    assert health.quota == {"/cgi-bin/freepublish/submit": 100}
    assert "草稿箱现有 0 篇" in bench.channel(mode="draft").check().message
    bench.platform.knobs.freepublish = False
    assert "没有发布权限" in bench.channel().check().message
    bench.platform.knobs.refuse_ip = True
    bench.around.cache.delete("wechat:yunchuan:wx00000000loopback:token")
    health = bench.channel().check()
    assert not health.ok
    assert "白名单" in health.message


def corrected(first: Delivery) -> Publication:
    return replace(first.publication, revision=2, change_note="更正招聘人数", body_html="<p>现招聘27名。</p>")
