"""What every function of ``hub.app`` is given: the database, the clock, the channels. Built once by ``hub.wiring``."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from channels.base import Channel, Files
from hub.domain.problems import AlreadySigned, IllegalTransition, NotPermitted, Refusal
from hub.domain.verbs import Verb
from hub.store.uow import Reading, Work


@dataclass(frozen=True, slots=True)
class Policy:
    """The knobs of the engine that are not a channel's own."""

    site_url: str = "http://127.0.0.1:8000"
    """Root of the public site, without a trailing slash."""
    index_rule: str = "{org_code}/{year}-{number:05d}"
    """索引号: any of org_code, year, month, number."""
    grace: timedelta = timedelta(hours=2)
    """A release missed by more than this (everything was down) asks a person instead of going out late."""
    overdue_after: timedelta = timedelta(minutes=2)
    resend_notice: timedelta = timedelta(seconds=30)
    notice_attempts: int = 8
    expiry_warning: timedelta = timedelta(days=7)
    watch_published: tuple[timedelta, ...] = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))


@dataclass(frozen=True, slots=True)
class Context:
    engine: Engine
    clock: Callable[[], datetime]
    files: Files
    channels: Mapping[str, Channel] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    chance: random.Random = field(default_factory=random.Random)
    new_id: Callable[[datetime], str] | None = None
    """How public ids are made; None: date and eight random characters."""

    def work(self, actor: str) -> Work:
        return Work(self.engine, self.clock, actor)

    def reading(self) -> Reading:
        return Reading(self.engine)


@contextmanager
def act(context: Context, actor: str, verb: Verb, subject: str) -> Iterator[Work]:
    """One act of one person: a transaction that, when the rules refuse it, leaves a record of the refused attempt.

    The refusal is recorded in a transaction of its own, because the one that was refused is rolled back.
    """
    try:
        with context.work(actor) as work:
            yield work
            work.commit()
    except Refusal as refusal:
        record_refusal(context, actor, verb, refusal.subject or subject, refusal)
        raise
    except IntegrityError as error:
        explained = _explain(error)
        record_refusal(context, actor, verb, subject, explained)
        raise explained from error


def record_refusal(context: Context, actor: str, verb: Verb, subject: str, refusal: Refusal) -> None:
    """Append ``act.refused`` for an attempt that changed nothing."""
    with context.work(actor) as work:
        details = {"attempted": verb.value, "code": refusal.code, "reason": refusal.message[:500], **refusal.details}
        work.record(Verb.ACT_REFUSED, subject, details)
        work.commit()


_GUARD_WORDS: tuple[tuple[str, type[Refusal], str, str], ...] = (
    ("text they touched", NotPermitted, "own_text", "您撰写或修改过该稿件（任一版本），不能审核"),
    ("only the current revision", IllegalTransition, "old_revision", "稿件已有新版本，旧版本不能再审核"),
    ("withdrawn item", IllegalTransition, "withdrawn", "该稿件已撤稿，不能再操作"),
    ("stage cannot be skipped", IllegalTransition, "stage_skipped", "须按初审、复审、终审顺序逐级审核"),
    ("system account", NotPermitted, "service_account", "系统账号不能审核"),
    ("full chain of reviews", IllegalTransition, "not_reviewed", "未完成部门审核和三审，不能发布"),
    ("one_stage_per_person", NotPermitted, "two_stages", "您已签署过本版本的另一审次，同一人不能签署两个审次"),
    ("one_signature_per_stage", AlreadySigned, "already_signed", "该审次已由他人签署"),
    ("reviews.revision_id, reviews.stage", AlreadySigned, "already_signed", "该审次已由他人签署"),
    ("reviews.revision_id, reviews.person_id", NotPermitted, "two_stages", "您已签署过本版本的另一审次，同一人不能签署两个审次"),
)


def _explain(error: IntegrityError) -> Refusal:
    text = str(error.orig)
    for words, kind, code, message in _GUARD_WORDS:
        if words in text:
            return kind(message, code=code)
    raise error
