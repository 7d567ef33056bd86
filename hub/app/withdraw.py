"""撤稿: every channel that shows the item, however long ago it was sent, is asked to take it back."""

from __future__ import annotations

from sqlalchemy import select

from channels.base import Action
from hub.app.context import Context, act
from hub.app.items import content_of, facts, locked, subject
from hub.app.people import Caller, signatory
from hub.domain.delivery import IN_DOUBT, DeliveryEvent, DeliveryState, advance
from hub.domain.item import ItemEvent, decide
from hub.domain.problems import Invalid, Problem
from hub.domain.verbs import Verb
from hub.store.tables import Delivery, Release


def withdraw(context: Context, caller: Caller, public_id: str, *, reason: str, notice: str) -> list[str]:
    """Withdraw a released item. ``reason`` is for the record, ``notice`` is what the public reads in its place.

    Returns the channels addressed: all that show it or may be showing it, found in the deliveries, which are never purged.
    """
    with act(context, caller.actor, Verb.ITEM_WITHDRAWN, subject(public_id)) as work:
        missing = [
            Problem(field, f"{field}_missing", f"未填写{label}", "撤稿须说明原因（行政处罚法第48条：公开说明理由）")
            for field, label, value in (("reason", "撤稿原因", reason), ("notice", "对外说明", notice))
            if not value.strip()
        ]
        if missing:
            raise Invalid(tuple(missing))
        item, revision = locked(work.session, public_id)
        state, _ = decide(
            facts(work.session, item, revision, content_of(revision)),
            ItemEvent.WITHDRAW,
            signatory(work.session, caller.person_id, work.now),
        )
        shown, cancelled = {}, []
        for delivery in work.session.scalars(select(Delivery).where(Delivery.item_id == item.id).order_by(Delivery.id).with_for_update()):
            current = DeliveryState(delivery.state)
            if current in (DeliveryState.PLANNED, DeliveryState.REFUSED):
                delivery.state, delivery.reason = advance(current, DeliveryEvent.CANCEL), "稿件已撤稿"
                delivery.needs_person = False
                cancelled.append(delivery.id)
            elif current is DeliveryState.DELIVERED:
                delivery.state = advance(current, DeliveryEvent.WITHDRAW_PLANNED)
                shown[delivery.channel] = delivery
            elif current in IN_DOUBT:
                # It may appear any moment: its withdrawal waits behind it and takes it back then.
                shown[delivery.channel] = delivery
        row = Release(
            item_id=item.id,
            revision_id=revision.id,
            action=Action.WITHDRAW,
            person_id=caller.person_id,
            at=work.now,
            due_at=work.now,
            reason=reason,
            previous_no=item.released_no,
        )
        work.session.add(row)
        work.session.flush()
        work.session.add_all(
            Delivery(
                release_id=row.id,
                item_id=item.id,
                revision_id=d.revision_id,
                revision_no=d.revision_no,
                channel=channel,
                action=Action.WITHDRAW,
                state=DeliveryState.PLANNED,
                urgent=5,
                due_at=work.now,
                next_at=work.now,
            )
            for channel, d in shown.items()
        )
        item.state, item.withdrawn_at, item.changed_at, item.withdrawal_note = state, work.now, work.now, notice
        details = {"reason": reason, "notice": notice, "channels": sorted(shown), "cancelled": cancelled}
        work.record(Verb.ITEM_WITHDRAWN, subject(public_id), details)
        return sorted(shown)
