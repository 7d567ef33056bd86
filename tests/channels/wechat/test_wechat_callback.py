"""The platform's calls: who signed them, whether they are fresh, and what they say."""

from __future__ import annotations

import base64
import os
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import Accepted
from channels.wechat import WeChat
from channels.wechat.callback import Callback
from channels.wechat.crypto import BadMessage, decrypt, encrypt, key_of, signature
from channels.wechat.platform_events import Line
from tests.channels.wechat.conftest import Bench
from tests.clock import FixedClock

TOKEN = "loopback-callback-token"
APPID = "wx00000000loopback"
AES_KEY = base64.b64encode(bytes(range(32))).decode().rstrip("=")
PUBLISHED = """<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[o1]]></FromUserName><CreateTime>1795309200</CreateTime>
<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{name}]]></Event><PublishEventInfo><publish_id> 2247503051
</publish_id><publish_status>0</publish_status><article_id><![CDATA[b5O2OUs25HBxRceL7hfReg-U9QGeq9zQjiDvy
]]></article_id><article_detail><count>1</count><item><idx>1</idx><article_url><![CDATA[ARTICLE_URL]]></article_url></item>
<item><idx>2</idx><article_url><![CDATA[ARTICLE_URL_2]]></article_url></item></article_detail>
<fail_idx>1</fail_idx><fail_idx>2</fail_idx></PublishEventInfo></xml>"""
SENT = """<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName><CreateTime>1795309200</CreateTime><MsgType>event</MsgType>
<Event>MASSSENDJOBFINISH</Event><MsgID>1000001625</MsgID><Status><![CDATA[err(20001)]]></Status><ArticleUrlResult><Count>1</Count><ResultList>
<item><ArticleIdx>1</ArticleIdx><ArticleUrl><![CDATA[https://mp.weixin.qq.com/s/x]]></ArticleUrl></item></ResultList></ArticleUrlResult></xml>"""


def receiver(aes_key: str = "", original_id: str = "") -> Callback:
    return Callback(TOKEN, aes_key, APPID, original_id, 900)


def call(xml: str, now: datetime, aes_key: str = "", token: str = TOKEN, appid: str = APPID) -> tuple[dict[str, str], bytes]:
    address, body = Line("http://127.0.0.1/x", token, appid, aes_key).sealed(xml, now.timestamp())
    return dict(parse_qsl(urlsplit(address).query)), body


@pytest.mark.parametrize("name", ["PUBLISHJOBFINISH", "FREEPUBLISHJOBFINISH"])
@pytest.mark.parametrize("aes_key", ["", AES_KEY])
def test_a_finished_publication_is_a_hint_to_look(fixed_clock: FixedClock, aes_key: str, name: str) -> None:
    now = fixed_clock()
    status, media_type, text, events = receiver(aes_key).answer("POST", *call(PUBLISHED.format(name=name), now, aes_key), now)
    assert (status, text) == (200, "success")
    assert media_type.startswith("text/plain")
    (event,) = events
    assert event.match == {"publish_id": "2247503051"}
    assert event.outcome == Accepted({"publish_id": "2247503051"}, timedelta(0))


def test_a_finished_mass_send_tells_address_and_reason(fixed_clock: FixedClock) -> None:
    (event,) = receiver().answer("POST", *call(SENT, fixed_clock()), fixed_clock())[3]
    assert event.match == {"msg_id": "1000001625"}
    assert isinstance(event.outcome, Accepted)
    assert event.outcome.ref == {"msg_id": "1000001625", "mass_status": "err(20001)", "url": "https://mp.weixin.qq.com/s/x"}


def test_three_deliveries_are_one_event(fixed_clock: FixedClock) -> None:
    digests = set()
    for _ in range(3):
        fixed_clock.advance(seconds=5)
        calls = call(PUBLISHED.format(name="PUBLISHJOBFINISH"), fixed_clock(), AES_KEY)
        digests.add(receiver(AES_KEY).answer("POST", *calls, fixed_clock())[3][0].digest)
    assert len(digests) == 1
    other = call(SENT, fixed_clock(), AES_KEY)
    assert receiver(AES_KEY).answer("POST", *other, fixed_clock())[3][0].digest not in digests


def test_the_address_check_answers_the_echo(fixed_clock: FixedClock) -> None:
    query, _ = call("", fixed_clock())
    assert receiver().answer("GET", {**query, "echostr": "7531"}, b"", fixed_clock()) == (200, "text/plain; charset=utf-8", "7531", ())
    assert receiver().answer("GET", {**query, "nonce": "x", "echostr": "7531"}, b"", fixed_clock())[0] == 403


@pytest.mark.parametrize("aes_key", ["", AES_KEY])
@pytest.mark.parametrize("seconds", [-901, 901])
def test_stale_calls_are_refused(fixed_clock: FixedClock, seconds: int, aes_key: str) -> None:
    calls = call(SENT, fixed_clock() + timedelta(seconds=seconds), aes_key)
    status, _, _, events = receiver(aes_key).answer("POST", *calls, fixed_clock())
    assert (status, events) == (403, ())


def test_wrong_hands_are_refused(fixed_clock: FixedClock) -> None:
    now = fixed_clock()
    other_key = base64.b64encode(os.urandom(32)).decode().rstrip("=")
    for receiving, calls in (
        (receiver(), call(SENT, now, token="other")),
        (receiver(AES_KEY), call(SENT, now, AES_KEY, token="other")),
        (receiver(AES_KEY), call(SENT, now, other_key)),
        (receiver(AES_KEY), call(SENT, now, AES_KEY, appid="wx-other")),
        (receiver(AES_KEY), call(SENT, now)),  # plain, where encryption was agreed
        (receiver(), call(SENT, now, AES_KEY)),
        (receiver(original_id="gh_2"), call(SENT, now)),
        (Callback("", "", APPID, "", 900), call(SENT, now)),
        (receiver(), ({}, b"")),
    ):
        status, _, _, events = receiving.answer("POST", *calls, now)
        assert (status, events) == (403, ())
    query, body = call(SENT, now, AES_KEY)
    assert receiver(AES_KEY).answer("POST", {**query, "msg_signature": signature("x")}, body, now)[0] == 403


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "no xml",
        "<xml>",
        '<!DOCTYPE x [<!ENTITY a "b">]><xml><Event>&a;</Event></xml>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><xml/>',
    ],
)
@pytest.mark.parametrize("aes_key", ["", AES_KEY])
def test_damaged_or_clever_xml_is_refused(fixed_clock: FixedClock, xml: str, aes_key: str) -> None:
    status, _, _, events = receiver(aes_key).answer("POST", *call(xml, fixed_clock(), aes_key), fixed_clock())
    assert (status, events) == (400, ())


@pytest.mark.parametrize(
    "xml",
    [
        "<xml><MsgType>text</MsgType><Content>你好</Content></xml>",
        "<xml><MsgType>event</MsgType><Event>subscribe</Event></xml>",
        "<xml><MsgType>event</MsgType><Event>PUBLISHJOBFINISH</Event></xml>",
        "<xml><MsgType>event</MsgType><Event>MASSSENDJOBFINISH</Event></xml>",
    ],
)
def test_other_messages_are_taken_and_mean_nothing(fixed_clock: FixedClock, xml: str) -> None:
    assert receiver().answer("POST", *call(xml, fixed_clock()), fixed_clock())[::2] == (200, "success")


def test_a_message_too_large_is_refused(fixed_clock: FixedClock) -> None:
    query, _ = call("", fixed_clock())
    assert receiver().answer("POST", query, b" " * 1_048_577, fixed_clock())[0] == 413


@given(st.binary(max_size=300), st.binary(min_size=16, max_size=16))
def test_what_is_sealed_can_be_opened(message: bytes, noise: bytes) -> None:
    key = key_of(AES_KEY)
    sealed = encrypt(message, key, APPID, noise)
    assert len(base64.b64decode(sealed)) % 32 == 0
    assert decrypt(sealed, key, APPID) == message


@given(st.binary(max_size=200))
def test_anything_else_is_a_bad_message(data: bytes) -> None:
    with pytest.raises(BadMessage):
        decrypt(base64.b64encode(data).decode(), key_of(AES_KEY), APPID)


def test_the_signature_is_the_documented_one() -> None:
    # SHA-1 of the sorted parts run together: "1409659589" "263014780" "token".
    assert signature("token", "1409659589", "263014780") == "a83561230f657434ed17865ce9dbacbd1601fe6e"


def test_through_the_channel(bench: Bench) -> None:
    channel = bench.channel(aes_key=AES_KEY)
    assert isinstance(channel, WeChat)
    calls = call(SENT, bench.clock(), AES_KEY)
    assert channel.answer("POST", *calls, bench.clock())[3][0].match == {"msg_id": "1000001625"}
    assert replace(bench.account(aes_key=AES_KEY), name="x").secrets["aes_key"] not in repr(bench.account(aes_key=AES_KEY))
