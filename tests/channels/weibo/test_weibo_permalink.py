from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.weibo.permalink import DIGITS, permalink, to_code, to_mid

PUBLISHED = {
    "3491700092079471": "yCtxn8IXR",
    "3486913690606804": "yAt1n2xRa",
    "3501703397689247": "z0Ijpwgk7",
    # The middle group is 0033040: without its zeros the code would be one digit short.
    "3500330408906190": "z08AUBmUe",
    "3520617028999724": "z8ElgBLeQ",
    "4331051486294436": "Hd1N2qpta",
    "4404101091169383": "I1IGF4Ud1",
    "201110410216293360": "wr4mOFqpbO",
}


@pytest.mark.parametrize(("mid", "code"), PUBLISHED.items())
def test_published_pairs(mid: str, code: str) -> None:
    assert to_code(mid) == code
    assert to_mid(code) == mid


@given(st.integers(1, 10**24))
def test_round_trip(number: int) -> None:
    assert to_mid(to_code(str(number))) == str(number)


@given(st.text(DIGITS, min_size=1, max_size=14))
def test_every_code_is_read_exactly_or_refused(code: str) -> None:
    try:
        mid = to_mid(code)
    except ValueError:
        return
    assert to_code(mid) == code


@pytest.mark.parametrize("mid", ["", "0", "012", "12a", "１２３", "-1"])
def test_a_mid_is_a_decimal_number(mid: str) -> None:
    with pytest.raises(ValueError, match="mid"):
        to_code(mid)


def test_permalink_needs_the_account() -> None:
    assert permalink("https://weibo.com/", "7345600001", "3491700092079471") == "https://weibo.com/7345600001/yCtxn8IXR"
    assert permalink("https://weibo.com", "", "3491700092079471") == ""
