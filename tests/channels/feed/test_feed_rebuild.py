"""A feed grown one publication at a time and a feed rebuilt from the hub's database are the same bytes."""

from __future__ import annotations

import random
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import Absent, Live, Named
from channels.feed import Entry, Release, rebuild
from tests.channels.feed.district import HEALTH, JOBS, LABOUR, NEWS, NOTICES, START, District, publication

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["publish", "publish", "correct", "withdraw", "batch"]),
        st.integers(0, 4),
        st.sampled_from([NEWS, NOTICES]),
        st.sampled_from([LABOUR, HEALTH]),
        st.sampled_from([JOBS, Named("tax", "税收"), Named("tax", "税收管理"), None]),
        st.integers(0, 2),
    ),
    max_size=14,
)


def play(district: District, steps: list[tuple[str, int, object, object, object, int]]) -> None:
    """Take the steps that are possible where the district stands; time runs by hours, sometimes not at all."""
    hours = 0.0
    for number, (verb, who, column, department, area, pause) in enumerate(steps):
        hours += pause
        public_id = f"YC-{who}"
        before = district.entries.get(public_id)
        if verb == "batch":
            items = [publication(f"YC-B{number}-{each}", column=column, department=department, area=area) for each in range(3)]
            assert all(isinstance(each, Live) for each in district.publish_many(items, district.at(hours)))
        elif verb == "withdraw" and before and before.withdrawn_at is None:
            assert isinstance(district.withdraw(public_id, district.at(hours), f"原因{number}"), Absent)
        elif verb in ("publish", "correct") and (before is None or before.withdrawn_at is None):
            revision = before.releases[-1].revision + 1 if before else 1
            note = f"更正{number}" if number % 2 else ""
            item = publication(public_id, revision, column=column, department=department, area=area, change_note=note)
            assert isinstance(district.publish(item, district.at(hours), "投递时的说明"), Live)


@settings(max_examples=8)
@given(STEPS, st.randoms(use_true_random=False))
def test_rebuilding_gives_the_same_bytes(steps: list[tuple[str, int, object, object, object, int]], order: random.Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        grown = District(Path(folder) / "grown", settings={"count": 6})
        grown.channel.prepare()
        play(grown, steps)
        entries = list(grown.entries.values())
        order.shuffle(entries)
        fresh = District(Path(folder) / "fresh", settings={"count": 6})
        rebuild(fresh.around, entries, account=fresh.account)
        assert fresh.files() == grown.files()
        # Over the living site it changes no byte, so no modification time and no ETag.
        assert rebuild(grown.around, entries, account=grown.account) == 0


def test_progress_is_told_and_entries_may_come_one_by_one(district: District) -> None:
    told: list[int] = []
    entries = (
        Entry(START, (Release(1, district.channel.format(publication(f"YC-{n}")).payload, START + timedelta(seconds=n)),))
        for n in range(1100)
    )
    assert district.channel.rebuild(entries, told.append) > 0
    assert told == [500, 1000, 1100]


def test_a_rebuild_that_meets_a_broken_entry_leaves_everything_as_it_was(district: District) -> None:
    district.publish(publication(), district.at(0))
    before = district.files()
    good = district.entries["YC-01"]
    payload = district.channel.format(publication("YC-02")).payload
    spoilt = Entry(START, (Release(1, {**payload, "title": "坏\x0b字"}, START),))
    with pytest.raises(ValueError, match="YC-02"):
        district.channel.rebuild([good, spoilt])
    assert district.files() == before
    assert isinstance(district.publish(publication("YC-03"), district.at(1)), Live)
    assert district.files()["all.json"].count(b"item:YC-0") == 2


def test_a_history_that_cannot_have_been_is_refused(district: District) -> None:
    first, second = (district.channel.format(publication("YC-01", n)).payload for n in (1, 2))
    other = district.channel.format(publication("YC-02", 3)).payload
    for releases in ((), (Release(2, second, START), Release(1, first, START)), (Release(1, first, START), Release(3, other, START))):
        with pytest.raises(ValueError, match="发布记录"):
            Entry(START, releases)
