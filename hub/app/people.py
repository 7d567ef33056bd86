"""People, departments, rights, deputies and tokens: who is who, as stored. Each change is recorded."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.app.context import Context, act
from hub.domain.item import Grant, Role, Signatory
from hub.domain.problems import Invalid, NotFound, NotPermitted, Problem
from hub.domain.verbs import Verb
from hub.store.tables import Department, DeputyRow, GrantRow, Person, TokenRow

SCOPES = ("read", "write", "review", "release", "deliver", "audit", "admin")
TOKEN_PREFIX = "dh_"  # noqa: S105 - makes a leaked token recognisable to secret scanners
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is behind a request, and what the token they used may do. ``actor`` is how the record names them."""

    person_id: int
    username: str
    name: str
    department_id: int
    scopes: frozenset[str]
    token_id: int = 0

    @property
    def actor(self) -> str:
        return f"person:{self.username}"

    def need(self, scope: str) -> None:
        """Raise NotPermitted unless the token has ``scope``."""
        if scope not in self.scopes:
            raise NotPermitted(f"此令牌没有“{scope}”权限，请向管理员申请", code="scope_missing")


def signatory(session: Session, person_id: int, now: datetime) -> Signatory:
    """Load a person's rights as they stand at ``now``, borrowed ones (AB角) included. Raises NotPermitted if inactive."""
    person = session.get(Person, person_id)
    if person is None or not person.active:
        raise NotPermitted("账号不存在或已停用", code="inactive")
    grants = [_grant(row) for row in _grants_of(session, person_id)]
    deputyships = session.scalars(
        select(DeputyRow).where(DeputyRow.deputy_id == person_id, DeputyRow.starts_at <= now, DeputyRow.ends_at > now)
    )
    for deputyship in deputyships:
        grants += [
            Grant(Role(row.role), row.department_id, row.grades, on_behalf_of=deputyship.principal_id)
            for row in _grants_of(session, deputyship.principal_id)
            if row.role == deputyship.role
        ]
    return Signatory(person.id, person.name, tuple(grants), person.is_service)


def _grants_of(session: Session, person_id: int) -> list[GrantRow]:
    return list(session.scalars(select(GrantRow).where(GrantRow.person_id == person_id, GrantRow.ended_at.is_(None)).order_by(GrantRow.id)))


def _grant(row: GrantRow) -> Grant:
    return Grant(Role(row.role), row.department_id, row.grades)


def require_role(session: Session, person_id: int, now: datetime, *roles: Role) -> Signatory:
    """Return the signatory if they hold one of ``roles`` anywhere; raise NotPermitted otherwise."""
    who = signatory(session, person_id, now)
    if not any(grant.role in roles for grant in who.grants):
        raise NotPermitted("没有办理此事项的权限", code="role_missing")
    return who


def find_person(session: Session, username: str) -> Person:
    """Raises NotFound with the name asked for."""
    person = session.scalar(select(Person).where(Person.username == username))
    if person is None:
        raise NotFound(f"没有用户“{username}”", code="person_unknown")
    return person


def find_department(session: Session, slug: str) -> Department:
    department = session.scalar(select(Department).where(Department.slug == slug))
    if department is None:
        raise NotFound(f"没有部门“{slug}”", code="department_unknown")
    return department


def add_person(
    context: Context, actor: str, *, username: str, name: str, department: str, roles: list[tuple[Role, str, str]], is_service: bool = False
) -> int:
    """Add a person with rights. ``roles``: (role, department slug or "" for everywhere, grades). Returns the id."""
    if not username.isascii() or not username.replace("-", "").replace("_", "").isalnum():
        raise Invalid((Problem("username", "username_form", "用户名只能用英文字母、数字、“-”和“_”", "请改用拼音或工号"),))
    with act(context, actor, Verb.PERSON_ADDED, f"person:{username}") as work:
        if work.session.scalar(select(Person.id).where(Person.username == username)) is not None:
            raise Invalid((Problem("username", "username_taken", f"用户名“{username}”已有人使用", "请换一个"),))
        person = Person(
            username=username,
            name=name,
            department_id=find_department(work.session, department).id,
            is_service=is_service,
            active=True,
            created_at=work.now,
        )
        work.session.add(person)
        work.session.flush()
        for role, where, grades in roles:
            scope = find_department(work.session, where).id if where else None
            work.session.add(GrantRow(person_id=person.id, role=role, department_id=scope, grades=grades, given_at=work.now))
        granted = [{"role": role.value, "department": where, "grades": grades} for role, where, grades in roles]
        work.record(Verb.PERSON_ADDED, f"person:{username}", {"name": name, "department": department, "grants": granted})
        return person.id


def name_deputy(
    context: Context, caller: Caller, *, principal: str, deputy: str, role: Role, starts_at: datetime, ends_at: datetime
) -> None:
    """Name a deputy (AB角) in advance: a deputyship that begins in the past would sign for yesterday."""
    with act(context, caller.actor, Verb.DEPUTY_NAMED, f"person:{deputy}") as work:
        require_role(work.session, caller.person_id, work.now, Role.ADMINISTRATOR)
        if starts_at < work.now or ends_at <= starts_at:
            raise Invalid(
                (Problem("starts_at", "not_in_advance", "代审须事先指定，起始时间不能早于现在，截止时间须晚于起始时间", "请修改时间"),)
            )
        first, second = find_person(work.session, principal), find_person(work.session, deputy)
        if first.id == second.id:
            raise Invalid((Problem("deputy", "same_person", "代审人不能是本人", "请另选一人"),))
        work.session.add(
            DeputyRow(principal_id=first.id, deputy_id=second.id, role=role, starts_at=starts_at, ends_at=ends_at, named_at=work.now)
        )
        details = {"principal": principal, "role": role.value, "from": starts_at.isoformat(), "until": ends_at.isoformat()}
        work.record(Verb.DEPUTY_NAMED, f"person:{deputy}", details)


def issue_token(context: Context, actor: str, *, username: str, scopes: list[str], label: str, lasts: timedelta) -> str:
    """Make a token and return it: the only time it can be seen; its SHA-256 is what is kept."""
    unknown = [s for s in scopes if s not in SCOPES]
    if unknown or not scopes:
        raise Invalid(
            (Problem("scopes", "scope_unknown", f"没有这样的权限：{'、'.join(unknown) or '（空）'}", f"可用：{' '.join(SCOPES)}"),)
        )
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    with act(context, actor, Verb.TOKEN_ISSUED, f"person:{username}") as work:
        person = find_person(work.session, username)
        row = TokenRow(
            digest=token_digest(token),
            person_id=person.id,
            label=label,
            scopes=" ".join(scopes),
            issued_at=work.now,
            expires_at=work.now + lasts,
        )
        work.session.add(row)
        work.session.flush()
        details = {"token": row.id, "label": label, "scopes": row.scopes, "until": row.expires_at.isoformat()}
        work.record(Verb.TOKEN_ISSUED, f"person:{username}", details)
    return token


def revoke_token(context: Context, actor: str, token_id: int) -> None:
    with act(context, actor, Verb.TOKEN_REVOKED, f"token:{token_id}") as work:
        row = work.session.get(TokenRow, token_id)
        if row is None or row.revoked_at is not None:
            raise NotFound("没有这个令牌，或已吊销", code="token_unknown")
        row.revoked_at = work.now
        work.record(Verb.TOKEN_REVOKED, f"token:{token_id}", {"label": row.label})


def token_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def caller_by_token(session: Session, token: str, now: datetime) -> Caller | None:
    """The caller behind a bearer token, or None when it is unknown, expired or revoked."""
    row = session.scalar(select(TokenRow).where(TokenRow.digest == token_digest(token)))
    if row is None or row.revoked_at is not None or row.expires_at <= now:
        return None
    person = session.get(Person, row.person_id)
    if person is None or not person.active:
        return None
    return Caller(person.id, person.username, person.name, person.department_id, frozenset(row.scopes.split()), row.id)


def caller_by_name(session: Session, username: str) -> Caller:
    """The caller for the command line, where the operating system has already decided who may run it."""
    person = find_person(session, username)
    return Caller(person.id, person.username, person.name, person.department_id, frozenset(SCOPES))
