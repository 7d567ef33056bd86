"""Errors as RFC 9457 problem details: whatever goes wrong, a program gets a stable code and a person a Chinese sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.domain.problems import AlreadySigned, IllegalTransition, Invalid, NotFound, NotPermitted, Problem, Refusal, Stale

log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"
DOCS = "/api/v1/docs"
RETRY_SECONDS = 5
"""What a client is told to wait when the database is away."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: ``type`` leads to its paragraph in the reference page."""

    slug: str
    title: str
    about: str

    @property
    def type(self) -> str:
        return f"{DOCS}#problem-{self.slug}"


KINDS: dict[str, Kind] = {
    k.slug: k
    for k in (
        Kind("malformed", "请求无法解析", "请求体不完整或不是合格的 JSON、表单。"),
        Kind("unauthenticated", "未认证", "缺少令牌，或令牌无效、过期、已吊销。请在 Authorization 头中使用 Bearer 令牌。"),
        Kind("not-permitted", "没有权限", "令牌或本人没有办理此事项的权限；不能审核自己写过的稿件，同一人不能签两个审次。"),
        Kind("not-found", "不存在", "没有这个对象，或您无权知道它的存在。"),
        Kind("method-not-allowed", "方法不适用", "该地址不接受这种 HTTP 方法，可用的方法见 Allow 头。"),
        Kind("wrong-state", "当前状态不允许该操作", "稿件或投递所处的状态下不能这样做，例如越级审核、审核已撤稿件、调整已开始的发布。"),
        Kind("already-signed", "该审次已签署", "另一位审核人已先签署同一审次。"),
        Kind("key-in-use", "同一请求正在处理", "同一个 Idempotency-Key 的请求仍在处理，或已执行但回执未能保存。"),
        Kind("stale", "版本已变化", "您看到的版本已不是最新版本，请重新获取后再办理。"),
        Kind("too-large", "请求体过大", "请求体超过该地址的上限。"),
        Kind("invalid", "内容不合要求", "errors 逐项指出字段、原因和改法。"),
        Kind("key-reused", "Idempotency-Key 已用于另一请求", "同一个 Idempotency-Key 只能用于同一请求；请换一个新的键。"),
        Kind("precondition-required", "缺少版本条件", "修改稿件须在 If-Match 头中写明所依据版本的摘要。"),
        Kind("too-many-requests", "请求过于频繁", "请按 Retry-After 头给出的秒数等待后再试。"),
        Kind("refused", "操作被拒绝", "规则不允许该操作。"),
        Kind("internal", "服务器内部错误", "程序出错，已记入日志。请把 request_id 告诉管理员。"),
        Kind("unavailable", "暂时不可用", "数据库暂时不可用，请按 Retry-After 头给出的秒数等待后再试。"),
    )
}
_OF_REFUSAL: tuple[tuple[type[Refusal], str], ...] = (
    (AlreadySigned, "already-signed"),
    (IllegalTransition, "wrong-state"),
    (NotPermitted, "not-permitted"),
    (Stale, "stale"),
    (NotFound, "not-found"),
    (Invalid, "invalid"),
)
_OF_STATUS = {
    400: "malformed",
    401: "unauthenticated",
    403: "not-permitted",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    422: "invalid",
    428: "precondition-required",
    429: "too-many-requests",
    500: "internal",
    503: "unavailable",
}
_DETAILS = {400: "请求体无法解析，请检查格式和编码（UTF-8）", 404: "没有这个地址", 405: "该地址不接受这种方法"}
_WORDS = {
    "missing": ("缺少必填项", "请补上"),
    "extra_forbidden": ("没有这个字段", "请删除，或核对字段名"),
    "json_invalid": ("请求体不是合格的 JSON", "请检查引号、逗号和编码（UTF-8）"),
    "string_type": ("应为文字", "请填写文字"),
    "string_too_long": ("超过 {max_length} 个字符", "请缩短"),
    "string_too_short": ("少于 {min_length} 个字符", "请补充"),
    "string_pattern_mismatch": ("格式不对", "应符合 {pattern}"),
    "int_type": ("应为整数", "请填写整数"),
    "int_parsing": ("应为整数", "请填写整数"),
    "bool_type": ("应为 true 或 false", "请填写 true 或 false"),
    "bool_parsing": ("应为 true 或 false", "请填写 true 或 false"),
    "greater_than_equal": ("小于 {ge}", "不能小于 {ge}"),
    "less_than_equal": ("大于 {le}", "不能大于 {le}"),
    "enum": ("不在可选值之内", "可选：{expected}"),
    "literal_error": ("不在可选值之内", "可选：{expected}"),
    "too_long": ("多于 {max_length} 项", "请减少"),
    "too_short": ("少于 {min_length} 项", "请补充"),
    "list_type": ("应为列表", "请填写列表"),
    "dict_type": ("应为对象", "请填写对象"),
    "timezone_aware": ("时间没有写明时区", "请写成 2026-11-20T09:00:00+08:00"),
}
_DATES = ("date_", "datetime_")


def problem(
    request: Request,
    status: int,
    slug: str,
    detail: str,
    *,
    code: str = "",
    errors: Iterable[Problem] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """One problem response; ``code`` defaults to the kind's own."""
    kind = KINDS[slug]
    body = {
        "type": kind.type,
        "title": kind.title,
        "status": status,
        "detail": detail,
        "code": code or slug.replace("-", "_"),
        "instance": request.url.path,
        "request_id": request.scope.get("state", {}).get("request_id", ""),
        "errors": [{"field": p.field, "code": p.code, "message": p.message, "remedy": p.remedy} for p in errors],
    }
    return JSONResponse(body, status, dict(headers or {}), MEDIA_TYPE)


def of_refusal(request: Request, refusal: Refusal) -> JSONResponse:
    slug = next((name for kind, name in _OF_REFUSAL if isinstance(refusal, kind)), "refused")
    errors = refusal.problems if isinstance(refusal, Invalid) else ()
    return problem(request, refusal.status, slug, refusal.message, code=refusal.code, errors=errors)


class Halt(HTTPException):
    """Stops a request with a problem that is about HTTP itself, not about the rules of the field."""

    def __init__(self, status: int, slug: str, detail: str, *, code: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail, dict(headers) if headers else None)
        self.slug = slug
        self.code = code


def of_exception(request: Request, error: Exception) -> Response | None:
    """The answer to an exception that is one of ours or FastAPI's; None: it is a bug."""
    if isinstance(error, Refusal):
        return of_refusal(request, error)
    if isinstance(error, Halt):
        return problem(request, error.status_code, error.slug, error.detail, code=error.code, headers=error.headers)
    if isinstance(error, HTTPException):
        slug = _OF_STATUS.get(error.status_code, "refused")
        detail = _DETAILS.get(error.status_code) or KINDS[slug].about
        return problem(request, error.status_code, slug, detail, headers=error.headers)
    if isinstance(error, RequestValidationError):
        found = tuple(_of_field(one) for one in error.errors())
        return problem(request, 422, "invalid", "；".join(str(p) for p in found[:5]), errors=found)
    if isinstance(error, OperationalError):
        log.error("database unavailable", why=str(error.orig)[:300])
        return problem(request, 503, "unavailable", KINDS["unavailable"].about, headers={"Retry-After": str(RETRY_SECONDS)})
    return None


def internal(request: Request) -> JSONResponse:
    """For bugs: says nothing of what went wrong, except where to find it in the log."""
    return problem(request, 500, "internal", KINDS["internal"].about)


def install(app: FastAPI) -> None:
    async def answer(request: Request, error: Exception) -> Response:
        return of_exception(request, error) or internal(request)

    for kind in (Refusal, HTTPException, RequestValidationError, OperationalError):
        app.add_exception_handler(kind, answer)


def _of_field(error: Mapping[str, Any]) -> Problem:
    """FastAPI's finding in Chinese, without what the client sent."""
    location = [str(part) for part in error["loc"]]
    where = ".".join(location[1:] if location[0] in ("body", "query", "path", "header") and len(location) > 1 else location)
    kind: str = error["type"]
    if kind.startswith("hub_"):
        return Problem(where, kind.removeprefix("hub_"), error["msg"], error["ctx"]["remedy"])
    if kind == "json_invalid":
        where = "body"
    if kind.startswith(_DATES):
        return Problem(where, kind, "不是日期或时间", "日期写成 2026-11-20，时间写成 2026-11-20T09:00:00+08:00")
    message, remedy = _WORDS.get(kind, ("值不符合要求", "请对照接口说明"))
    context = {name: str(value) for name, value in error.get("ctx", {}).items()}
    return Problem(where, kind, _filled(message, context), _filled(remedy, context))


def _filled(text: str, context: Mapping[str, str]) -> str:
    for name, value in context.items():
        text = text.replace("{" + name + "}", value)
    return text
