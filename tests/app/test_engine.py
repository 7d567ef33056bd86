"""The delivery engine under what goes wrong: killed at every step, accepted and lost, refused, late, in doubt for ever."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from channels.base import Absent, Accepted, Live, Outcome, RefusalClass, Refused, Unavailable, Unknown
from channels.registry import CHANNELS, limits_of
from hub.app import accounts, look, notices, patrol, resolve, sweep
from hub.app.claim import Claimed, claim
from hub.app.notices import Hooks
from hub.app.republish import histories
from hub.app.send import begin, job_for, push
from hub.app.settle import settle
from hub.domain.delivery import DeliveryState
from hub.domain.problems import IllegalTransition, Invalid, NotPermitted
from hub.domain.verbs import Verb
from hub.store.tables import AccountRow, Attempt, Delivery, Notice
from tests.clock import FixedClock
from tests.world import World


def wechat(hub: World, item: str) -> Delivery:
    return hub.deliveries(item)["wechat", "publish", 1]


def posts(hub: World) -> int:
    return len(hub.platform("wechat").posts)


def killed_after_claim(_hub: World, _claimed: list[Claimed]) -> None:
    """The worker dies before it made a call."""


def killed_after_begin(hub: World, claimed: list[Claimed]) -> None:
    begin(hub.context, claimed)


def killed_in_the_middle(hub: World, claimed: list[Claimed]) -> None:
    """It dies between two calls of one send, having kept what the first brought."""
    begin(hub.context, claimed)
    job_for(hub.context, claimed[0]).keep({"draft": "D1"})


def killed_before_settle(hub: World, claimed: list[Claimed]) -> None:
    begin(hub.context, claimed)
    push(hub.context, hub.context.channels["wechat"], claimed)


@pytest.mark.parametrize("step", [killed_after_claim, killed_after_begin, killed_in_the_middle, killed_before_settle])
def test_a_worker_killed_at_any_step_neither_loses_nor_doubles(
    hub: World, fixed_clock: FixedClock, step: Callable[[World, list[Claimed]], None]
) -> None:
    item = hub.released()
    hub.send("website", "feed")
    step(hub, claim(hub.context, "wechat", "dead"))
    assert hub.send("wechat") == 0
    fixed_clock.advance(minutes=10)
    assert sweep.expire_leases(hub.context, "beat") == 1
    begun = step is not killed_after_claim
    assert wechat(hub, item).state == (DeliveryState.UNKNOWN if begun else DeliveryState.PLANNED)
    if step is killed_in_the_middle:
        assert wechat(hub, item).ref == '{"draft": "D1"}'
    for _ in range(3):
        fixed_clock.advance(minutes=10)
        look.look_due(hub.context, "wechat", "test")
        hub.send("wechat")
    assert wechat(hub, item).state == DeliveryState.DELIVERED
    assert posts(hub) == 1
    assert len(hub.platform("wechat").pushes()) == 1


def test_a_settle_that_comes_after_the_lease_does_not_overrule_the_look(hub: World, fixed_clock: FixedClock) -> None:
    item = hub.released()
    hub.send("website", "feed")
    claimed = claim(hub.context, "wechat", "slow")
    begin(hub.context, claimed)
    fixed_clock.advance(minutes=10)
    sweep.expire_leases(hub.context, "beat")
    settle(hub.context, [(claimed[0], Unavailable("连不上"), [])], "slow")
    assert wechat(hub, item).state == DeliveryState.UNKNOWN


@pytest.mark.parametrize("applied", [True, False])
def test_accepted_then_timed_out_is_looked_at_before_anything_is_sent_again(hub: World, fixed_clock: FixedClock, applied: bool) -> None:
    hub.platform("wechat").plan("push", Unknown("没有应答"), apply=applied)
    item = hub.released()
    hub.send()
    assert wechat(hub, item).state == DeliveryState.UNKNOWN
    fixed_clock.advance(hours=5)
    assert hub.send() == 0
    look.look_due(hub.context, "wechat", "test")
    hub.send()
    assert wechat(hub, item).state == DeliveryState.DELIVERED
    assert posts(hub) == 1


def test_an_accepted_job_is_asked_for_later(hub: World, fixed_clock: FixedClock) -> None:
    hub.platform("wechat").plan("push", Accepted({"job": "J1"}, timedelta(seconds=30)))
    hub.platform("wechat").plan("reconcile", Accepted({"job": "J1"}, timedelta(minutes=2)))
    hub.platform("wechat").plan("reconcile", Live({"job": "J1", "article": "A1"}, "https://mp.example/A1"))
    item = hub.released()
    hub.send()
    assert look.look_due(hub.context, "wechat", "test") == 0
    fixed_clock.advance(seconds=31)
    assert look.look_due(hub.context, "wechat", "test") == 1
    assert wechat(hub, item).state == DeliveryState.ACCEPTED
    fixed_clock.advance(minutes=2)
    look.look_due(hub.context, "wechat", "test")
    assert (wechat(hub, item).state, wechat(hub, item).url) == (DeliveryState.DELIVERED, "https://mp.example/A1")


def test_unavailable_backs_off_and_gives_up_to_a_person(hub: World, fixed_clock: FixedClock) -> None:
    hub.platform("wechat").plan("push", Unavailable("连不上"), times=50)
    item = hub.released()
    tries = 0
    while wechat(hub, item).state != DeliveryState.REFUSED:
        tries += hub.send("website", "feed", "wechat")
        fixed_clock.set(max(fixed_clock(), wechat(hub, item).next_at))
        assert tries < 40
    given_up = wechat(hub, item)
    assert given_up.kind == "gave_up"
    assert given_up.needs_person
    assert "停止重试" in given_up.reason
    with hub.context.reading() as session:
        assert session.scalars(select(Notice).where(Notice.kind == "delivery.gave_up")).one().state == "waiting"
    resolve.retry(hub.context, hub.caller("qian"), given_up.id, reason="平台已恢复")
    hub.platform("wechat").plans["push"].clear()
    hub.send()
    assert wechat(hub, item).state == DeliveryState.DELIVERED


def test_retry_after_is_honoured(hub: World, fixed_clock: FixedClock) -> None:
    hub.platform("wechat").plan("push", Unavailable("429", retry_after=timedelta(minutes=7)))
    item = hub.released()
    hub.send()
    fixed_clock.advance(minutes=6, seconds=59)
    assert hub.send() == 0
    fixed_clock.advance(seconds=1)
    assert hub.send() == 1
    assert wechat(hub, item).state == DeliveryState.DELIVERED


def test_a_quota_rests_the_account_until_its_time_and_then_goes_on(hub: World, fixed_clock: FixedClock) -> None:
    hub.platform("wechat").plan("push", Refused("今日额度已用完", RefusalClass.QUOTA, "45009", until=timedelta(hours=8)))
    item = hub.released()
    hub.send()
    assert wechat(hub, item).state == DeliveryState.PLANNED
    fixed_clock.advance(hours=7)
    assert hub.send() == 0
    fixed_clock.advance(hours=1, seconds=1)
    assert hub.send() == 1
    assert wechat(hub, item).state == DeliveryState.DELIVERED


def test_a_good_test_call_starts_a_stopped_account_again(hub: World) -> None:
    hub.platform("wechat").plan("push", Refused("令牌失效", RefusalClass.TOKEN, "40001"))
    item = hub.released()
    hub.send()
    assert hub.send() == 0
    assert accounts.test(hub.context, "person:guan", "wechat").ok
    hub.send()
    assert wechat(hub, item).state == DeliveryState.DELIVERED
    with hub.context.reading() as session:
        account = session.get_one(AccountRow, "wechat")
        assert account.paused_at is None
        assert account.last_ok_at is not None


def test_what_a_person_paused_is_not_started_by_the_daily_test(hub: World) -> None:
    accounts.pause_by_person(hub.context, hub.caller("guan"), "wechat", "账号换人维护")
    item = hub.released()
    accounts.test(hub.context, "worker:beat", "wechat")
    hub.send()
    assert wechat(hub, item).state == DeliveryState.PLANNED
    accounts.test(hub.context, "person:guan", "wechat")
    hub.send()
    assert wechat(hub, item).state == DeliveryState.DELIVERED


def test_a_stopped_account_is_announced_once(hub: World, fixed_clock: FixedClock) -> None:
    hub.platform("wechat").plan("push", Unknown("没有应答"))
    hub.platform("wechat").plan("reconcile", Refused("令牌失效", RefusalClass.TOKEN, "40001"), times=4)
    item = hub.released()
    hub.send()
    for _ in range(4):
        fixed_clock.advance(hours=1)
        look.look_due(hub.context, "wechat", "test")
        notices.send_waiting(hub.context, Hooks())
    assert wechat(hub, item).state == DeliveryState.UNKNOWN, "the doubt stays: nobody looked"
    with hub.context.reading() as session:
        assert len(session.scalars(select(Notice).where(Notice.kind == "account.token")).all()) == 1


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Live({"post": "x"}, "https://example/x"), DeliveryState.DELIVERED),
        (Refused("含违规内容"), DeliveryState.REFUSED),
        (Absent("没有"), DeliveryState.PLANNED),
        (Unknown("看不清"), DeliveryState.UNKNOWN),
        (Unavailable("连不上"), DeliveryState.UNKNOWN),
        (Accepted({}, timedelta(seconds=5)), DeliveryState.ACCEPTED),
    ],
)
def test_every_outcome_of_a_look_has_its_place(hub: World, fixed_clock: FixedClock, outcome: Outcome, state: DeliveryState) -> None:
    hub.platform("wechat").plan("push", Unknown("没有应答"))
    hub.platform("wechat").plan("reconcile", outcome)
    item = hub.released()
    hub.send()
    fixed_clock.advance(minutes=1)
    look.look_due(hub.context, "wechat", "test")
    assert wechat(hub, item).state == state


def test_a_doubt_that_looks_cannot_settle_goes_to_a_person_and_stays_there(hub: World, fixed_clock: FixedClock) -> None:
    hub.platform("wechat").plan("push", Unknown("没有应答"), apply=True)
    hub.platform("wechat").plan("reconcile", Unknown("看不清"), times=50)
    item = hub.released()
    hub.send()
    for _ in range(20):
        fixed_clock.advance(hours=1)
        look.look_due(hub.context, "wechat", "test")
    doubtful = wechat(hub, item)
    assert doubtful.state == DeliveryState.UNKNOWN
    assert doubtful.needs_person
    with pytest.raises(IllegalTransition, match="重复发布"):
        resolve.retry(hub.context, hub.caller("qian"), doubtful.id, reason="再发一次")
    with pytest.raises(Invalid, match="理由"):
        resolve.resolve_published(hub.context, hub.caller("qian"), doubtful.id, ref="https://x", reason=" ")
    with pytest.raises(NotPermitted):
        resolve.resolve_published(hub.context, hub.caller("li"), doubtful.id, ref="https://x", reason="看到了")
    resolve.resolve_published(hub.context, hub.caller("qian"), doubtful.id, ref="https://mp.example/x", reason="后台可见")
    assert wechat(hub, item).state == DeliveryState.DELIVERED
    assert wechat(hub, item).url == "https://mp.example/x"
    assert hub.recorded(Verb.DELIVERY_RESOLVED)[-1]["reason"] == "后台可见"


def test_a_person_who_did_not_find_it_sends_it_back_into_the_queue(hub: World, fixed_clock: FixedClock) -> None:
    hub.platform("wechat").plan("push", Unknown("没有应答"))
    item = hub.released()
    hub.send()
    resolve.resolve_not_published(hub.context, hub.caller("qian"), wechat(hub, item).id, reason="后台没有")
    hub.send()
    assert wechat(hub, item).state == DeliveryState.DELIVERED
    assert posts(hub) == 1


def test_a_look_on_request_happens_at_once(hub: World) -> None:
    hub.platform("wechat").plan("push", Unknown("没有应答"), apply=True)
    item = hub.released()
    hub.send()
    resolve.reconcile(hub.context, hub.caller("qian"), wechat(hub, item).id, reason="编辑催问")
    assert wechat(hub, item).state == DeliveryState.DELIVERED


def test_a_release_missed_by_more_than_its_grace_asks_a_person(hub: World, fixed_clock: FixedClock) -> None:
    early, late = hub.released(due_at=fixed_clock() + timedelta(hours=1)), hub.released(due_at=fixed_clock() + timedelta(hours=20))
    # Everything was down from before the first to after it by more than the grace, and the second is late by less.
    fixed_clock.advance(hours=21)
    sweep.hold_missed(hub.context, "beat")
    hub.send()
    missed = hub.deliveries(early)["website", "publish", 1]
    assert (missed.state, missed.kind, missed.needs_person) == (DeliveryState.REFUSED, "missed", True)
    assert hub.states(late)["website publish 1"] == DeliveryState.DELIVERED
    resolve.retry(hub.context, hub.caller("qian"), missed.id, reason="确认补发")
    hub.send()
    assert set(hub.states(early).values()) == {DeliveryState.DELIVERED}


def test_overdue_releases_raise_an_alarm_that_a_person_sees(hub: World, fixed_clock: FixedClock) -> None:
    hub.released()
    assert sweep.watch(hub.context, "beat").overdue == 0
    fixed_clock.advance(minutes=5)
    assert sweep.watch(hub.context, "beat").overdue == 1
    sweep.watch(hub.context, "beat")
    with hub.context.reading() as session:
        assert len(session.scalars(select(Notice).where(Notice.kind == "release.overdue")).all()) == 1
    hub.send()
    assert sweep.watch(hub.context, "beat").overdue == 0


def test_what_a_platform_takes_down_later_is_noticed(hub: World, fixed_clock: FixedClock) -> None:
    item = hub.released()
    hub.send()
    fixed_clock.advance(hours=2)
    assert patrol.patrol(hub.context, "beat") == 1
    assert wechat(hub, item).state == DeliveryState.DELIVERED
    hub.platform("wechat").plan("reconcile", Absent("系统封禁（状态 6）"))
    fixed_clock.advance(days=1)
    patrol.patrol(hub.context, "beat")
    gone = wechat(hub, item)
    assert gone.state == DeliveryState.WITHDRAWN
    assert gone.needs_person
    assert "封禁" in gone.reason
    with hub.context.reading() as session:
        assert session.scalars(select(Notice).where(Notice.kind == "delivery.taken_down")).one()


def test_an_authorisation_that_ends_soon_is_announced_once(hub: World) -> None:
    from channels.base import Health

    adapter = hub.context.channels["wechat"]
    ends = hub.clock() + timedelta(days=5)
    adapter.check = lambda: Health(True, "正常", ends)  # type: ignore[method-assign]
    for _ in range(2):
        accounts.test(hub.context, "worker:beat", "wechat")
    with hub.context.reading() as session:
        notice = session.scalars(select(Notice).where(Notice.kind == "account.expiring")).one()
    assert "5 天后到期" in notice.text
    notices.send_waiting(hub.context, Hooks())
    accounts.test(hub.context, "worker:beat", "wechat")
    with hub.context.reading() as session:
        assert len(session.scalars(select(Notice).where(Notice.kind == "account.expiring")).all()) == 1


def test_every_attempt_keeps_its_evidence(hub: World, fixed_clock: FixedClock) -> None:
    hub.platform("wechat").plan("push", Unavailable("连不上"))
    item = hub.released()
    hub.send()
    fixed_clock.advance(minutes=1)
    hub.send()
    with hub.context.reading() as session:
        attempts = session.scalars(select(Attempt).where(Attempt.delivery_id == wechat(hub, item).id).order_by(Attempt.id)).all()
    assert [(a.number, a.outcome) for a in attempts] == [(1, "Unavailable"), (2, "Live")]
    assert '"request_digest"' in attempts[1].exchanges
    assert all(a.ended_at for a in attempts)


def test_history_for_a_rebuild_holds_only_what_readers_saw(hub: World, fixed_clock: FixedClock) -> None:
    hub.platform("feed").plan("push", Unavailable("忙"))
    item = hub.released()
    hub.send()
    hub.revised(item, title="更正", change_note="更正")
    fixed_clock.advance(minutes=5)
    hub.send()
    with hub.context.reading() as session:
        feed, website = list(histories(session, "feed")), list(histories(session, "website"))
    assert [s.revision for s in feed[0].shown] == [2], "revision 1 never reached the feed"
    assert [s.revision for s in website[0].shown] == [1, 2]


def test_a_channel_dropped_by_a_correction_no_longer_shows_the_old_text(hub: World) -> None:
    item = hub.released()
    hub.send()
    hub.revised(item, title="更正", change_note="更正", channels=("website", "feed"))
    hub.send("website", "feed", "wechat")
    assert posts(hub) == 0
    assert hub.states(item)["wechat publish 1"] == DeliveryState.WITHDRAWN


def test_no_channel_keeps_what_a_dead_worker_held_for_long() -> None:
    """A full batch's lease bounds how late a killed worker makes a page, a feed or a post."""
    for kind in CHANNELS:
        limits = limits_of(kind)
        longest = limits.lease + limits.lease_each * (limits.batch - 1)
        assert longest <= (timedelta(minutes=2) if kind in ("website", "feed") else timedelta(minutes=12)), kind
