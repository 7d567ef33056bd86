"""Reading deliveries with their evidence, and the state of the channel accounts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from channels.base import Limits
from hub.app.context import Context
from hub.app.people import Caller
from hub.app.read import delivery_lines
from hub.app.sight import sight_of
from hub.app.views import DeliveryLine
from hub.domain.problems import NotFound
from hub.store.tables import AccountRow, Attempt, Delivery, Item


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One send or one look, with every call it made."""

    number: int
    kind: str
    worker: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    why: str
    exchanges: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class DeliveryView:
    line: DeliveryLine
    ref: Mapping[str, Any]
    """What the platform gave us: ids, in the channel's own words."""
    first_attempt_at: datetime | None
    attempts: tuple[AttemptView, ...]


@dataclass(frozen=True, slots=True)
class WantedDeliveries:
    """Filters; empty: not filtered. ``before``: ids below this one (paging, newest first)."""

    state: str = ""
    channel: str = ""
    item: str = ""
    needs_person: bool | None = None
    before: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class AccountView:
    """One channel account. It sends unless it is ``paused`` or rests until ``brake_until``."""

    channel: str
    kind: str
    sending: bool
    paused_at: datetime | None
    pause_kind: str
    pause_reason: str
    brake_until: datetime | None
    last_ok_at: datetime | None
    tested_at: datetime | None
    expires_at: datetime | None
    limits: Limits


def list_deliveries(context: Context, caller: Caller, wanted: WantedDeliveries) -> tuple[list[DeliveryLine], int]:
    """A page, newest first, and where the next starts (0: this was the last). Only of items the caller sees whole."""
    with context.reading() as session:
        departments = sight_of(context, session, caller).departments
        conditions: list[ColumnElement[bool]] = []
        if departments is not None:
            conditions.append(Item.department_id.in_(departments))
        if wanted.before:
            conditions.append(Delivery.id < wanted.before)
        if wanted.state:
            conditions.append(Delivery.state == wanted.state)
        if wanted.channel:
            conditions.append(Delivery.channel == wanted.channel)
        if wanted.item:
            conditions.append(Item.public_id == wanted.item)
        if wanted.needs_person is not None:
            conditions.append(Delivery.needs_person.is_(wanted.needs_person))
        found = delivery_lines(session, conditions, wanted.limit + 1)
        page = found[: wanted.limit]
        return page, page[-1].id if len(found) > wanted.limit else 0


def read_delivery(context: Context, caller: Caller, delivery_id: int) -> DeliveryView:
    """Raises NotFound, also for a delivery of an item the caller does not see whole."""
    with context.reading() as session:
        departments = sight_of(context, session, caller).departments
        conditions = [Delivery.id == delivery_id]
        if departments is not None:
            conditions.append(Item.department_id.in_(departments))
        lines = delivery_lines(session, conditions, 1)
        if not lines:
            raise NotFound(f"没有编号为 {delivery_id} 的投递，或您无权查看", code="delivery_unknown")
        row = session.get_one(Delivery, delivery_id)
        attempts = session.scalars(select(Attempt).where(Attempt.delivery_id == delivery_id).order_by(Attempt.id))
        return DeliveryView(
            line=lines[0],
            ref=json.loads(row.ref),
            first_attempt_at=row.first_attempt_at,
            attempts=tuple(
                AttemptView(a.number, a.kind, a.worker, a.started_at, a.ended_at, a.outcome, a.why, tuple(json.loads(a.exchanges)))
                for a in attempts
            ),
        )


def list_accounts(context: Context) -> list[AccountView]:
    """Every configured account, in the order of the configuration."""
    now = context.clock()
    with context.reading() as session:
        rows = {row.channel: row for row in session.scalars(select(AccountRow))}
    found = []
    for name, channel in context.channels.items():
        row = rows.get(name) or AccountRow(channel=name, pause_kind="", pause_reason="")
        rests = row.brake_until is not None and row.brake_until > now
        found.append(
            AccountView(
                channel=name,
                kind=channel.name,
                sending=row.paused_at is None and not rests,
                paused_at=row.paused_at,
                pause_kind=row.pause_kind,
                pause_reason=row.pause_reason,
                brake_until=row.brake_until,
                last_ok_at=row.last_ok_at,
                tested_at=row.tested_at,
                expires_at=row.expires_at,
                limits=channel.limits,
            )
        )
    return found


def read_account(context: Context, name: str) -> AccountView:
    """Raises NotFound."""
    for account in list_accounts(context):
        if account.channel == name:
            return account
    raise NotFound(f"没有渠道“{name}”", code="channel_unknown")
