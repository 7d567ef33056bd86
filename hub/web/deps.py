"""Who asks, and with what right: from the bearer token to a ``Caller``, from the request to the ``Context``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, cast

import structlog
from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from hub.app.context import Context, record_refusal
from hub.app.people import Caller, caller_by_token
from hub.domain.problems import NotPermitted
from hub.domain.verbs import Verb
from hub.web.errors import Halt
from hub.web.ratelimit import Limiter, Rate, Rates
from hub.wiring import Container

READING = frozenset({"GET", "HEAD", "OPTIONS"})
KEY_PATTERN = r"^[\x21-\x7e]{1,128}$"
_PLAIN = re.compile(r"[0-9A-Za-z._-]{1,64}")
_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="令牌（hub token add 签发，以 dh_ 开头）")


def container_of(request: Request) -> Container:
    return cast(Container, request.app.state.container)


def context_of(request: Request) -> Context:
    """The hub's context; a write with an ``Idempotency-Key`` gets one whose commits also mark the key."""
    keyed: Context | None = getattr(request.state, "context", None)
    return keyed or container_of(request).context


def client_of(request: Request) -> str:
    """Address of the client: what the one proxy in front says, if the hub was told that there is one."""
    if request.app.state.behind_proxy:
        forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        if forwarded:
            return forwarded
    return request.client.host if request.client else "unknown"


def hold(request: Request, key: str, rate: Rate) -> None:
    """Raise 429 with Retry-After when ``key`` has asked too often."""
    limiter: Limiter = request.app.state.limiter
    wait = limiter.take(key, rate)
    if wait:
        raise Halt(429, "too-many-requests", f"请求过于频繁，请 {wait} 秒后再试", headers={"Retry-After": str(wait)})


def anonymous(request: Request) -> None:
    """For what needs no token."""
    hold(request, f"address:{client_of(request)}", request.app.state.rates.anonymous)


def authenticate(request: Request, token: str | None) -> Caller:
    """The caller behind the token. Raises 401, or 429 for who asks too often; both once per request."""
    known: Caller | None = getattr(request.state, "caller", None)
    if known is not None:
        return known
    container = container_of(request)
    caller = None
    if token:
        with container.context.reading() as session:
            caller = caller_by_token(session, token, container.clock())
    if caller is None:
        anonymous(request)
        challenge = 'Bearer realm="hub"' + (', error="invalid_token"' if token else "")
        detail = "令牌无效、已过期或已吊销，请向管理员申请新的令牌" if token else "请在 Authorization 头中提供令牌：Bearer dh_…"
        raise Halt(401, "unauthenticated", detail, headers={"WWW-Authenticate": challenge})
    rates: Rates = request.app.state.rates
    reading = request.method in READING
    hold(request, f"token:{caller.token_id}:{'r' if reading else 'w'}", rates.reads if reading else rates.writes)
    request.state.caller = caller
    structlog.contextvars.bind_contextvars(actor=caller.actor)
    return caller


def caller_of(request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Caller:
    return authenticate(request, credentials.credentials if credentials else None)


AnyCaller = Annotated[Caller, Depends(caller_of)]
Ctx = Annotated[Context, Depends(context_of)]
Hub = Annotated[Container, Depends(container_of)]


def may(scope: str) -> Callable[[Request, Caller], Caller]:
    """A dependency: the caller, whose token must have ``scope``."""

    def check(request: Request, caller: AnyCaller) -> Caller:
        caller.need(scope)
        return caller

    return check


def may_act(scope: str, verb: Verb) -> Callable[..., Caller]:
    """A dependency for writes: as ``may``, and a missing scope is a refused attempt that stands in the record."""

    def check(
        request: Request,
        caller: AnyCaller,
        idempotency_key: Annotated[
            str | None,
            Header(
                pattern=KEY_PATTERN,
                description="同一操作重试时使用同一个键：24 小时内重复的请求得到第一次的答复（Idempotency-Replayed: true），不会执行两次。",
                examples=["b6f0c1de-5f6e-4b1a-9d3c-2f6f1f3f7a10"],
            ),
        ] = None,
    ) -> Caller:
        try:
            caller.need(scope)
        except NotPermitted as refusal:
            record_refusal(container_of(request).context, caller.actor, verb, _subject(request), refusal)
            raise
        return caller

    return check


def _subject(request: Request) -> str:
    for name, kind in (("public_id", "item"), ("delivery_id", "delivery"), ("channel", "account")):
        # Refused before the path was validated: only what a record entry can carry.
        if _PLAIN.fullmatch(str(request.path_params.get(name, ""))):
            return f"{kind}:{request.path_params[name]}"
    return "hub"
