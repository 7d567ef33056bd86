"""读网巡查: what was live may be taken down later by the platform or in its console; somebody must notice."""

from __future__ import annotations

import json

import structlog
from sqlalchemy import func, select

from channels.base import Absent, Outcome, recording
from hub.app import notices
from hub.app.claim import Claimed
from hub.app.context import Context
from hub.app.papers import previous_ref, rendition_of
from hub.app.send import job_for
from hub.domain.delivery import DeliveryEvent, DeliveryState, advance
from hub.domain.verbs import Verb
from hub.store.tables import Attempt, Delivery, Item, Release

log = structlog.get_logger(__name__)
AT_ONCE = 10
REMOTE = ("wechat", "weibo")
"""Channels whose platform may change its mind; a file of our own does not."""


def patrol(context: Context, worker: str) -> int:
    """Look again at a few delivered posts: an hour, a day and a week after they went live. Returns how many were looked at."""
    looked = 0
    for channel in context.channels:
        if channel in REMOTE:
            for claimed in _due(context, channel):
                _look(context, claimed, worker)
                looked += 1
    return looked


def _due(context: Context, channel: str) -> list[Claimed]:
    with context.work("worker:patrol") as work:
        done = (
            select(Attempt.delivery_id, func.count().label("looks"))
            .where(Attempt.kind == "patrol")
            .group_by(Attempt.delivery_id)
            .subquery()
        )
        found: list[Claimed] = []
        for number, after in enumerate(context.policy.watch_published):
            rows = work.session.execute(
                select(Delivery, Item, Release)
                .join(Item, Item.id == Delivery.item_id)
                .join(Release, Release.id == Delivery.release_id)
                .outerjoin(done, done.c.delivery_id == Delivery.id)
                .where(
                    Delivery.channel == channel,
                    Delivery.state == DeliveryState.DELIVERED,
                    Delivery.action != "withdraw",
                    Delivery.settled_at <= work.now - after,
                    func.coalesce(done.c.looks, 0) == number,
                )
                .order_by(Delivery.settled_at)
                .limit(AT_ONCE)
            ).all()
            found += [Claimed(d, i, r, rendition_of(work, d), json.loads(d.ref), previous_ref(work, d), number + 1) for d, i, r in rows]
        return found


def _look(context: Context, claimed: Claimed, worker: str) -> None:
    channel = context.channels[claimed.delivery.channel]
    with recording() as exchanges:
        try:
            outcome: Outcome | None = channel.reconcile(claimed.rendition, job_for(context, claimed))
        except Exception:
            log.exception("patrol raised", channel=channel.name, delivery=claimed.delivery.id)
            outcome = None
    taken_down(context, claimed.delivery.id, outcome, claimed.attempt_id, worker, [e.what for e in exchanges])


def taken_down(context: Context, delivery_id: int, outcome: Outcome | None, number: int, worker: str, calls: list[str]) -> None:
    """Write the look down; ``Absent`` means that readers no longer see what we delivered: state, record and a person told."""
    with context.work(f"worker:{worker}") as work:
        delivery = work.session.scalar(select(Delivery).where(Delivery.id == delivery_id).with_for_update())
        if delivery is None or delivery.state not in (DeliveryState.DELIVERED, DeliveryState.WITHDRAWING):
            return
        item = work.session.get_one(Item, delivery.item_id)
        if number:
            name = type(outcome).__name__ if outcome else "Error"
            work.session.add(
                Attempt(
                    delivery_id=delivery_id,
                    number=number,
                    kind="patrol",
                    worker=worker,
                    started_at=work.now,
                    ended_at=work.now,
                    outcome=name,
                    exchanges=json.dumps([{"what": c} for c in calls]),
                )
            )
        gone = isinstance(outcome, Absent)
        if gone and delivery.state == DeliveryState.DELIVERED:
            reason = f"平台上已不可见：{outcome.why}" if isinstance(outcome, Absent) else ""
            delivery.state, delivery.reason = advance(DeliveryState.DELIVERED, DeliveryEvent.TAKEN_DOWN), reason
            delivery.needs_person = True
            log.error("delivered post is gone", delivery=delivery_id, channel=delivery.channel, reason=reason)
            notices.tell(work, "delivery.taken_down", f"delivery:{delivery_id}", f"{delivery.channel} 渠道投递 {delivery_id} {reason}")
        verb = Verb.DELIVERY_TAKEN_DOWN if gone else Verb.DELIVERY_RECONCILED
        work.record(verb, f"item:{item.public_id}", {"delivery": delivery_id, "channel": delivery.channel, "patrol": number, "gone": gone})
        work.commit()
