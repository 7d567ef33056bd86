"""The sample district's day: departments hand in, three reviewers sign, a publisher releases. Real acts of different people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from hub.app import people, release, review, submit
from hub.app.importing import Line, import_lines, record_import
from hub.app.items import content_of
from hub.app.people import Caller
from hub.app.review import Statements
from hub.app.revisions import vocabulary_for
from hub.cli.shared import caller
from hub.domain.item import ItemState, Role, Stage
from hub.intake.report import read_sources
from hub.store.tables import Department, GrantRow, Item, Person, Review, Revision
from hub.wiring import Container

PRIVATE = "YC-SAMPLE-09"
"""This one lists identity card numbers: its 保密审查 sends it back, as a person would."""
STATEMENTS = Statements("经审查，可以公开", "不涉密，可以公开")
TOKEN_DAYS = 30
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Cast:
    liaisons: dict[str, str]
    """Department slug → username."""
    heads: dict[str, str]
    first: list[str]
    second: list[str]
    final: dict[str, str]
    """Grade → username of somebody who may sign it."""
    publisher: str
    administrator: str


def import_samples(hub: Container, samples: Path) -> list[Line]:
    """Import the sample items, each handed in by its own department's liaison."""
    cast = cast_of(hub)
    with hub.context.reading() as session:
        words = vocabulary_for(session)
    results = list(read_sources([samples], words, hub.files, {}, hub.clock()))
    lines = import_lines(hub.context, lambda department: caller(hub, cast.liaisons[department]), results)
    if any(line.result in ("created", "revised", "refused") for line in lines):
        record_import(hub.context, caller(hub, cast.administrator), lines)
    return lines


def carry_through(hub: Container, tell: Tell) -> list[str]:
    """Take every sample item as far as it goes and release it. Items that are further already are left where they are.

    ``tell`` is given each item that moved, with who did what.
    """
    cast = cast_of(hub)
    released = []
    for number, (public_id, ref, department) in enumerate(_samples(hub)):
        act = _Acts(hub, public_id, cast, department, number)
        steps = []
        if act.state is ItemState.DRAFT and not act.was_returned():
            submit.submit(hub.context, act.by(cast.liaisons[department]), public_id)
            steps.append(f"{act.who}报送")
        if act.state is ItemState.DEPT_REVIEW and ref == PRIVATE:
            note = "附有身份证号、手机号、银行卡号等个人信息，请去标识化处理后重新报送"
            review.give_back(hub.context, act.by(cast.heads[department]), public_id, digest=act.digest, reason="privacy", note=note)
            steps.append(f"{act.who}保密审查退回（含个人隐私）")
        while (step := act.next_stage()) is not None:
            stage, username = step
            statements = STATEMENTS if stage is Stage.DEPT else None
            review.sign(hub.context, act.by(username), public_id, stage, digest=act.digest, statements=statements)
            steps.append(f"{act.who}{STAGE_WORDS[stage]}")
        if act.state is ItemState.APPROVED:
            release.release(hub.context, act.by(cast.publisher), public_id, digest=act.digest)
            released.append(public_id)
            steps.append(f"{act.who}签发")
        if steps:
            tell(f"{act.title}\n    {' → '.join(steps)}")
    return released


STAGE_WORDS = {Stage.DEPT: "部门审核", Stage.FIRST: "初审", Stage.SECOND: "复审", Stage.FINAL: "终审"}


class _Acts:
    """One item and who acts on it next; every look is at the database, as a person's page would be."""

    def __init__(self, hub: Container, public_id: str, cast: Cast, department: str, number: int) -> None:
        self._hub, self.public_id, self._cast, self._department, self._number = hub, public_id, cast, department, number
        self.who = ""

    def by(self, username: str) -> Caller:
        who = caller(self._hub, username)
        self.who = who.name
        return who

    def _row(self) -> tuple[Item, Revision]:
        with self._hub.context.reading() as session:
            found = session.execute(
                select(Item, Revision)
                .join(Revision, (Revision.item_id == Item.id) & (Revision.number == Item.revision_no))
                .where(Item.public_id == self.public_id)
            ).one()
        return found[0], found[1]

    @property
    def state(self) -> ItemState:
        return ItemState(self._row()[0].state)

    @property
    def digest(self) -> str:
        return self._row()[1].digest

    @property
    def title(self) -> str:
        return self._row()[1].title

    def was_returned(self) -> bool:
        with self._hub.context.reading() as session:
            item = self._row()[0]
            return session.scalar(select(Review.id).where(Review.item_id == item.id, Review.decision == "return").limit(1)) is not None

    def next_stage(self) -> tuple[Stage, str] | None:
        cast = self._cast
        grade = content_of(self._row()[1]).grade
        return {
            ItemState.DEPT_REVIEW: (Stage.DEPT, cast.heads[self._department]),
            ItemState.SUBMITTED: (Stage.FIRST, cast.first[self._number % len(cast.first)]),
            ItemState.FIRST_REVIEW: (Stage.FIRST, cast.first[self._number % len(cast.first)]),
            ItemState.SECOND_REVIEW: (Stage.SECOND, cast.second[self._number % len(cast.second)]),
            ItemState.FINAL_REVIEW: (Stage.FINAL, cast.final[grade]),
        }.get(self.state)


def _samples(hub: Container) -> list[tuple[str, str, str]]:
    with hub.context.reading() as session:
        rows = session.execute(
            select(Item.public_id, Item.external_ref, Department.slug)
            .join(Department, Department.id == Item.department_id)
            .where(Item.external_ref.like("YC-SAMPLE-%"))
            .order_by(Item.external_ref)
        )
        return [(r.public_id, str(r.external_ref), r.slug) for r in rows]


def cast_of(hub: Container) -> Cast:
    """Who holds which role, from the database."""
    with hub.context.reading() as session:
        rows = session.execute(
            select(Person.username, GrantRow.role, GrantRow.grades, Department.slug)
            .join(GrantRow, GrantRow.person_id == Person.id)
            .outerjoin(Department, Department.id == GrantRow.department_id)
            .where(GrantRow.ended_at.is_(None), Person.active)
            .order_by(Person.id)
        ).all()
    held: dict[str, list[tuple[str, str, str]]] = {}
    for username, role, grades, slug in rows:
        held.setdefault(role, []).append((username, grades, slug or ""))
    return Cast(
        liaisons={slug: name for name, _, slug in reversed(held[Role.LIAISON])},
        heads={slug: name for name, _, slug in reversed(held[Role.DEPT_HEAD])},
        first=[name for name, _, _ in held[Role.FIRST_REVIEWER]],
        second=[name for name, _, _ in held[Role.SECOND_REVIEWER]],
        final={grade: name for name, grades, _ in reversed(held[Role.FINAL_REVIEWER]) for grade in grades},
        publisher=held[Role.PUBLISHER][0][0],
        administrator=held[Role.ADMINISTRATOR][0][0],
    )


def sign_ins(hub: Container, file: Path) -> Path:
    """Make an API token for one person of each role and keep them, readable by the owner only, in ``file``."""
    if file.exists():
        return file
    cast = cast_of(hub)
    wanted = {
        next(iter(cast.liaisons.values())): ["read", "write"],
        next(iter(cast.heads.values())): ["read", "review"],
        cast.first[0]: ["read", "review"],
        cast.second[0]: ["read", "review"],
        cast.final["C"]: ["read", "review"],
        cast.publisher: ["read", "release", "deliver"],
        cast.administrator: ["read", "admin", "audit", "deliver"],
    }
    lasts = timedelta(days=TOKEN_DAYS)
    lines = [
        f"{name}\t{people.issue_token(hub.context, 'cli', username=name, scopes=scopes, label='样例', lasts=lasts)}\n"
        for name, scopes in wanted.items()
    ]
    file.touch(mode=0o600)
    file.write_text("".join(lines), "utf-8")
    return file
