"""Deputies named in advance, system accounts, tokens: who may act for whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.app import people, review, submit
from hub.app.people import caller_by_token, issue_token, name_deputy, revoke_token, token_digest
from hub.app.review import Statements
from hub.domain.item import Role, Stage
from hub.domain.problems import Invalid, NotPermitted
from hub.domain.verbs import Verb
from hub.store.tables import Review, TokenRow
from tests.clock import FixedClock
from tests.world import World


def appoint(hub: World, deputy: str, principal: str, role: Role, *, after: int = 0, hours: int = 8) -> None:
    start = hub.clock() + timedelta(hours=after)
    name_deputy(
        hub.context,
        hub.caller("guan"),
        principal=principal,
        deputy=deputy,
        role=role,
        starts_at=start,
        ends_at=start + timedelta(hours=hours),
    )


def test_a_deputy_signs_in_their_own_name_for_the_time_named(hub: World, fixed_clock: FixedClock) -> None:
    item = hub.submitted()
    hub.sign(item, Stage.DEPT)
    with pytest.raises(NotPermitted):
        hub.sign(item, Stage.FIRST, by="fu")
    appoint(hub, "fu", "chu", Role.FIRST_REVIEWER, after=1)
    with pytest.raises(NotPermitted):
        hub.sign(item, Stage.FIRST, by="fu")
    fixed_clock.advance(hours=1)
    hub.sign(item, Stage.FIRST, by="fu")
    with hub.context.reading() as session:
        row = session.scalars(select(Review).where(Review.stage == "first")).one()
    assert row.person_id == hub.caller("fu").person_id
    assert row.on_behalf_of == hub.caller("chu").person_id
    # Standing in for somebody does not lend a second signature on the same text.
    with pytest.raises(NotPermitted, match="同一人"):
        hub.sign(item, Stage.SECOND, by="fu")
    fixed_clock.advance(hours=9)
    other = hub.submitted()
    hub.sign(other, Stage.DEPT)
    with pytest.raises(NotPermitted):
        hub.sign(other, Stage.FIRST, by="fu")


def test_a_deputy_is_named_in_advance_by_an_administrator(hub: World) -> None:
    with pytest.raises(Invalid, match="事先"):
        appoint(hub, "fu", "chu", Role.FIRST_REVIEWER, after=-1)
    with pytest.raises(Invalid, match="本人"):
        appoint(hub, "chu", "chu", Role.FIRST_REVIEWER)
    with pytest.raises(NotPermitted):
        name_deputy(
            hub.context,
            hub.caller("chu"),
            principal="chu",
            deputy="fu",
            role=Role.FIRST_REVIEWER,
            starts_at=hub.clock(),
            ends_at=hub.clock() + timedelta(hours=1),
        )
    assert [e["code"] for e in hub.recorded(Verb.ACT_REFUSED)] == ["invalid", "invalid", "role_missing"]


def test_a_system_account_hands_in_and_never_signs(hub: World) -> None:
    people.add_person(
        hub.context,
        "system",
        username="minzheng-bot",
        name="民政局系统",
        department="minzheng",
        roles=[(Role.LIAISON, "minzheng", "ABC"), (Role.DEPT_HEAD, "minzheng", "ABC")],
        is_service=True,
    )
    item = hub.draft(by="minzheng-bot")
    submit.submit(hub.context, hub.caller("minzheng-bot"), item)
    other = hub.submitted()
    with pytest.raises(NotPermitted, match="系统账号"):
        hub.sign(other, Stage.DEPT, by="minzheng-bot")


def test_tokens_are_kept_as_digests_expire_and_can_be_revoked(hub: World, fixed_clock: FixedClock) -> None:
    token = issue_token(hub.context, "cli", username="li", scopes=["read", "write"], label="接口", lasts=timedelta(days=1))
    with hub.context.reading() as session:
        row = session.scalars(select(TokenRow)).one()
        assert row.digest == token_digest(token)
        assert token not in row.digest
        found = caller_by_token(session, token, hub.clock())
        assert found is not None
        assert found.scopes == {"read", "write"}
        assert caller_by_token(session, token + "x", hub.clock()) is None
        assert caller_by_token(session, token, hub.clock() + timedelta(days=2)) is None
    with pytest.raises(NotPermitted, match="release"):
        found.need("release")
    revoke_token(hub.context, "cli", row.id)
    with hub.context.reading() as session:
        assert caller_by_token(session, token, hub.clock()) is None


def test_a_department_writes_for_itself_only(hub: World) -> None:
    with pytest.raises(NotPermitted, match="本单位"):
        submit.create(hub.context, hub.caller("li"), hub.content(department="center"))
    assert hub.recorded(Verb.ACT_REFUSED)[-1]["code"] == "department_foreign"


def test_a_wording_over_a_channels_limit_is_refused_before_review_with_the_count(hub: World) -> None:
    made = submit.create(hub.context, hub.caller("li"), hub.content(title="长" * 120))
    blocking = [p for p in made.problems if p.blocking]
    assert any("120 字" in p.message for p in blocking)
    with pytest.raises(Invalid, match="120 字"):
        submit.submit(hub.context, hub.caller("li"), made.public_id)
    assert hub.item(made.public_id).state == "draft"


def test_a_returned_item_handed_in_again_needs_every_signature_again(hub: World) -> None:
    item = hub.submitted()
    hub.sign(item, Stage.DEPT)
    review.give_back(hub.context, hub.caller("chu"), item, digest=hub.digest(item), reason="wording", note="第二段有误")
    assert hub.item(item).state == "draft"
    submit.submit(hub.context, hub.caller("li"), item)
    assert hub.item(item).revision_no == 2, "the same text gets a new number: signatures stay under the one they were given to"
    review.sign(hub.context, hub.caller("hu"), item, Stage.DEPT, digest=hub.digest(item), statements=Statements("可以公开", "不涉密"))
    with pytest.raises(Invalid, match="退回意见"):
        review.give_back(hub.context, hub.caller("chu"), item, digest=hub.digest(item), reason="wording", note=" ")
    assert hub.recorded(Verb.REVIEW_RETURNED)[0]["note"] == "第二段有误"


def test_the_departments_head_declares_both_reviews(hub: World) -> None:
    item = hub.submitted()
    for statements in (None, Statements("", "不涉密"), Statements("可以公开", "")):
        with pytest.raises(Invalid, match="公开前审查和保密审查"):
            review.sign(hub.context, hub.caller("hu"), item, Stage.DEPT, digest=hub.digest(item), statements=statements)
    with pytest.raises(Invalid, match="涉密"):
        review.sign(
            hub.context,
            hub.caller("hu"),
            item,
            Stage.DEPT,
            digest=hub.digest(item),
            statements=Statements("可以公开", "涉密", is_secret=True),
        )
    hub.sign(item, Stage.DEPT)
    signed = hub.recorded(Verb.REVIEW_SIGNED)[0]
    assert (signed["pre_release"], signed["secrecy"]) == ("可以公开", "不涉密，可以公开")
