from __future__ import annotations

import re

import pytest

from channels.base import RefusalClass
from channels.http import Answer
from channels.weibo.client import Problem, judge
from channels.weibo.errors import CODES, DOMAIN, WORDS, Meaning, meaning_of, number
from channels.weibo.platform import WeiboPlatform
from tests.channels.hubloop import Delivery, refused, unknown
from tests.channels.samples import a_publication
from tests.channels.weibo.conftest import Accounts
from tests.clock import FixedClock

CLASSES = {
    Meaning.TRANSIENT: "10001 10002 10003 10009 10010 10011 21331",
    Meaning.RATE: "10022 10023 10024 20016",
    Meaning.LATE: "20032",
    Meaning.LANDED: "20019 20111",
    Meaning.SIMILAR: "20017",
    Meaning.TOKEN: "21314 21315 21316 21317 21319 21327 21332 21301",
    Meaning.CONFIG: "10004 10005 10006 10012 10013 10014 10032 20015 20023 21321 21322 21324 21325 21337 21335",
    Meaning.BRAKE: "20022 20031 20033",
    Meaning.CONTENT: "10007 10008 10016 10017 10018 20005 20006 20007 20008 20012 20013 20018 20020 20021 20049 21602",
    Meaning.GONE: "20101",
    Meaning.NOT_OURS: "20102",
    Meaning.AGAIN: "20014",
}
DOCUMENTED = {code: meaning for meaning, codes in CLASSES.items() for code in codes.split()}
REFUSALS = {
    Meaning.RATE: RefusalClass.QUOTA,
    Meaning.TOKEN: RefusalClass.TOKEN,
    Meaning.CONFIG: RefusalClass.PERMISSION,
    Meaning.BRAKE: RefusalClass.BRAKE,
    Meaning.CONTENT: RefusalClass.CONTENT,
    Meaning.GONE: RefusalClass.CONTENT,
    Meaning.NOT_OURS: RefusalClass.CONTENT,
    Meaning.AGAIN: RefusalClass.CONTENT,
}


def test_the_table_is_complete_and_holds_nothing_else() -> None:
    assert {code: entry.meaning for code, entry in CODES.items()} == DOCUMENTED


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_sentence_is_chinese(code: str) -> None:
    assert len(re.findall(r"[\u4e00-\u9fff]", CODES[code].sentence)) >= 6


def test_a_wrong_parameter_and_a_missing_domain_share_a_number() -> None:
    assert meaning_of("10017", "text not find domain!") is DOMAIN
    assert meaning_of("10017", "appkey not bind Domain!") is DOMAIN
    assert meaning_of("10017", "Parameter (status)'s value invalid") is CODES["10017"]


def test_numbers_come_as_numbers_strings_and_words() -> None:
    assert number(20019, "") == number("20019", "") == number(" 20019 ", "") == "20019"
    assert number(None, "expired_token") == "21327"
    assert number(None, "no such word") == number("E17", "") == number([], "") == ""
    assert set(WORDS.values()) <= set(CODES)


def test_the_body_of_a_400_is_read_and_a_200_proves_nothing() -> None:
    assert judge(Answer(400, {}, b'{"error_code": "20019", "error": "repeat content!"}')) == Problem("20019", "repeat content!", 400)
    assert judge(Answer(200, {}, b'{"error_code": 20019, "error": "repeat content!"}')) == Problem("20019", "repeat content!", 200)
    assert judge(Answer(403, {}, b'{"error": "expired_token"}')) == Problem("21327", "expired_token", 403)
    assert judge(Answer(200, {}, b"")) == Problem("", "", 200)
    assert judge(Answer(200, {}, b"[]")) == Problem("", "", 200)
    assert judge(Answer(500, {}, b"{}")) == Problem("", "", 500)
    assert judge(Answer(200, {}, b'{"idstr": "1"}')) == {"idstr": "1"}


@pytest.mark.parametrize("code", sorted(DOCUMENTED))
def test_every_code_over_the_wire(code: str, account: Accounts, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    delivery = Delivery(account(), a_publication(), fixed_clock)
    platform.fail("business", "/2/statuses/share.json", code=int(code), message="planned", times=2)
    outcome = delivery.send()
    meaning = DOCUMENTED[code]
    calls = [call for call in platform.log if call.path.endswith("share.json")]
    assert len(calls) == (2 if meaning is Meaning.AGAIN else 1)
    if meaning in REFUSALS:
        answer = refused(outcome)
        assert (answer.kind, answer.code) == (REFUSALS[meaning], code)
        assert code in answer.reason
        assert (answer.until is not None) == (meaning is Meaning.RATE)
    else:
        ref = unknown(outcome).ref
        assert ref is not None
        assert ref.get("landed", False) == (meaning in (Meaning.LATE, Meaning.LANDED))
        assert ref.get("similar", False) == (meaning is Meaning.SIMILAR)


def test_a_code_that_is_not_in_the_table_is_unknown(account: Accounts, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    platform.fail("business", "/2/statuses/share.json", code=29999, message="brand new trouble")
    outcome = unknown(Delivery(account(), a_publication(), fixed_clock).send())
    assert "29999" in outcome.why
    assert "brand new trouble" in outcome.why


def test_rest_until_the_platform_says_so(account: Accounts, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    platform.fail("business", "/2/statuses/share.json", code=10023)
    outcome = refused(Delivery(account(), a_publication(), fixed_clock).send())
    # The clock stands at 09:00 in Shanghai; the day ends fifteen hours later.
    assert outcome.until is not None
    assert outcome.until.total_seconds() == 15 * 3600


def test_rest_until_the_next_hour_when_the_platform_does_not_say(
    account: Accounts, platform: WeiboPlatform, fixed_clock: FixedClock
) -> None:
    fixed_clock.advance(minutes=50)
    platform.fail("business", "/2/statuses/share.json", code=20016)
    platform.fail("status", "/2/account/rate_limit_status.json", status=500)
    outcome = refused(Delivery(account(), a_publication(), fixed_clock).send())
    assert outcome.until is not None
    assert outcome.until.total_seconds() == 600
