"""Pictures, the token that all workers share, and settings that are wrong."""

from __future__ import annotations

import io
import random
import threading
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image
from redis import Redis

from channels.base import Account, Outcome, RefusalClass, Refused, Unavailable
from channels.cache import MemoryCache, RedisCache
from channels.wechat import create
from channels.wechat.client import Client, Problem, gives
from channels.wechat.media import IMAGE_BYTES, fit, place
from channels.wechat.publish import client_message_id
from channels.wechat.settings import read_settings
from channels.wechat.token import Tokens
from tests.channels.hubloop import live
from tests.channels.samples import a_picture, image
from tests.channels.wechat.conftest import Bench

AS_IS = {"JPEG": ("jpg", "image/jpeg"), "PNG": ("png", "image/png")}


def noise(kind: str, size: tuple[int, int] = (700, 500), mode: str = "RGB") -> bytes:
    depth = {"RGB": 3, "RGBA": 4}[mode]
    picture = Image.frombytes(mode, size, random.Random(7).randbytes(size[0] * size[1] * depth))
    out = io.BytesIO()
    picture.save(out, kind, quality=100) if kind in ("JPEG", "WEBP") else picture.save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_small_picture_is_sent_untouched(kind: str) -> None:
    data = image(kind)
    assert fit(data, AS_IS, IMAGE_BYTES) == (*AS_IS[kind], data)


@pytest.mark.parametrize(("data", "suffix"), [(image("GIF"), "png"), (image("BMP"), "png"), (image("WEBP"), "jpg")])
def test_other_kinds_are_converted(data: bytes, suffix: str) -> None:
    done = fit(data, AS_IS, IMAGE_BYTES)
    assert done[0] == suffix
    assert done == fit(data, AS_IS, IMAGE_BYTES)
    with Image.open(io.BytesIO(done[2])) as picture:
        assert picture.size == (90, 60)


@pytest.mark.parametrize("data", [noise("PNG"), noise("PNG", mode="RGBA"), noise("JPEG", (900, 800)), noise("BMP")])
def test_a_large_picture_is_made_small_enough(data: bytes) -> None:
    assert len(data) > IMAGE_BYTES
    suffix, media_type, fitted = fit(data, AS_IS, IMAGE_BYTES)
    assert (suffix, media_type) == ("jpg", "image/jpeg")
    assert len(fitted) < IMAGE_BYTES


def test_what_is_no_picture_is_refused_with_a_name(bench: Bench) -> None:
    picture = a_picture(bench.around.files, b"<svg/>")  # type: ignore[arg-type]
    delivery = bench.delivery(body_html=f'<img src="file:{picture.file.sha256}" alt="">', pictures=(picture,), cover=picture.file.sha256)
    outcome = delivery.send()
    assert isinstance(outcome, Refused)
    assert "无法读取" in outcome.reason


def test_only_uploaded_pictures_are_placed() -> None:
    sha = "a" * 64
    content = f'<p>一<img src="file:{sha}" alt="src=&quot;file:{sha}&quot;"></p>'
    placed = place(content, {sha: "https://mmbiz.qpic.cn/x?a=1&wx_fmt=png"})
    assert placed is not None
    assert 'src="https://mmbiz.qpic.cn/x?a=1&amp;wx_fmt=png"' in placed
    assert place(content, {}) is None
    assert place('<img src="https://a.example/1.png">', {}) is None
    assert place("<p>无图</p>", {}) == "<p>无图</p>"


def test_large_pictures_reach_the_platform(bench: Bench) -> None:
    picture = a_picture(bench.around.files, noise("PNG"))  # type: ignore[arg-type]
    live(bench.delivery(body_html=f'<img src="file:{picture.file.sha256}" alt="图">', pictures=(picture,)).run())
    ((_, kind, _),) = bench.platform.desk.store.newest("image")
    assert kind["type"] == "image/jpeg"


def test_two_threads_ask_for_one_token(bench: Bench) -> None:
    gate = threading.Barrier(2)
    problems: list[Any] = []

    def count() -> None:
        client = Client(bench.account(), read_settings(bench.account()), bench.around.cache, bench.clock)
        gate.wait()
        problems.append(client.get("/cgi-bin/draft/count", "查询草稿数"))

    threads = [threading.Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(isinstance(p, dict) for p in problems)
    assert bench.calls("/cgi-bin/stable_token") == 1


def test_two_threads_with_one_dead_token_renew_it_once(bench: Bench) -> None:
    live(bench.delivery().run())
    bench.platform.kill_tokens()
    before = bench.calls("/cgi-bin/stable_token")
    gate = threading.Barrier(2)

    def count() -> None:
        client = Client(bench.account(), read_settings(bench.account()), bench.around.cache, bench.clock)
        gate.wait()
        assert isinstance(client.get("/cgi-bin/draft/count", "查询草稿数"), dict)

    threads = [threading.Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bench.calls("/cgi-bin/stable_token") == before + 1


def test_an_expired_token_is_renewed(bench: Bench) -> None:
    live(bench.delivery().run())
    bench.clock.advance(hours=3)
    live(bench.delivery(public_id="2026-2").run())
    assert bench.calls("/cgi-bin/stable_token") == 2


def test_a_refused_fetch_is_passed_on_and_not_kept() -> None:
    answers: list[tuple[str, int] | Outcome] = [Unavailable("忙"), ("t" * 600, 7200), ("later", 7200)]
    tokens = Tokens(MemoryCache(), "k", lambda: answers.pop(0))
    assert tokens.get() == Unavailable("忙")
    assert tokens.get() == "t" * 600
    assert tokens.get() == "t" * 600
    assert tokens.replace("t" * 600) == "later"
    assert tokens.replace("t" * 600) == "later"


def test_the_dedup_key_is_the_delivery_s_own() -> None:
    assert client_message_id("2026-000312.1.wechat.publish") == "2026-000312.1.wechat.publish"
    assert client_message_id("k" * 64) == "k" * 64
    assert len(client_message_id("k" * 64, 1)) == 64
    assert client_message_id("k" * 64, 1) != client_message_id("k" * 64, 2)
    assert len(client_message_id("长" * 30)) == 64


def test_ids_come_as_numbers_or_text() -> None:
    assert gives({"publish_id": 2247503051}, "publish_id", "") == "2247503051"
    assert gives({"publish_id": " 1\n"}, "publish_id", "") == "1"
    for bad in ({}, {"publish_id": ""}, {"publish_id": None}, {"publish_id": True}, {"publish_id": []}):
        assert isinstance(gives(bad, "publish_id", "发布"), Problem)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"settings": {}}, "缺少设置 appid"),
        ({"settings": {"appid": "a", "mode": "public"}}, "设置 mode 应为 draft、publish 或 mass"),
        ({"settings": {"appid": "a", "tittle_limit": 3}}, "不认识的设置 tittle_limit"),
        ({"settings": {"appid": "a", "title_limit": "32"}}, "设置 title_limit 应为整数"),
        ({"settings": {"appid": "a", "replace_on_correction": 1}}, "应为true 或 false"),
        ({"settings": {"appid": "a", "time_scale": -1}}, "time_scale 不能小于 0"),
        ({"secrets": {}}, "缺少密钥 app_secret"),
        ({"secrets": {"app_secret": "s", "aes_key": "short"}}, "EncodingAESKey）应为 43 个字符，现为 5 个"),
        ({"api_base": "api.weixin.qq.com"}, "api_base 应为完整地址"),
    ],
)
def test_wrong_settings_name_account_and_remedy(bench: Bench, change: dict[str, Any], says: str) -> None:
    good = Account("云川发布", "wechat", "http://127.0.0.1:1", {"appid": "a"}, {"app_secret": "s"})
    with pytest.raises(ValueError, match="渠道账号“云川发布”") as caught:
        create(replace(good, **change), bench.around)
    assert says in str(caught.value)


def test_an_address_that_is_none_stops_the_account(bench: Bench) -> None:
    account = replace(bench.account(), api_base="http://:80:x")
    outcome = create(account, bench.around).push(bench.delivery().rendition, bench.delivery().job())
    assert isinstance(outcome, Refused)
    assert outcome.kind is RefusalClass.PERMISSION


def test_workers_share_a_token_through_redis(bench: Bench, redis_url: str) -> None:
    gate = threading.Barrier(3)

    def count() -> None:
        with Redis.from_url(redis_url) as connection:
            client = Client(bench.account(), read_settings(bench.account()), RedisCache(connection), bench.clock)
            gate.wait()
            assert isinstance(client.get("/cgi-bin/draft/count", "查询草稿数"), dict)

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bench.calls("/cgi-bin/stable_token") == 1
    assert bench.calls("/cgi-bin/draft/count") == 3
