"""Invariants 1 to 4: each proved by an attempt that is refused by the server, refused by the database, and recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from channels.base import Action
from hub.app import release, review, submit, withdraw
from hub.app.review import Signing, Statements
from hub.domain.delivery import DeliveryState
from hub.domain.item import STAGES, Stage
from hub.domain.problems import AlreadySigned, IllegalTransition, NotPermitted, Refusal, Stale
from hub.domain.verbs import Verb
from hub.store.tables import Contributor, Delivery, Item, Release, RenditionRow, Review
from tests.world import SIGNERS, World

STATEMENTS = Statements("可以公开", "不涉密，可以公开")


def refused(hub: World, code: str, attempt: Callable[[], object], kind: type[Refusal] = Refusal) -> None:
    """``attempt`` raises ``kind`` with ``code``, and the record says so."""
    before = len(hub.recorded(Verb.ACT_REFUSED))
    with pytest.raises(kind) as caught:
        attempt()
    assert caught.value.code == code
    entries = hub.recorded(Verb.ACT_REFUSED)
    assert len(entries) == before + 1
    assert entries[-1]["code"] == code


def insert_review(hub: World, item: str, stage: str, username: str, revision: int = 0) -> None:
    """What somebody at the SQL prompt would try."""
    person = hub.caller(username).person_id
    row = hub.revision(item, revision)
    with hub.context.work("attacker") as work:
        work.session.add(
            Review(
                item_id=row.item_id, revision_id=row.id, stage=stage, decision="approve", person_id=person, digest=row.digest, at=work.now
            )
        )
        work.session.flush()


def test_invariant_01_three_different_people(hub: World) -> None:
    # The author reviews: a duty editor who is also a first reviewer hands the text in himself.
    own = hub.draft(by="bian")
    submit.submit(hub.context, hub.caller("bian"), own)
    hub.sign(own, Stage.DEPT)
    refused(hub, "own_text", lambda: hub.sign(own, Stage.FIRST, by="bian"), NotPermitted)
    with pytest.raises(IntegrityError, match="text they touched"):
        insert_review(hub, own, "first", "bian")

    # Somebody who edited revision 1 reviews revision 3.
    item = hub.draft(by="bian")
    for title in ("第二稿", "第三稿"):
        submit.revise(hub.context, hub.caller("li"), item, hub.content(title=title))
    submit.submit(hub.context, hub.caller("li"), item)
    hub.sign(item, Stage.DEPT)
    refused(hub, "own_text", lambda: hub.sign(item, Stage.FIRST, by="bian"), NotPermitted)
    with pytest.raises(IntegrityError, match="text they touched"):
        insert_review(hub, item, "first", "bian")

    # One person signs two stages under two roles.
    hub.sign(item, Stage.FIRST, by="both")
    refused(hub, "two_stages", lambda: hub.sign(item, Stage.SECOND, by="both"), NotPermitted)
    with pytest.raises(IntegrityError):
        insert_review(hub, item, "second", "both")
    hub.sign(item, Stage.SECOND)
    refused(hub, "two_stages", lambda: hub.sign(item, Stage.FINAL, by="both"), NotPermitted)


def test_two_reviewers_sign_the_same_stage_at_the_same_moment(hub: World) -> None:
    item = hub.submitted()
    hub.sign(item, Stage.DEPT)
    digest = hub.digest(item)
    start, results = threading.Barrier(2), []

    def sign(username: str) -> None:
        caller = hub.caller(username)
        start.wait()
        try:
            review.sign(hub.context, caller, item, Stage.FIRST, digest=digest)
            results.append("signed")
        except AlreadySigned as told:
            results.append(told.message)

    threads = [threading.Thread(target=sign, args=(name,)) for name in ("chu", "both")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results)[0] == "signed"
    assert "他人签署" in sorted(results)[1]
    assert hub.recorded(Verb.ACT_REFUSED)[-1]["code"] == "already_signed"
    with hub.context.reading() as session:
        assert len(session.scalars(select(Review.id).where(Review.stage == "first")).all()) == 1


def test_a_stage_cannot_be_skipped(hub: World) -> None:
    item = hub.submitted()
    for stage in (Stage.FIRST, Stage.SECOND, Stage.FINAL):
        refused(hub, "stage_skipped", lambda stage=stage: hub.sign(item, stage), IllegalTransition)  # type: ignore[misc]
    with pytest.raises(IntegrityError, match="cannot be skipped"):
        insert_review(hub, item, "final", "zhong")


def test_a_batch_with_one_forbidden_item_lets_the_others_through(hub: World) -> None:
    good, own, other = hub.submitted(), hub.submitted(by="bian"), hub.submitted(by="ma")
    for item in (good, own, other):
        hub.sign(item, Stage.DEPT)
    lines = [Signing(item, hub.digest(item)) for item in (good, own, other)]
    results = review.sign_batch(hub.context, hub.caller("bian"), Stage.FIRST, lines)
    assert [(r.signed, r.code) for r in results] == [(True, ""), (False, "own_text"), (True, "")]
    assert [hub.item(i).state for i in (good, own, other)] == ["second_review", "submitted", "second_review"]
    assert hub.recorded(Verb.ACT_REFUSED)[-1]["code"] == "own_text"


def test_grades_b_and_c_need_a_final_reviewer_with_that_right(hub: World) -> None:
    item = hub.submitted(grade="C")
    for stage in STAGES[:-1]:
        hub.sign(item, stage)
    refused(hub, "grade_missing", lambda: hub.sign(item, Stage.FINAL, by="zhonga"), NotPermitted)
    hub.sign(item, Stage.FINAL)


def test_invariant_02_approval_binds_to_bytes(hub: World) -> None:
    item = hub.submitted()
    digest = hub.digest(item)
    # The digest moves with the text, the metadata, the files and every channel's wording.
    seen = {digest}
    for changes in (
        {"title": "另一个标题"},
        {"keywords": ("养老",)},
        {"body": "<p>正文改动一字。</p>"},
        {"wording": {"wechat": {"title": "微信标题"}}},
        {"channels": ("website",)},
    ):
        made = submit.create(hub.context, hub.caller("li"), hub.content(**changes))
        assert made.digest not in seen
        seen.add(made.digest)
    # A signature names the digest that was seen; another one is refused, by the server and by the foreign key.
    foreign = "0" * 64
    refused(
        hub,
        "old_revision",
        lambda: review.sign(hub.context, hub.caller("hu"), item, Stage.DEPT, digest=foreign, statements=STATEMENTS),
        Stale,
    )
    row = hub.revision(item)
    with hub.context.work("attacker") as work, pytest.raises(IntegrityError):
        work.session.add(
            Review(
                item_id=row.item_id,
                revision_id=row.id,
                stage="dept",
                decision="approve",
                person_id=hub.caller("hu").person_id,
                digest=foreign,
                at=work.now,
            )
        )
        work.session.flush()


def test_bytes_changed_behind_the_reviewers_are_not_sent(hub: World) -> None:
    item = hub.released()
    row = hub.revision(item)
    with hub.engine.begin() as connection:
        # An attacker with the database first removes the triggers that would refuse this.
        drop = "DROP TRIGGER renditions_refuse_update" + (" ON renditions" if connection.dialect.name == "postgresql" else "")
        connection.execute(text(drop))
        changed = update(RenditionRow).where(RenditionRow.revision_id == row.id, RenditionRow.channel == "website")
        connection.execute(changed.values(payload='{"title":"被篡改","text":"","url":"","change_note":"","pictures":[]}'))
    hub.send()
    assert hub.states(item)["website publish 1"] == DeliveryState.REFUSED
    assert hub.platform("website").pushes() == []
    assert "不一致" in hub.deliveries(item)["website", "publish", 1].reason


def test_invariant_03_any_change_voids_later_signatures(hub: World) -> None:
    item = hub.approved()
    old = hub.digest(item)
    submit.revise(hub.context, hub.caller("li"), item, hub.content(title="改一个字"))
    assert hub.item(item).state == "draft"
    # Approval after an edit: the old digest is no longer what lies there, and nothing can be released.
    refused(hub, "illegal_transition", lambda: release.release(hub.context, hub.caller("qian"), item), IllegalTransition)
    submit.submit(hub.context, hub.caller("li"), item)
    refused(
        hub,
        "old_revision",
        lambda: review.sign(hub.context, hub.caller("hu"), item, Stage.DEPT, digest=old, statements=STATEMENTS),
        Stale,
    )
    with pytest.raises(IntegrityError, match="only the current revision"):
        insert_review(hub, item, "dept", "hu", revision=1)
    # The four signatures of revision 1 count for nothing: all four are needed again.
    for stage in STAGES:
        hub.sign(item, stage)
    assert hub.item(item).state == "approved"


def test_a_released_revision_stays_public_until_its_successor_is_released(hub: World) -> None:
    item = hub.released()
    hub.send()
    submit.revise(hub.context, hub.caller("li"), item, hub.content(title="更正后的标题", change_note="标题更正"))
    assert hub.send() == 0
    shown = next(iter(hub.platform("website").posts.values()))
    assert shown.payload["title"] == hub.content().title
    submit.submit(hub.context, hub.caller("li"), item)
    for stage in STAGES:
        hub.sign(item, stage)
    assert hub.send() == 0
    release.release(hub.context, hub.caller("qian"), item)
    hub.send()
    shown = next(iter(hub.platform("website").posts.values()))
    assert shown.payload["title"] == "更正后的标题"


def test_invariant_04_nothing_without_review(hub: World) -> None:
    item = hub.submitted()
    for stage in (None, *STAGES[:-1]):
        if stage:
            hub.sign(item, stage)
        refused(hub, "illegal_transition", lambda: release.release(hub.context, hub.caller("qian"), item), IllegalTransition)
    # The database refuses a delivery that somebody plans behind the hub's back, whatever the item's state says.
    row = hub.revision(item)
    with hub.context.work("attacker") as work, pytest.raises(IntegrityError, match="full chain of reviews"):
        work.session.execute(update(Item).where(Item.id == row.item_id).values(state="released", released_no=1))
        planned = Release(
            item_id=row.item_id,
            revision_id=row.id,
            action=Action.PUBLISH,
            person_id=hub.caller("qian").person_id,
            at=work.now,
            due_at=work.now,
        )
        work.session.add(planned)
        work.session.flush()
        work.session.add(
            Delivery(
                release_id=planned.id,
                item_id=row.item_id,
                revision_id=row.id,
                revision_no=1,
                channel="website",
                action=Action.PUBLISH,
                state="planned",
                due_at=work.now,
                next_at=work.now,
            )
        )
        work.session.flush()
    # Approve and release are different rights: the final reviewer cannot release, the publisher cannot sign.
    refused(hub, "role_missing", lambda: hub.sign(item, Stage.FINAL, by="qian"), NotPermitted)
    hub.sign(item, Stage.FINAL)
    refused(hub, "role_missing", lambda: release.release(hub.context, hub.caller("zhong"), item), NotPermitted)


def test_nothing_is_approved_after_withdrawal(hub: World) -> None:
    item = hub.released()
    hub.send()
    submit.revise(hub.context, hub.caller("li"), item, hub.content(title="改"))
    submit.submit(hub.context, hub.caller("li"), item)
    withdraw.withdraw(hub.context, hub.caller("qian"), item, reason="内容有误", notice="该信息已撤回。")
    refused(hub, "withdrawn", lambda: hub.sign(item, Stage.DEPT), IllegalTransition)
    with pytest.raises(IntegrityError, match="withdrawn"):
        insert_review(hub, item, "dept", "hu")


def test_signatures_and_contributors_cannot_be_rewritten(hub: World) -> None:
    item = hub.approved()
    row = hub.item(item)
    for statement in (
        update(Review).where(Review.item_id == row.id).values(person_id=hub.caller("qian").person_id),
        update(Contributor).where(Contributor.item_id == row.id).values(person_id=hub.caller("qian").person_id),
    ):
        with hub.context.work("attacker") as work, pytest.raises(IntegrityError, match="只能追加"):
            work.session.execute(statement)
    assert {stage: SIGNERS[stage] for stage in STAGES}  # the cast of this test is four different people
    assert len(set(SIGNERS.values())) == 4
