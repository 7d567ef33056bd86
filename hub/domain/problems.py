"""What can be wrong, in words for the person who must put it right.

A ``Problem`` is something an author can mend: it names the field and the remedy, in Chinese. A ``Refusal`` is an
action that the rules forbid: it is raised, the transaction is rolled back, and the attempt itself is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """``field`` is a dotted path (``title``, ``attachments.0``, ``wording.wechat.title``); ``code`` is stable, for programs."""

    field: str
    code: str
    message: str
    remedy: str = ""
    blocking: bool = True

    def __str__(self) -> str:
        return f"{self.field}：{self.message}{'，' + self.remedy if self.remedy else ''}"


class Refusal(Exception):
    """The rules say no. ``code`` is stable; ``message`` is Chinese and says why and what to do."""

    status = 409
    code = "refused"

    def __init__(self, message: str, *, code: str = "", subject: str = "", details: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.subject = subject
        self.details = details or {}


class NotPermitted(Refusal):
    """This person lacks the role, grade, department or independence for this act."""

    status = 403
    code = "not_permitted"


class IllegalTransition(Refusal):
    """The thing is not in a state from which this can be done."""

    code = "illegal_transition"


class Stale(Refusal):
    """Somebody else was first: the revision or digest named is no longer the current one."""

    status = 412
    code = "stale"


class AlreadySigned(IllegalTransition):
    """Another reviewer signed this stage in the meantime."""

    code = "already_signed"


class NotFound(Refusal):
    status = 404
    code = "not_found"


class Invalid(Refusal):
    """The content cannot be taken as it is; ``problems`` names each field and its remedy."""

    status = 422
    code = "invalid"

    def __init__(self, problems: tuple[Problem, ...], message: str = "") -> None:
        super().__init__(message or "；".join(str(p) for p in problems))
        self.problems = problems
