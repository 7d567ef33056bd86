"""Loading an item with what the rules need to know of it, under its lock."""

from __future__ import annotations

import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.domain.content import Content
from hub.domain.item import Facts, ItemState
from hub.domain.problems import NotFound, Stale
from hub.store.tables import Contributor, Item, Review, Revision


def subject(public_id: str) -> str:
    """How the record names an item."""
    return f"item:{public_id}"


def locked(session: Session, public_id: str) -> tuple[Item, Revision]:
    """The item and its current revision; the row stays locked until the transaction ends. Raises NotFound."""
    item = session.scalar(select(Item).where(Item.public_id == public_id).with_for_update())
    if item is None:
        raise NotFound(f"没有编号为“{public_id}”的稿件", code="item_unknown")
    return item, current_revision(session, item)


def current_revision(session: Session, item: Item) -> Revision:
    return session.scalars(select(Revision).where(Revision.item_id == item.id, Revision.number == item.revision_no)).one()


def content_of(revision: Revision) -> Content:
    return Content.from_json(json.loads(revision.content))


def facts(session: Session, item: Item, revision: Revision, content: Content) -> Facts:
    """What ``hub.domain.item.decide`` asks for, from the stored rows alone."""
    touched = session.scalars(select(Contributor.person_id).where(Contributor.item_id == item.id))
    signed = session.scalars(select(Review.person_id).where(Review.revision_id == revision.id, Review.decision == "approve"))
    return Facts(
        state=ItemState(item.state),
        department_id=item.department_id,
        grade=content.grade,
        touched_by=frozenset(touched),
        signed_by=frozenset(signed),
        public=item.released_no > 0,
    )


def must_be_current(revision: Revision, digest: str) -> None:
    """Raise Stale unless ``digest`` (what the person saw) is the current revision's. Empty: the person named none."""
    if digest and digest != revision.digest:
        raise Stale(
            f"您看到的版本已不是最新版本（现为第 {revision.number} 版），请刷新后重新审阅",
            code="old_revision",
            details={"current": revision.number, "seen": digest[:16]},
        )
