"""Making a revision (版本): checked, formatted for every channel, digested, stored for ever."""

from __future__ import annotations

import dataclasses
import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import rfc8785
from sqlalchemy import select
from sqlalchemy.orm import Session

from channels.base import Rendition, Severity
from hub.app import publication, vocabulary
from hub.app.context import Context
from hub.app.items import subject
from hub.app.people import Caller
from hub.domain.content import Content
from hub.domain.problems import Invalid, Problem
from hub.domain.verbs import Verb
from hub.intake.rules import problems_of
from hub.intake.vocabulary import Vocabulary
from hub.store.tables import Contributor, Department, Item, RenditionRow, Revision
from hub.store.uow import Work

LOCAL = ZoneInfo("Asia/Shanghai")
_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"
"""Without characters that people confuse when they read an address aloud."""


@dataclasses.dataclass(frozen=True, slots=True)
class Made:
    """A revision that now exists. ``problems`` that block must be mended before it can be submitted."""

    public_id: str
    number: int
    digest: str
    problems: tuple[Problem, ...]


def problems_in(revision: Revision) -> tuple[Problem, ...]:
    return tuple(Problem(**p) for p in json.loads(revision.problems))


def new_public_id(now: datetime) -> str:
    """Date (Asia/Shanghai) and eight random characters: permanent, URL-safe, says nothing about other items."""
    return f"{now.astimezone(LOCAL):%Y%m%d}-{''.join(secrets.choice(_ALPHABET) for _ in range(8))}"


def make_revision(work: Work, context: Context, caller: Caller, item: Item, content: Content) -> Made:
    number = item.revision_no + 1
    pub = publication.build(work.session, item, number, content, context.policy.site_url)
    renditions = publication.render(context.channels, content, pub)
    digest = publication.revision_digest(content, {name: r.digest for name, r in renditions.items()})
    problems = problems_with(work.session, content, renditions, work.now)
    revision = Revision(
        item_id=item.id,
        number=number,
        content=rfc8785.dumps(content.to_json()).decode(),
        title=content.title,
        digest=digest,
        author_id=caller.person_id,
        created_at=work.now,
        problems=json.dumps([dataclasses.asdict(p) for p in problems], ensure_ascii=False),
    )
    work.session.add(revision)
    item.revision_no, item.changed_at = number, work.now
    work.session.flush()
    work.session.add_all(
        RenditionRow(revision_id=revision.id, channel=name, payload=rfc8785.dumps(r.payload).decode(), digest=r.digest)
        for name, r in renditions.items()
    )
    if work.session.get(Contributor, (item.id, caller.person_id)) is None:
        work.session.add(Contributor(item_id=item.id, person_id=caller.person_id, since_revision=number))
    details = {
        "revision": number,
        "digest": digest,
        "title": content.title,
        "renditions": {name: r.digest for name, r in renditions.items()},
        "blocking": sum(p.blocking for p in problems),
    }
    work.record(Verb.REVISION_MADE, subject(item.public_id), details)
    return Made(item.public_id, number, digest, problems)


def must_know_words(session: Session, content: Content) -> None:
    """Slugs become foreign keys of what is published: an unknown one cannot even be saved as a draft."""
    missing = [
        Problem(field, f"{field}_unknown", f"{label}“{slug}”不存在", "请从列表中选择")
        for field, label, slug, known in (
            ("column", "栏目", content.column, vocabulary.column_refs(session)),
            ("area", "领域", content.area, vocabulary.areas(session)),
        )
        if slug and slug not in known
    ]
    if missing or not content.column:
        raise Invalid(tuple(missing) or (Problem("column", "column_missing", "未选择栏目", "请选择拟发栏目"),))


def vocabulary_for(session: Session) -> Vocabulary:
    """The words that ``hub.intake`` checks against. Relations are checked when a revision is made."""
    columns = vocabulary.column_refs(session)
    return Vocabulary(
        departments={slug: n.name for slug, n in vocabulary.departments(session).items()},
        columns={slug: c.name for slug, c in columns.items()},
        areas={slug: n.name for slug, n in vocabulary.areas(session).items()},
        column_parents={slug: c.parents[-1].slug for slug, c in columns.items() if c.parents},
    )


def problems_with(session: Session, content: Content, renditions: Mapping[str, Rendition], now: datetime) -> tuple[Problem, ...]:
    """What the rules and every chosen channel find wrong with ``content``."""
    targets = {r.target for r in content.relations}
    known = frozenset(session.scalars(select(Item.public_id).where(Item.public_id.in_(targets)))) if targets else frozenset()
    words = dataclasses.replace(vocabulary_for(session), items=known)
    problems = problems_of(content, words, today=now.astimezone(LOCAL).date())
    for name, rendition in renditions.items():
        problems += tuple(Problem(f.field, f"{name}.{f.code}", f.message, "", f.severity is Severity.BLOCK) for f in rendition.findings)
    return problems


def next_index_no(work: Work, context: Context, department: Department, given: str) -> str:
    if given:
        if work.session.scalar(select(Item.id).where(Item.index_no == given)) is not None:
            raise Invalid((Problem("index_no", "index_no_taken", f"索引号“{given}”已被使用", "索引号不能重复，请核对"),))
        return given
    local = work.now.astimezone(LOCAL)
    work.session.refresh(department, with_for_update=True)
    if department.index_year != local.year:
        department.index_year, department.next_index = local.year, 1
    while True:
        made = context.policy.index_rule.format(
            org_code=department.org_code, year=local.year, month=f"{local.month:02d}", number=department.next_index
        )
        department.next_index += 1
        if work.session.scalar(select(Item.id).where(Item.index_no == made)) is None:
            return made
