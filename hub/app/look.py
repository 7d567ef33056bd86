"""Reconcile: ask the platform what it says about a delivery in doubt, then decide. Read-only out there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy import func, or_, select

from channels.base import Absent, Accepted, Action, Exchange, Limits, Live, Outcome, Ref, Refused, Unavailable, Unknown, recording
from hub.app import accounts, notices, papers
from hub.app.claim import Claimed, open_attempts
from hub.app.context import Context
from hub.app.send import job_for
from hub.app.settle import close_attempts, follow_item, gone_live, note_settled, refuse, why
from hub.domain.delivery import DeliveryEvent, DeliveryState, advance
from hub.domain.verbs import Verb
from hub.store.tables import Attempt, Delivery, Item, Release
from hub.store.uow import Work

log = structlog.get_logger(__name__)
_E = DeliveryEvent
IN_DOUBT = (DeliveryState.ACCEPTED, DeliveryState.UNKNOWN)
LOOKS_AT_ONCE = 20


def look_due(context: Context, channel: str, worker: str) -> int:
    """Look at every delivery of ``channel`` whose look is due. Returns how many were looked at."""
    claimed = _claim_looks(context, channel, worker)
    for one in claimed:
        _look(context, one, worker)
    return len(claimed)


def look_now(context: Context, delivery_id: int, worker: str) -> bool:
    """Look at one delivery at once, because a person asked. False: it is not in doubt, or somebody is looking."""
    with context.reading() as session:
        delivery = session.get(Delivery, delivery_id)
        channel = delivery.channel if delivery else ""
    claimed = _claim_looks(context, channel, worker, delivery_id) if channel else []
    for one in claimed:
        _look(context, one, worker)
    return bool(claimed)


def _claim_looks(context: Context, channel: str, worker: str, only: int | None = None) -> list[Claimed]:
    with context.work(f"worker:{worker}") as work:
        wanted = [
            Delivery.channel == channel,
            Delivery.state.in_(IN_DOUBT),
            or_(Delivery.lease_until.is_(None), Delivery.lease_until <= work.now),
        ]
        wanted += [Delivery.id == only] if only is not None else [Delivery.next_at <= work.now, Delivery.needs_person.is_(False)]
        rows = work.session.execute(
            select(Delivery, Item, Release)
            .join(Item, Item.id == Delivery.item_id)
            .join(Release, Release.id == Delivery.release_id)
            .where(*wanted)
            .order_by(Delivery.next_at, Delivery.id)
            .limit(LOOKS_AT_ONCE)
            .with_for_update(of=Delivery, skip_locked=True)
        ).all()
        claimed = _begin_looks(work, [(d, i, r) for d, i, r in rows], channel, worker, context.channels[channel].limits)
        if claimed:
            work.commit()
        return claimed


def _begin_looks(work: Work, rows: Sequence[tuple[Delivery, Item, Release]], channel: str, worker: str, limits: Limits) -> list[Claimed]:
    if not rows:
        return []
    deliveries = [d for d, _, _ in rows]
    last = (
        select(Attempt.delivery_id, func.max(Attempt.number))
        .where(Attempt.delivery_id.in_([d.id for d in deliveries]), Attempt.kind == "look")
        .group_by(Attempt.delivery_id)
    )
    numbers = dict.fromkeys((d.id for d in deliveries), 1) | {delivery: number + 1 for delivery, number in work.session.execute(last)}
    attempts = open_attempts(work, "look", worker, numbers)
    renditions, _ = papers.renditions(work, channel, deliveries)
    previous = papers.previous_refs(work, deliveries)
    claimed = []
    for delivery, item, release in rows:
        delivery.looks += 1
        delivery.lease_until = work.now + limits.lease
        details = {"delivery": delivery.id, "channel": delivery.channel, "look": delivery.looks, "begins": True}
        work.record(Verb.DELIVERY_RECONCILED, f"item:{item.public_id}", details)
        ref: Ref = json.loads(delivery.ref)
        rendition = renditions[delivery.revision_id]
        claimed.append(Claimed(delivery, item, release, rendition, ref, previous.get(delivery.id, {}), attempts[delivery.id]))
    return claimed


def _look(context: Context, claimed: Claimed, worker: str) -> None:
    channel = context.channels[claimed.delivery.channel]
    outcome: Outcome
    with recording() as exchanges:
        try:
            outcome = channel.reconcile(claimed.rendition, job_for(context, claimed))
        except Exception as error:
            log.exception("look raised", channel=channel.name, delivery=claimed.delivery.id)
            outcome = Unknown(f"核实程序出错：{type(error).__name__}")
    settle_look(context, claimed.delivery.id, outcome, exchanges, f"worker:{worker}", claimed.attempt_id)


def settle_look(
    context: Context, delivery_id: int, outcome: Outcome, exchanges: list[Exchange], actor: str, attempt_id: int | None = None
) -> bool:
    """Write down what a look (or a platform's own message) said. False: the delivery is no longer in doubt."""
    with context.work(actor) as work:
        delivery = work.session.scalar(select(Delivery).where(Delivery.id == delivery_id).with_for_update())
        if delivery is None:
            return False
        item = work.session.get_one(Item, delivery.item_id)
        if attempt_id is not None:
            close_attempts(work, [(attempt_id, outcome, exchanges)])
        in_doubt = DeliveryState(delivery.state) in IN_DOUBT
        if in_doubt:
            delivery.lease_until = None
            _apply_look(work, context, delivery, outcome, context.channels[delivery.channel].limits)
            follow_item(work, delivery)
        note_settled(work, item.public_id, delivery, outcome, Verb.DELIVERY_RECONCILED, exchanges)
        work.commit()
        return in_doubt


def _apply_look(work: Work, context: Context, delivery: Delivery, outcome: Outcome, limits: Limits) -> None:
    withdrawal = delivery.action == Action.WITHDRAW
    if isinstance(outcome, Live | Accepted) or (isinstance(outcome, Unknown) and outcome.ref is not None):
        delivery.ref = json.dumps(outcome.ref, ensure_ascii=False, sort_keys=True)
    if withdrawal and isinstance(outcome, Absent):
        gone_live(work, delivery, Live(json.loads(delivery.ref)), _E.LOOK_LIVE)
    elif withdrawal and isinstance(outcome, Live):
        _again(work, delivery, "平台上仍可见，将再次撤回")
    elif isinstance(outcome, Live):
        gone_live(work, delivery, outcome, _E.LOOK_LIVE)
    elif isinstance(outcome, Accepted):
        delivery.state = advance(DeliveryState(delivery.state), _E.LOOK_ACCEPTED)
        delivery.next_at = work.now + outcome.check_after
        _too_long(work, delivery, limits)
    elif isinstance(outcome, Absent) and limits.absence_is_proof:
        _again(work, delivery, f"已核实未发布：{why(outcome)}".rstrip("："))
    elif isinstance(outcome, Absent):
        _ask_person(work, delivery, "平台上未找到，但该渠道的“未找到”不足以证明未发布，请人工核实")
    elif isinstance(outcome, Refused) and outcome.kind.value == "content":
        refuse(work, delivery, _E.LOOK_REFUSED, outcome.reason, outcome.kind.value)
    elif isinstance(outcome, Refused):
        # The platform refused to let us look, not the item: the account stops, the doubt stays.
        accounts.stop(work, delivery.channel, outcome)
        delivery.next_at = work.now + (outcome.until or limits.looks[-1])
    elif isinstance(outcome, Unavailable):
        delivery.looks -= 1
        delivery.next_at = work.now + (outcome.retry_after or limits.looks[0])
        _too_long(work, delivery, limits)
    elif isinstance(outcome, Unknown):
        _look_again(work, delivery, outcome, limits)


def _again(work: Work, delivery: Delivery, reason: str) -> None:
    delivery.state = advance(DeliveryState(delivery.state), _E.LOOK_ABSENT)
    delivery.reason, delivery.next_at, delivery.looks = reason, work.now, 0


def _look_again(work: Work, delivery: Delivery, outcome: Unknown, limits: Limits) -> None:
    delivery.reason = outcome.why
    if delivery.looks >= len(limits.looks):
        _ask_person(work, delivery, f"多次核实仍不能确定是否已发布：{outcome.why}")
        return
    delivery.next_at = work.now + (outcome.look_after or limits.looks[delivery.looks])


def _too_long(work: Work, delivery: Delivery, limits: Limits) -> None:
    begun = delivery.first_attempt_at or delivery.due_at
    if work.now - begun > max(limits.horizon, timedelta(hours=1)):
        _ask_person(work, delivery, "平台长时间没有给出结果，请人工核实")


def _ask_person(work: Work, delivery: Delivery, reason: str) -> None:
    if not delivery.needs_person:
        log.error("delivery needs a person", delivery=delivery.id, channel=delivery.channel, reason=reason)
        notices.tell(work, "delivery.unknown", f"delivery:{delivery.id}", f"{delivery.channel} 渠道投递 {delivery.id} 待人工核实：{reason}")
    delivery.needs_person, delivery.reason = True, reason
