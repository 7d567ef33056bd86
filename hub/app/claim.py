"""Taking deliveries for a worker: one short transaction that marks a batch ``sending`` under a lease.

A late or double message from the broker finds nothing to claim: whoever gets the row count has the delivery.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, insert, not_, or_, select, update
from sqlalchemy.orm import aliased

from channels.base import Action, Limits, Ref, Rendition
from hub.app import publication
from hub.app.context import Context
from hub.app.items import subject
from hub.domain.delivery import IN_DOUBT, DeliveryState
from hub.domain.item import ItemState
from hub.domain.verbs import Verb
from hub.store.tables import AccountRow, Attempt, Delivery, Item, Progress, Release, RenditionRow, Revision
from hub.store.uow import Work

SHOWING = (DeliveryState.DELIVERED, DeliveryState.WITHDRAWING)


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
        due = work.session.execute(
            select(Delivery, Item, Release)
            .join(Item, Item.id == Delivery.item_id)
            .join(Release, Release.id == Delivery.release_id)
            .where(*_ready(work.now, channel, context.policy.grace))
            .order_by(Delivery.urgent.desc(), Delivery.due_at, Delivery.id)
            .limit(1 if limits.serial else limits.batch)
            .with_for_update(of=Delivery, skip_locked=True)
        ).all()
        rows = _one_per_item([(d, i, r) for d, i, r in due])
        won = _take(work, [d for d, _, _ in rows], limits)
        claimed = [_hand_out(work, d, i, r, worker) for d, i, r in rows if d.id in won]
        for item in {c.item.id: c.item for c in claimed if c.delivery.channel == "website"}.values():
            if item.published_at is None:
                item.published_at = work.now
        if claimed:
            work.commit()
        return claimed


def _anything(context: Context, channel: str) -> bool:
    """A glance without a lock: on SQLite even a transaction that finds nothing keeps every other writer waiting."""
    with context.reading() as session:
        ready = _ready(context.clock(), channel, context.policy.grace)
        return session.scalar(select(Delivery.id).join(Item, Item.id == Delivery.item_id).where(*ready).limit(1)) is not None


def _ready(now: datetime, channel: str, grace: timedelta) -> tuple[ColumnElement[bool], ...]:
    """Due, wanted, and with nothing in its way: the re-check at the last moment of what may have changed since approval."""
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
        Delivery.next_at <= now,
        Delivery.due_at <= now,
        not_(something_in_doubt),
        or_(withdrawal, and_(Item.state != ItemState.WITHDRAWN, not_(newer))),
        # The page goes live first: every other channel links to it. A withdrawal waits for nobody.
        or_(withdrawal, Delivery.channel == "website", page_is_live),
        or_(withdrawal, Delivery.channel != "website", Delivery.attempts > 0, Delivery.due_at > now - grace),
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
    if not due:
        return set()
    lease = work.now + limits.lease + limits.lease * (len(due) - 1) / 4
    return set(
        work.session.scalars(
            update(Delivery)
            .where(Delivery.id.in_([d.id for d in due]), Delivery.state == DeliveryState.PLANNED)
            .values(state=DeliveryState.SENDING, lease_until=lease, attempts=Delivery.attempts + 1, reason="")
            .returning(Delivery.id)
            .execution_options(synchronize_session="fetch")
        )
    )


def _hand_out(work: Work, delivery: Delivery, item: Item, release: Release, worker: str) -> Claimed:
    session = work.session
    session.refresh(delivery)
    if delivery.first_attempt_at is None:
        delivery.first_attempt_at = work.now
    attempt_id = session.scalars(
        insert(Attempt).returning(Attempt.id),
        [{"delivery_id": delivery.id, "number": delivery.attempts, "kind": "send", "worker": worker, "started_at": work.now}],
    ).one()
    session.flush()
    details = {"delivery": delivery.id, "channel": delivery.channel, "action": delivery.action, "attempt": delivery.attempts}
    work.record(Verb.DELIVERY_CLAIMED, subject(item.public_id), details)
    progress = session.get(Progress, delivery.id)
    ref = json.loads(progress.ref if progress else delivery.ref)
    rendition = rendition_of(work, delivery)
    return Claimed(
        delivery, item, release, rendition, ref, previous_ref(work, delivery), attempt_id, _as_approved(work, delivery, rendition)
    )


def rendition_of(work: Work, delivery: Delivery) -> Rendition:
    row = work.session.get_one(RenditionRow, (delivery.revision_id, delivery.channel))
    return Rendition(delivery.channel, json.loads(row.payload))


def previous_ref(work: Work, delivery: Delivery) -> Ref:
    """Under which ref the channel shows the older revision (or, for a withdrawal, the one to take back)."""
    found = work.session.scalar(
        select(Delivery.ref)
        .where(
            Delivery.item_id == delivery.item_id,
            Delivery.channel == delivery.channel,
            Delivery.id != delivery.id,
            Delivery.action != Action.WITHDRAW,
            Delivery.state.in_(SHOWING),
        )
        .order_by(Delivery.revision_no.desc())
        .limit(1)
    )
    ref: Ref = json.loads(found) if found else {}
    return ref


def _as_approved(work: Work, delivery: Delivery, rendition: Rendition) -> bool:
    """The last look before it leaves (invariant 2): these bytes, and no others, are what four people signed."""
    digests = dict(
        work.session.execute(
            select(RenditionRow.channel, RenditionRow.digest).where(RenditionRow.revision_id == delivery.revision_id)
        ).all()
    )
    revision = work.session.get_one(Revision, delivery.revision_id)
    return digests.get(delivery.channel) == rendition.digest and publication.is_as_approved(revision, digests)
