"""The two state machines: total, with a way out of every state, and the same for every page and rule."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import delivery, item
from hub.domain.delivery import IN_DOUBT, TERMINAL, DeliveryEvent, DeliveryState, advance
from hub.domain.item import (
    EVENT_ROLES,
    ROLE_LABELS,
    SIGNING,
    STATE_LABELS,
    Facts,
    Grant,
    ItemEvent,
    ItemState,
    Role,
    Signatory,
    allowed,
    decide,
)
from hub.domain.problems import IllegalTransition, NotPermitted, Refusal
from hub.domain.retry import FLOOR, pause
from hub.domain.summary import summarise
from hub.domain.verbs import Verb

item_states, item_events = st.sampled_from(ItemState), st.sampled_from(ItemEvent)
delivery_states, delivery_events = st.sampled_from(DeliveryState), st.sampled_from(DeliveryEvent)
people = st.builds(
    Signatory,
    person_id=st.integers(1, 4),
    name=st.just("某"),
    grants=st.lists(
        st.builds(
            Grant, role=st.sampled_from(Role), department_id=st.sampled_from([None, 1, 2]), grades=st.sampled_from(["A", "AB", "ABC"])
        ),
        max_size=4,
    ).map(tuple),
    is_service=st.booleans(),
)
facts = st.builds(
    Facts,
    state=item_states,
    department_id=st.sampled_from([1, 2]),
    grade=st.sampled_from("ABC"),
    touched_by=st.frozensets(st.integers(1, 4)),
    signed_by=st.frozensets(st.integers(1, 4)),
    public=st.booleans(),
)


@given(item_states, item_events)
def test_every_pair_of_item_state_and_event_is_in_the_table_or_refused(state: ItemState, event: ItemEvent) -> None:
    master = Signatory(1, "全", tuple(Grant(role) for role in Role))
    question = Facts(state, 1, "A", public=True)
    if (state, event) in item.TRANSITIONS:
        assert decide(question, event, master)[0] is item.TRANSITIONS[state, event]
    else:
        with pytest.raises(IllegalTransition):
            decide(question, event, master)


@pytest.mark.parametrize("state", [s for s in ItemState if s is not ItemState.WITHDRAWN])
def test_every_item_state_but_withdrawn_has_a_way_out(state: ItemState) -> None:
    assert {target for (source, _), target in item.TRANSITIONS.items() if source is state} - {state}


@given(facts, people)
def test_what_a_page_offers_is_what_the_server_accepts(question: Facts, who: Signatory) -> None:
    offered = allowed(question, who)
    for event in ItemEvent:
        try:
            decide(question, event, who)
        except Refusal:
            assert event not in offered
        else:
            assert event in offered


@given(facts, people, st.sampled_from(sorted(SIGNING)))
def test_nobody_signs_own_text_or_a_second_stage(question: Facts, who: Signatory, event: ItemEvent) -> None:
    if who.person_id in question.touched_by | question.signed_by or who.is_service:
        with pytest.raises(Refusal):
            decide(question, event, who)


@given(facts, people, item_events)
def test_every_refusal_says_why_in_chinese(question: Facts, who: Signatory, event: ItemEvent) -> None:
    if event in allowed(question, who):
        return
    with pytest.raises((IllegalTransition, NotPermitted)) as caught:
        decide(question, event, who)
    assert caught.value.code
    assert any("\u4e00" <= c <= "\u9fff" for c in caught.value.message)


def test_only_the_three_reviews_and_the_department_lead_to_approved() -> None:
    """Every path from draft to approved passes the four signing events, in order."""
    order = [ItemEvent.SIGN_DEPT, ItemEvent.SIGN_FIRST, ItemEvent.SIGN_SECOND, ItemEvent.SIGN_FINAL]

    def walk(state: ItemState, signed: tuple[ItemEvent, ...], seen: frozenset[tuple[ItemState, tuple[ItemEvent, ...]]]) -> None:
        if (state, signed) in seen:
            return
        if state is ItemState.APPROVED and (not seen or signed):
            assert list(signed[-4:]) == order
        for (source, event), target in item.TRANSITIONS.items():
            if source is state:
                grown = (*signed, event) if event in SIGNING else () if target is ItemState.DRAFT else signed
                walk(target, grown, seen | {(state, signed)})

    walk(ItemState.DRAFT, (), frozenset())


def test_every_state_role_verb_and_event_is_named_for_people() -> None:
    assert set(STATE_LABELS) == set(ItemState)
    assert set(ROLE_LABELS) == set(Role)
    assert set(EVENT_ROLES) == set(ItemEvent)
    assert set(delivery.DELIVERY_LABELS) == set(DeliveryState)
    assert all(verb.label for verb in Verb)


@given(delivery_states, delivery_events)
def test_every_pair_of_delivery_state_and_event_is_in_the_table_or_refused(state: DeliveryState, event: DeliveryEvent) -> None:
    if (state, event) in delivery.TRANSITIONS:
        assert advance(state, event) is delivery.TRANSITIONS[state, event]
    else:
        with pytest.raises(IllegalTransition):
            advance(state, event)


@pytest.mark.parametrize("state", [s for s in DeliveryState if s not in TERMINAL])
def test_every_delivery_state_that_is_not_terminal_has_a_way_out(state: DeliveryState) -> None:
    assert {target for (source, _), target in delivery.TRANSITIONS.items() if source is state} - {state}


def test_every_outcome_has_an_entry_where_a_channel_is_asked() -> None:
    sent = [e for e in DeliveryEvent if e.value.startswith("sent_")]
    looked = [e for e in DeliveryEvent if e.value.startswith("look_")]
    assert all((DeliveryState.SENDING, e) in delivery.TRANSITIONS for e in sent)
    assert all((s, e) in delivery.TRANSITIONS for s in (DeliveryState.ACCEPTED, DeliveryState.UNKNOWN) for e in looked)


def test_unknown_never_leads_to_sending_without_a_look_or_a_person() -> None:
    out = {
        event
        for (source, event), target in delivery.TRANSITIONS.items()
        if source is DeliveryState.UNKNOWN and target is DeliveryState.PLANNED
    }
    assert out == {DeliveryEvent.LOOK_ABSENT, DeliveryEvent.RESOLVE_NOT_PUBLISHED}
    assert all(delivery.TRANSITIONS[s, DeliveryEvent.CLAIM] for s in DeliveryState if (s, DeliveryEvent.CLAIM) in delivery.TRANSITIONS)
    assert {s for s, e in delivery.TRANSITIONS if e is DeliveryEvent.CLAIM} == {DeliveryState.PLANNED}


@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(60, 3600), st.integers())
def test_the_pause_grows_is_capped_and_never_nothing(failures: int, base: int, cap: int, seed: int) -> None:
    found = pause(failures, timedelta(seconds=base), timedelta(seconds=cap), random.Random(seed))
    step = min(base * 2 ** min(max(failures, 1) - 1, 32), cap)
    assert step * FLOOR <= found.total_seconds() + 1e-6
    assert found.total_seconds() <= step + 1e-6


@given(item_states, st.lists(delivery_states, max_size=5))
def test_the_summary_never_claims_more_than_the_deliveries_show(state: ItemState, states: list[DeliveryState]) -> None:
    word = summarise(state, states)
    live = [s for s in states if s not in (DeliveryState.SUPERSEDED, DeliveryState.CANCELLED)]
    if word == "已发布":
        assert live
        assert all(s is DeliveryState.DELIVERED for s in live)
    if word == "已撤稿":
        assert all(s is DeliveryState.WITHDRAWN for s in live)
    if state is ItemState.RELEASED and any(s in IN_DOUBT for s in live):
        assert word not in ("已发布", "已排期")
