"""The loopback platform is as strict as the contract, remembers, calls back, and shows readers a tidy page."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from channels.loopback import serving
from channels.wechat.callback import Callback
from channels.wechat.platform import WeChatPlatform
from channels.wechat.platform_state import DEFAULT_APPID, DEFAULT_CALLBACK_TOKEN, DEFAULT_SECRET, Knobs
from tests.channels.hubloop import live
from tests.channels.samples import image
from tests.channels.wechat.conftest import Bench
from tests.waiting import wait_until

AES_KEY = "a" * 42 + "E"


class Caller:
    """Speaks to the platform without the adapter."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.token = self.post(
            "stable_token", {"grant_type": "client_credential", "appid": DEFAULT_APPID, "secret": DEFAULT_SECRET}, bare=True
        )["access_token"]

    def raw(self, path: str, data: bytes | None = None, *, bare: bool = False, method: str = "POST", **more: Any) -> dict[str, Any]:
        params = {**({} if bare else {"access_token": self.token}), **more.pop("params", {})}
        answer = self.session.request(method, f"{self.url}/cgi-bin/{path}", params=params, data=data, timeout=5, **more)
        assert answer.status_code == 200
        value = json.loads(answer.content.decode("utf-8"))
        assert isinstance(value, dict)
        return value

    def post(self, path: str, body: dict[str, Any], *, bare: bool = False) -> dict[str, Any]:
        return self.raw(path, json.dumps(body, ensure_ascii=False).encode(), bare=bare)

    def image(self, data: bytes, name: str = "a.png", path: str = "media/uploadimg", **params: str) -> dict[str, Any]:
        return self.raw(path, files={"media": (name, data, "image/png")}, params=params)


@pytest.fixture
def caller(bench: Bench) -> Iterator[Caller]:
    caller = Caller(bench.server.url)
    yield caller
    caller.session.close()


def an_article(caller: Caller, **more: Any) -> dict[str, Any]:
    thumb = caller.image(image(), path="material/add_material", type="image")["media_id"]
    return {"title": "标题", "content": "<p>正文</p>", "thumb_media_id": thumb, "content_source_url": "https://a.example/", **more}


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"title": "题" * 33}, 45003),
        ({"title": ""}, 45003),
        ({"author": "者" * 17}, 45110),
        ({"digest": "要" * 129}, 45004),
        ({"content": "文" * 20_000}, 45002),
        ({"content": ""}, 44003),
        ({"content": '<a href="https://a.example">x</a>'}, 45166),
        ({"content_source_url": "https://a.example/" + "a" * 1024}, 41039),
        ({"thumb_media_id": "none"}, 40007),
        ({"need_open_comment": 2}, 88000),
    ],
)
def test_articles_are_checked(caller: Caller, more: dict[str, Any], code: int) -> None:
    assert caller.post("draft/add", {"articles": [an_article(caller, **more)]})["errcode"] == code


def test_drafts_are_kept_changed_listed_and_deleted(caller: Caller) -> None:
    article = an_article(caller)
    assert caller.post("draft/add", {"articles": [article] * 9})["errcode"] == 45008
    added = caller.post("draft/add", {"articles": [article]})
    assert "errcode" not in added
    media_id = added["media_id"]
    assert caller.post("draft/update", {"media_id": media_id, "index": 0, "articles": [article]})["errcode"] == 47001
    assert caller.post("draft/update", {"media_id": media_id, "index": 3, "articles": article})["errcode"] == 40114
    assert caller.post("draft/update", {"media_id": media_id, "index": 0, "articles": {**article, "title": "新题"}})["errcode"] == 0
    assert caller.post("draft/get", {"media_id": media_id})["news_item"][0]["title"] == "新题"
    assert caller.raw("draft/count", method="GET") == {"total_count": 1}
    listed = caller.post("draft/batchget", {"offset": 0, "count": 20, "no_content": 1})
    assert (listed["total_count"], listed["item"][0]["media_id"]) == (1, media_id)
    assert "content" not in listed["item"][0]["content"]["news_item"][0]
    assert caller.post("draft/batchget", {"offset": 0, "count": 21})["errcode"] == 40097
    assert caller.post("draft/delete", {"media_id": media_id})["errcode"] == 0
    assert caller.post("draft/get", {"media_id": media_id})["errcode"] == 40007


def test_escapes_and_broken_bodies_are_refused(caller: Caller) -> None:
    assert caller.raw("draft/add", json.dumps({"articles": ["标"]}).encode())["errcode"] == 40033
    assert caller.raw("draft/add", b"{")["errcode"] == 47001
    assert caller.raw("draft/add", method="GET")["errcode"] == 43002
    assert caller.post("no/such/call", {})["errcode"] == 40066


def test_foreign_pictures_and_scripts_vanish_without_a_word(caller: Caller) -> None:
    own = caller.image(image())["url"]
    content = f'<p onclick="x()">一</p><img src="https://a.example/1.png"><img src="{own}"><script>alert(1)</script>'
    media_id = caller.post("draft/add", {"articles": [an_article(caller, content=content)]})["media_id"]
    assert caller.post("draft/get", {"media_id": media_id})["news_item"][0]["content"] == f'<p>一</p><img src="{own}">'


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "a.png", 44001),
        (image(), "a.gif", 40005),
        (b"text", "a.png", 40137),
        (image(), "图.png", 41005),
        (image() + b"0" * 1_048_576, "a.png", 40009),
    ],
)
def test_pictures_are_checked(caller: Caller, data: bytes, name: str, code: int) -> None:
    assert caller.image(data, name)["errcode"] == code


def test_tokens(bench: Bench, caller: Caller) -> None:
    ask = {"grant_type": "client_credential", "appid": DEFAULT_APPID, "secret": DEFAULT_SECRET}
    assert caller.post("stable_token", ask, bare=True)["access_token"] == caller.token
    bench.clock.advance(seconds=7000)
    renewed = caller.post("stable_token", ask, bare=True)
    assert renewed["access_token"] != caller.token
    assert caller.raw("draft/count", method="GET") == {"total_count": 0}  # both work for a while
    bench.clock.advance(seconds=301)
    assert caller.raw("draft/count", method="GET")["errcode"] == 42001
    forced = caller.post("stable_token", {**ask, "force_refresh": True}, bare=True)["access_token"]
    caller.token = renewed["access_token"]
    assert caller.raw("draft/count", method="GET")["errcode"] == 40001
    assert caller.raw("draft/count", method="GET", bare=True)["errcode"] == 41001
    assert caller.post("stable_token", {**ask, "force_refresh": True}, bare=True)["access_token"] == forced
    for change, code in (
        ({"appid": ""}, 41002),
        ({"appid": "x"}, 40013),
        ({"secret": ""}, 41004),
        ({"secret": "x"}, 40125),
        ({"grant_type": ""}, 40002),
    ):
        assert caller.post("stable_token", {**ask, **change}, bare=True)["errcode"] == code
    plain = caller.raw("token", method="GET", bare=True, params=ask)["access_token"]
    assert plain not in (forced, caller.token)


def test_publishing_numbers_and_quotas(bench: Bench, caller: Caller) -> None:
    bench.platform.knobs.quotas["/cgi-bin/freepublish/get"] = 2
    media_id = caller.post("draft/add", {"articles": [an_article(caller)]})["media_id"]
    answer = caller.post("freepublish/submit", {"media_id": media_id})
    assert isinstance(answer["publish_id"], int)
    assert caller.post("freepublish/submit", {"media_id": media_id})["errcode"] == 40007
    assert caller.post("freepublish/get", {"publish_id": str(answer["publish_id"])})["publish_status"] == 1
    bench.clock.advance(seconds=20)
    done = caller.post("freepublish/get", {"publish_id": answer["publish_id"]})
    assert done["publish_status"] == 0
    assert caller.post("freepublish/get", {"publish_id": answer["publish_id"]})["errcode"] == 45009
    bench.clock.advance(days=1)
    assert caller.post("freepublish/get", {"publish_id": 1})["errcode"] in (53502, 42001)


def test_mass_send_knows_its_key(bench: Bench, caller: Caller) -> None:
    def send(media_id: str, key: str) -> dict[str, Any]:
        body = {
            "filter": {"is_to_all": True},
            "mpnews": {"media_id": media_id},
            "msgtype": "mpnews",
            "send_ignore_reprint": 0,
            "clientmsgid": key,
        }
        return caller.post("message/mass/sendall", body)

    bench.platform.knobs.mass_per_day = 1
    first, second = (caller.post("draft/add", {"articles": [an_article(caller)]})["media_id"] for _ in range(2))
    sent = send(first, "key-1")
    assert send(first, "key-1")["errcode"] == 45066
    bench.clock.advance(seconds=2)
    again = send(first, "key-1")
    assert (again["errcode"], again["msg_id"]) == (45065, sent["msg_id"])
    assert send(second, "key-2")["errcode"] == 45028
    assert send(second, "k" * 65)["errcode"] == 45067


def test_control_calls(bench: Bench) -> None:
    live(bench.delivery().run())
    url = bench.server.url
    assert requests.post(f"{url}/_control/knobs", json={"brakes": 2, "quotas": {"x": 1}}, timeout=5).json() == {
        "turned": ["brakes", "quotas"]
    }
    assert bench.platform.knobs.quotas["/cgi-bin/draft/add"] == 1000
    assert requests.post(f"{url}/_control/knobs", json={"nonsense": 2}, timeout=5).status_code == 400
    state = requests.get(f"{url}/_control/state", timeout=5).json()
    article = state["articles"][0]["id"]
    assert "招聘公告" in requests.get(f"{url}/s/{article}", timeout=5).text
    assert requests.post(f"{url}/_control/articles/{article}", json={"status": 5}, timeout=5).json() == {"done": True}
    assert requests.post(f"{url}/_control/articles/none", json={"status": 5}, timeout=5).status_code == 404
    gone = requests.get(f"{url}/s/{article}", timeout=5)
    assert gone.status_code == 404
    assert "该内容已被发布者删除" in gone.text
    assert "该内容已被发布者删除" in requests.get(f"{url}/", timeout=5).text


def test_the_page_shows_feed_article_and_drafts(bench: Bench) -> None:
    live(bench.delivery(title="甲<乙>公告").run())
    live(bench.delivery(bench.channel(mode="draft"), public_id="2", title="待发草稿").run())
    feed = requests.get(bench.server.url, timeout=5)
    assert "甲&lt;乙&gt;公告" in feed.text
    assert "草稿箱（1 篇" in feed.text
    assert "待发草稿" in feed.text
    assert "default-src 'none'" in feed.headers["Content-Security-Policy"]
    assert 'src="http' not in feed.text
    assert 'href="https://www.yunchuan.example/items/2026-000312/">阅读原文' in feed.text
    cover = feed.text.split('src="')[1].split('"')[0]
    assert requests.get(bench.server.url + cover, timeout=5).headers["Content-Type"] == "image/png"
    article = requests.get(bench.server.url + feed.text.split('href="')[1].split('"')[0], timeout=5).text
    assert 'href="https://www.yunchuan.example/items/2026-000312/">阅读原文' in article
    for path in ("/s/none", "/draft/none", "/mmbiz/none.png", "/nowhere"):
        assert requests.get(bench.server.url + path, timeout=5).status_code == 404


def test_state_survives_a_restart(bench: Bench, tmp_path: Path) -> None:
    state = str(tmp_path / "state.db")
    clock = lambda: bench.clock().timestamp()  # noqa: E731
    old = WeChatPlatform(state, clock=clock, knobs=Knobs(publish_delay=20))
    with serving(old) as bench.server:
        delivery = bench.delivery()
        delivery.send()
    old.stop()
    new = WeChatPlatform(state, clock=clock)
    with serving(new) as bench.server:
        delivery.channel = bench.channel()
        live(delivery.settle(delivery.look()))
    assert len(new.holdings()["articles"]) == 1
    new.stop()


class _Hub(BaseHTTPRequestHandler):
    """A hub that fails once, then takes events as the real one does."""

    received: list[tuple[int, tuple[Any, ...]]]
    paths: list[str]
    callback: Callback

    def do_POST(self) -> None:
        from datetime import UTC, datetime

        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.paths.append(urlsplit(self.path).path)
        status, _, text, events = self.callback.answer("POST", dict(parse_qsl(urlsplit(self.path).query)), body, datetime.now(UTC))
        self.received.append((status, events))
        if len(self.received) == 1:
            status, text = 500, "later"
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""


@pytest.mark.parametrize("aes_key", ["", AES_KEY])
def test_a_process_of_its_own_calls_the_hub_back(tmp_path: Path, aes_key: str) -> None:
    hub_class = type(
        "Hub", (_Hub,), {"received": [], "paths": [], "callback": Callback(DEFAULT_CALLBACK_TOKEN, aes_key, DEFAULT_APPID, "", 900)}
    )
    hub = HTTPServer(("127.0.0.1", 0), hub_class)
    thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = [
        "--port",
        str(port),
        "--state",
        str(tmp_path / "s.db"),
        "--hub",
        f"http://127.0.0.1:{hub.server_port}",
        "--account",
        "yunchuan",
    ]
    command = [sys.executable, "-m", "channels.wechat.platform", *flags, "--publish-delay", "0.05", "--aes-key", aes_key]
    process = subprocess.Popen(command)
    try:
        wait_until(lambda: answers(port), what="the platform answers")
        caller = Caller(f"http://127.0.0.1:{port}")
        media_id = caller.post("draft/add", {"articles": [an_article(caller)]})["media_id"]
        publish_id = caller.post("freepublish/submit", {"media_id": media_id})["publish_id"]
        wait_until(lambda: len(hub_class.received) == 2, what="two deliveries")
        caller.session.close()
    finally:
        process.terminate()
        process.wait()
        hub.shutdown()
        thread.join()
        hub.server_close()
    first, second = hub_class.received
    assert first == second
    assert first[0] == 200
    assert first[1][0].match == {"publish_id": str(publish_id)}
    assert set(hub_class.paths) == {"/callbacks/yunchuan"}


def answers(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0
