"""What beat does for the engine: leases that ran out, releases that were missed, rows an old revision left behind.

Every function may run twice at once, and at any time: each takes its rows under a lock and skips what another holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Select, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from channels.base import Action, Limits
from hub.app import notices
from hub.app.context import Context
from hub.app.settle import follow_item, refuse
from hub.domain.delivery import DeliveryEvent, DeliveryState, advance
from hub.domain.item import ItemState
from hub.domain.verbs import Verb
from hub.store.tables import AccountRow, Attempt, Delivery, Item, Progress

log = structlog.get_logger(__name__)
_E = DeliveryEvent


def anything_to_sweep(context: Context) -> bool:
    """A glance without a lock, so that a hub at rest writes nothing: could any of the sweeps below find a row?"""
    now = context.clock()
    overtaken = (Item.state == ItemState.WITHDRAWN) | (Item.released_no > Delivery.revision_no)
    late = (Delivery.attempts == 0) & (Delivery.due_at <= now - context.policy.grace)
    with context.reading() as session:
        lost = select(Delivery.id).where(Delivery.state == DeliveryState.SENDING, Delivery.lease_until <= now)
        planned = (
            select(Delivery.id).join(Item, Item.id == Delivery.item_id).where(Delivery.state == DeliveryState.PLANNED, overtaken | late)
        )
        return session.scalar(lost.limit(1)) is not None or session.scalar(planned.limit(1)) is not None


def expire_leases(context: Context, worker: str) -> int:
    """Turn sends whose lease ran out into ``unknown`` (or back to ``planned`` when no call had begun). Returns how many."""
    with context.work(f"worker:{worker}") as work:
        overdue = work.session.execute(
            select(Delivery, Item.public_id, Progress)
            .join(Item, Item.id == Delivery.item_id)
            .outerjoin(Progress, Progress.delivery_id == Delivery.id)
            .where(Delivery.state == DeliveryState.SENDING, Delivery.lease_until <= work.now)
            .limit(500)
            .with_for_update(of=Delivery, skip_locked=True)
        ).all()
        for delivery, public_id, progress in overdue:
            begun = progress is not None and progress.attempt == delivery.attempts
            limits = context.channels[delivery.channel].limits if delivery.channel in context.channels else Limits()
            event = _E.LEASE_EXPIRED if begun else _E.NEVER_BEGAN
            delivery.state = advance(DeliveryState.SENDING, event)
            delivery.reason = "发送中断，需核实是否已发布" if begun else "发送前中断，将重新发送"
            if progress is not None:
                delivery.ref = progress.ref
                work.session.delete(progress)
            delivery.lease_until, delivery.looks = None, 0
            delivery.next_at = work.now + limits.looks[0] if begun else work.now
            work.session.execute(
                update(Attempt)
                .where(
                    Attempt.delivery_id == delivery.id,
                    Attempt.kind == "send",
                    Attempt.number == delivery.attempts,
                    Attempt.ended_at.is_(None),
                )
                .values(ended_at=work.now, outcome="Lost" if begun else "NeverBegan", why=delivery.reason)
            )
            follow_item(work, delivery)
            details = {"delivery": delivery.id, "channel": delivery.channel, "attempt": delivery.attempts, "state": delivery.state}
            work.record(Verb.DELIVERY_LEASE_EXPIRED, f"item:{public_id}", details)
        if overdue:
            work.commit()
        return len(overdue)


def hold_missed(context: Context, worker: str) -> int:
    """A release missed by more than the grace (everything was down) asks a person instead of going out late."""
    with context.work(f"worker:{worker}") as work:
        missed = work.session.execute(
            select(Delivery, Item.public_id)
            .join(Item, Item.id == Delivery.item_id)
            .where(
                Delivery.channel == "website",
                Delivery.state == DeliveryState.PLANNED,
                Delivery.attempts == 0,
                Delivery.action != Action.WITHDRAW,
                Delivery.due_at <= work.now - context.policy.grace,
            )
            .limit(500)
            .with_for_update(of=Delivery, skip_locked=True)
        ).all()
        for delivery, public_id in missed:
            refuse(work, delivery, _E.GIVE_UP, "已错过计划发布时间（系统当时未运行），请确认后重试", "missed")
            work.record(Verb.DELIVERY_GAVE_UP, f"item:{public_id}", {"delivery": delivery.id, "kind": "missed"})
        if missed:
            work.commit()
        return len(missed)


def drop_outdated(context: Context, worker: str) -> int:
    """Planned rows that a newer release or a withdrawal overtook while they were being sent."""
    with context.work(f"worker:{worker}") as work:
        rows = work.session.execute(
            select(Delivery, Item.public_id)
            .join(Item, Item.id == Delivery.item_id)
            .where(
                Delivery.state == DeliveryState.PLANNED,
                Delivery.action != Action.WITHDRAW,
                (Item.state == ItemState.WITHDRAWN) | (Item.released_no > Delivery.revision_no),
            )
            .limit(500)
            .with_for_update(of=Delivery, skip_locked=True)
        ).all()
        for delivery, public_id in rows:
            follow_item(work, delivery)
            work.record(Verb.DELIVERY_SUPERSEDED, f"item:{public_id}", {"delivery": delivery.id, "state": delivery.state})
        if rows:
            work.commit()
        return len(rows)


@dataclass(frozen=True, slots=True)
class Gauges:
    """What must be nought on a healthy hub (peers.md: GOV.UK watches the same two)."""

    overdue: int
    never_queued: int
    unknown: int
    refused: int


def watch(context: Context, worker: str) -> Gauges:
    """Count overdue and never-queued releases; a person is told when one of them is not nought."""
    with context.reading() as session:
        gauges = _measure(session, context.clock(), context.policy.overdue_after)
    for name, count, words in (("overdue", gauges.overdue, "到时未发"), ("never_queued", gauges.never_queued, "已签发但未进入发布队列")):
        if count:
            _alarm(context, worker, name, count, words)
    return gauges


def _alarm(context: Context, worker: str, name: str, count: int, words: str) -> None:
    log.error("releases are late", gauge=name, count=count)
    with context.work(f"worker:{worker}") as work:
        if notices.tell(work, f"release.{name}", "releases", f"有 {count} 件稿件{words}，请检查发布进程是否在运行"):
            work.record(Verb.ALARM_RAISED, "releases", {"gauge": name, "count": count})
            work.commit()


def _measure(session: Session, now: datetime, patience: timedelta) -> Gauges:
    resting = select(AccountRow.channel).where((AccountRow.paused_at.is_not(None)) | (AccountRow.brake_until > now))
    overdue = (
        select(func.count())
        .select_from(Delivery)
        .where(
            Delivery.channel == "website",
            Delivery.state == DeliveryState.PLANNED,
            Delivery.attempts == 0,
            Delivery.due_at <= now - patience,
            Delivery.channel.not_in(resting),
        )
    )
    planned = aliased(Delivery)
    never = (
        select(func.count())
        .select_from(Item)
        .where(Item.state == ItemState.RELEASED, ~exists().where(planned.item_id == Item.id, planned.revision_no == Item.released_no))
    )

    def waiting(state: DeliveryState) -> int:
        return _count(session, select(func.count()).select_from(Delivery).where(Delivery.state == state, Delivery.needs_person))

    return Gauges(_count(session, overdue), _count(session, never), waiting(DeliveryState.UNKNOWN), waiting(DeliveryState.REFUSED))


def _count(session: Session, query: Select[int]) -> int:
    return session.scalar(query) or 0
