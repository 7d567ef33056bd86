"""Reading items: lists, one item whole, its revisions. Values only, no open transaction behind them; nothing here writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from hub.app import vocabulary
from hub.app.context import Context
from hub.app.items import content_of, current_revision, facts
from hub.app.people import Caller
from hub.app.publication import item_url
from hub.app.revisions import problems_in
from hub.app.sight import Sight, seen_item, sight_of
from hub.app.views import (
    DeliveryLine,
    ItemLine,
    ItemView,
    ReleaseLine,
    Rendered,
    RevisionLine,
    RevisionView,
    Signature,
    Wanted,
    Word,
)
from hub.domain.delivery import DELIVERY_LABELS, DeliveryState
from hub.domain.item import STAGE_LABELS, STATE_LABELS, ItemState, Stage, allowed
from hub.domain.problems import NotFound
from hub.domain.summary import summarise
from hub.store.json_field import json_field
from hub.store.tables import Delivery, Department, Item, Person, Release, RenditionRow, Review, Revision


def list_items(context: Context, caller: Caller, wanted: Wanted) -> tuple[list[ItemLine], int]:
    """A page of what the caller may see, newest first, and where the next page starts (0: this was the last)."""
    with context.reading() as session:
        sight = sight_of(context, session, caller)
        number = sight.number()
        query = (
            select(Item.id)
            .join(Revision, (Revision.item_id == Item.id) & (Revision.number == number))
            .where(sight.items(), *_filters(session, wanted))
            .order_by(Item.id.desc())
            .limit(wanted.limit + 1)
        )
        ids = list(session.scalars(query))
        page = ids[: wanted.limit]
        return lines_of(context, session, sight, page), page[-1] if len(ids) > wanted.limit else 0


def _filters(session: Session, wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.before:
        found.append(Item.id < wanted.before)
    if wanted.state:
        found.append(Item.state == wanted.state)
    if wanted.department:
        found.append(Item.department_id == select(Department.id).where(Department.slug == wanted.department).scalar_subquery())
    found += [json_field(Revision.content, name) == getattr(wanted, name) for name in ("column", "area", "kind") if getattr(wanted, name)]
    if wanted.title:
        found.append(Revision.title.contains(wanted.title, autoescape=True))
    return found


def lines_of(context: Context, session: Session, sight: Sight, ids: Sequence[int]) -> list[ItemLine]:
    """Lists entries for these items, in the order given."""
    wanted = {name: json_field(Revision.content, name).label(f"c_{name}") for name in ("kind", "urgency", "grade", "column", "area")}
    rows = session.execute(
        select(Item, Revision.number, Revision.title, Revision.digest, Department.slug, Department.name, *wanted.values())
        .select_from(Item)
        .join(Revision, (Revision.item_id == Item.id) & (Revision.number == sight.number()))
        .join(Department, Department.id == Item.department_id)
        .where(Item.id.in_(ids))
    ).all()
    deliveries = _states(session, ids)
    columns, areas = vocabulary.column_refs(session), vocabulary.areas(session)
    found = {}
    for item, number, title, digest, slug, name, kind, urgency, grade, column, area in rows:
        state = ItemState(item.state) if sight.whole(item) else ItemState.RELEASED
        found[item.id] = ItemLine(
            public_id=item.public_id,
            index_no=item.index_no,
            title=title,
            kind=kind,
            urgency=urgency,
            grade=grade,
            department=Word(slug, name),
            column=Word(column, columns[column].name if column in columns else column),
            area=Word(area, areas[area].name if area in areas else area) if area else None,
            state=state,
            state_label=STATE_LABELS[state],
            summary=summarise(state, deliveries.get(item.id, ())),
            revision=number,
            released_revision=item.released_no if sight.whole(item) else number,
            digest=digest,
            url=item_url(context.policy.site_url, item.public_id),
            created_at=item.created_at,
            changed_at=item.changed_at,
            published_at=item.published_at,
            withdrawn_at=item.withdrawn_at,
        )
    return [found[one] for one in ids if one in found]


def _states(session: Session, ids: Sequence[int]) -> dict[int, list[DeliveryState]]:
    found: dict[int, list[DeliveryState]] = {}
    # A withdrawal shows in the state of what it takes back.
    query = select(Delivery.item_id, Delivery.state).where(Delivery.item_id.in_(ids), Delivery.action != "withdraw")
    for item_id, state in session.execute(query):
        found.setdefault(item_id, []).append(DeliveryState(state))
    return found


def read_item(context: Context, caller: Caller, public_id: str) -> ItemView:
    """Raises NotFound, also for an item the caller may not know of."""
    with context.reading() as session:
        sight = sight_of(context, session, caller)
        item, number = seen_item(session, sight, public_id)
        line = lines_of(context, session, sight, [item.id])[0]
        revision = session.scalars(select(Revision).where(Revision.item_id == item.id, Revision.number == number)).one()
        content, whole = content_of(revision), sight.whole(item)
        current = revision if number == item.revision_no else current_revision(session, item)
        known = facts(session, item, current, content_of(current))
        return ItemView(
            line=line,
            external_ref=(item.external_ref or "") if whole else "",
            content=content,
            author=person(session, revision.author_id),
            whole=whole,
            withdrawal_note=item.withdrawal_note,
            actions=allowed(known, sight.who),
            problems=problems_in(revision) if whole else (),
            signatures=_signatures(session, Review.revision_id == revision.id) if whole else (),
            releases=_releases(session, item) if whole else (),
            deliveries=tuple(delivery_lines(session, [Delivery.item_id == item.id])) if whole else (),
        )


def list_revisions(context: Context, caller: Caller, public_id: str) -> list[RevisionLine]:
    """Every revision, newest first; for outsiders only the one the public sees."""
    with context.reading() as session:
        sight = sight_of(context, session, caller)
        item, number = seen_item(session, sight, public_id)
        query = select(Revision).where(Revision.item_id == item.id).order_by(Revision.number.desc())
        if not sight.whole(item):
            query = query.where(Revision.number == number)
        return [_revision_line(session, row) for row in session.scalars(query)]


def read_revision(context: Context, caller: Caller, public_id: str, number: int) -> RevisionView:
    """One revision with every rendition. Raises NotFound."""
    with context.reading() as session:
        sight = sight_of(context, session, caller)
        item, shown = seen_item(session, sight, public_id)
        row = session.scalar(select(Revision).where(Revision.item_id == item.id, Revision.number == number))
        whole = sight.whole(item)
        if row is None or not (whole or number == shown):
            raise NotFound(f"稿件“{public_id}”没有第 {number} 版", code="revision_unknown")
        renditions = session.scalars(select(RenditionRow).where(RenditionRow.revision_id == row.id).order_by(RenditionRow.channel))
        return RevisionView(
            item=public_id,
            line=_revision_line(session, row),
            content=content_of(row),
            problems=problems_in(row) if whole else (),
            signatures=_signatures(session, Review.revision_id == row.id) if whole else (),
            renditions=tuple(Rendered(r.channel, r.digest, json.loads(r.payload)) for r in renditions),
        )


def person(session: Session, person_id: int) -> Word:
    row = session.get_one(Person, person_id)
    return Word(row.username, row.name)


def delivery_lines(session: Session, conditions: Iterable[ColumnElement[bool]], limit: int = 1000) -> list[DeliveryLine]:
    """Deliveries newest first."""
    rows = session.execute(
        select(Delivery, Item.public_id, Revision.title)
        .join(Item, Item.id == Delivery.item_id)
        .join(Revision, Revision.id == Delivery.revision_id)
        .where(*conditions)
        .order_by(Delivery.id.desc())
        .limit(limit)
    )
    return [
        DeliveryLine(
            id=d.id,
            item=public_id,
            title=title,
            channel=d.channel,
            action=d.action,
            revision=d.revision_no,
            state=DeliveryState(d.state),
            state_label=DELIVERY_LABELS[DeliveryState(d.state)],
            needs_person=d.needs_person,
            reason=d.reason,
            kind=d.kind,
            url=d.url,
            attempts=d.attempts,
            looks=d.looks,
            due_at=d.due_at,
            next_at=d.next_at,
            settled_at=d.settled_at,
        )
        for d, public_id, title in rows
    ]


def _revision_line(session: Session, row: Revision) -> RevisionLine:
    return RevisionLine(row.number, row.title, row.digest, person(session, row.author_id), row.created_at)


def _signatures(session: Session, condition: ColumnElement[bool]) -> tuple[Signature, ...]:
    rows = session.execute(
        select(Review, Revision.number).join(Revision, Revision.id == Review.revision_id).where(condition).order_by(Review.id)
    )
    return tuple(
        Signature(
            revision=number,
            stage=Stage(r.stage),
            stage_label=STAGE_LABELS[Stage(r.stage)],
            decision=r.decision,
            person=person(session, r.person_id),
            on_behalf_of=person(session, r.on_behalf_of) if r.on_behalf_of else None,
            digest=r.digest,
            reason=r.reason_code,
            note=r.note,
            statements=json.loads(r.statements),
            at=r.at,
        )
        for r, number in rows
    )


def _releases(session: Session, item: Item) -> tuple[ReleaseLine, ...]:
    rows = session.execute(
        select(Release, Revision.number)
        .join(Revision, Revision.id == Release.revision_id)
        .where(Release.item_id == item.id)
        .order_by(Release.id)
    )
    return tuple(
        ReleaseLine(
            id=r.id,
            action=r.action,
            revision=number,
            person=person(session, r.person_id),
            at=r.at,
            due_at=r.due_at,
            offsets=json.loads(r.offsets),
            reason=r.reason,
            cancelled_at=r.cancelled_at,
        )
        for r, number in rows
    )
