"""Which channels have something to do: two cheap questions the relay asks ten times a second."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hub.domain.delivery import DeliveryState
from hub.store.tables import AccountRow, Delivery


def due_sends(session: Session, now: datetime) -> list[str]:
    """Channels with planned rows whose time has come and whose account is not stopped."""
    stopped = select(AccountRow.channel).where(or_(AccountRow.paused_at.is_not(None), AccountRow.brake_until > now))
    return list(
        session.scalars(
            select(Delivery.channel)
            .where(Delivery.state == DeliveryState.PLANNED, Delivery.next_at <= now, Delivery.channel.not_in(stopped))
            .distinct()
        )
    )


def due_looks(session: Session, now: datetime) -> list[str]:
    """Channels with rows in doubt whose next look is due."""
    return list(
        session.scalars(
            select(Delivery.channel)
            .where(
                Delivery.state.in_((DeliveryState.ACCEPTED, DeliveryState.UNKNOWN)),
                Delivery.next_at <= now,
                Delivery.needs_person.is_(False),
                or_(Delivery.lease_until.is_(None), Delivery.lease_until <= now),
            )
            .distinct()
        )
    )
