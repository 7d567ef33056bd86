"""Who may see what: an item whole (its department, the centre, inspectors), or only what the public has been shown.

A department's people work on their own items and read what is out; a draft of another department is none of their business,
so for them it does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true
from sqlalchemy.orm import Session

from hub.app.context import Context
from hub.app.people import Caller, signatory
from hub.domain.delivery import DeliveryState
from hub.domain.item import Signatory
from hub.domain.problems import NotFound
from hub.store.tables import Delivery, Item

SHOWN = (DeliveryState.DELIVERED, DeliveryState.WITHDRAWING)


@dataclass(frozen=True, slots=True)
class Sight:
    """What one person may look at. ``departments`` None: every department's items, whole."""

    who: Signatory
    departments: frozenset[int] | None

    def whole(self, item: Item) -> bool:
        """Drafts, signatures and deliveries too, not only what the public was shown."""
        return self.departments is None or item.department_id in self.departments

    def items(self) -> ColumnElement[bool]:
        """Condition on ``Item`` for everything this person may see, whole or as the public does."""
        if self.departments is None:
            return true()
        return or_(Item.department_id.in_(self.departments), and_(Item.withdrawn_at.is_(None), shown_number().is_not(None)))

    def number(self) -> ColumnElement[int]:
        """Number of the revision of ``Item`` that this person is shown."""
        if self.departments is None:
            return Item.revision_no.expression
        return case((Item.department_id.in_(self.departments), Item.revision_no), else_=shown_number())


def shown_number() -> ColumnElement[int]:
    """The newest revision of ``Item`` that any channel shows now; NULL: the public sees none."""
    return (
        select(func.max(Delivery.revision_no))
        .where(Delivery.item_id == Item.id, Delivery.state.in_(SHOWN), Delivery.action != "withdraw")
        .correlate(Item)
        .scalar_subquery()
    )


def sight_of(context: Context, session: Session, caller: Caller) -> Sight:
    """Raises NotPermitted when the person is no longer active."""
    who = signatory(session, caller.person_id, context.clock())
    if any(grant.department_id is None for grant in who.grants):
        return Sight(who, None)
    return Sight(who, frozenset({caller.department_id, *(g.department_id for g in who.grants if g.department_id is not None)}))


def seen_item(session: Session, sight: Sight, public_id: str) -> tuple[Item, int]:
    """The item and the number of the revision to show. Raises NotFound, also for what this person may not know of."""
    row = session.execute(select(Item, sight.number().label("number")).where(Item.public_id == public_id, sight.items())).one_or_none()
    if row is None:
        raise NotFound(f"没有编号为“{public_id}”的稿件，或您无权查看", code="item_unknown")
    return row[0], int(row[1])
