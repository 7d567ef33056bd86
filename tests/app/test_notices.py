"""Notices leave by webhook and by e-mail, over real sockets, once, and survive a hook that is away."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from sqlalchemy import select

from hub.app import notices
from hub.app.notices import Hooks
from hub.domain.verbs import Verb
from hub.store.tables import Notice
from tests.clock import FixedClock
from tests.world import World


class Hook(BaseHTTPRequestHandler):
    server: HookServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append((self.headers.get("Authorization", ""), json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """Quiet: the calls are the log."""


class HookServer(HTTPServer):
    status = 204

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, object]]] = []
        super().__init__(("127.0.0.1", 0), Hook)


class MailHandler(socketserver.StreamRequestHandler):
    """Just enough SMTP to take a message."""

    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        while line := self.rfile.readline():
            word = line.strip().upper().split(b" ")[0]
            if word == b"DATA":
                self.wfile.write(b"354 go\r\n")
                lines = []
                while (part := self.rfile.readline()) != b".\r\n":
                    lines.append(part)
                self.server.mails.append(b"".join(lines))
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"250 ok\r\n")


class MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        super().__init__(("127.0.0.1", 0), MailHandler)


@pytest.fixture
def hook() -> Iterator[HookServer]:
    yield from serving(HookServer())


@pytest.fixture
def mail() -> Iterator[MailServer]:
    yield from serving(MailServer())


def serving(server):  # type: ignore[no-untyped-def]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def tell(hub: World) -> None:
    with hub.context.work("worker:test") as work:
        notices.tell(work, "delivery.gave_up", "delivery:7", "wechat 渠道投递 7 已停止")
        notices.tell(work, "delivery.gave_up", "delivery:7", "wechat 渠道投递 7 已停止")
        work.record(Verb.ALARM_RAISED, "test", {})
        work.commit()


def states(hub: World) -> list[str]:
    with hub.context.reading() as session:
        return list(session.scalars(select(Notice.state).order_by(Notice.id)))


def test_a_notice_goes_out_once_by_webhook_and_by_mail(hub: World, hook: HookServer, mail: MailServer) -> None:
    tell(hub)
    hooks = Hooks(
        webhook=f"http://127.0.0.1:{hook.server_address[1]}/notify",
        webhook_token="s3cret-token",
        smtp_host="127.0.0.1",
        smtp_port=mail.server_address[1],
        sender="hub@example.gov.cn",
        recipients=("duty@example.gov.cn",),
    )
    assert notices.send_waiting(hub.context, hooks) == 1
    assert notices.send_waiting(hub.context, hooks) == 0
    assert states(hub) == ["sent"]
    assert hook.calls[0][0] == "Bearer s3cret-token"
    assert hook.calls[0][1]["text"] == "wechat 渠道投递 7 已停止"
    assert b"To: duty@example.gov.cn" in mail.mails[0]
    assert "s3cret" not in repr(hooks)


def test_a_hook_that_is_away_is_tried_again_and_then_left_to_a_person(hub: World, hook: HookServer, fixed_clock: FixedClock) -> None:
    tell(hub)
    hook.status = 500
    hooks = Hooks(webhook=f"http://127.0.0.1:{hook.server_address[1]}/notify")
    for _ in range(hub.policy.notice_attempts - 1):
        assert notices.send_waiting(hub.context, hooks) == 1
        assert notices.send_waiting(hub.context, hooks) == 0, "it waits before it tries again"
        fixed_clock.advance(hours=3)
    assert states(hub) == ["waiting"]
    notices.send_waiting(hub.context, hooks)
    assert states(hub) == ["failed"]


def test_without_a_hook_notices_stay_where_people_can_see_them(hub: World) -> None:
    tell(hub)
    notices.send_waiting(hub.context, Hooks())
    assert states(hub) == ["local"]
