"""The error answers of every operation for OpenAPI, so that no status a client can meet is missing from the description."""

from __future__ import annotations

from typing import Any

from hub.web.errors import DOCS, KINDS, MEDIA_TYPE

SLUGS = {
    400: "malformed",
    401: "unauthenticated",
    403: "not-permitted",
    404: "not-found",
    409: "wrong-state",
    412: "stale",
    413: "too-large",
    422: "invalid",
    428: "precondition-required",
    429: "too-many-requests",
    500: "internal",
    503: "unavailable",
}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"description": "Bearer", "schema": {"type": "string"}}},
    429: {"Retry-After": {"description": "几秒后再试", "schema": {"type": "integer"}}},
    503: {"Retry-After": {"description": "几秒后再试", "schema": {"type": "integer"}}},
}
ETAG = {"ETag": {"description": "版本摘要，加双引号", "schema": {"type": "string"}}}
LOCATION = {"Location": {"description": "新对象在接口中的地址", "schema": {"type": "string"}}}
REPLAYED = {
    "Idempotency-Replayed": {
        "description": "true：这是同一个 Idempotency-Key 第一次请求的答复",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
READ = (401, 403, 422, 429, 500, 503)
WRITE = (400, 401, 403, 409, 413, 422, 429, 500, 503)


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """``responses`` of a route: these error answers, each with its kind and an example."""
    return {status: _answer(status) for status in sorted(set(statuses))}


def ok(status: int, description: str, *headers: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """The good answer of a route with its headers."""
    merged = {name: value for one in headers for name, value in one.items()}
    return {status: {"description": description, **({"headers": merged} if merged else {})}}


def _answer(status: int) -> dict[str, Any]:
    kind = KINDS[SLUGS[status]]
    example = {
        "type": f"{DOCS}#problem-{kind.slug}",
        "title": kind.title,
        "status": status,
        "detail": kind.about,
        "code": kind.slug.replace("-", "_"),
        "instance": "/api/v1/items/20261120-k7m2x9qd",
        "request_id": "5d0f6c0f7c0b4d0c9f3b1f4a2e6d8c7b",
        "errors": [{"field": "title", "code": "required", "message": "标题没有填写", "remedy": "请填写标题"}] if status == 422 else [],
    }
    answer: dict[str, Any] = {
        "description": kind.title,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}, "example": example}},
    }
    if status in _HEADERS:
        answer["headers"] = _HEADERS[status]
    return answer
