"""Around every request: an id, a line in the log, a limit for the body, headers, and a last net for bugs."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.web.errors import Halt, internal, of_exception

log = structlog.get_logger("hub.web.access")
_ID = re.compile(r"[0-9A-Za-z._-]{8,64}")


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Bytes. ``upload``: for addresses that end in ``/files``; a little more than the largest file, for the form around it."""

    plain: int = 2 * 1024 * 1024
    upload: int = 101 * 1024 * 1024


class Surround:
    """The outermost part of the application (inside Starlette's own net, which then never catches anything)."""

    def __init__(self, app: ASGIApp, limits: BodyLimits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started, seen = time.perf_counter(), _Seen()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                if scope["path"].startswith(("/api/", "/callbacks/", "/healthz", "/readyz")):
                    _harden(headers)
            elif message["type"] == "http.response.body":
                seen.bytes += len(message.get("body", b""))
            await send(message)

        request = Request(scope)
        try:
            await self._app(scope, self._limited(scope, receive), sending)
        except Exception as error:
            if seen.status:
                log.exception("request broke off")
                raise
            response = of_exception(request, error)
            if response is None:
                log.exception("request failed")
                response = internal(request)
            await response(scope, receive, sending)
        finally:
            caller = scope["state"].get("caller")
            log.info(
                "request",
                method=scope["method"],
                # Without the query: platforms sign theirs, and a signature in a log can be used again.
                path=scope["path"],
                status=seen.status,
                bytes=seen.bytes,
                ms=round((time.perf_counter() - started) * 1000, 1),
                client=scope["client"][0] if scope.get("client") else "",
                **({"actor": caller.actor} if caller else {}),
            )

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        most = self._limits.upload if scope["path"].endswith("/files") else self._limits.plain
        too_large = Halt(413, "too-large", f"请求体不能超过 {most // 1024} KB", code="body_too_large")
        length = Headers(scope=scope).get("content-length", "")
        told = int(length) if length.isdigit() else 0
        taken = 0

        async def receiving() -> Message:
            nonlocal taken
            if told > most:
                raise too_large
            message = await receive()
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                if taken > most:
                    raise too_large
            return message

        return receiving


@dataclass(slots=True)
class _Seen:
    status: int = 0
    bytes: int = 0


def _harden(headers: MutableHeaders) -> None:
    """Answers of the API are for programs: never framed, sniffed, run or kept by a cache."""
    headers.setdefault("Cache-Control", "no-store")
    headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
