"""Invariants 7 to 10: the database is the truth, one effect each, newer wins, one bad part stops no other."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from channels.base import RefusalClass, Refused, Unavailable, Unknown
from hub.app import look, release, sweep, withdraw
from hub.app.claim import claim
from hub.app.send import begin, push, send_due
from hub.app.settle import settle
from hub.domain.delivery import DeliveryState
from hub.store.tables import AccountRow, Delivery
from tests.clock import FixedClock
from tests.world import World


def test_invariant_07_database_is_the_truth(hub: World, fixed_clock: FixedClock) -> None:
    # No task, no message and no broker has been involved so far: the schedule is the row.
    due = fixed_clock() + timedelta(hours=3)
    item = hub.released(due_at=due)
    assert hub.send() == 0
    fixed_clock.set(due - timedelta(seconds=1))
    assert hub.send() == 0
    fixed_clock.set(due)
    assert hub.send() == 3
    assert set(hub.states(item).values()) == {DeliveryState.DELIVERED}


def test_invariant_08_one_effect_per_revision_channel_action(hub: World) -> None:
    item = hub.released()
    hub.send()
    delivered = hub.deliveries(item)["wechat", "publish", 1]
    with hub.context.work("attacker") as work, pytest.raises(IntegrityError):
        copied = {c.key: getattr(delivered, c.key) for c in delivered.__mapper__.column_attrs if c.key != "id"}
        work.session.add(Delivery(**copied))
        work.session.flush()
    # Eight workers at once on one more item: one of them gets it.
    other = hub.released()
    hub.send("website")
    start, counts = threading.Barrier(8), []

    def work_on() -> None:
        start.wait()
        counts.append(send_due(hub.context, "wechat", "thread"))

    threads = [threading.Thread(target=work_on) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 1
    assert hub.states(other)["wechat publish 1"] == DeliveryState.DELIVERED
    assert len(hub.platform("wechat").pushes()) == 2


def test_invariant_09_newer_wins(hub: World, fixed_clock: FixedClock) -> None:
    hub.platform("wechat").plan("push", Unavailable("对方忙"))
    item = hub.released()
    hub.send()
    assert hub.states(item)["wechat publish 1"] == DeliveryState.PLANNED
    hub.revised(item, title="更正后的标题", change_note="更正")
    assert hub.states(item)["wechat publish 1"] == DeliveryState.SUPERSEDED
    fixed_clock.advance(hours=1)
    hub.send()
    sent = [call.key for call in hub.platform("wechat").pushes()]
    assert sent == [f"{item}.2.wechat.correct"]


def test_a_correction_waits_while_version_one_is_in_doubt_and_then_wins(hub: World, fixed_clock: FixedClock) -> None:
    hub.platform("wechat").plan("push", Unknown("没有应答"), apply=True)
    item = hub.released()
    hub.send()
    hub.revised(item, title="更正后的标题", change_note="更正")
    hub.send()
    assert hub.states(item)["wechat publish 1"] == DeliveryState.UNKNOWN
    assert hub.states(item)["wechat correct 2"] == DeliveryState.PLANNED
    fixed_clock.advance(minutes=1)
    look.look_due(hub.context, "wechat", "test")
    hub.send()
    assert hub.states(item)["wechat publish 1"] == DeliveryState.SUPERSEDED
    assert hub.states(item)["wechat correct 2"] == DeliveryState.DELIVERED
    assert [c.key for c in hub.platform("wechat").pushes()] == [f"{item}.1.wechat.publish", f"{item}.2.wechat.correct"]


def test_version_one_that_comes_back_unsent_while_version_two_was_released_is_superseded(hub: World) -> None:
    item = hub.released()
    hub.send("website")
    claimed = claim(hub.context, "wechat", "slow")
    begin(hub.context, claimed)
    hub.platform("wechat").plan("push", Unavailable("对方忙"))
    results = push(hub.context, hub.context.channels["wechat"], claimed)
    hub.revised(item, title="更正后的标题", change_note="更正")
    settle(hub.context, [(r.claimed, r.outcome, r.exchanges) for r in results], "slow")
    assert hub.states(item)["wechat publish 1"] == DeliveryState.SUPERSEDED
    hub.send()
    assert [c.key for c in hub.platform("wechat").pushes()] == [f"{item}.2.wechat.correct"]


def test_invariant_10_one_bad_part_stops_no_other(hub: World, fixed_clock: FixedClock) -> None:
    # A refused account stops alone, and what waits for it is not lost.
    hub.platform("wechat").plan("push", Refused("令牌失效", RefusalClass.TOKEN, "40001"))
    first, second = hub.released(), hub.released()
    hub.send()
    with hub.context.reading() as session:
        account = session.get(AccountRow, "wechat")
        assert account is not None
        assert account.paused_at is not None
    for item in (first, second):
        states = hub.states(item)
        assert states["website publish 1"] == states["feed publish 1"] == DeliveryState.DELIVERED
        assert states["wechat publish 1"] == DeliveryState.PLANNED
    # An item whose content is refused stops alone.
    from hub.app import accounts

    accounts.test(hub.context, "system", "wechat")
    hub.platform("wechat").plan("push", Refused("含违规内容", RefusalClass.CONTENT, "87014"))
    hub.send()
    assert sorted(hub.states(i)["wechat publish 1"] for i in (first, second)) == [DeliveryState.DELIVERED, DeliveryState.REFUSED]
    # A channel that raises stops nobody.
    hub.platform("feed").plan("push", RuntimeError("bug"))
    third = hub.released()
    hub.send()
    assert hub.states(third)["feed publish 1"] == DeliveryState.UNKNOWN
    assert hub.states(third)["website publish 1"] == hub.states(third)["wechat publish 1"] == DeliveryState.DELIVERED


def test_two_schedulers_at_once_do_no_harm(hub: World, fixed_clock: FixedClock) -> None:
    item = hub.released()
    claimed = claim(hub.context, "website", "dead")
    begin(hub.context, claimed)
    fixed_clock.advance(hours=1)
    start, counts = threading.Barrier(2), []

    def sweep_now() -> None:
        start.wait()
        counts.append(sweep.expire_leases(hub.context, "beat"))

    threads = [threading.Thread(target=sweep_now) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 1
    assert hub.states(item)["website publish 1"] == DeliveryState.UNKNOWN


def test_a_withdrawal_after_400_days_addresses_every_channel_that_has_it(hub: World, fixed_clock: FixedClock) -> None:
    item = hub.released()
    hub.send()
    fixed_clock.advance(days=400)
    channels = withdraw.withdraw(hub.context, hub.caller("qian"), item, reason="依法撤回", notice="该信息已撤回。")
    assert channels == sorted(hub.names)
    hub.send("wechat", "feed", "website")
    assert all(hub.platform(name).posts == {} for name in hub.names)
    states = hub.states(item)
    assert {states[f"{n} publish 1"] for n in hub.names} == {DeliveryState.WITHDRAWN}
    assert {states[f"{n} withdraw 1"] for n in hub.names} == {DeliveryState.DELIVERED}


def test_a_release_can_be_moved_and_taken_back_until_it_is_claimed(hub: World, fixed_clock: FixedClock) -> None:
    item = hub.released(due_at=fixed_clock() + timedelta(hours=1), offsets={"wechat": 600})
    release.reschedule(hub.context, hub.caller("qian"), item, due_at=fixed_clock() + timedelta(hours=2))
    assert hub.deliveries(item)["wechat", "publish", 1].due_at == fixed_clock() + timedelta(hours=2, minutes=10)
    release.cancel(hub.context, hub.caller("qian"), item, reason="改日再发")
    assert hub.item(item).state == "approved"
    fixed_clock.advance(hours=3)
    assert hub.send() == 0
    release.release(hub.context, hub.caller("qian"), item)
    assert hub.send() == 3
    with hub.context.reading() as session:
        assert len(session.scalars(select(Delivery.id).where(Delivery.item_id == hub.item(item).id)).all()) == 3
