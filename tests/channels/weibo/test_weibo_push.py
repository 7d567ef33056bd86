"""One post, whatever happens to the answers: every delivery here is driven as the hub drives it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from channels.base import Absent, Action, Live, RefusalClass, Surroundings, Unavailable, Unknown, sha256_hex
from channels.weibo import Weibo
from channels.weibo.permalink import to_code
from channels.weibo.platform import TOKEN, UID, WeiboPlatform
from tests.channels.hubloop import Delivery, live, refused, unknown
from tests.channels.samples import a_picture, a_publication, image
from tests.channels.weibo.conftest import Accounts
from tests.clock import FixedClock

SHARE = "/2/statuses/share.json"


def posts(platform: WeiboPlatform) -> list[str]:
    """Texts a follower can see, newest first."""
    return [post.sent for post in platform.store.newest(100) if post.deleted is None]


def shares(platform: WeiboPlatform) -> int:
    return sum(call.path == SHARE for call in platform.log)


def test_published_with_its_picture(
    weibo: Weibo, platform: WeiboPlatform, around: Surroundings, fixed_clock: FixedClock, account: Accounts
) -> None:
    body = image("JPEG", (300, 200)) + b"\r\n\r\r\n\x00--"
    picture = a_picture(around.files, body, "image/jpeg", "现场照片.jpg")  # type: ignore[arg-type]
    delivery = Delivery(weibo, a_publication(pictures=(picture,)), fixed_clock)
    outcome = live(delivery.run())
    [post] = platform.store.newest(5)
    assert post.sent == delivery.rendition.payload["text"]
    assert post.rip == "203.0.113.9"
    stored = platform.store.picture(post.mid)
    assert stored is not None
    assert (stored[0], sha256_hex(stored[1])) == ("image/jpeg", picture.file.sha256)
    assert outcome.ref["id"] == outcome.ref["mid"] == post.mid
    assert outcome.ref["uid"] == UID
    assert outcome.url.endswith(f"/{UID}/{to_code(post.mid)}")
    assert shares(platform) == 1


def test_without_a_picture_it_is_a_plain_form(weibo: Weibo, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    words = "50%优惠 & 1+1=2 é😀《政策》"
    live(Delivery(weibo, a_publication(wording={"weibo": {"text": words}}), fixed_clock).run())
    assert posts(platform)[0].startswith(words)


FAULTS: list[dict[str, Any]] = [
    {"kind": "apply_and_drop"},
    {"kind": "drop"},
    {"kind": "late", "delay": 0.6},
    {"kind": "cut_headers"},
    {"kind": "invalid_json"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 500, "apply": True},
    {"kind": "status", "status": 429, "retry_after": "30"},
    {"kind": "status", "status": 429, "apply": True},
    {"kind": "status", "status": 503, "retry_after": "30", "apply": True},
    {"kind": "business", "code": 10010, "apply": True},
    {"kind": "business", "code": 10001},
    {"kind": "business", "code": 20014},
    {"kind": "business", "code": 29999, "apply": True},
    {"kind": "business", "code": 20032, "apply": True},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: "-".join(str(v) for v in f.values()))
@pytest.mark.parametrize("around_it", ["nothing before", "an older post", "seven older posts"])
def test_every_fault_ends_with_exactly_one_post(
    fault: dict[str, Any], around_it: str, account: Accounts, platform: WeiboPlatform, fixed_clock: FixedClock
) -> None:
    weibo = account(read_timeout=0.3)
    older = {"nothing before": 0, "an older post": 1, "seven older posts": 7}[around_it]
    for n in range(older):
        live(Delivery(weibo, a_publication(f"older-{n}", title=f"旧公告第{n}号"), fixed_clock).run())
        fixed_clock.advance(minutes=3)
    platform.fail(path=SHARE, **fault)
    delivery = Delivery(weibo, a_publication(), fixed_clock)
    outcome = live(delivery.run())
    text = str(delivery.rendition.payload["text"])
    assert posts(platform).count(text) == 1
    assert len(posts(platform)) == older + 1
    newest = platform.store.newest(1)[0]
    assert outcome.ref["id"] == newest.mid
    assert outcome.url.endswith(to_code(newest.mid))


def test_a_crash_after_the_post_is_found_by_looking(weibo: Weibo, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    delivery = Delivery(weibo, a_publication(), fixed_clock)
    delivery.send()
    delivery.ref = {}
    fixed_clock.advance(weibo.limits.lease)
    assert live(delivery.look()).ref["id"] == platform.store.newest(1)[0].mid


def test_a_second_push_is_no_second_post(weibo: Weibo, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    delivery = Delivery(weibo, a_publication(), fixed_clock)
    first = live(delivery.send())
    delivery.ref = {}
    again = unknown(delivery.send())
    assert again.ref == {"landed": True}
    assert live(delivery.settle(again)).ref["id"] == first.ref["id"]
    assert len(posts(platform)) == 1


def test_absence_takes_two_looks_a_minute_apart(weibo: Weibo, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    platform.fail("drop", SHARE)
    delivery = Delivery(weibo, a_publication(), fixed_clock)
    assert unknown(delivery.send()).look_after == timedelta(seconds=90)
    too_soon = unknown(delivery.look())
    assert too_soon.look_after == timedelta(seconds=60)
    assert "looks" not in delivery.ref
    fixed_clock.advance(seconds=90)
    assert unknown(delivery.look()).look_after == timedelta(seconds=60)
    fixed_clock.advance(seconds=20)
    assert unknown(delivery.look()).look_after == timedelta(seconds=40)
    fixed_clock.advance(seconds=40)
    assert isinstance(delivery.look(), Absent)
    assert live(delivery.send())


def test_looks_of_an_earlier_attempt_prove_nothing_about_the_next(weibo: Weibo, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    platform.fail("drop", SHARE)
    delivery = Delivery(weibo, a_publication(), fixed_clock)
    assert isinstance(delivery.settle(delivery.send()), Absent)
    fixed_clock.advance(hours=1)
    platform.fail("apply_and_drop", SHARE)
    platform.rules = replace(platform.rules, timeline_lag=45.0)
    kept = []
    delivery.on_keep = kept.append
    delivery.send()
    assert kept[0]["looks"] == []
    delivery.ref = kept[0]  # the worker died before it could settle
    early = unknown(delivery.look())
    assert early.look_after == timedelta(seconds=60)
    assert live(delivery.settle(early))
    assert len(posts(platform)) == 1


def test_a_window_that_does_not_reach_back_proves_nothing(weibo: Weibo, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    platform.fail("apply_and_drop", SHARE)
    delivery = Delivery(weibo, a_publication(), fixed_clock)
    first = delivery.send()
    for n in range(6):
        fixed_clock.advance(seconds=30)
        live(Delivery(weibo, a_publication(f"other-{n}", title=f"别的公告第{n}号"), fixed_clock).send())
    outcome = unknown(delivery.settle(first))
    assert "最新 5 条" in outcome.why
    assert shares(platform) == 7


def test_accepted_late_is_never_sent_again(weibo: Weibo, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    platform.fail("business", SHARE, code=20032, apply=True)
    platform.rules = replace(platform.rules, timeline_lag=150.0)
    delivery = Delivery(weibo, a_publication(), fixed_clock)
    first = unknown(delivery.send())
    assert first.look_after == timedelta(seconds=90)
    assert "编号未知" in first.why
    assert live(delivery.settle(first)).ref["id"] == platform.store.newest(1)[0].mid
    assert shares(platform) == 1


def test_accepted_late_and_never_shown_waits_for_a_person(weibo: Weibo, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    platform.fail("business", SHARE, code=20032)
    delivery = Delivery(weibo, a_publication(), fixed_clock)
    outcome = unknown(delivery.run())
    assert "人工核对" in outcome.why
    assert shares(platform) == 1


@pytest.mark.parametrize("code", [20019, 20111])
def test_a_resend_that_meets_its_own_text_has_landed_for_good(
    code: int, weibo: Weibo, platform: WeiboPlatform, fixed_clock: FixedClock
) -> None:
    """Content held for review is missing from the timeline while the platform knows its text."""
    platform.fail("drop", SHARE)
    platform.fail("business", SHARE, code=code)
    delivery = Delivery(weibo, a_publication(), fixed_clock)
    outcome = unknown(delivery.run())
    assert "人工核对" in outcome.why
    assert delivery.ref["landed"] is True
    assert shares(platform) == 2


def test_similar_is_for_a_person(weibo: Weibo, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    platform.rules = replace(platform.rules, similar=True)
    live(Delivery(weibo, a_publication("a", title="公告第1号"), fixed_clock).run())
    fixed_clock.advance(minutes=2)
    outcome = unknown(Delivery(weibo, a_publication("b", title="公告第2号"), fixed_clock).run())
    assert "人工核对" in outcome.why
    assert shares(platform) == 2


def test_anothers_post_with_the_same_words_is_not_taken_for_ours(weibo: Weibo, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    """Addresses come back masked, so two items with one title look the same in the timeline."""
    first = live(Delivery(weibo, a_publication("a"), fixed_clock).run())
    platform.fail("drop", SHARE)
    second = Delivery(weibo, a_publication("b"), fixed_clock)
    outcome = live(second.run())
    assert outcome.ref["id"] != first.ref["id"]
    assert len(posts(platform)) == 2


def test_a_dead_token_stops_the_account_until_it_is_authorised(weibo: Weibo, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    platform.fail("kill_token", SHARE)
    delivery = Delivery(weibo, a_publication(), fixed_clock)
    outcome = refused(delivery.run())
    assert (outcome.kind, outcome.code) == (RefusalClass.TOKEN, "21327")
    assert not weibo.check().ok
    platform.authorise(TOKEN)
    assert weibo.check().ok
    assert live(delivery.run())
    assert len(posts(platform)) == 1


def test_a_look_that_cannot_be_made_changes_nothing(weibo: Weibo, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    platform.fail("apply_and_drop", SHARE)
    delivery = Delivery(weibo, a_publication(), fixed_clock)
    delivery.send()
    fixed_clock.advance(seconds=90)
    for fault in ({"kind": "drop"}, {"kind": "status", "status": 429}, {"kind": "business", "code": 10023}, {"kind": "invalid_json"}):
        platform.fail(path="/2/statuses/user_timeline.json", **fault)  # type: ignore[arg-type]
        assert unknown(delivery.look()).ref == {}
    platform.kill_tokens()
    assert "重新授权" in unknown(delivery.look()).why
    platform.authorise(TOKEN)
    assert live(delivery.look())


def test_unreachable_is_unavailable(account: Accounts, fixed_clock: FixedClock, free_port_url: str) -> None:
    delivery = Delivery(account(api_base=free_port_url), a_publication(), fixed_clock)
    assert isinstance(delivery.send(), Unavailable)
    assert isinstance(delivery.then(Action.WITHDRAW, ref={}).send(), Unknown | Unavailable)


def test_what_is_not_configured_is_refused_before_anything_is_sent(
    account: Accounts, platform: WeiboPlatform, fixed_clock: FixedClock
) -> None:
    for weibo, kind in (
        (account(token=""), RefusalClass.TOKEN),
        (account(operator_ip=""), RefusalClass.PERMISSION),
        (account(operator_ip="office"), RefusalClass.PERMISSION),
    ):
        assert refused(Delivery(weibo, a_publication(), fixed_clock).send()).kind is kind
        assert not weibo.check().ok
    assert shares(platform) == 0


def test_a_picture_that_changed_since_approval_is_not_sent(
    weibo: Weibo, around: Surroundings, platform: WeiboPlatform, fixed_clock: FixedClock
) -> None:
    picture = a_picture(around.files)  # type: ignore[arg-type]
    delivery = Delivery(weibo, a_publication(pictures=(picture,)), fixed_clock)
    around.files.path(picture.file.sha256).write_bytes(image(colour="#ff0000"))
    assert refused(delivery.send()).kind is RefusalClass.CONTENT
    around.files.path(picture.file.sha256).unlink()
    assert refused(delivery.send()).kind is RefusalClass.CONTENT
    assert not platform.log


@pytest.mark.parametrize("fault", ["apply_and_drop", "drop", "invalid_json", "kill_token"])
def test_no_secret_is_recorded(fault: str, account: Accounts, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    platform.fail(fault, SHARE)
    platform.fail("business", SHARE, code=29999, message=f"bad access_token={TOKEN} {TOKEN}", skip=1)
    delivery = Delivery(account(), a_publication(), fixed_clock)
    delivery.run()
    delivery.then(Action.WITHDRAW).run()
    evidence = json.dumps([str(e) for e in delivery.exchanges] + [str(o) for o in delivery.outcomes], ensure_ascii=False)
    assert len(delivery.exchanges) >= 1
    assert TOKEN not in evidence


def test_the_words_are_the_same_on_every_attempt(account: Accounts, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    sent: list[bytes] = []
    handle = platform.handle

    def spy(request):  # type: ignore[no-untyped-def]
        if request.path == SHARE:
            sent.append(request.body)
        return handle(request)

    platform.handle = spy  # type: ignore[method-assign]
    platform.fail("late", SHARE, delay=0)
    delivery = Delivery(account(), a_publication(), fixed_clock)
    for _ in range(3):
        delivery.ref = {}
        delivery.send()
        fixed_clock.advance(hours=2)
    assert len(sent) == 3
    assert len(set(sent)) == 1
    assert a_publication().public_id in str(delivery.rendition.payload["text"])


def test_limits_follow_the_settings(account: Accounts, weibo: Weibo) -> None:
    fast = account(time_scale=0.01, text_limit=120)
    assert weibo.limits.looks[0] == timedelta(seconds=90)
    assert fast.limits.looks[0] == timedelta(seconds=0.9)
    assert fast.limits.lengths == {"text": 120}
    assert (fast.limits.serial, fast.limits.batch, fast.limits.absence_is_proof) == (True, 1, True)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"operater_ip": "203.0.113.9"}, "operater_ip"),
        ({"text_limit": "130"}, "整数"),
        ({"text_limit": 0}, "大于零"),
        ({"time_scale": -1}, "大于零"),
        ({"replace_on_correction": "yes"}, "true"),
        ({"safe_domains": "a.cn"}, "列表"),
        ({"uid": 7345600001}, "引号"),
        ({"time_scale": True}, "数字"),
    ],
)
def test_wrong_settings_are_named(account: Accounts, settings: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        account(**settings)


def test_live_is_a_value(weibo: Weibo, fixed_clock: FixedClock) -> None:
    outcome = Delivery(weibo, a_publication(), fixed_clock).run()
    assert isinstance(outcome, Live)
    json.dumps(outcome.ref)
