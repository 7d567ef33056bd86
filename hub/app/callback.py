"""A platform calls us: the message is checked by its channel, counted once, and taken as what it is, an outcome or a hint.

An ``Accepted`` without a pause means "look now": deliveries in doubt get their look from the relay at once, delivered ones
from ``look_again``, which the caller runs after it has answered (the platform waits five seconds at most).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from channels.base import Absent, Accepted, Callbacks, Event, Live, Outcome, Ref, Unknown, recording
from hub.app import patrol
from hub.app.claim import Claimed
from hub.app.context import Context
from hub.app.look import IN_DOUBT, settle_look
from hub.app.papers import previous_ref, rendition_of
from hub.app.send import job_for
from hub.domain.delivery import DeliveryState
from hub.domain.problems import NotFound
from hub.domain.verbs import Verb
from hub.store.tables import CallbackRow, Delivery, Item, Release
from hub.store.uow import Work

log = structlog.get_logger(__name__)
SEARCHED = (DeliveryState.SENDING, *IN_DOUBT, DeliveryState.DELIVERED, DeliveryState.WITHDRAWING)


@runtime_checkable
class _Answering(Callbacks, Protocol):
    """A channel with ``answer``: not every channel's platform calls back."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What to send back, and which delivered deliveries to look at again afterwards."""

    status: int
    media_type: str
    body: str
    look_again: tuple[int, ...] = ()


def receive(context: Context, channel: str, method: str, query: Mapping[str, str], body: bytes) -> Answered:
    """Handle one call from a platform. Raises NotFound when no such channel takes calls."""
    adapter = context.channels.get(channel)
    if not isinstance(adapter, _Answering):
        raise NotFound(f"没有接收回调的渠道“{channel}”", code="channel_unknown")
    status, media_type, text, events = adapter.answer(method, query, body, context.clock())
    if status >= 400:
        log.warning("callback refused", channel=channel, status=status, why=text)
    again = [found for event in events for found in _take(context, channel, event)]
    return Answered(status, media_type, text, tuple(again))


def _take(context: Context, channel: str, event: Event) -> list[int]:
    """Note one event, once; pass it on. Returns the delivered delivery to look at again, if any."""
    actor = f"platform:{channel}"
    with context.work(actor) as work:
        if work.session.get(CallbackRow, event.digest) is not None:
            return []
        delivery = _find(work, channel, event.match)
        work.session.add(CallbackRow(digest=event.digest, channel=channel, at=work.now, delivery_id=delivery.id if delivery else None))
        details = {
            "channel": channel,
            "digest": event.digest,
            "outcome": type(event.outcome).__name__,
            "delivery": delivery.id if delivery else None,
        }
        item = work.session.get_one(Item, delivery.item_id) if delivery else None
        work.record(Verb.CALLBACK_RECEIVED, f"item:{item.public_id}" if item else f"account:{channel}", details)
        try:
            work.commit()
        except IntegrityError:
            # The same message came twice at once, and the other one was first.
            return []
    if delivery is None:
        log.warning("callback matches no delivery", channel=channel, match=event.match)
        return []
    state = DeliveryState(delivery.state)
    if state in IN_DOUBT:
        settle_look(context, delivery.id, _merged(event.outcome, json.loads(delivery.ref)), [], actor)
        return []
    if state is DeliveryState.SENDING:
        # Its own answer is still on the way; the first look after it asks the platform anyway.
        return []
    if isinstance(event.outcome, Absent):
        patrol.taken_down(context, delivery.id, event.outcome, 0, actor, [])
        return []
    return [delivery.id]


def _find(work: Work, channel: str, match: Ref) -> Delivery | None:
    """The newest delivery of the channel whose ref holds everything that ``match`` names."""
    if not match:
        return None
    query = select(Delivery).where(Delivery.channel == channel, Delivery.state.in_(SEARCHED)).order_by(Delivery.id.desc())
    for value in match.values():
        query = query.where(Delivery.ref.contains(json.dumps(value, ensure_ascii=False), autoescape=True))
    for delivery in work.session.scalars(query):
        known = json.loads(delivery.ref)
        if all(known.get(name) == value for name, value in match.items()):
            return delivery
    return None


def _merged(outcome: Outcome, known: Ref) -> Outcome:
    """A message names its job and little else: what the delivery knew of itself stays."""
    if isinstance(outcome, Live | Accepted):
        return replace(outcome, ref={**known, **outcome.ref})
    if isinstance(outcome, Unknown) and outcome.ref is not None:
        return replace(outcome, ref={**known, **outcome.ref})
    return outcome


def look_again(context: Context, delivery_id: int) -> None:
    """Ask the platform whether it still shows a delivered delivery, because it hinted that something happened."""
    with context.work("worker:callback") as work:
        delivery, item, release = work.session.execute(
            select(Delivery, Item, Release)
            .join(Item, Item.id == Delivery.item_id)
            .join(Release, Release.id == Delivery.release_id)
            .where(Delivery.id == delivery_id)
        ).one()
        ref: Ref = json.loads(delivery.ref)
        claimed = Claimed(delivery, item, release, rendition_of(work, delivery), ref, previous_ref(work, delivery), attempt_id=0)
    with recording() as exchanges:
        try:
            outcome: Outcome | None = context.channels[delivery.channel].reconcile(claimed.rendition, job_for(context, claimed))
        except Exception:
            log.exception("look after a callback raised", channel=delivery.channel, delivery=delivery_id)
            outcome = None
    patrol.taken_down(context, delivery_id, outcome, 0, f"callback:{delivery.channel}", [e.what for e in exchanges])
