"""Taking deliveries for a worker: one short transaction that marks a batch ``sending`` under a lease.

A late or double message from the broker finds nothing to claim: whoever gets the row count has the delivery.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Integer, String, and_, bindparam, exists, func, insert, literal, not_, or_, select, update
from sqlalchemy.orm import aliased

from channels.base import Action, Limits, Ref, Rendition
from hub.app import papers
from hub.app.context import Context
from hub.app.items import subject
from hub.domain.delivery import IN_DOUBT, DeliveryState
from hub.domain.item import ItemState
from hub.domain.verbs import Verb
from hub.store.base import Utc
from hub.store.tables import AccountRow, Attempt, Delivery, Item, Release
from hub.store.uow import Work


@dataclass(frozen=True, slots=True)
class Claimed:
    """One delivery in a worker's hands: detached values, no open transaction behind them."""

    delivery: Delivery
    item: Item
    release: Release
    rendition: Rendition
    ref: Ref
    previous: Ref
    attempt_id: int
    as_approved: bool = True
    """False: content, rendition or digest in the database is not what was signed. It must not leave."""


def claim(context: Context, channel: str, worker: str) -> list[Claimed]:
    """Mark up to ``limits.batch`` due deliveries of ``channel`` as sending and return them, most urgent first."""
    limits = context.channels[channel].limits
    if not _anything(context, channel):
        return []
    with context.work(f"worker:{worker}") as work:
        if _account_rests(work, channel) or (limits.serial and _account_busy(work, channel)):
            return []
        asked = _asked(work.now, channel, context.policy.grace) | {"count": 1 if limits.serial else limits.batch}
        due = work.session.execute(_DUE, asked).all()
        rows = _one_per_item([(d, i, r) for d, i, r in due])
        won = _take(work, [d for d, _, _ in rows], limits)
        claimed = _hand_out(work, [row for row in rows if row[0].id in won], channel, worker)
        for item in {c.item.id: c.item for c in claimed if c.delivery.channel == "website"}.values():
            if item.published_at is None:
                item.published_at = work.now
        if claimed:
            work.commit()
        return claimed


def _anything(context: Context, channel: str) -> bool:
    """A glance without a lock: on SQLite even a transaction that finds nothing keeps every other writer waiting."""
    with context.reading() as session:
        return session.scalar(_GLANCE, _asked(context.clock(), channel, context.policy.grace)) is not None


def _asked(now: datetime, channel: str, grace: timedelta) -> dict[str, object]:
    return {"now": now, "channel": channel, "missed": now - grace}


def _ready(next_at: ColumnElement[datetime]) -> tuple[ColumnElement[bool], ...]:
    """Due, wanted, and with nothing in its way: the re-check at the last moment of what may have changed since approval.

    Asks for the parameters ``now``, ``channel`` and ``missed`` (releases due before it were missed). ``next_at``: how to
    write that column.
    """
    now, channel = bindparam("now", type_=Utc()), bindparam("channel", type_=String())
    page, other = aliased(Delivery), aliased(Delivery)
    withdrawal = Delivery.action == Action.WITHDRAW
    page_is_live = exists().where(
        page.release_id == Delivery.release_id,
        page.channel == "website",
        page.state.in_((DeliveryState.DELIVERED, DeliveryState.SUPERSEDED)),
    )
    something_in_doubt = exists().where(
        other.item_id == Delivery.item_id, other.channel == Delivery.channel, other.id != Delivery.id, other.state.in_(IN_DOUBT)
    )
    newer = exists().where(
        other.item_id == Delivery.item_id,
        other.channel == Delivery.channel,
        other.revision_no > Delivery.revision_no,
        other.action != Action.WITHDRAW,
        other.state != DeliveryState.CANCELLED,
    )
    return (
        Delivery.channel == channel,
        Delivery.state == DeliveryState.PLANNED,
        next_at <= now,
        Delivery.due_at <= now,
        not_(something_in_doubt),
        or_(withdrawal, and_(Item.state != ItemState.WITHDRAWN, not_(newer))),
        # The page goes live first: every other channel links to it. A withdrawal waits for nobody.
        or_(withdrawal, Delivery.channel == "website", page_is_live),
        or_(withdrawal, Delivery.channel != "website", Delivery.attempts > 0, Delivery.due_at > bindparam("missed", type_=Utc())),
    )


# Made once: putting these together anew would cost more than the database takes to answer them.
_GLANCE = select(Delivery.id).join(Item, Item.id == Delivery.item_id).where(*_ready(Delivery.next_at.expression)).limit(1)
_DUE = (
    select(Delivery, Item, Release)
    .join(Item, Item.id == Delivery.item_id)
    .join(Release, Release.id == Delivery.release_id)
    # SQLite would take the index by time, read the whole backlog and sort it; as an expression the column has no index.
    .where(*_ready(func.coalesce(Delivery.next_at, Delivery.due_at)))
    .order_by(Delivery.urgent.desc(), Delivery.due_at, Delivery.id)
    .limit(bindparam("count", type_=Integer(), literal_execute=True))
    .with_for_update(of=Delivery, skip_locked=True)
)


def _account_rests(work: Work, channel: str) -> bool:
    account = work.session.get(AccountRow, channel)
    return account is not None and (account.paused_at is not None or (account.brake_until is not None and account.brake_until > work.now))


def _account_busy(work: Work, channel: str) -> bool:
    """One at a time, and none while one is being looked for: a timeline shows only the newest few posts.

    One that waits for a person does not hold up the others (invariant 10).
    """
    in_the_way = or_(Delivery.state == DeliveryState.SENDING, and_(Delivery.state == DeliveryState.UNKNOWN, not_(Delivery.needs_person)))
    # On PostgreSQL two workers could both see an idle account: the account's row is the turnstile.
    work.session.execute(select(AccountRow.channel).where(AccountRow.channel == channel).with_for_update())
    return work.session.scalar(select(Delivery.id).where(Delivery.channel == channel, in_the_way).limit(1)) is not None


def _one_per_item(rows: list[tuple[Delivery, Item, Release]]) -> list[tuple[Delivery, Item, Release]]:
    seen: set[int] = set()
    kept = []
    for row in rows:
        if row[1].id not in seen:
            seen.add(row[1].id)
            kept.append(row)
    return kept


def _take(work: Work, due: Sequence[Delivery], limits: Limits) -> set[int]:
    """Win the rows that are still planned: their ids. The objects in ``due`` are brought up to date by the same statement."""
    if not due:
        return set()
    lease = work.now + limits.lease + limits.lease_each * (len(due) - 1)
    won = work.session.scalars(
        update(Delivery)
        .where(Delivery.id.in_([d.id for d in due]), Delivery.state == DeliveryState.PLANNED)
        .values(
            state=DeliveryState.SENDING,
            lease_until=lease,
            attempts=Delivery.attempts + 1,
            reason="",
            first_attempt_at=func.coalesce(Delivery.first_attempt_at, literal(work.now, Utc())),
        )
        .returning(Delivery)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return {d.id for d in won}


def _hand_out(work: Work, rows: Sequence[tuple[Delivery, Item, Release]], channel: str, worker: str) -> list[Claimed]:
    if not rows:
        return []
    deliveries = [d for d, _, _ in rows]
    attempts = open_attempts(work, "send", worker, {d.id: d.attempts for d in deliveries})
    renditions, signed = papers.renditions(work, channel, deliveries)
    kept, previous = papers.kept_refs(work, deliveries), papers.previous_refs(work, deliveries)
    claimed = []
    for delivery, item, release in rows:
        details = {"delivery": delivery.id, "channel": delivery.channel, "action": delivery.action, "attempt": delivery.attempts}
        work.record(Verb.DELIVERY_CLAIMED, subject(item.public_id), details)
        ref = kept[delivery.id] if delivery.id in kept else json.loads(delivery.ref)
        claimed.append(
            Claimed(
                delivery,
                item,
                release,
                renditions[delivery.revision_id],
                ref,
                previous.get(delivery.id, {}),
                attempts[delivery.id],
                delivery.revision_id in signed,
            )
        )
    return claimed


def open_attempts(work: Work, kind: str, worker: str, numbers: Mapping[int, int]) -> dict[int, int]:
    """Begin one attempt for each delivery id in ``numbers`` (→ the attempt's number). Returns delivery id → attempt id."""
    rows = [
        {"delivery_id": delivery, "number": number, "kind": kind, "worker": worker, "started_at": work.now}
        for delivery, number in numbers.items()
    ]
    return dict(work.session.execute(insert(Attempt).returning(Attempt.delivery_id, Attempt.id), rows).all())
