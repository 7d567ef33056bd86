"""The district's own words: departments, columns and areas as channels and importers need them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from channels.base import ColumnRef, Named
from hub.store.tables import AreaRow, ColumnRow, Department


def column_refs(session: Session) -> dict[str, ColumnRef]:
    """Every active column by slug, parents resolved, in display order."""
    rows = list(session.scalars(select(ColumnRow).where(ColumnRow.active).order_by(ColumnRow.position, ColumnRow.id)))
    by_id = {row.id: row for row in rows}
    found: dict[str, ColumnRef] = {}
    for row in rows:
        parents: list[Named] = []
        above = by_id.get(row.parent_id) if row.parent_id else None
        while above is not None:
            parents.insert(0, Named(above.slug, above.name))
            above = by_id.get(above.parent_id) if above.parent_id else None
        found[row.slug] = ColumnRef(row.slug, row.name, row.type, row.description, tuple(row.keywords.split()), tuple(parents))
    return found


def areas(session: Session) -> dict[str, Named]:
    rows = session.scalars(select(AreaRow).where(AreaRow.active).order_by(AreaRow.position, AreaRow.id))
    return {row.slug: Named(row.slug, row.name) for row in rows}


def departments(session: Session) -> dict[str, Named]:
    rows = session.scalars(select(Department).where(Department.active).order_by(Department.id))
    return {row.slug: Named(row.slug, row.name) for row in rows}
