"""Putting a district's own words and people into the database. Adds what is missing, changes nothing that is there."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from hub.app.context import Context
from hub.app.people import add_person
from hub.domain.item import Role
from hub.domain.verbs import Verb
from hub.intake.district import District
from hub.store.tables import AreaRow, ColumnRow, Department, Person
from hub.store.uow import Work

CENTRE_ROLES = frozenset(
    {
        Role.DUTY_EDITOR,
        Role.FIRST_REVIEWER,
        Role.SECOND_REVIEWER,
        Role.FINAL_REVIEWER,
        Role.PUBLISHER,
        Role.ADMINISTRATOR,
        Role.AUDITOR,
    }
)
"""Roles that reach over all departments; the others are held in one's own."""


@dataclass(frozen=True, slots=True)
class Seeded:
    departments: int
    columns: int
    areas: int
    people: int


def seed(context: Context, district: District, actor: str) -> Seeded:
    """Add every department, column, area and person of ``district`` that is not there yet. Returns how many were added."""
    with context.work(actor) as work:
        departments = _departments(work, district)
        columns = _columns(work, district)
        areas = _areas(work, district)
        if departments or columns or areas:
            work.record(Verb.HUB_SEEDED, "hub", {"departments": departments, "columns": columns, "areas": areas})
            work.commit()
        known = set(work.session.scalars(select(Person.username)))
    people = [p for p in district.people if p.username not in known]
    for person in people:
        roles = [(Role(r), "" if Role(r) in CENTRE_ROLES else person.department, person.grades) for r in person.roles]
        add_person(context, actor, username=person.username, name=person.name, department=person.department, roles=roles)
    return Seeded(departments, columns, areas, len(people))


def _departments(work: Work, district: District) -> int:
    known = set(work.session.scalars(select(Department.slug)))
    new = [d for d in district.departments if d.slug not in known]
    work.session.add_all(Department(slug=d.slug, name=d.name, org_code=d.org_code, kind=d.kind) for d in new)
    work.session.flush()
    return len(new)


def _columns(work: Work, district: District) -> int:
    ids = {row.slug: row.id for row in work.session.execute(select(ColumnRow.slug, ColumnRow.id))}
    added = 0
    for position, column in enumerate(district.columns):
        if column.slug in ids:
            continue
        row = ColumnRow(
            slug=column.slug,
            name=column.name,
            parent_id=ids.get(column.parent),
            type=column.type,
            description=column.description,
            keywords=" ".join(column.keywords),
            position=position,
        )
        work.session.add(row)
        work.session.flush()
        ids[column.slug] = row.id
        added += 1
    return added


def _areas(work: Work, district: District) -> int:
    known = set(work.session.scalars(select(AreaRow.slug)))
    new = [(n, a) for n, a in enumerate(district.areas) if a.slug not in known]
    work.session.add_all(AreaRow(slug=a.slug, name=a.name, position=n) for n, a in new)
    work.session.flush()
    return len(new)
