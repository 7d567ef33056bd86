"""What an outcome means: outcome → event → state, receipt, evidence, record. The one place where outcomes are read."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict

import structlog
from sqlalchemy import delete, select, update

from channels.base import (
    Absent,
    Accepted,
    Action,
    Exchange,
    Limits,
    Live,
    Outcome,
    Ref,
    RefusalClass,
    Refused,
    Unavailable,
    Unknown,
)
from hub.app import accounts, notices, papers
from hub.app.claim import Claimed
from hub.app.context import Context
from hub.app.items import subject
from hub.app.papers import SHOWING
from hub.domain.delivery import DELIVERY_LABELS, DeliveryEvent, DeliveryState, advance
from hub.domain.item import ItemState
from hub.domain.retry import pause
from hub.domain.verbs import Verb
from hub.store.tables import AccountRow, Attempt, Delivery, Item, Progress
from hub.store.uow import Work

log = structlog.get_logger(__name__)
_E = DeliveryEvent


def settle(context: Context, results: Sequence[tuple[Claimed, Outcome, list[Exchange]]], worker: str) -> None:
    """Write down what a batch of sends brought, in one transaction.

    A row whose lease ran out meanwhile is no longer ours: its attempt is completed as evidence, its state is left to
    whoever looks at the platform.
    """
    with context.work(f"worker:{worker}") as work:
        ids = [c.delivery.id for c, _, _ in results]
        desk = _Desk(work, [c for c, _, _ in results])
        close_attempts(work, [(c.attempt_id, outcome, exchanges) for c, outcome, exchanges in results])
        for claimed, outcome, exchanges in results:
            delivery = desk.ours.get(claimed.delivery.id)
            if delivery is None:
                details = {"delivery": claimed.delivery.id, "outcome": type(outcome).__name__, "late": True}
                work.record(Verb.DELIVERY_SETTLED, subject(claimed.item.public_id), details)
                continue
            before = desk.kept.get(delivery.id, claimed.ref)
            limits = context.channels[delivery.channel].limits
            _apply_sent(work, context, delivery, outcome, before, limits, desk.others[delivery.id])
            note_settled(work, claimed.item.public_id, delivery, outcome, Verb.DELIVERY_SETTLED, exchanges)
        work.session.flush()
        work.session.execute(delete(Progress).where(Progress.delivery_id.in_(ids)))
        work.commit()


class _Desk:
    """Every row that settling a batch may need, read in one statement for each table.

    The session forgets rows that nobody holds, and would then ask for each again, one delivery at a time: they are held here.
    """

    def __init__(self, work: Work, claimed: Sequence[Claimed]) -> None:
        session, attempts = work.session, {c.delivery.id: c.delivery.attempts for c in claimed}
        locked = session.scalars(
            select(Delivery)
            .where(Delivery.id.in_(attempts), Delivery.state == DeliveryState.SENDING)
            .order_by(Delivery.id)
            .with_for_update()
        )
        self.ours = {d.id: d for d in locked if d.attempts == attempts[d.id]}
        """Still in this worker's hands, by id."""
        ours = list(self.ours.values())
        self.kept = papers.kept_refs(work, ours)
        self.others = others_shown(work, ours)
        self.items = session.scalars(select(Item).where(Item.id.in_([d.item_id for d in ours]))).all()
        self.accounts = session.scalars(select(AccountRow).where(AccountRow.channel.in_({d.channel for d in ours}))).all()


def others_shown(work: Work, deliveries: Sequence[Delivery]) -> dict[int, list[Delivery]]:
    """What else each delivery's channel shows of the same item, by delivery id."""
    shown: dict[tuple[int, str], list[Delivery]] = defaultdict(list)
    query = select(Delivery).where(
        Delivery.item_id.in_([d.item_id for d in deliveries]),
        Delivery.channel.in_({d.channel for d in deliveries}),
        Delivery.action != Action.WITHDRAW,
        Delivery.state.in_(SHOWING),
    )
    for other in work.session.scalars(query):
        shown[other.item_id, other.channel].append(other)
    return {d.id: [other for other in shown[d.item_id, d.channel] if other.id != d.id] for d in deliveries}


def _apply_sent(
    work: Work, context: Context, delivery: Delivery, outcome: Outcome, before: Ref, limits: Limits, others: Sequence[Delivery]
) -> None:
    withdrawal = delivery.action == Action.WITHDRAW
    if isinstance(outcome, Absent) and withdrawal:
        outcome = Live(before)
    elif isinstance(outcome, Absent) or (isinstance(outcome, Live) and withdrawal):
        outcome = Unknown("渠道对该操作给出了不合约定的结果，需核实", ref=before)
    delivery.lease_until = None
    delivery.ref = json.dumps(_kept(outcome, before), ensure_ascii=False, sort_keys=True)
    if isinstance(outcome, Live):
        gone_live(work, delivery, outcome, _E.SENT_LIVE, others)
    elif isinstance(outcome, Accepted):
        _move(delivery, _E.SENT_ACCEPTED, "平台已受理，等待结果")
        delivery.next_at = work.now + outcome.check_after
    elif isinstance(outcome, Unavailable):
        _unavailable(work, context, delivery, outcome, limits)
    elif isinstance(outcome, Refused) and outcome.kind is not RefusalClass.CONTENT:
        _move(delivery, _E.SENT_HELD, outcome.reason)
        delivery.kind, delivery.next_at = outcome.kind.value, work.now
        accounts.stop(work, delivery.channel, outcome)
    elif isinstance(outcome, Refused):
        refuse(work, delivery, _E.SENT_REFUSED, outcome.reason, outcome.kind.value)
    elif isinstance(outcome, Unknown):
        _move(delivery, _E.SENT_UNKNOWN, outcome.why)
        delivery.looks = 0
        delivery.next_at = work.now + (outcome.look_after or limits.looks[0])
    follow_item(work, delivery)


def _unavailable(work: Work, context: Context, delivery: Delivery, outcome: Unavailable, limits: Limits) -> None:
    delivery.failures += 1
    wait = outcome.retry_after or pause(delivery.failures, limits.retry_base, limits.retry_cap, context.chance)
    too_late = work.now + wait > delivery.due_at + limits.horizon
    if delivery.failures >= limits.max_attempts or too_late:
        refuse(work, delivery, _E.GIVE_UP, f"多次未能送出，已停止重试：{outcome.why}", "gave_up")
        return
    _move(delivery, _E.SENT_UNAVAILABLE, outcome.why)
    delivery.next_at = work.now + wait


def gone_live(work: Work, delivery: Delivery, outcome: Live, event: DeliveryEvent, others: Sequence[Delivery] | None = None) -> None:
    """The channel shows this revision (or no longer shows a withdrawn one): older ones step back.

    ``others``: what else the channel shows of the item, where it is known already.
    """
    _move(delivery, event, "")
    delivery.url, delivery.settled_at, delivery.failures, delivery.kind = outcome.url or delivery.url, work.now, 0, ""
    delivery.needs_person = False
    accounts.worked(work, delivery.channel)
    withdrawal = delivery.action == Action.WITHDRAW
    for shown in others_shown(work, [delivery])[delivery.id] if others is None else others:
        if withdrawal:
            current = DeliveryState(shown.state)
            if current is DeliveryState.DELIVERED:
                current = advance(current, _E.WITHDRAW_PLANNED)
            shown.state = advance(current, _E.WITHDRAW_DONE)
        elif shown.revision_no < delivery.revision_no and shown.state == DeliveryState.DELIVERED:
            shown.state = advance(DeliveryState.DELIVERED, _E.REPLACED)


def refuse(work: Work, delivery: Delivery, event: DeliveryEvent, reason: str, kind: str) -> None:
    """The delivery stops and a person is told: state, record, log at ERROR, notice."""
    _move(delivery, event, reason)
    delivery.kind, delivery.needs_person = kind, True
    log.error("delivery stopped", delivery=delivery.id, channel=delivery.channel, kind=kind, reason=reason)
    notices.tell(work, f"delivery.{kind}", f"delivery:{delivery.id}", f"{delivery.channel} 渠道投递 {delivery.id} 已停止：{reason}")


def follow_item(work: Work, delivery: Delivery) -> None:
    """Back in the queue, or live, while its item moved on: an old revision is not sent again, a withdrawn item is taken back."""
    if delivery.action == Action.WITHDRAW:
        return
    item = work.session.get_one(Item, delivery.item_id)
    state = DeliveryState(delivery.state)
    if state in (DeliveryState.PLANNED, DeliveryState.REFUSED):
        if item.state == ItemState.WITHDRAWN:
            delivery.state, delivery.reason, delivery.needs_person = advance(state, _E.CANCEL), "稿件已撤稿", False
        elif item.released_no > delivery.revision_no:
            delivery.state, delivery.reason, delivery.needs_person = advance(state, _E.SUPERSEDE), f"已签发第 {item.released_no} 版", False
    elif state is DeliveryState.DELIVERED and item.state == ItemState.WITHDRAWN:
        delivery.state = advance(state, _E.WITHDRAW_PLANNED)


def close_attempts(work: Work, ended: Sequence[tuple[int, Outcome, list[Exchange]]]) -> None:
    """Complete attempts, by id, with what they brought and the evidence for it."""
    work.session.execute(
        update(Attempt),
        [
            {
                "id": attempt_id,
                "ended_at": work.now,
                "outcome": type(outcome).__name__,
                "why": why(outcome),
                "exchanges": json.dumps([asdict(e) for e in exchanges], ensure_ascii=False),
            }
            for attempt_id, outcome, exchanges in ended
        ],
    )


def note_settled(work: Work, public_id: str, delivery: Delivery, outcome: Outcome, verb: Verb, exchanges: list[Exchange]) -> None:
    details = {
        "delivery": delivery.id,
        "channel": delivery.channel,
        "action": delivery.action,
        "attempt": delivery.attempts,
        "outcome": type(outcome).__name__,
        "state": delivery.state,
        "why": why(outcome)[:500],
        "url": delivery.url,
        "calls": [[e.what[:200], e.status, e.request_digest, e.response_digest] for e in exchanges[:40]],
    }
    work.record(verb, subject(public_id), details)
    log.info(
        "delivery settled",
        item=public_id,
        state_label=DELIVERY_LABELS[DeliveryState(delivery.state)],
        **{k: v for k, v in details.items() if k != "calls"},
    )


def why(outcome: Outcome) -> str:
    return str(getattr(outcome, "why", "") or getattr(outcome, "reason", ""))


def _kept(outcome: Outcome, before: Ref) -> Ref:
    if isinstance(outcome, Live | Accepted):
        return outcome.ref
    if isinstance(outcome, Unknown) and outcome.ref is not None:
        return outcome.ref
    return before


def _move(delivery: Delivery, event: DeliveryEvent, reason: str) -> None:
    delivery.state = advance(DeliveryState(delivery.state), event)
    delivery.reason = reason
