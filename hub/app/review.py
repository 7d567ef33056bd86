"""The reviews: department (公开前审查、保密审查), 初审, 复审, 终审. Each signature covers one digest (invariants 1 to 3)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from hub.app.context import Context, act
from hub.app.items import content_of, facts, locked, must_be_current, subject
from hub.app.people import Caller, signatory
from hub.domain.item import RETURN_REASONS, SIGN_EVENT, STAGE_OF_STATE, ItemEvent, ItemState, Stage, decide
from hub.domain.problems import Invalid, Problem, Refusal, Stale
from hub.domain.verbs import Verb
from hub.store.tables import Review, Revision


@dataclass(frozen=True, slots=True)
class Statements:
    """What the department's head declares with the signature (条例 17; 审签单)."""

    pre_release: str
    """公开前审查 conclusion, e.g. 可以公开."""
    secrecy: str
    """保密审查 conclusion, e.g. 不涉密，可以公开."""
    is_secret: bool = False
    """是否涉密; True can only be returned, never signed."""


@dataclass(frozen=True, slots=True)
class Signing:
    """One line of a batch: which item, and the digest that was seen."""

    public_id: str
    digest: str


@dataclass(frozen=True, slots=True)
class BatchResult:
    public_id: str
    signed: bool
    code: str = ""
    message: str = ""


def sign(
    context: Context, caller: Caller, public_id: str, stage: Stage, *, digest: str, note: str = "", statements: Statements | None = None
) -> ItemState:
    """Approve the current revision at ``stage``. ``digest`` is the one the reviewer saw. Returns the new state.

    Raises Stale when the text changed meanwhile, AlreadySigned when somebody else was first, IllegalTransition for a skipped
    stage, NotPermitted for the author, for a second stage by one person, or for a missing right.
    """
    with act(context, caller.actor, Verb.REVIEW_SIGNED, subject(public_id)) as work:
        item, revision = locked(work.session, public_id)
        _must_be_seen(
            work.session.scalar(select(Revision.number).where(Revision.item_id == item.id, Revision.digest == digest)), revision, digest
        )
        content = content_of(revision)
        who = signatory(work.session, caller.person_id, work.now)
        state, grant = decide(facts(work.session, item, revision, content), SIGN_EVENT[stage], who)
        declared = _department_statements(stage, statements)
        work.session.add(
            Review(
                item_id=item.id,
                revision_id=revision.id,
                stage=stage,
                decision="approve",
                person_id=caller.person_id,
                on_behalf_of=grant.on_behalf_of,
                digest=digest,
                note=note,
                statements=json.dumps(declared, ensure_ascii=False, sort_keys=True),
                at=work.now,
            )
        )
        item.state, item.changed_at = state, work.now
        details = {"stage": stage.value, "revision": revision.number, "digest": digest, "note": note, **declared}
        if grant.on_behalf_of:
            details["on_behalf_of"] = grant.on_behalf_of
        work.record(Verb.REVIEW_SIGNED, subject(public_id), details)
        return state


def give_back(context: Context, caller: Caller, public_id: str, *, digest: str, reason: str, note: str) -> ItemState:
    """Return the item to its author with a reason code (``RETURN_REASONS``) and words. Returns the new state."""
    with act(context, caller.actor, Verb.REVIEW_RETURNED, subject(public_id)) as work:
        if reason not in RETURN_REASONS:
            raise Invalid((Problem("reason", "reason_unknown", f"没有退回原因“{reason}”", f"可选：{'、'.join(RETURN_REASONS)}"),))
        if not note.strip():
            raise Invalid((Problem("note", "note_missing", "未填写退回意见", "请写明需要修改之处"),))
        item, revision = locked(work.session, public_id)
        must_be_current(revision, digest)
        stage = STAGE_OF_STATE.get(ItemState(item.state), Stage.FINAL)
        who = signatory(work.session, caller.person_id, work.now)
        state, grant = decide(facts(work.session, item, revision, content_of(revision)), ItemEvent.RETURN, who)
        work.session.add(
            Review(
                item_id=item.id,
                revision_id=revision.id,
                stage=stage,
                decision="return",
                person_id=caller.person_id,
                on_behalf_of=grant.on_behalf_of,
                digest=revision.digest,
                reason_code=reason,
                note=note,
                at=work.now,
            )
        )
        item.state, item.changed_at = state, work.now
        details = {"stage": stage.value, "revision": revision.number, "digest": revision.digest, "reason": reason, "note": note}
        work.record(Verb.REVIEW_RETURNED, subject(public_id), details)
        return state


def take(context: Context, caller: Caller, public_id: str) -> ItemState:
    """受理: say that the centre is looking at a submitted item."""
    with act(context, caller.actor, Verb.ITEM_TAKEN, subject(public_id)) as work:
        item, revision = locked(work.session, public_id)
        who = signatory(work.session, caller.person_id, work.now)
        state, _ = decide(facts(work.session, item, revision, content_of(revision)), ItemEvent.TAKE, who)
        item.state, item.changed_at = state, work.now
        work.record(Verb.ITEM_TAKEN, subject(public_id), {"revision": revision.number})
        return state


def sign_batch(context: Context, caller: Caller, stage: Stage, items: Iterable[Signing]) -> list[BatchResult]:
    """Sign several items, each in a transaction and with a signature of its own: a forbidden one does not stop the others."""
    results = []
    for line in items:
        try:
            sign(context, caller, line.public_id, stage, digest=line.digest)
        except Refusal as refusal:
            results.append(BatchResult(line.public_id, False, refusal.code, refusal.message))
        else:
            results.append(BatchResult(line.public_id, True))
    return results


def _must_be_seen(number_seen: int | None, current: Revision, digest: str) -> None:
    if digest == current.digest:
        return
    seen = f"您审阅的是第 {number_seen} 版" if number_seen else "您审阅的内容与现有任何版本都不一致"
    raise Stale(
        f"{seen}，稿件现为第 {current.number} 版，签字不能用于旧版本；请刷新后重新审阅",
        code="old_revision",
        details={"current": current.number, "seen": digest[:64]},
    )


def _department_statements(stage: Stage, statements: Statements | None) -> dict[str, object]:
    if stage is not Stage.DEPT:
        return {}
    if statements is None or not statements.pre_release.strip() or not statements.secrecy.strip():
        raise Invalid((Problem("statements", "statements_missing", "未填写公开前审查和保密审查结论", "请填写两项审查结论后再签字"),))
    if statements.is_secret:
        raise Invalid((Problem("statements.is_secret", "secret", "保密审查认定涉密的稿件不能签字公开", "请退回，并按保密规定处理"),))
    return {"pre_release": statements.pre_release, "secrecy": statements.secrecy}
