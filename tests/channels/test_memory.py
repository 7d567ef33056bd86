"""The memory platform does what the hub's tests plan, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from channels.base import Absent, Account, Action, Live, Surroundings, Unavailable, Unknown
from channels.memory import Memory, MemoryPlatform, create
from tests.channels.hubloop import Delivery, live
from tests.channels.samples import a_publication, surroundings
from tests.clock import FixedClock

ACCOUNT = Account("memory-test", "memory")


@pytest.fixture
def platform() -> Iterator[MemoryPlatform]:
    yield MemoryPlatform.named(ACCOUNT.name)
    MemoryPlatform.forget(ACCOUNT.name)


@pytest.fixture
def around(tmp_path: Path, fixed_clock: FixedClock) -> Surroundings:
    return surroundings(tmp_path, fixed_clock)


@pytest.fixture
def memory(around: Surroundings, platform: MemoryPlatform) -> Memory:
    return create(ACCOUNT, around)


def test_instances_of_one_account_share_a_platform(
    memory: Memory, around: Surroundings, platform: MemoryPlatform, fixed_clock: FixedClock
) -> None:
    live(Delivery(create(ACCOUNT, around), a_publication(), fixed_clock).run())
    assert list(platform.posts) == ["2026-000312.1.memory.publish"]
    assert MemoryPlatform.named("another").posts == {}
    MemoryPlatform.forget("another")


def test_a_correction_edits_the_post(memory: Memory, platform: MemoryPlatform, fixed_clock: FixedClock) -> None:
    first = Delivery(memory, a_publication(), fixed_clock)
    live(first.run())
    correction = first.then(Action.CORRECT, a_publication(revision=2, title="更正后的标题"))
    assert isinstance(correction.look(), Absent)
    live(correction.run())
    [post] = platform.posts.values()
    assert post.payload["title"] == "更正后的标题"
    assert post.published_at < post.updated_at
    live(correction.look())


@pytest.mark.parametrize("apply", [True, False])
def test_a_planned_outcome_says_whether_it_was_done(apply: bool, memory: Memory, platform: MemoryPlatform, fixed_clock: FixedClock) -> None:
    platform.plan("push", Unknown("答复丢失"), apply=apply)
    delivery = Delivery(memory, a_publication(), fixed_clock)
    assert delivery.send() == Unknown("答复丢失")
    assert isinstance(delivery.look(), Live if apply else Absent)
    assert len(platform.pushes()) == int(apply)
    live(delivery.send())
    assert len(platform.posts) == 1


def test_planned_exceptions_and_repetitions(memory: Memory, platform: MemoryPlatform, fixed_clock: FixedClock) -> None:
    platform.plan("push", ConnectionError("reset"), times=2)
    platform.plan("push", Unavailable("维护"))
    delivery = Delivery(memory, a_publication(), fixed_clock)
    kinds = [type(delivery.send()) for _ in range(4)]
    assert kinds == [Unknown, Unknown, Unavailable, Live]


def test_every_call_is_logged_in_order(memory: Memory, platform: MemoryPlatform, fixed_clock: FixedClock) -> None:
    platform.plan("push", Unavailable("维护"))
    delivery = Delivery(memory, a_publication(), fixed_clock)
    delivery.send()
    delivery.send()
    delivery.look()
    delivery.then(Action.WITHDRAW).send()
    assert [(call.method, call.action, call.applied) for call in platform.log] == [
        ("push", Action.PUBLISH, False),
        ("push", Action.PUBLISH, True),
        ("reconcile", Action.PUBLISH, True),
        ("withdraw", Action.WITHDRAW, True),
    ]
    assert platform.log[0].digest == delivery.rendition.digest
    assert [call.key for call in platform.pushes(platform.log[1].key)] == ["2026-000312.1.memory.publish"]
    assert platform.pushes("no such key") == []


def test_a_plan_for_no_such_call_is_a_mistake(platform: MemoryPlatform) -> None:
    with pytest.raises(ValueError, match="push、reconcile、withdraw"):
        platform.plan("publish", Absent())


def test_threads_do_not_lose_calls(around: Surroundings, platform: MemoryPlatform, fixed_clock: FixedClock) -> None:
    def work(number: int) -> None:
        for n in range(20):
            Delivery(create(ACCOUNT, around), a_publication(f"item-{number}-{n}"), fixed_clock).send()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(platform.posts) == len(platform.pushes()) == 80


def test_a_title_that_is_too_long_blocks(memory: Memory) -> None:
    made = memory.format(a_publication(title="题" * 101))
    assert made.blocked
    assert "101" in made.findings[0].message
    assert not memory.format(a_publication(title="题" * 101, wording={"memory": {"title": "短"}})).blocked
