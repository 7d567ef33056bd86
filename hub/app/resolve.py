"""What a person may do with a delivery: try again, look now, say what they saw, cancel. Each needs a reason and is recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select

from channels.base import Live
from hub.app import look
from hub.app.context import Context, act
from hub.app.items import subject
from hub.app.people import Caller, require_role
from hub.app.settle import follow_item, gone_live
from hub.domain.delivery import DeliveryEvent, DeliveryState, advance
from hub.domain.item import ItemState, Role
from hub.domain.problems import IllegalTransition, Invalid, NotFound, Problem
from hub.domain.verbs import Verb
from hub.store.tables import Delivery, Item
from hub.store.uow import Work

_E = DeliveryEvent


def retry(context: Context, caller: Caller, delivery_id: int, *, reason: str) -> None:
    """Send a stopped delivery again: it starts with fresh counters. Only ``refused`` ones: a doubtful one is looked at first."""
    with _on_delivery(context, caller, Verb.DELIVERY_RETRIED, delivery_id, reason) as (work, delivery, item):
        if delivery.state == DeliveryState.UNKNOWN:
            raise IllegalTransition("该投递结果未知，直接重发可能造成重复发布；请先核实（reconcile 或 resolve）", code="unknown_needs_look")
        if item.state == ItemState.WITHDRAWN and delivery.action != "withdraw":
            raise IllegalTransition("稿件已撤稿，不能再发布", code="withdrawn")
        delivery.state = advance(DeliveryState(delivery.state), _E.RETRY)
        if delivery.kind == "missed":
            delivery.due_at = work.now
        delivery.next_at, delivery.failures, delivery.needs_person, delivery.kind, delivery.reason = (
            work.now,
            0,
            False,
            "",
            f"人工重试：{reason}",
        )
        follow_item(work, delivery)


def reconcile(context: Context, caller: Caller, delivery_id: int, *, reason: str) -> None:
    """Ask the platform now instead of at the next planned look."""
    with _on_delivery(context, caller, Verb.DELIVERY_RECONCILED, delivery_id, reason) as (work, delivery, _):
        if DeliveryState(delivery.state) not in look.IN_DOUBT:
            raise IllegalTransition("只有“待核实”或“平台处理中”的投递需要核实", code="not_in_doubt")
        delivery.needs_person, delivery.looks = False, 0
        # Not due by itself: the look below is the one the person asked for.
        delivery.next_at = work.now + context.channels[delivery.channel].limits.looks[0]
    look.look_now(context, delivery_id, f"{caller.username}")


def resolve_published(context: Context, caller: Caller, delivery_id: int, *, ref: str, reason: str) -> None:
    """A person looked: it is there. ``ref``: the post's address or id as the person found it."""
    with _on_delivery(context, caller, Verb.DELIVERY_RESOLVED, delivery_id, reason) as (work, delivery, _):
        known = json.loads(delivery.ref) | {"seen": ref}
        delivery.ref = json.dumps(known, ensure_ascii=False, sort_keys=True)
        url = ref if ref.startswith(("http://", "https://")) else ""
        gone_live(work, delivery, Live(known, url), _E.RESOLVE_PUBLISHED)
        delivery.reason = f"人工核实已发布：{reason}"
        follow_item(work, delivery)


def resolve_not_published(context: Context, caller: Caller, delivery_id: int, *, reason: str) -> None:
    """A person looked: it is not there. It goes back into the queue."""
    with _on_delivery(context, caller, Verb.DELIVERY_RESOLVED, delivery_id, reason) as (work, delivery, _):
        delivery.state = advance(DeliveryState(delivery.state), _E.RESOLVE_NOT_PUBLISHED)
        delivery.needs_person, delivery.next_at, delivery.reason = False, work.now, f"人工核实未发布：{reason}"
        # What was kept of the doubtful send (a claim to have landed, say) has been refuted by a person.
        delivery.ref = "{}"
        follow_item(work, delivery)


def cancel(context: Context, caller: Caller, delivery_id: int, *, reason: str) -> None:
    """Give up one channel of one release."""
    with _on_delivery(context, caller, Verb.DELIVERY_CANCELLED, delivery_id, reason) as (_, delivery, _item):
        delivery.state = advance(DeliveryState(delivery.state), _E.CANCEL)
        delivery.needs_person, delivery.reason = False, reason


@contextmanager
def _on_delivery(context: Context, caller: Caller, verb: Verb, delivery_id: int, reason: str) -> Iterator[tuple[Work, Delivery, Item]]:
    with act(context, caller.actor, verb, f"delivery:{delivery_id}") as work:
        if not reason.strip():
            raise Invalid((Problem("reason", "reason_missing", "未填写理由", "请写明为什么这样处理"),))
        require_role(work.session, caller.person_id, work.now, Role.PUBLISHER, Role.ADMINISTRATOR)
        delivery = work.session.scalar(select(Delivery).where(Delivery.id == delivery_id).with_for_update())
        if delivery is None:
            raise NotFound(f"没有编号为 {delivery_id} 的投递", code="delivery_unknown")
        item = work.session.get_one(Item, delivery.item_id)
        before = delivery.state
        yield work, delivery, item
        details = {"delivery": delivery_id, "channel": delivery.channel, "from": before, "to": delivery.state, "reason": reason}
        work.record(verb, subject(item.public_id), details)
