"""One round for a channel: claim, push with no transaction open, settle."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy import delete, insert

from channels.base import Action, Channel, Exchange, Job, Outcome, Ref, RefusalClass, Refused, Unknown, recording
from hub.app.claim import Claimed, claim
from hub.app.context import Context
from hub.app.settle import settle
from hub.store.tables import Progress

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    claimed: Claimed
    outcome: Outcome
    exchanges: list[Exchange] = field(default_factory=list)


def send_due(context: Context, channel: str, worker: str, *, more: Callable[[], object] | None = None) -> int:
    """Send one batch of what is due. Returns how many deliveries were claimed; 0: nothing (more) to do now.

    ``more`` is called before the first push when the batch is full, so that another worker may take the next one meanwhile.
    """
    claimed = claim(context, channel, worker)
    if claimed:
        limits = context.channels[channel].limits
        if more is not None and not limits.serial and len(claimed) >= limits.batch:
            more()
        begin(context, claimed)
        results = push(context, context.channels[channel], claimed)
        settle(context, [(r.claimed, r.outcome, r.exchanges) for r in results], worker)
    return len(claimed)


def begin(context: Context, claimed: Sequence[Claimed]) -> None:
    """Note that the first call is about to be made: from here on, silence means ``unknown``, before it ``never began``."""
    with context.work("worker") as work:
        ids = [c.delivery.id for c in claimed]
        work.session.execute(delete(Progress).where(Progress.delivery_id.in_(ids)))
        work.session.execute(
            insert(Progress),
            [
                {"delivery_id": c.delivery.id, "attempt": c.delivery.attempts, "begun_at": work.now, "ref": json.dumps(c.ref)}
                for c in claimed
            ],
        )
        work.commit()


def push(context: Context, channel: Channel, claimed: Sequence[Claimed]) -> list[Result]:
    """Let the adapter act on every claimed delivery. An exception is an ``Unknown``: it has told us nothing."""
    tampered = [
        Result(c, Refused("库中内容与三审签署的内容不一致，禁止发布，请立即核查", RefusalClass.CONTENT, "not_as_approved"))
        for c in claimed
        if not c.as_approved
    ]
    claimed = [c for c in claimed if c.as_approved]
    together = [c for c in claimed if c.delivery.action != Action.WITHDRAW]
    push_many = getattr(channel, "push_many", None)
    if push_many is None or len(together) < 2:
        return tampered + _one_by_one(context, channel, claimed)
    apart = tampered + [_push_one(context, channel, c) for c in claimed if c.delivery.action == Action.WITHDRAW]
    with recording() as exchanges:
        try:
            outcomes = push_many([(c.rendition, job_for(context, c)) for c in together])
        except Exception as error:
            log.exception("channel raised", channel=channel.name, deliveries=[c.delivery.id for c in together])
            outcomes = [Unknown(f"渠道程序出错：{type(error).__name__}") for _ in together]
    return apart + [Result(c, outcome, exchanges) for c, outcome in zip(together, outcomes, strict=True)]


def _one_by_one(context: Context, channel: Channel, claimed: Sequence[Claimed]) -> list[Result]:
    results: list[Result] = []
    for one in claimed:
        last = results[-1].outcome if results else None
        if isinstance(last, Refused) and last.kind is not RefusalClass.CONTENT:
            # The account was refused: the rest would hear the same, and cost the platform's patience.
            results.append(Result(one, last))
        else:
            results.append(_push_one(context, channel, one))
    return results


def _push_one(context: Context, channel: Channel, claimed: Claimed) -> Result:
    job = job_for(context, claimed)
    outcome: Outcome
    with recording() as exchanges:
        try:
            verb = channel.withdraw if job.action is Action.WITHDRAW else channel.push
            outcome = verb(claimed.rendition, job)
        except Exception as error:
            log.exception("channel raised", channel=channel.name, delivery=claimed.delivery.id)
            outcome = Unknown(f"渠道程序出错：{type(error).__name__}")
    return Result(claimed, outcome, exchanges)


def job_for(context: Context, claimed: Claimed) -> Job:
    delivery, item, release = claimed.delivery, claimed.item, claimed.release
    now = context.clock()
    published_at = item.published_at or now
    action = Action(delivery.action)

    def keep(ref: Ref) -> None:
        with context.work("worker") as work:
            progress = work.session.get_one(Progress, delivery.id)
            progress.ref = json.dumps(ref)
            work.commit()

    return Job(
        key=f"{item.public_id}.{delivery.revision_no}.{delivery.channel}.{delivery.action}",
        action=action,
        public_id=item.public_id,
        revision=delivery.revision_no,
        ref=claimed.ref,
        previous=claimed.previous,
        published_at=published_at,
        updated_at=published_at if action is Action.PUBLISH else max(published_at, release.due_at),
        first_attempt_at=delivery.first_attempt_at or now,
        now=now,
        note=note_for(claimed),
        keep=keep,
    )


def note_for(claimed: Claimed) -> str:
    if claimed.delivery.action == Action.WITHDRAW:
        return claimed.item.withdrawal_note
    return claimed.release.reason
