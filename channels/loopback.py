"""What every loopback platform shares: a strict HTTP server on 127.0.0.1 that can be told to misbehave.

A loopback platform speaks a real platform's contract (see each channel's reference) so that a fresh clone, the tests
and the benches meet the same refusals, limits and broken connections as production, without an account. A subclass
implements ``handle``; this module reads requests, injects faults, keeps the call log and answers the control calls:

    POST   /_control/faults   {"kind": …, "path": "/2/statuses/share.json", "times": 1, …}   add a fault
    DELETE /_control/faults                                                                  forget all faults
    GET    /_control/log                                                                     every call, oldest first
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class FaultKind(StrEnum):
    APPLY_AND_DROP = "apply_and_drop"
    """Do what was asked, then close the connection without a byte of answer."""
    DROP = "drop"
    """Read the request, do nothing, close."""
    LATE = "late"
    """Do what was asked and answer after ``delay`` seconds."""
    CUT_HEADERS = "cut_headers"
    """Do what was asked and close in the middle of the answer's headers: ``requests`` sees an empty 200."""
    STATUS = "status"
    """Answer ``status`` (429, 500 …) with ``retry_after``; ``apply`` decides whether it was done."""
    BUSINESS = "business"
    """Answer the platform's own error ``code``; ``apply`` decides whether it was done."""
    INVALID_JSON = "invalid_json"
    """Do what was asked and answer something that is not JSON."""
    KILL_TOKEN = "kill_token"  # noqa: S105 - the name of a fault
    """Invalidate the access token before the call is looked at."""


@dataclass(slots=True)
class Fault:
    kind: FaultKind
    path: str = ""
    """Calls whose path starts with this; empty: any call."""
    times: int = 1
    skip: int = 0
    """Let this many matching calls pass first."""
    delay: float = 0.0
    status: int = 500
    code: int = -1
    message: str = ""
    retry_after: str = ""
    apply: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body."""

    filename: str
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """Fields of a URL-encoded body."""
        return {k: v[-1] for k, v in parse_qs(self.body.decode("utf-8"), keep_blank_values=True).items()}

    def parts(self) -> dict[str, Part]:
        """Parts of a multipart body by field name; empty for any other body."""
        content_type = self.headers.get("content-type", "")
        if not content_type.startswith("multipart/form-data"):
            return {}
        message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + self.body)
        found: dict[str, Part] = {}
        for part in message.iter_parts():
            name = part.get_param("name", header="content-disposition")
            payload = part.get_payload(decode=True)
            found[str(name)] = Part(part.get_filename() or "", part.get_content_type(), payload if isinstance(payload, bytes) else b"")
        return found


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    media_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: object, status: int = 200, **headers: str) -> Reply:
        return cls(status, json.dumps(value, ensure_ascii=False).encode(), headers=headers)

    @classmethod
    def html(cls, text: str, status: int = 200) -> Reply:
        return cls(status, text.encode(), "text/html; charset=utf-8")


@dataclass(frozen=True, slots=True)
class Call:
    """A line of the call log."""

    at: float
    method: str
    path: str
    status: int
    fault: str
    note: str = ""


class Platform:
    """Base of a loopback platform. ``handle`` is called under one lock: a platform's own state never races."""

    name = "platform"

    def __init__(self, *, clock: Any = time.time) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.faults: list[Fault] = []
        self.log: deque[Call] = deque(maxlen=200_000)

    # to be written by each platform
    def handle(self, request: Request) -> Reply:
        """Answer one call as the platform would."""
        raise NotImplementedError

    def business_error(self, request: Request, fault: Fault) -> Reply:
        """The platform's own form of an error answer with ``fault.code``."""
        raise NotImplementedError

    def kill_tokens(self) -> None:
        """Invalidate every access token handed out so far."""

    # shared
    def fail(self, kind: FaultKind | str, path: str = "", **more: Any) -> None:
        """Plan a fault: ``platform.fail("late", "/cgi-bin/draft/add", delay=3)``."""
        with self.lock:
            self.faults.append(Fault(FaultKind(kind), path, **more))

    def _next_fault(self, request: Request) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and request.path.startswith(fault.path):
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def _control(self, request: Request) -> Reply:
        if request.path == "/_control/faults" and request.method == "POST":
            asked = json.loads(request.body)
            self.fail(asked.pop("kind"), **asked)
            return Reply.json({"planned": len(self.faults)})
        if request.path == "/_control/faults" and request.method == "DELETE":
            self.faults.clear()
            return Reply.json({"planned": 0})
        if request.path == "/_control/log":
            return Reply.json([asdict(call) for call in self.log])
        return Reply.json({"error": "no such control call"}, 404)

    def exchange(self, request: Request) -> tuple[Reply | None, Fault | None]:
        """Answer one request, faults included. ``None`` instead of a reply: say nothing and close."""
        if request.path.startswith("/_control/"):
            with self.lock:
                return self._control(request), None
        with self.lock:
            fault = self._next_fault(request)
            if fault and fault.kind is FaultKind.KILL_TOKEN:
                self.kill_tokens()
            reply = self._apply(request, fault)
            self.log.append(
                Call(self.clock(), request.method, request.path, reply.status if reply else 0, fault.kind.value if fault else "")
            )
        if fault and fault.kind is FaultKind.LATE:
            time.sleep(fault.delay)
        return reply, fault

    def _apply(self, request: Request, fault: Fault | None) -> Reply | None:
        if fault is None or fault.kind in (FaultKind.LATE, FaultKind.CUT_HEADERS, FaultKind.KILL_TOKEN):
            return self.handle(request)
        if fault.kind is FaultKind.DROP:
            return None
        if fault.kind is FaultKind.APPLY_AND_DROP:
            self.handle(request)
            return None
        if fault.kind is FaultKind.INVALID_JSON:
            self.handle(request)
            return Reply(200, b"<html>502 upstream", "text/html")
        if fault.apply:
            self.handle(request)
        if fault.kind is FaultKind.BUSINESS:
            return self.business_error(request, fault)
        headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
        return Reply(fault.status, fault.message.encode() or b"error", "text/plain; charset=utf-8", headers)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LoopbackServer
    # A platform that hangs on a half-sent request would hang the tests too.
    timeout = 60
    # Headers and body in two small writes would wait 40 ms for the client's delayed acknowledgement, on every call.
    wbufsize = -1
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            method=self.command,
            path=parts.path,
            query={k: v[-1] for k, v in parse_qs(parts.query, keep_blank_values=True).items()},
            headers={k.lower(): v for k, v in self.headers.items()},
            body=self.rfile.read(length),
        )
        reply, fault = self.server.platform.exchange(request)
        if reply is None:
            self._hang_up()
        elif fault and fault.kind is FaultKind.CUT_HEADERS:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Cut: ")
            self.wfile.flush()
            self._hang_up()
        else:
            self._answer(reply)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815 - the names http.server calls

    def _answer(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.media_type)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """The call log of the platform is the log."""


class LoopbackServer(ThreadingHTTPServer):
    """Binds 127.0.0.1 only, always."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, platform: Platform, port: int = 0) -> None:
        self.platform = platform
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in mid-answer is an everyday event here, not an error of the platform."""
        import sys

        if not isinstance(sys.exception() if hasattr(sys, "exception") else sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def serving(platform: Platform, port: int = 0) -> Iterator[LoopbackServer]:
    """Serve ``platform`` from a thread for the length of the block."""
    server = LoopbackServer(platform, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def parser(description: str, port: int) -> argparse.ArgumentParser:
    """Options that every platform started as a process has; a platform adds its own."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--port", type=int, default=port)
    options.add_argument("--state", default=":memory:", help="SQLite file that keeps the platform's posts (default: memory)")
    options.add_argument("--hub", default="", help="address of the hub, for platforms that call back")
    return options


def arguments(description: str, port: int) -> argparse.Namespace:
    """Command line of a platform started as a process: ``python -m channels.wechat.platform --port N --state FILE``."""
    return parser(description, port).parse_args()
