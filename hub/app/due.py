"""Which channels have something to do: one cheap question that the relay asks ten times a second."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, bindparam, literal, or_, select, union_all
from sqlalchemy.orm import Session

from hub.domain.delivery import DeliveryState
from hub.store.base import Utc
from hub.store.tables import AccountRow, Delivery

SEND, LOOK = "send", "look"


def _sends() -> Select[str, str]:
    """Channels with planned rows whose time has come and whose account is not stopped."""
    now = bindparam("now", type_=Utc())
    stopped = select(AccountRow.channel).where(or_(AccountRow.paused_at.is_not(None), AccountRow.brake_until > now))
    return (
        select(literal(SEND).label("what"), Delivery.channel)
        .where(Delivery.state == DeliveryState.PLANNED, Delivery.next_at <= now, Delivery.channel.not_in(stopped))
        .distinct()
    )


def _looks() -> Select[str, str]:
    """Channels with rows in doubt whose next look is due."""
    now = bindparam("now", type_=Utc())
    return (
        select(literal(LOOK).label("what"), Delivery.channel)
        .where(
            or_(Delivery.state == DeliveryState.ACCEPTED, Delivery.state == DeliveryState.UNKNOWN),
            Delivery.next_at <= now,
            Delivery.needs_person.is_(False),
            or_(Delivery.lease_until.is_(None), Delivery.lease_until <= now),
        )
        .distinct()
    )


# Made once: asked ten times a second, putting them together would be most of what a hub at rest costs.
_SENDS = _sends()
_BOTH = union_all(_SENDS, _looks())


def due_now(session: Session, now: datetime) -> list[tuple[str, str]]:
    """What is due (``SEND`` or ``LOOK``) for which channel."""
    return [(what, channel) for what, channel in session.execute(_BOTH, {"now": now})]


def due_sends(session: Session, now: datetime) -> list[str]:
    """Channels that have something to send."""
    return [channel for _, channel in session.execute(_SENDS, {"now": now})]
