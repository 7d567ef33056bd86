"""What the public folders show, told from the database alone: the input of a rebuild.

Values must be the very ones the deliveries carried (``hub.app.send.job_for``), or the rebuilt bytes would differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from channels.base import Action, Json
from hub.domain.delivery import DeliveryState
from hub.store.tables import Delivery, Item, Release, RenditionRow

SHOWN = (DeliveryState.DELIVERED, DeliveryState.WITHDRAWING, DeliveryState.WITHDRAWN, DeliveryState.SUPERSEDED)


@dataclass(frozen=True, slots=True)
class Shown:
    """One revision that was live on a channel."""

    revision: int
    payload: dict[str, Json]
    updated_at: datetime
    note: str


@dataclass(slots=True)
class History:
    """One item on one channel: every revision that was live, oldest first, and its withdrawal."""

    public_id: str
    published_at: datetime
    shown: list[Shown] = field(default_factory=list)
    withdrawn_at: datetime | None = None
    notice: str = ""


def histories(session: Session, channel: str) -> Iterator[History]:
    """Every item that ``channel`` has shown, in order of its id."""
    rows = session.execute(
        select(Delivery, Item, Release, RenditionRow.payload)
        .join(Item, Item.id == Delivery.item_id)
        .join(Release, Release.id == Delivery.release_id)
        .join(RenditionRow, (RenditionRow.revision_id == Delivery.revision_id) & (RenditionRow.channel == Delivery.channel))
        .where(Delivery.channel == channel, Delivery.settled_at.is_not(None), Delivery.state.in_(SHOWN), Item.published_at.is_not(None))
        .order_by(Delivery.item_id, Delivery.revision_no, Delivery.id)
        .execution_options(yield_per=500)
    )
    current: History | None = None
    for delivery, item, release, payload in rows:
        published_at = item.published_at or delivery.settled_at or delivery.due_at
        if current is None or current.public_id != item.public_id:
            if current is not None and current.shown:
                yield current
            current = History(item.public_id, published_at)
        if delivery.action == Action.WITHDRAW:
            current.withdrawn_at, current.notice = delivery.first_attempt_at, item.withdrawal_note
        else:
            updated = published_at if delivery.action == Action.PUBLISH else max(published_at, release.due_at)
            current.shown.append(Shown(delivery.revision_no, json.loads(payload), updated, release.reason))
    if current is not None and current.shown:
        yield current
