"""A loopback WeChat platform: ``python -m channels.wechat.platform --port N --state FILE --hub URL``.

It speaks the contract of the real one as strictly as it is known, forgets nothing across restarts (``--state``), and
shows what a follower sees at ``/``. Beyond the control calls of ``channels.loopback``:

    POST /_control/knobs            {"publish_delay": 5, "freepublish": false, "quotas": {"/cgi-bin/…": 3}, …}
    POST /_control/articles/{id}    {"status": 5}    deleted by its author (5), banned (6), shown (0)
    GET  /_control/state            {"drafts": …, "articles": …}
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from channels.loopback import Fault, LoopbackServer, Platform, Reply, Request
from channels.wechat import platform_drafts as drafts
from channels.wechat import platform_jobs as jobs
from channels.wechat.errors import BEIJING
from channels.wechat.platform_events import Line, Messenger
from channels.wechat.platform_page import page
from channels.wechat.platform_state import DEFAULT_APPID, DEFAULT_CALLBACK_TOKEN, DEFAULT_SECRET, Desk, Knobs, Refusal, Store

OVERLAP = 300
"""Seconds in which an old and a new token both work."""
_ESCAPED = re.compile(rb"\\u[0-9a-fA-F]{4}")
_TOKEN_CALLS = ("/cgi-bin/stable_token", "/cgi-bin/token")

_Handler = Callable[[Desk, dict[str, Any]], dict[str, Any]]
_POSTS: dict[str, _Handler] = {
    "/cgi-bin/draft/add": drafts.draft_add,
    "/cgi-bin/draft/update": drafts.draft_update,
    "/cgi-bin/draft/get": drafts.draft_get,
    "/cgi-bin/draft/delete": drafts.draft_delete,
    "/cgi-bin/draft/batchget": lambda desk, asked: drafts.listing(desk, asked, "draft", "media_id"),
    "/cgi-bin/freepublish/submit": jobs.submit,
    "/cgi-bin/freepublish/get": jobs.publish_result,
    "/cgi-bin/freepublish/delete": jobs.article_delete,
    "/cgi-bin/freepublish/getarticle": jobs.article_get,
    "/cgi-bin/freepublish/batchget": jobs.article_list,
    "/cgi-bin/message/mass/get": jobs.mass_get,
    "/cgi-bin/message/mass/delete": jobs.mass_delete,
}
_UPLOADS = {"/cgi-bin/media/uploadimg": drafts.upload_image, "/cgi-bin/material/add_material": drafts.add_material}


class WeChatPlatform(Platform):
    """One Official Account on the loopback platform."""

    name = "wechat"

    def __init__(
        self,
        state: str = ":memory:",
        *,
        appid: str = DEFAULT_APPID,
        secret: str = DEFAULT_SECRET,
        hub: str = "",
        account: str = "wechat",
        callback_token: str = DEFAULT_CALLBACK_TOKEN,
        aes_key: str = "",
        knobs: Knobs | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(clock=clock)
        self.appid = appid
        self.secret = secret
        self.desk = Desk(Store(state), knobs or Knobs(), clock)
        line = Line(f"{hub.rstrip('/')}/callbacks/{account}", callback_token, appid, aes_key) if hub else None
        self.messenger = Messenger(self.tick, line, clock)
        jobs.reload(self.desk)

    @property
    def knobs(self) -> Knobs:
        return self.desk.knobs

    def start(self) -> None:
        """Let jobs finish and events leave without anybody calling."""
        self.messenger.start()

    def stop(self) -> None:
        self.messenger.stop()
        self.desk.store.close()

    def tick(self) -> tuple[list[str], float | None]:
        """Decide what is ready; (events to deliver, seconds until the next job)."""
        with self.lock:
            jobs.settle(self.desk)
            events, self.desk.outbox = self.desk.outbox, []
            wait = max(0.01, self.desk.pending[0][0] - self.clock()) if self.desk.pending else None
        return events, wait

    def handle(self, request: Request) -> Reply:
        self.desk.base = f"http://{request.headers.get('host', '127.0.0.1')}"
        jobs.settle(self.desk)
        if not request.path.startswith("/cgi-bin/"):
            return page(self.desk, request)
        try:
            answer = self._answer(request)
        except Refusal as refusal:
            answer = {**self._error(refusal.code, refusal.message), **refusal.more}
        self.messenger.wake()
        # Listings come without a usable charset, as from the real servers.
        bare = request.path.endswith(("batchget", "draft/get"))
        body = json.dumps(answer, ensure_ascii=False).encode()
        return Reply(200, body, "text/plain" if bare else "application/json; encoding=utf-8")

    def business_error(self, request: Request, fault: Fault) -> Reply:
        return Reply.json(self._error(fault.code, fault.message or "planned fault"))

    def kill_tokens(self) -> None:
        self.desk.store.drop_all("token")

    def _error(self, code: int, message: str) -> dict[str, Any]:
        return {
            "errcode": code,
            "errmsg": f"{message or 'error'} rid: {secrets.token_hex(4)}-{secrets.token_hex(4)}-{secrets.token_hex(4)}",
        }

    def _answer(self, request: Request) -> dict[str, Any]:
        path = request.path
        if path in _TOKEN_CALLS:
            return self._token_call(request)
        self._check_token(request)
        self._count(path)
        if path in _UPLOADS:
            return _UPLOADS[path](self.desk, request)
        if path == "/cgi-bin/draft/count":
            return drafts.draft_count(self.desk)
        asked = self._asked(request)
        if path in _POSTS:
            return _POSTS[path](self.desk, asked)
        if path == "/cgi-bin/message/mass/sendall":
            self._per_minute(path, 60)
            return jobs.send_all(self.desk, asked, self._day())
        if path == "/cgi-bin/openapi/quota/get":
            return self._quota(str(asked.get("cgi_path", "")))
        raise Refusal(40066, "invalid url")

    def _asked(self, request: Request) -> dict[str, Any]:
        if request.method != "POST":
            raise Refusal(43002, "require POST method")
        if _ESCAPED.search(request.body):
            raise Refusal(40033, "invalid charset, has \\uxxxx")
        try:
            asked = json.loads(request.body.decode("utf-8"))
        except (UnicodeDecodeError, ValueError):
            raise Refusal(47001, "data format error") from None
        if not isinstance(asked, dict):
            raise Refusal(47001, "data format error")
        return asked

    # tokens (wechat.md §1)
    def _token_call(self, request: Request) -> dict[str, Any]:
        stable = request.path.endswith("stable_token")
        asked = self._asked(request) if stable else dict(request.query)
        if self.knobs.refuse_ip:
            raise Refusal(40164, "invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist")
        for field, missing, wrong, right in (("appid", 41002, 40013, self.appid), ("secret", 41004, 40125, self.secret)):
            given = str(asked.get(field) or "")
            if not given:
                raise Refusal(missing, f"{field} missing")
            if not secrets.compare_digest(given.encode(), right.encode()):
                raise Refusal(wrong, f"invalid {field}")
        if asked.get("grant_type") != "client_credential":
            raise Refusal(40002, "invalid grant_type")
        self._count(request.path)
        return self._stable_token(asked.get("force_refresh") is True) if stable else self._issue("plain", keep_old=True)

    def _stable_token(self, force: bool) -> dict[str, Any]:
        now = self.clock()
        current = next(((k, b) for k, b, _ in self.desk.store.newest("token") if b["mode"] == "stable" and not b.get("old")), None)
        if force and (current is None or now - current[1]["issued"] >= 30):
            self._count("force_refresh", 20)
            if current:
                self.desk.store.drop("token", current[0])
            return self._issue("stable", keep_old=False)
        if current and current[1]["ends"] - now > OVERLAP:
            return {"access_token": current[0], "expires_in": int(current[1]["ends"] - now)}
        return self._issue("stable", keep_old=True)

    def _issue(self, mode: str, *, keep_old: bool) -> dict[str, Any]:
        now = self.clock()
        for key, body, _ in self.desk.store.newest("token"):
            if body["mode"] == mode and keep_old:
                self.desk.store.put("token", key, {**body, "ends": min(body["ends"], now + OVERLAP), "old": True}, now - 1)
        token = secrets.token_urlsafe(96)
        self.desk.store.put("token", token, {"mode": mode, "issued": now, "ends": now + self.knobs.token_life}, now)
        return {"access_token": token, "expires_in": self.knobs.token_life}

    def _check_token(self, request: Request) -> None:
        token = request.query.get("access_token", "")
        if not token:
            raise Refusal(41001, "access_token missing")
        known = self.desk.store.get("token", token)
        if known is None:
            raise Refusal(40001, "invalid credential, access_token is invalid or not latest")
        if known["ends"] <= self.clock():
            raise Refusal(42001, "access_token expired")

    # quotas (wechat.md §6)
    def _day(self) -> str:
        return datetime.fromtimestamp(self.clock(), BEIJING).date().isoformat()

    def _count(self, path: str, limit: int | None = None) -> None:
        limit = self.knobs.quotas.get(path) if limit is None else limit
        if limit is None:
            return
        key = f"{self._day()} {path}"
        used = (self.desk.store.get("quota", key) or {"used": 0})["used"]
        if used >= limit:
            raise Refusal(45009, "reach max api daily quota limit")
        self.desk.store.put("quota", key, {"used": used + 1}, self.clock())

    def _per_minute(self, path: str, limit: int) -> None:
        minute = int(self.clock() // 60)
        key = f"{minute} {path}"
        used = (self.desk.store.get("minute", key) or {"used": 0})["used"]
        if used >= limit:
            raise Refusal(45011, "api minute-quota reach limit, must slower, retry next minute")
        self.desk.store.put("minute", key, {"used": used + 1}, self.clock())

    def _quota(self, path: str) -> dict[str, Any]:
        limit = self.knobs.quotas.get(path, 0)
        if "/freepublish/" in path and not self.knobs.freepublish:
            limit = 0
        used = (self.desk.store.get("quota", f"{self._day()} {path}") or {"used": 0})["used"]
        return {"errcode": 0, "errmsg": "ok", "quota": {"daily_limit": limit, "used": used, "remain": max(0, limit - used)}}

    # control calls
    def _control(self, request: Request) -> Reply:
        if request.path == "/_control/knobs" and request.method == "POST":
            return self._turn(json.loads(request.body))
        if request.path == "/_control/state":
            return Reply.json(self.holdings())
        found = re.fullmatch(r"/_control/articles/([\w-]+)", request.path)
        if found and request.method == "POST":
            done = jobs.set_status(self.desk, found[1], int(json.loads(request.body)["status"]))
            return Reply.json({"done": done}, 200 if done else 404)
        return super()._control(request)

    def _turn(self, asked: dict[str, Any]) -> Reply:
        for name, value in asked.items():
            if not hasattr(self.knobs, name):
                return Reply.json({"error": f"no such knob: {name}"}, 400)
            if name == "quotas":
                value = {**self.knobs.quotas, **value}
            setattr(self.knobs, name, value)
        return Reply.json({"turned": sorted(asked)})

    def holdings(self) -> dict[str, Any]:
        """What the account holds now, newest first: for tests and demonstrations."""
        store = self.desk.store
        with self.lock:
            jobs.settle(self.desk)
            return {
                "drafts": [
                    {"media_id": k, "title": b["news"][0]["title"], "url": b["news"][0]["content_source_url"]}
                    for k, b, _ in store.newest("draft")
                ],
                "articles": [
                    {"id": k, "via": via, "title": b["news"][0]["title"], "url": b["news"][0]["content_source_url"], "status": b["status"]}
                    for kind, via in (("article", "publish"), ("mass_article", "mass"))
                    for k, b, _ in store.newest(kind)
                ],
            }


def main() -> None:
    parser = argparse.ArgumentParser(description="Loopback WeChat platform")
    parser.add_argument("--port", type=int, default=8101)
    parser.add_argument("--state", default=":memory:", help="SQLite file that keeps the account (default: memory)")
    parser.add_argument("--hub", default="", help="address of the hub, whose /callbacks/ACCOUNT receives events")
    parser.add_argument("--account", default="wechat", help="name of the account in the hub's configuration")
    parser.add_argument("--appid", default=DEFAULT_APPID)
    parser.add_argument("--secret", default=DEFAULT_SECRET)
    parser.add_argument("--callback-token", default=DEFAULT_CALLBACK_TOKEN)
    parser.add_argument("--aes-key", default="", help="EncodingAESKey, 43 characters; empty: plain messages")
    parser.add_argument("--publish-delay", type=float, default=1.0, help="seconds between a submit and its result")
    asked = parser.parse_args()
    platform = WeChatPlatform(
        asked.state,
        appid=asked.appid,
        secret=asked.secret,
        hub=asked.hub,
        account=asked.account,
        callback_token=asked.callback_token,
        aes_key=asked.aes_key,
        knobs=Knobs(publish_delay=asked.publish_delay),
    )
    server = LoopbackServer(platform, asked.port)
    platform.start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
        platform.stop()


if __name__ == "__main__":
    main()
