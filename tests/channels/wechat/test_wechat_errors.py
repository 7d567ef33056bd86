"""Every code that the platform's documentation names has an action and words for a person."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from channels.base import RefusalClass, Refused, Unavailable, Unknown
from channels.wechat.errors import CODES, MASS_ERRORS, PUBLISH_STATUS, Act, outcome_of_code, until_next_day
from tests.channels.wechat.conftest import Bench

DOCUMENTED = {
    *(-1, 9001002),
    *(45011, 45066),
    *(40001, 40014, 42001, 41001),
    *(45009, 45028),
    53501,
    *(40002, 40013, 40125, 40164, 40243, 41002, 41004, 43002),
    *(48001, 48003, 48004, 48006, 48008, 50001, 50002, 50004, 50007, 53500, 61003, 61004, 61007),
    *range(89501, 89508),
    *(40005, 40006, 40007, 40009, 40033, 40114, 40137, 41005, 41039),
    *range(44001, 44005),
    *range(45001, 45005),
    *(45007, 45008, 45065, 45067, 45110, 45166, 47001, 53402),
    *range(53404, 53407),
    *range(53502, 53506),
    *(53600, 87014, 88000),
}
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
KINDS = {
    Act.TOKEN: RefusalClass.TOKEN,
    Act.DAY: RefusalClass.QUOTA,
    Act.BRAKE: RefusalClass.BRAKE,
    Act.KEEPER: RefusalClass.PERMISSION,
    Act.CONTENT: RefusalClass.CONTENT,
}


def test_the_table_is_complete() -> None:
    assert set(CODES) == DOCUMENTED
    assert set(PUBLISH_STATUS) == set(range(7))
    assert set(MASS_ERRORS) == {10001, 20001, 20002, 20004, 20006, 20008, 20013, 21000, 22000, 30003}


@pytest.mark.parametrize("code", sorted(DOCUMENTED))
def test_every_code_has_an_action_and_chinese_words(code: int) -> None:
    rule = CODES[code]
    assert re.search(r"[\u4e00-\u9fff]{2}", rule.words)
    harmless = outcome_of_code(code, "测试", "a-b-c", effect=False, now=NOW, scale=1)
    risky = outcome_of_code(code, "测试", "", effect=True, now=NOW, scale=1)
    if rule.act is Act.TRANSIENT:
        assert isinstance(harmless, Unavailable)
        assert isinstance(risky, Unknown)
    elif rule.act is Act.MINUTE:
        assert risky == Unavailable(f"{rule.words}（测试，代码 {code}）", timedelta(seconds=60))
    elif rule.act is Act.DONE:
        assert isinstance(risky, Unknown)
    else:
        assert isinstance(harmless, Refused)
        assert harmless.kind is KINDS[rule.act]
        assert harmless.code == str(code)
        assert "rid a-b-c" in harmless.reason
        assert (harmless.until is not None) == (rule.act in (Act.DAY, Act.BRAKE))


def test_every_code_reaches_the_hub_from_the_wire(bench: Bench) -> None:
    delivery = bench.delivery()
    for code in sorted(DOCUMENTED - {40007, 45065}):
        bench.platform.faults.clear()
        bench.platform.fail("business", "/cgi-bin/draft/add", code=code, times=2)
        outcome = delivery.send()
        if CODES[code].act in KINDS:
            assert isinstance(outcome, Refused), code
            assert outcome.code == str(code)
        else:
            assert isinstance(outcome, Unavailable | Unknown), code
    assert bench.articles() == []
    assert bench.drafts() == []


def test_a_code_nobody_has_told_us_of_is_no_answer() -> None:
    assert isinstance(outcome_of_code(999999, "测试", "", effect=False, now=NOW, scale=1), Unknown)


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC), timedelta(minutes=5, seconds=1)),
        (datetime(2026, 11, 22, 16, 0, tzinfo=UTC), timedelta(days=1, minutes=5)),
    ],
)
def test_the_quota_day_is_beijing_s(now: datetime, left: timedelta) -> None:
    assert until_next_day(now) == left


def test_the_readme_names_every_class() -> None:
    readme = (Path(__file__).parents[3] / "channels/wechat/README.md").read_text(encoding="utf-8")
    for code in (48001, 45009, 53501, 40164, 45065):
        assert str(code) in readme
