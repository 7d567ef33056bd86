"""The loopback Weibo is as strict as the real one, and shows a follower what was published."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from channels.loopback import LoopbackServer
from channels.weibo import Weibo
from channels.weibo.permalink import to_code
from channels.weibo.platform import TOKEN, UID, WeiboPlatform
from channels.weibo.platform_rules import Rules
from tests.channels.hubloop import Delivery, live
from tests.channels.samples import a_picture, a_publication, image
from tests.clock import FixedClock

GOOD = "公告一则 https://www.yunchuan.example/items/1/"
ROOT = Path(__file__).parents[3]
HEADER = {"Authorization": f"OAuth2 {TOKEN}"}


@pytest.fixture
def http() -> Any:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def share(server: LoopbackServer, http: requests.Session) -> Any:
    def call(status: str = GOOD, headers: dict[str, str] | None = None, **more: Any) -> tuple[int, dict[str, Any]]:
        data = {"status": status, "rip": "203.0.113.9"} | more.pop("data", {})
        answer = http.post(f"{server.url}/2/statuses/share.json", data=data, headers=HEADER if headers is None else headers, **more)
        return answer.status_code, answer.json()

    return call


def code(answer: tuple[int, dict[str, Any]]) -> int:
    status, body = answer
    assert status in (400, 403)
    return int(body["error_code"])


def test_who_calls(share: Any, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    assert code(share(headers={})) == 21301
    assert code(share(headers={"Authorization": f"Bearer {TOKEN}"})) == 21301
    assert code(share(headers={"Authorization": "OAuth2 wrong"})) == 21332
    assert share(headers={}, data={"access_token": TOKEN})[0] == 200
    fixed_clock.advance(days=31)
    assert code(share()) == 21327


@pytest.mark.parametrize(
    ("status", "data", "expected"),
    [
        ("", {}, 20008),
        ("#话题#", {}, 20008),
        (GOOD, {"rip": ""}, 10016),
        (GOOD, {"rip": "office"}, 10017),
        ("没有网址", {}, 10017),
        ("别处 https://yunchuan.example.evil.cn/", {}, 10017),
        ("别处 https://evilyunchuan.example/", {}, 10017),
        ("云" * 131 + " https://yunchuan.example/", {}, 20012),
        ("云" * 138 + "a https://yunchuan.example/", {}, 20012),
        (GOOD, {"pic": "not a part"}, 20007),
    ],
)
def test_what_is_refused(share: Any, status: str, data: dict[str, str], expected: int) -> None:
    assert code(share(status, data=data)) == expected


def test_exactly_140_pass(share: Any) -> None:
    assert share("云" * 129 + "a https://yunchuan.example/")[0] == 200


@pytest.mark.parametrize(
    ("name", "body", "media_type", "expected"),
    [
        ("a.webp", b"RIFFxxxxWEBP", "image/webp", 20005),
        ("a.png", b"\xff\xd8\xff not a png", "image/png", 20005),
        ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(5_000_000), "image/png", 20006),
        ("图.png", image(), "image/png", 20007),
    ],
)
def test_pictures_that_are_refused(share: Any, name: str, body: bytes, media_type: str, expected: int) -> None:
    assert code(share(files={"pic": (name, body, media_type)})) == expected


def test_the_answer_has_the_traps_of_the_real_one(share: Any) -> None:
    _, body = share()
    assert body["id"] > 2**53
    assert str(body["id"]) != body["idstr"] == body["mid"]
    assert re.search(r"http://t\.cn/\w{7}$", body["text"])
    assert "yunchuan" not in body["text"]
    assert body["created_at"] == "Sun Nov 22 09:00:00 +0800 2026"
    kinds = {type(share()[1]["error_code"]) for _ in range(4)}
    assert kinds == {int, str}


def test_the_same_words_are_refused_for_a_while_even_when_deleted(
    share: Any, server: LoopbackServer, http: Any, fixed_clock: FixedClock
) -> None:
    _, body = share()
    assert code(share()) == 20019
    destroyed = http.post(f"{server.url}/2/statuses/destroy.json", data={"id": body["idstr"]}, headers=HEADER)
    assert destroyed.json()["idstr"] == body["idstr"]
    assert code(share()) == 20019
    fixed_clock.advance(hours=2)
    assert share()[0] == 200


def test_topics_vanish_and_double_encoding_shows(share: Any, platform: WeiboPlatform) -> None:
    share("#就业#" + GOOD)
    share("%E4%BA%91 " + GOOD)
    assert [post.sent for post in platform.store.newest(2)] == ["%E4%BA%91 " + GOOD, GOOD]


def test_limits(share: Any, platform: WeiboPlatform, fixed_clock: FixedClock) -> None:
    platform.rules = replace(platform.rules, hourly_posts=2, daily_calls=4)
    assert share(f"{GOOD} 一")[0] == share(f"{GOOD} 二")[0] == 200
    assert code(share(f"{GOOD} 三")) == 20016
    fixed_clock.advance(hours=1, seconds=1)
    assert share(f"{GOOD} 三")[0] == 200
    assert code(share(f"{GOOD} 四")) == 10023
    fixed_clock.advance(days=1)
    assert share(f"{GOOD} 四")[0] == 200


def test_reading(share: Any, server: LoopbackServer, http: Any) -> None:
    mids = [share(f"{GOOD} {n}")[1]["idstr"] for n in range(7)]

    def get(path: str, **params: str) -> Any:
        return http.get(f"{server.url}/2/{path}", params=params, headers=HEADER).json()

    assert [s["idstr"] for s in get("statuses/user_timeline.json", count="50")["statuses"]] == mids[:1:-1]
    assert [s["idstr"] for s in get("statuses/user_timeline.json", count="2", page="2")["statuses"]] == [mids[4], mids[3]]
    trimmed = get("statuses/user_timeline.json", trim_user="1", since_id=mids[5])
    assert [(s["idstr"], s["uid"]) for s in trimmed["statuses"]] == [(mids[6], int(UID))]
    assert trimmed["total_number"] == 7
    assert get("statuses/user_timeline/ids.json", max_id=mids[3])["statuses"] == [mids[3], mids[2]]
    assert get("statuses/user_timeline.json", uid="99")["error_code"] in (21335, "21335")
    assert get("statuses/show.json", id=mids[0])["idstr"] == mids[0]
    assert int(get("statuses/show.json", id="1")["error_code"]) == 20101
    assert int(get("statuses/show.json")["error_code"]) == 10016
    assert [each["idstr"] for each in get("statuses/count.json", ids=f"{mids[0]},1")] == [mids[0]]
    assert int(get("statuses/update.json")["error_code"]) == 10020
    assert int(get("statuses/user_timeline.json", count="x")["error_code"]) == 10017


def test_a_missing_post_cannot_be_destroyed(server: LoopbackServer, http: Any) -> None:
    answer = http.post(f"{server.url}/2/statuses/destroy.json", data={"id": "1"}, headers=HEADER)
    assert code((answer.status_code, answer.json())) == 20101


def test_control_calls(server: LoopbackServer, http: Any, share: Any, platform: WeiboPlatform) -> None:
    http.post(f"{server.url}/_control/limits", json={"daily_calls": 0, "domains": ["other.example"]})
    assert code(share()) == 10023
    http.post(f"{server.url}/_control/limits", json={"daily_calls": 1000, "timeline_lag": 60})
    assert code(share()) == 10017
    platform.kill_tokens()
    assert code(share()) == 21327
    http.post(f"{server.url}/_control/tokens", json={"token": TOKEN})
    assert code(share()) == 10017
    assert http.get(f"{server.url}/_control/log").json()[0]["path"] == "/2/statuses/share.json"


# ------------------------------------------------------------------------------------------------------------- pages


def test_a_follower_sees_posts_pictures_and_notices(
    weibo: Weibo, server: LoopbackServer, http: Any, around: Any, fixed_clock: FixedClock
) -> None:
    evil = a_publication("evil", title="<script>alert(1)</script>", pictures=(a_picture(around.files),))
    shown = live(Delivery(weibo, evil, fixed_clock).run())
    gone = live(Delivery(weibo, a_publication("gone", title="将撤下的公告"), fixed_clock).run())
    http.post(f"{server.url}/2/statuses/destroy.json", data={"id": gone.ref["id"]}, headers=HEADER)
    feed = http.get(server.url + "/").text
    assert "&lt;script&gt;" in feed
    assert "<script" not in feed
    assert f'href="{evil.url}"' in feed
    assert f'src="/_pic/{shown.ref["id"]}"' in feed
    assert feed.count("抱歉，此微博已被作者删除") == 1
    assert "将撤下的公告" not in feed
    assert not re.search(r'(?:src|href)="(?:https?:)?//(?!www\.yunchuan\.example)', feed)
    assert "2026-11-22 09:00" in feed
    page = http.get(shown.url)
    assert page.status_code == 200
    assert evil.url in page.text
    assert "抱歉，此微博已被作者删除" in http.get(gone.url).text
    assert http.get(f"{server.url}/_pic/{shown.ref['id']}").headers["Content-Type"] == "image/png"


def test_pages_of_twenty(share: Any, server: LoopbackServer, http: Any) -> None:
    for n in range(21):
        share(f"{GOOD} 第{n}条")
    first, second = http.get(f"{server.url}/").text, http.get(f"{server.url}/?page=2").text
    assert "第20条" in first
    assert "第0条" not in first
    assert "第0条" in second
    assert "还没有发布微博" in http.get(f"{server.url}/?page=9").text


@pytest.mark.parametrize("path", ["/nothing", f"/{UID}/zzzzz", f"/{UID}/{to_code('123456789')}", "/99/yCtxn8IXR", "/_pic/1", f"/{UID}/!"])
def test_no_such_page(path: str, server: LoopbackServer, http: Any) -> None:
    assert http.get(server.url + path).status_code == 404


def test_the_state_file_keeps_the_posts(tmp_path: Path, fixed_clock: FixedClock) -> None:
    state = str(tmp_path / "weibo.db")
    for round_ in (1, 2):
        platform = WeiboPlatform(state, rules=Rules(), clock=lambda: fixed_clock().timestamp())
        platform.store.add(f"第{round_}条", f"第{round_}条", "203.0.113.9", 1.0, 1.0, None)
        assert platform.store.count() == round_
        platform.close()


def test_it_runs_as_a_process(tmp_path: Path) -> None:
    asked = [sys.executable, "-m", "channels.weibo.platform", "--port", "0", "--help"]
    shown = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=True, cwd=ROOT).stdout
    assert all(option in shown for option in ("--daily-calls", "--hourly-posts", "--domain", "--state", "--token"))
