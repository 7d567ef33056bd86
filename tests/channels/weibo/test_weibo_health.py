from __future__ import annotations

from datetime import timedelta

import pytest

from channels.weibo import Weibo
from channels.weibo.platform import TOKEN, WeiboPlatform
from tests.channels.hubloop import Delivery, live
from tests.channels.samples import a_publication
from tests.channels.weibo.conftest import Accounts
from tests.clock import FixedClock

INFO, LIMIT = "/oauth2/get_token_info", "/2/account/rate_limit_status.json"


def test_a_good_account_says_until_when(weibo: Weibo, fixed_clock: FixedClock) -> None:
    health = weibo.check()
    assert health.ok
    assert health.expires_at == fixed_clock() + timedelta(days=30)
    assert health.message == "微博授权有效，至 2026-12-22 09:00（北京时间）"
    assert (health.used, health.quota) == ({"calls": 0}, {"calls": 100})


def test_calls_are_counted(weibo: Weibo, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    live(Delivery(weibo, a_publication(), fixed_clock).run())
    assert weibo.check().used == {"calls": 1}


@pytest.mark.parametrize(("hours", "remaining"), [(6 * 24 + 1, "6 天"), (5, "5 小时")])
def test_the_end_of_the_authorisation_is_announced(hours: int, remaining: str, weibo: Weibo, platform: WeiboPlatform) -> None:
    platform.authorise(TOKEN, hours * 3600)
    health = weibo.check()
    assert health.ok
    assert f"将在 {remaining}后到期" in health.message


def test_how_early_is_a_setting(account: Accounts, platform: WeiboPlatform) -> None:
    platform.authorise(TOKEN, 6 * 86400)
    assert "将在" not in account(warn_days=3).check().message


def test_an_ended_authorisation(weibo: Weibo, platform: WeiboPlatform) -> None:
    platform.kill_tokens()
    health = weibo.check()
    assert not health.ok
    assert "重新授权" in health.message


@pytest.mark.parametrize("fault", ["drop", "invalid_json", "cut_headers"])
def test_no_answer_is_no_health(fault: str, weibo: Weibo, platform: WeiboPlatform) -> None:
    platform.fail(fault, INFO)
    assert not weibo.check().ok


def test_the_quota_is_a_bonus(weibo: Weibo, platform: WeiboPlatform) -> None:
    platform.fail("drop", LIMIT)
    health = weibo.check()
    assert health.ok
    assert health.quota == {}


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"operator_ip": ""}, "settings.operator_ip"),
        ({"uid": "1"}, "不一致"),
        ({"safe_domains": ["other.example"]}, "安全域名"),
    ],
)
def test_wrong_settings_are_no_health(settings: dict[str, object], word: str, account: Accounts) -> None:
    health = account(**settings).check()
    assert not health.ok
    assert word in health.message


def test_without_an_address_nothing_is_reached(account: Accounts) -> None:
    assert not account(api_base="no-scheme").check().ok


def test_the_uid_is_learnt_when_it_is_not_set(account: Accounts, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    weibo = account(uid="")
    platform.fail("apply_and_drop", "/2/statuses/share.json")
    assert live(Delivery(weibo, a_publication(), fixed_clock).run()).url.count("7345600001") == 1
