from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.weibo.platform import english_time
from channels.weibo.timeline import Post, even, parse_created_at, read_post, search

NOON = datetime(2026, 11, 22, 4, 0, 0, 700_000, tzinfo=UTC)
TEXT = "【公告】报名开始。 https://www.yunchuan.example/items/2026-000312/"
SHOWN = "【公告】报名开始。 http://t.cn/A6abcde"


def status(number: int, text: str = SHOWN, at: datetime = NOON, **more: Any) -> dict[str, Any]:
    mid = str(9_100_000_000_000_001 + 2 * number)
    return {"id": int(float(mid)), "idstr": mid, "mid": mid, "text": text, "created_at": english_time(at.timestamp()), **more}


def everyone(_post: Post) -> bool:
    return True


@given(st.integers(1_250_000_000, 4_100_000_000))
def test_created_at_round_trip(epoch: int) -> None:
    moment = datetime.fromtimestamp(epoch, UTC)
    assert parse_created_at(english_time(moment.timestamp())) == moment


@pytest.mark.parametrize(
    "value",
    [
        "",
        "今天 10:00",
        "Sun Nov 31 10:00:00 +0800 2026",
        "Sun Foo 22 10:00:00 +0800 2026",
        "2026-11-22T10:00:00Z",
        "Sun Nov 22 25:00:00 +0800 2026",
    ],
)
def test_created_at_that_cannot_be_read(value: str) -> None:
    assert parse_created_at(value) is None


def test_other_zones_are_read_too() -> None:
    assert parse_created_at("Sun Nov 22 10:00:00 -0530 2026") == datetime(2026, 11, 22, 15, 30, tzinfo=UTC)


def test_ids_are_read_as_text() -> None:
    post = read_post(status(1))
    assert post is not None
    assert post.id == "9100000000000003"
    assert int(post.id) != status(1)["id"]


@pytest.mark.parametrize("broken", [{}, {"id": 5}, {"idstr": 7}, {"idstr": "x"}, {"idstr": "0"}, [], None, {"idstr": "7", "deleted": "1"}])
def test_no_id_as_text_no_post(broken: object) -> None:
    assert read_post(broken) is None


def test_the_account_is_found_in_every_shape() -> None:
    shapes: list[dict[str, Any]] = [{"user": {"idstr": "77"}}, {"uid": 77}, {"user": 77}, {"user": "77"}]
    assert [getattr(read_post({"idstr": "5", **shape}), "uid", "") for shape in shapes] == ["77"] * 4


def test_addresses_spaces_and_entities_do_not_matter() -> None:
    assert even("A&B：<2> 见 https://a.cn/x 全文") == even("A&amp;B：&lt;2&gt; 见 http://t.cn/A6 全文\u200b ")
    assert even("见 https://a.cn/x 全文") != even("见 https://a.cn/x 全部")


def test_found_between_others() -> None:
    listed = [status(5, "别的"), status(4), status(3, "更早的", NOON - timedelta(hours=1))]
    seen = search(listed, TEXT, NOON, 5, everyone)
    assert seen.found is not None
    assert seen.found.id == status(4)["idstr"]


def test_an_older_post_with_the_same_words_is_not_ours() -> None:
    seen = search([status(1, at=NOON - timedelta(seconds=1))], TEXT, NOON, 5, everyone)
    assert seen.found is None
    assert seen.complete


def test_the_second_in_which_we_began_counts() -> None:
    # The platform's times have no fraction: a post made at once may look older than our attempt.
    assert search([status(1, at=NOON.replace(microsecond=0))], TEXT, NOON, 5, everyone).found


def test_of_two_the_older_is_ours_unless_it_is_known_to_be_anothers() -> None:
    listed = [status(9, at=NOON + timedelta(minutes=9)), status(4, at=NOON)]
    first = search(listed, TEXT, NOON, 5, everyone)
    assert first.found is not None
    assert first.found.id == status(4)["idstr"]
    second = search(listed, TEXT, NOON, 5, lambda post: post.id != status(4)["idstr"])
    assert second.found is not None
    assert second.found.id == status(9)["idstr"]


@given(st.lists(st.integers(-30, 30), max_size=8), st.integers(1, 6))
def test_absence_is_complete_only_when_the_window_reaches_back(minutes: list[int], visible: int) -> None:
    ages = sorted(minutes, reverse=True)[:visible]
    listed = [status(n, "别的", NOON + timedelta(minutes=age)) for n, age in enumerate(ages)]
    seen = search(listed, TEXT, NOON, visible, everyone)
    assert seen.found is None
    assert seen.complete == (len(listed) < visible or any(age < 0 for age in ages))
