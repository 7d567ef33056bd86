"""From stored content to what a channel formats, and from the renditions to the one digest that every signature covers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import rfc8785
from sqlalchemy import select
from sqlalchemy.orm import Session

from channels.base import Channel, Picture, Publication, Relation, Rendition, StoredFile
from hub.app import vocabulary
from hub.domain.content import Content, FileUse
from hub.store.tables import Item, Revision


def build(session: Session, item: Item, number: int, content: Content, site_url: str) -> Publication:
    """The publication of one revision. Expects slugs that exist (``hub.intake.rules`` has checked them)."""
    departments, areas = vocabulary.departments(session), vocabulary.areas(session)
    department = departments[content.department]
    return Publication(
        public_id=item.public_id,
        revision=number,
        url=item_url(site_url, item.public_id),
        title=content.title,
        subtitle=content.subtitle,
        body_html=content.body,
        summary=content.summary,
        kind=content.kind,
        department=department,
        column=vocabulary.column_refs(session)[content.column],
        area=areas.get(content.area) if content.area else None,
        index_no=item.index_no,
        doc_no=content.doc_no,
        issued_on=content.issued_on,
        formed_on=content.formed_on,
        effective_on=content.effective_on,
        expires_on=content.expires_on,
        validity=content.validity,
        disclosure_attr=content.disclosure_attr,
        genre=content.genre,
        theme=content.theme,
        keywords=content.keywords,
        source_kind=content.source_kind,
        source=content.source or department.name,
        source_url=content.source_url,
        urgency=content.urgency,
        author=content.author,
        attachments=tuple(_stored(f) for f in content.files if f.role == "attachment"),
        pictures=tuple(_picture(f) for f in content.files if f.role in ("picture", "cover")),
        cover=next((f.sha256 for f in content.files if f.role == "cover"), ""),
        relations=_relations(session, content, site_url),
        wording=content.wording,
        details=content.details,
        change_note=content.change_note,
    )


def item_url(site_url: str, public_id: str) -> str:
    return f"{site_url}/items/{public_id}/"


def render(channels: Mapping[str, Channel], content: Content, publication: Publication) -> dict[str, Rendition]:
    """Format for every chosen channel that exists (``app`` has none yet)."""
    # An account's name, not its kind, is what the delivery and the signature speak of.
    return {name: replace(channels[name].format(publication), channel=name) for name in content.channels if name in channels}


def revision_digest(content: Content, renditions: Mapping[str, str]) -> str:
    """SHA-256 of the RFC 8785 form of content, files and the digest of each channel's rendition (invariant 2)."""
    signed: dict[str, Any] = {"content": content.to_json(), "renditions": dict(renditions)}
    return hashlib.sha256(rfc8785.dumps(signed)).hexdigest()


def _stored(use: FileUse) -> StoredFile:
    return StoredFile(use.sha256, use.name, use.media_type, use.size)


def _picture(use: FileUse) -> Picture:
    return Picture(_stored(use), use.alt, use.width, use.height, use.ai_generated, use.caption)


def _relations(session: Session, content: Content, site_url: str) -> tuple[Relation, ...]:
    found = []
    for relation in content.relations:
        row = session.execute(
            select(Revision.title)
            .join(Item, Item.id == Revision.item_id)
            .where(Item.public_id == relation.target, Revision.number == Item.revision_no)
        ).first()
        if row is not None:
            found.append(Relation(relation.type, relation.target, row.title, item_url(site_url, relation.target)))
    return tuple(found)
