"""签发、排期: an approved revision becomes deliveries, each with its due time in the database (invariant 7)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select, update

from channels.base import Action
from hub.app.context import Context, act
from hub.app.items import content_of, facts, locked, must_be_current, subject
from hub.app.people import Caller, signatory
from hub.domain.content import Content
from hub.domain.delivery import DeliveryEvent, DeliveryState, advance
from hub.domain.item import ItemEvent, decide
from hub.domain.problems import IllegalTransition, Invalid, NotFound, Problem
from hub.domain.verbs import Verb
from hub.store.tables import Delivery, Item, Release, Revision
from hub.store.uow import Work

MAX_AHEAD = timedelta(days=400)
URGENCY = {"特急": 2, "加急": 1}


def release(
    context: Context,
    caller: Caller,
    public_id: str,
    *,
    digest: str = "",
    due_at: datetime | None = None,
    offsets: Mapping[str, int] | None = None,
    note: str = "",
) -> int:
    """Let the approved current revision out at ``due_at`` (aware; None: now), each channel ``offsets[channel]`` seconds later.

    Returns the release id. Raises Invalid for a time that has passed, IllegalTransition when it is not approved.
    """
    with act(context, caller.actor, Verb.ITEM_RELEASED, subject(public_id)) as work:
        item, revision = locked(work.session, public_id)
        must_be_current(revision, digest)
        content = content_of(revision)
        state, _ = decide(
            facts(work.session, item, revision, content), ItemEvent.RELEASE, signatory(work.session, caller.person_id, work.now)
        )
        if content.disclosure_attr != "主动公开":
            raise IllegalTransition(f"公开属性为“{content.disclosure_attr}”的稿件不能主动发布", code="not_public")
        due = _due(work, due_at)
        shifts = _offsets(content, offsets or {})
        row = Release(
            item_id=item.id,
            revision_id=revision.id,
            action=Action.CORRECT if item.released_no else Action.PUBLISH,
            person_id=caller.person_id,
            at=work.now,
            due_at=due,
            offsets=json.dumps(shifts, sort_keys=True),
            reason=note,
            previous_no=item.released_no,
        )
        work.session.add(row)
        work.session.flush()
        superseded = _supersede_older(work, item, revision.number)
        _plan(work, context, row, item, revision, content, shifts)
        dropped = _take_back_dropped(work, row, item, content)
        item.state, item.released_no, item.changed_at = state, revision.number, work.now
        details = {
            "release": row.id,
            "action": row.action,
            "revision": revision.number,
            "digest": revision.digest,
            "due_at": due.isoformat(),
            "offsets": shifts,
            "channels": [c for c in content.channels if c in context.channels],
            "superseded": superseded,
            "dropped": dropped,
        }
        work.record(Verb.ITEM_RELEASED, subject(public_id), details)
        return row.id


def reschedule(context: Context, caller: Caller, public_id: str, *, due_at: datetime, offsets: Mapping[str, int] | None = None) -> None:
    """Move a release that no worker has claimed yet."""
    with act(context, caller.actor, Verb.RELEASE_RESCHEDULED, subject(public_id)) as work:
        item, revision = locked(work.session, public_id)
        decide(
            facts(work.session, item, revision, content_of(revision)),
            ItemEvent.CANCEL_RELEASE,
            signatory(work.session, caller.person_id, work.now),
        )
        row, deliveries = _unclaimed(work, item)
        due = _due(work, due_at)
        shifts = _offsets(content_of(revision), offsets if offsets is not None else json.loads(row.offsets))
        before = row.due_at
        row.due_at, row.offsets = due, json.dumps(shifts, sort_keys=True)
        for delivery in deliveries:
            delivery.due_at = delivery.next_at = due + timedelta(seconds=shifts.get(delivery.channel, 0))
        item.changed_at = work.now
        details = {"release": row.id, "from": before.isoformat(), "to": due.isoformat(), "offsets": shifts}
        work.record(Verb.RELEASE_RESCHEDULED, subject(public_id), details)


def cancel(context: Context, caller: Caller, public_id: str, *, reason: str) -> None:
    """Take back a release that no worker has claimed yet: the item is approved again, what was public before stays."""
    with act(context, caller.actor, Verb.RELEASE_CANCELLED, subject(public_id)) as work:
        item, revision = locked(work.session, public_id)
        state, _ = decide(
            facts(work.session, item, revision, content_of(revision)),
            ItemEvent.CANCEL_RELEASE,
            signatory(work.session, caller.person_id, work.now),
        )
        row, deliveries = _unclaimed(work, item)
        for delivery in deliveries:
            # Deleted rows would free the unique key and lose the trace; a later release of the same revision revives them.
            delivery.state, delivery.reason = DeliveryState.CANCELLED, reason
        row.cancelled_at = work.now
        item.state, item.released_no, item.changed_at = state, row.previous_no, work.now
        work.record(Verb.RELEASE_CANCELLED, subject(public_id), {"release": row.id, "reason": reason})


def _due(work: Work, due_at: datetime | None) -> datetime:
    if due_at is None:
        return work.now
    if due_at < work.now - timedelta(minutes=1):
        raise Invalid((Problem("due_at", "due_passed", "发布时间已过，不能选择过去的时间", "请选择现在或将来的时间（北京时间）"),))
    if due_at > work.now + MAX_AHEAD:
        raise Invalid((Problem("due_at", "due_too_far", f"发布时间超过 {MAX_AHEAD.days} 天", "请核对年份"),))
    return max(due_at, work.now)


def _offsets(content: Content, asked: Mapping[str, int]) -> dict[str, int]:
    wrong = [c for c, seconds in asked.items() if c not in content.channels or not 0 <= seconds <= 30 * 86400]
    if wrong or asked.get("website"):
        message = "网站须最先发布，其他渠道只能推迟 0 至 30 天，且须是该稿件所选渠道"
        raise Invalid((Problem("offsets", "offset_wrong", message, "请修改各渠道推迟时间"),))
    return {c: int(seconds) for c, seconds in asked.items() if seconds}


def _supersede_older(work: Work, item: Item, number: int) -> list[int]:
    """Newer wins (invariant 9): what has not gone out of an older revision never will."""
    return list(
        work.session.scalars(
            update(Delivery)
            .where(
                Delivery.item_id == item.id,
                Delivery.revision_no < number,
                Delivery.state.in_((DeliveryState.PLANNED, DeliveryState.REFUSED)),
                Delivery.action != Action.WITHDRAW,
            )
            .values(state=DeliveryState.SUPERSEDED, reason=f"已签发第 {number} 版", needs_person=False)
            .returning(Delivery.id)
        )
    )


def _plan(work: Work, context: Context, row: Release, item: Item, revision: Revision, content: Content, shifts: Mapping[str, int]) -> None:
    revived = {
        d.channel: d
        for d in work.session.scalars(select(Delivery).where(Delivery.revision_id == revision.id, Delivery.action == row.action))
    }
    for channel in content.channels:
        if channel not in context.channels:
            continue
        due = row.due_at + timedelta(seconds=shifts.get(channel, 0))
        planned = {"release_id": row.id, "state": DeliveryState.PLANNED, "due_at": due, "next_at": due, "reason": ""}
        if channel in revived:
            for name, value in planned.items():
                setattr(revived[channel], name, value)
            continue
        work.session.add(
            Delivery(
                item_id=item.id,
                revision_id=revision.id,
                revision_no=revision.number,
                channel=channel,
                action=row.action,
                urgent=URGENCY.get(content.urgency, 0) * 2 + (row.action == Action.CORRECT),
                **planned,
            )
        )


def _take_back_dropped(work: Work, row: Release, item: Item, content: Content) -> list[str]:
    """A channel that shows the older revision and is no longer chosen must not go on showing it."""
    shown = work.session.scalars(
        select(Delivery).where(
            Delivery.item_id == item.id,
            Delivery.state == DeliveryState.DELIVERED,
            Delivery.action != Action.WITHDRAW,
            Delivery.channel.not_in(content.channels),
        )
    ).all()
    for delivery in shown:
        delivery.state = advance(DeliveryState.DELIVERED, DeliveryEvent.WITHDRAW_PLANNED)
        work.session.add(
            Delivery(
                release_id=row.id,
                item_id=item.id,
                revision_id=delivery.revision_id,
                revision_no=delivery.revision_no,
                channel=delivery.channel,
                action=Action.WITHDRAW,
                state=DeliveryState.PLANNED,
                urgent=5,
                due_at=row.due_at,
                next_at=row.due_at,
            )
        )
    return sorted(d.channel for d in shown)


def _unclaimed(work: Work, item: Item) -> tuple[Release, list[Delivery]]:
    row = work.session.scalars(
        select(Release)
        .where(Release.item_id == item.id, Release.cancelled_at.is_(None), Release.action != Action.WITHDRAW)
        .order_by(Release.id.desc())
    ).first()
    if row is None:
        raise NotFound("该稿件没有待执行的签发", code="release_unknown")
    deliveries = list(work.session.scalars(select(Delivery).where(Delivery.release_id == row.id).with_for_update()))
    if any(d.state != DeliveryState.PLANNED or d.attempts for d in deliveries):
        raise IllegalTransition("已有渠道开始发布，不能再调整或取消；如需收回请撤稿", code="already_claimed")
    return row, deliveries
