"""What waits for one person: items that they, and by the rules they may, move on. Most urgent first, then the oldest."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, or_, select
from sqlalchemy.orm import Session

from hub.app.context import Context
from hub.app.people import Caller
from hub.app.read import lines_of
from hub.app.sight import Sight, sight_of
from hub.app.views import ItemLine
from hub.domain.item import EVENT_ROLES, TRANSITIONS, Facts, ItemEvent, ItemState, Signatory, allowed
from hub.store.json_field import json_field
from hub.store.tables import Contributor, Item, Review, Revision

FORWARD = (
    ItemEvent.SUBMIT,
    ItemEvent.SIGN_DEPT,
    ItemEvent.SIGN_FIRST,
    ItemEvent.SIGN_SECOND,
    ItemEvent.SIGN_FINAL,
    ItemEvent.RELEASE,
)
"""Acts that something waits for. Taking up (受理) is none: it comes before a first signature, and who may not sign is not asked."""
CANDIDATES = 500
"""Most items looked at for one answer: whoever has more waiting has other worries than number 501."""


@dataclass(frozen=True, slots=True)
class Waiting:
    line: ItemLine
    actions: tuple[ItemEvent, ...]
    """Everything this person may do with it now, the expected act among them."""


def inbox(context: Context, caller: Caller, limit: int = 50) -> list[Waiting]:
    with context.reading() as session:
        sight = sight_of(context, session, caller)
        places = _places(sight.who)
        if not places:
            return []
        urgency = json_field(Revision.content, "urgency")
        rows = session.execute(
            select(Item, Revision.id, json_field(Revision.content, "grade"))
            .join(Revision, and_(Revision.item_id == Item.id, Revision.number == Item.revision_no))
            .where(or_(*places))
            .order_by(case((urgency == "特急", 0), (urgency == "加急", 1), else_=2), Item.changed_at, Item.id)
            .limit(CANDIDATES)
        ).all()
        chosen = _allowed(session, sight, [(item, revision, grade) for item, revision, grade in rows])[:limit]
        lines = {line.public_id: line for line in lines_of(context, session, sight, [item.id for item, _ in chosen])}
        return [Waiting(lines[item.public_id], actions) for item, actions in chosen]


def _places(who: Signatory) -> list[ColumnElement[bool]]:
    """Where something may lie for this person: (state, department) by each right they hold."""
    found: list[ColumnElement[bool]] = []
    for grant in who.grants:
        states = {state for state, event in TRANSITIONS if event in FORWARD and grant.role in EVENT_ROLES[event]}
        if states:
            place = Item.state.in_(sorted(states))
            found.append(place if grant.department_id is None else and_(place, Item.department_id == grant.department_id))
    return found


def _allowed(session: Session, sight: Sight, rows: list[tuple[Item, int, str]]) -> list[tuple[Item, tuple[ItemEvent, ...]]]:
    touched: dict[int, set[int]] = {}
    signed: dict[int, set[int]] = {}
    ids = [item.id for item, _, _ in rows]
    for item_id, person_id in session.execute(select(Contributor.item_id, Contributor.person_id).where(Contributor.item_id.in_(ids))):
        touched.setdefault(item_id, set()).add(person_id)
    reviews = select(Review.revision_id, Review.person_id).where(
        Review.revision_id.in_([revision for _, revision, _ in rows]), Review.decision == "approve"
    )
    for revision_id, person_id in session.execute(reviews):
        signed.setdefault(revision_id, set()).add(person_id)
    found = []
    for item, revision, grade in rows:
        known = Facts(
            state=ItemState(item.state),
            department_id=item.department_id,
            grade=grade,
            touched_by=frozenset(touched.get(item.id, ())),
            signed_by=frozenset(signed.get(revision, ())),
            public=item.released_no > 0,
        )
        actions = allowed(known, sight.who)
        if any(one in FORWARD for one in actions):
            found.append((item, actions))
    return found
