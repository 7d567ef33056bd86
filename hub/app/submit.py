"""The department's side: create, revise, submit, take back."""

from __future__ import annotations

from sqlalchemy import select

from hub.app.context import Context, act
from hub.app.items import content_of, current_revision, facts, locked, must_be_current, subject
from hub.app.people import Caller, find_department, signatory
from hub.app.revisions import Made, make_revision, must_know_words, new_public_id, next_index_no, problems_in
from hub.domain.content import Content
from hub.domain.item import ItemEvent, ItemState, Role, decide
from hub.domain.problems import Invalid, NotPermitted, Problem
from hub.domain.verbs import Verb
from hub.store.tables import Item, Review
from hub.store.uow import Work


def create(context: Context, caller: Caller, content: Content, *, external_ref: str = "", index_no: str = "") -> Made:
    """Make a new item with its first revision, in state draft. The caller must write for the content's department.

    ``external_ref``: where an import found it, unique. ``index_no``: an index number (索引号) given elsewhere; empty: by rule.
    Raises NotPermitted, or Invalid when the content names a department, column or area that does not exist.
    """
    with act(context, caller.actor, Verb.ITEM_CREATED, f"department:{content.department}") as work:
        department = find_department(work.session, content.department)
        _may_write(work, caller, department.id)
        must_know_words(work.session, content)
        if external_ref and work.session.scalar(select(Item.id).where(Item.external_ref == external_ref)) is not None:
            raise Invalid((Problem("external_ref", "external_ref_taken", f"外部编号“{external_ref}”的稿件已存在", "请修改原稿件"),))
        item = Item(
            public_id=(context.new_id or new_public_id)(work.now),
            index_no=next_index_no(work, context, department, index_no),
            external_ref=external_ref or None,
            department_id=department.id,
            state=ItemState.DRAFT,
            created_by=caller.person_id,
            created_at=work.now,
            changed_at=work.now,
        )
        work.session.add(item)
        work.session.flush()
        details = {"index_no": item.index_no, "department": department.slug}
        work.record(Verb.ITEM_CREATED, subject(item.public_id), details)
        return make_revision(work, context, caller, item, content)


def revise(context: Context, caller: Caller, public_id: str, content: Content, *, seen: str = "") -> Made:
    """Make a new revision; every approval of the old one is void. ``seen``: digest the author started from (If-Match)."""
    with act(context, caller.actor, Verb.REVISION_MADE, subject(public_id)) as work:
        item, revision = locked(work.session, public_id)
        must_be_current(revision, seen)
        old = content_of(revision)
        state, _ = decide(facts(work.session, item, revision, old), ItemEvent.REVISE, signatory(work.session, caller.person_id, work.now))
        if content.department != old.department:
            raise Invalid((Problem("department", "department_fixed", "公开主体不能更换", "如填错单位，请由正确单位新建稿件"),))
        must_know_words(work.session, content)
        item.state = state
        return make_revision(work, context, caller, item, content)


def submit(context: Context, caller: Caller, public_id: str) -> None:
    """Hand the current revision to the department's head. Raises Invalid with every problem that still blocks."""
    with act(context, caller.actor, Verb.ITEM_SUBMITTED, subject(public_id)) as work:
        item, revision = locked(work.session, public_id)
        content = content_of(revision)
        state, _ = decide(
            facts(work.session, item, revision, content), ItemEvent.SUBMIT, signatory(work.session, caller.person_id, work.now)
        )
        blocking = tuple(p for p in problems_in(revision) if p.blocking)
        if blocking:
            raise Invalid(blocking)
        if work.session.scalar(select(Review.id).where(Review.revision_id == revision.id).limit(1)) is not None:
            # Returned and handed in again unchanged: the signatures given so far stay under the number they were given
            # to, so the same text gets a new one.
            make_revision(work, context, caller, item, content)
            revision = current_revision(work.session, item)
        item.state, item.changed_at = state, work.now
        details = {"revision": revision.number, "digest": revision.digest, "grade": content.grade, "urgency": content.urgency}
        work.record(Verb.ITEM_SUBMITTED, subject(public_id), details)


def recall(context: Context, caller: Caller, public_id: str, reason: str) -> None:
    """Take an item back from review to draft. The signatures given so far stay on record under their revision."""
    with act(context, caller.actor, Verb.ITEM_RECALLED, subject(public_id)) as work:
        item, revision = locked(work.session, public_id)
        state, _ = decide(
            facts(work.session, item, revision, content_of(revision)), ItemEvent.RECALL, signatory(work.session, caller.person_id, work.now)
        )
        item.state, item.changed_at = state, work.now
        work.record(Verb.ITEM_RECALLED, subject(public_id), {"revision": revision.number, "reason": reason})


def _may_write(work: Work, caller: Caller, department_id: int) -> None:
    who = signatory(work.session, caller.person_id, work.now)
    writers = (Role.LIAISON, Role.DEPT_HEAD, Role.DUTY_EDITOR)
    if not any(g.role in writers and g.department_id in (None, department_id) for g in who.grants):
        raise NotPermitted("只能为本单位报送稿件：您在该单位没有信息员权限", code="department_foreign")
