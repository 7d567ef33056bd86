"""The API's description (OpenAPI 3.1), and a plain reference page made from it on the server: no script, nothing from elsewhere."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from html import escape
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from hub.web.deps import anonymous
from hub.web.errors import KINDS
from hub.web.shapes.base import ProblemOut

TITLE = "政务信息多渠道发布中枢"
ABOUT = """部门报送、三审、签发、发布与留痕的接口。

* **令牌**：每个请求在 `Authorization` 头中携带 `Bearer dh_…`；令牌按人签发，有权限范围（scope）和期限，可吊销。
* **重试**：写操作可带 `Idempotency-Key`，同一个键 24 小时内只执行一次，重复的请求得到第一次的答复（`Idempotency-Replayed: true`）。
* **版本**：稿件的 `ETag` 是当前版本的摘要；修改时写入 `If-Match`，签字、签发时写入 `digest`。
* **出错**：一律为 RFC 9457 问题说明（`application/problem+json`），`code` 供程序判断，`errors` 逐项指出字段和改法。
* **翻页**：列表答复中的 `next` 即下一页的 `cursor`。
* **时间**：答复中的时间为 UTC（以 `Z` 结尾）；供人查看的时间另附北京时间，字段以 `_local` 结尾。请求中的时间须带时区。
"""
STYLE = """body{font:16px/1.7 system-ui,"Noto Sans CJK SC",sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
body{color:#1b1b1b;background:#fff}
h1{font-size:1.6rem}h2{margin-top:2.5rem;border-bottom:1px solid #ccc}h3{margin:2rem 0 .3rem}
code,pre{font:14px/1.5 ui-monospace,monospace;background:#f4f4f2}pre{padding:.7rem;overflow:auto;white-space:pre-wrap;word-break:break-all}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid #ddd}
a{color:#0b4f8a}.m{display:inline-block;min-width:4rem;font-weight:700}nav li{margin:.1rem 0}
@media(prefers-color-scheme:dark){body{color:#eee;background:#181818}code,pre{background:#262626}a{color:#8cc4ff}}"""
router = APIRouter(include_in_schema=False, dependencies=[Depends(anonymous)])


def describe(app: FastAPI) -> dict[str, Any]:
    """The description, made once per application."""
    if app.openapi_schema is None:
        found = get_openapi(title=TITLE, version="1", openapi_version="3.1.0", description=ABOUT, routes=app.routes)
        _, extra = models_json_schema([(ProblemOut, "serialization")], ref_template="#/components/schemas/{model}")
        found["components"]["schemas"] |= extra["$defs"]
        app.openapi_schema = found
    return app.openapi_schema


@router.get("/openapi.json")
def schema(request: Request) -> Response:
    return Response(json.dumps(request.app.openapi(), ensure_ascii=False), media_type="application/json")


@router.get("/docs")
def docs(request: Request) -> Response:
    style = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; frame-ancestors 'none'"
    return Response(render(request.app.openapi()), media_type="text/html", headers={"Content-Security-Policy": policy})


def render(spec: dict[str, Any]) -> str:
    """The reference page: every operation with its parameters, bodies, answers and examples."""
    groups: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            groups.setdefault(operation["tags"][-1], []).append((method.upper(), path, operation))
    out = [
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>接口说明 - {TITLE}</title><style>{STYLE}</style><h1>{TITLE}：接口说明</h1>",
        "<ul>" + "".join(f"<li>{_marked(line[2:])}</li>" for line in ABOUT.splitlines() if line.startswith("* ")) + "</ul>",
        '<p><a href="openapi.json">OpenAPI 3.1（机器可读）</a></p><nav>',
    ]
    for name, found in groups.items():
        lines = (f'<li><span class="m">{m}</span> <a href="#{_id(m, p)}">{escape(o["summary"])}</a></li>' for m, p, o in found)
        out.append(f"<h2>{escape(name)}</h2><ul>{''.join(lines)}</ul>")
    out.append('</nav><h2 id="problems">问题种类</h2>')
    out += [f'<h3 id="problem-{k.slug}">{escape(k.title)}</h3><p><code>{k.slug}</code> {escape(k.about)}</p>' for k in KINDS.values()]
    for name, found in groups.items():
        out.append(f"<h2>{escape(name)}</h2>")
        out += [_operation(spec, *one) for one in found]
    return "\n".join(out) + "</html>"


def _operation(spec: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> str:
    out = [
        f'<h3 id="{_id(method, path)}">{escape(operation["summary"])}</h3>',
        f"<p><code>{method} {escape(path)}</code></p><p>{_marked(operation.get('description', ''))}</p>",
    ]
    if parameters := operation.get("parameters"):
        rows = (
            f"<tr><td><code>{escape(p['name'])}</code><td>{_PLACES[p['in']]}{'（必填）' if p.get('required') else ''}"
            f"<td>{escape(p.get('description') or p['schema'].get('description', ''))}"
            for p in parameters
        )
        out.append(f"<table><tr><th>参数<th>位置<th>说明{''.join(rows)}</table>")
    for kind, media in operation.get("requestBody", {}).get("content", {}).items():
        out.append(f"<p>请求体 <code>{kind}</code></p>{_examples(spec, media, sent=True)}")
    for status, answer in operation["responses"].items():
        out.append(f"<p><b>{status}</b> {escape(answer['description'])}</p>")
        if status < "300":
            out += [_examples(spec, media) for media in answer.get("content", {}).values()]
    return "\n".join(out)


_PLACES = {"path": "路径", "query": "查询", "header": "请求头"}


def _examples(spec: dict[str, Any], media: dict[str, Any], *, sent: bool = False) -> str:
    shape = media.get("schema", {})
    if "$ref" in shape:
        shape = spec["components"]["schemas"][shape["$ref"].rpartition("/")[2]]
    # An answer always has all of its fields; only what is sent can lack one.
    needed = shape.get("required", ()) if sent else ()
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code>{'（必填）' if name in needed else ''}<td>{escape(field.get('description', ''))}"
        for name, field in shape.get("properties", {}).items()
    )
    table = f"<table><tr><th>字段<th>说明{rows}</table>" if rows else ""
    shown = "".join(f"<pre>{escape(json.dumps(one, ensure_ascii=False, indent=2))}</pre>" for one in shape.get("examples", ()))
    return table + shown


def _id(method: str, path: str) -> str:
    return f"{method.lower()}{path.replace('/api/v1', '').replace('/', '-').replace('{', '').replace('}', '')}"


def _marked(text: str) -> str:
    """Escaped, with the two marks our texts use: ``code`` and **bold**."""
    shown = escape(text).replace("``", "`")
    for mark, tag in (("**", "b"), ("`", "code")):
        pieces = shown.split(mark)
        shown = "".join(piece if n % 2 == 0 else f"<{tag}>{piece}</{tag}>" for n, piece in enumerate(pieces))
    return shown
