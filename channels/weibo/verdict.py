"""From what the platform said to an outcome. The meaning of a number is in ``errors.py``; here is what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from channels.base import Outcome, Ref, RefusalClass, Refused, Unavailable, Unknown
from channels.http import redact
from channels.weibo.client import Problem
from channels.weibo.errors import Code, Meaning, meaning_of

Rest = Callable[[], timedelta]
"""Asks how long until calls are allowed again."""

_REFUSED = {
    Meaning.RATE: RefusalClass.QUOTA,
    Meaning.TOKEN: RefusalClass.TOKEN,
    Meaning.CONFIG: RefusalClass.PERMISSION,
    Meaning.BRAKE: RefusalClass.BRAKE,
}


def meaning(problem: Problem) -> Meaning | None:
    known = meaning_of(problem.code, problem.error)
    return known.meaning if known else None


def of_post(problem: Problem, ref: Ref, wait: timedelta, rest: Rest, secret: str) -> Outcome:
    """What a refused or unclear ``share`` comes to. ``wait`` is the earliest useful look, ``ref`` what is known so far.

    ``ref["landed"]``: the platform says the very text is there; from then on its absence is never believed.
    ``ref["similar"]``: the platform cannot tell ours from another; a person must.
    """
    known = meaning_of(problem.code, problem.error)
    if known is None:
        return _unread(problem, ref, wait, secret)
    if known.meaning is Meaning.TRANSIENT:
        return Unknown(said(problem, known), wait, ref)
    if known.meaning in (Meaning.LATE, Meaning.LANDED):
        return Unknown(f"已发布，编号未知：{said(problem, known)}", wait, {**ref, "landed": True})
    if known.meaning is Meaning.SIMILAR:
        return Unknown(said(problem, known), wait, {**ref, "similar": True})
    return refused(problem, known, rest)


def of_delete(problem: Problem, ref: Ref, wait: timedelta, rest: Rest, secret: str) -> Outcome:
    """What a ``destroy`` that did not answer with the post comes to; "gone" is the caller's."""
    known = meaning_of(problem.code, problem.error)
    if known is None:
        return _unread(problem, ref, wait, secret)
    if known.meaning is Meaning.TRANSIENT:
        return Unknown(said(problem, known), wait, ref)
    return refused(problem, known, rest)


def refused(problem: Problem, known: Code, rest: Rest) -> Refused:
    kind = _REFUSED.get(known.meaning, RefusalClass.CONTENT)
    return Refused(said(problem, known), kind, problem.code, rest() if kind is RefusalClass.QUOTA else None)


def said(problem: Problem, known: Code) -> str:
    return f"{known.sentence}（微博错误码 {problem.code}）"


def _unread(problem: Problem, ref: Ref, wait: timedelta, secret: str) -> Outcome:
    if problem.status == 429 and not problem.code:
        # A gateway's refusal, before the platform saw the call.
        return Unavailable("微博平台限流（HTTP 429）", problem.retry_after)
    code = f"，错误码 {problem.code}" if problem.code else ""
    words = redact(problem.error, [secret] if secret else [])[:120]
    return Unknown(f"微博的应答无法识别（HTTP {problem.status}{code}）{words}".rstrip(), wait, ref)
