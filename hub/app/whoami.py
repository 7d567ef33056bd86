"""Who am I: a caller's own rights, as stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.app.context import Context
from hub.app.people import Caller, signatory
from hub.app.read import person
from hub.app.views import Word
from hub.domain.item import ROLE_LABELS, Role
from hub.store.tables import Department, TokenRow


@dataclass(frozen=True, slots=True)
class Right:
    role: Role
    role_label: str
    department: Word | None
    """None: everywhere."""
    grades: str
    on_behalf_of: Word | None
    """Set for a deputy's borrowed right."""


@dataclass(frozen=True, slots=True)
class Me:
    username: str
    name: str
    department: Word
    is_service: bool
    rights: tuple[Right, ...]
    scopes: tuple[str, ...]
    token_label: str
    token_expires_at: datetime | None


def whoami(context: Context, caller: Caller) -> Me:
    with context.reading() as session:
        who = signatory(session, caller.person_id, context.clock())
        token = session.get(TokenRow, caller.token_id)

        def word(department_id: int) -> Word:
            row = session.get_one(Department, department_id)
            return Word(row.slug, row.name)

        return Me(
            username=caller.username,
            name=caller.name,
            department=word(caller.department_id),
            is_service=who.is_service,
            rights=tuple(
                Right(
                    g.role,
                    ROLE_LABELS[g.role],
                    word(g.department_id) if g.department_id is not None else None,
                    g.grades,
                    person(session, g.on_behalf_of) if g.on_behalf_of is not None else None,
                )
                for g in who.grants
            ),
            scopes=tuple(sorted(caller.scopes)),
            token_label=token.label if token else "",
            token_expires_at=token.expires_at if token else None,
        )
