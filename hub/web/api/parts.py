"""What several routers share: types of parameters, and the way from a view to its shape."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any

from fastapi import Header, Path, Query, Response

from hub.app.context import Context
from hub.app.people import Caller
from hub.app.read import read_item
from hub.app.views import ItemView
from hub.web.errors import Halt
from hub.web.shapes.base import ID_EXAMPLE, LARGEST_ID, PUBLIC_ID
from hub.web.shapes.items import ItemOut

PREFIX = "/api/v1"
PublicId = Annotated[str, Path(pattern=PUBLIC_ID, description="稿件编号", examples=[ID_EXAMPLE])]
DeliveryId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="投递编号", examples=[21])]
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="版本号", examples=[1])]
ChannelName = Annotated[str, Path(pattern=r"^[0-9A-Za-z_-]{1,40}$", description="渠道账号名", examples=["wechat"])]
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="文件的 SHA-256")]
Limit = Annotated[int, Query(ge=1, le=100, description="每页多少条")]
Cursor = Annotated[str, Query(max_length=200, pattern=r"^[0-9A-Za-z_-]*$", description="上一页给出的 next")]
Slug = Annotated[str, Query(max_length=64, pattern=r"^[0-9A-Za-z._/-]*$")]
IfMatch = Annotated[
    str | None,
    Header(description="所依据版本的摘要，加双引号（GET 稿件时的 ETag）；缺少时答复 428，已不是最新版本时答复 412", examples=['"3f1c…"']),
]


def flat(view: Any) -> dict[str, Any]:
    """A view whose ``line`` holds the fields of its list entry, as one mapping."""
    found = {f.name: getattr(view, f.name) for f in fields(view)}
    line = found.pop("line")
    return {**{f.name: getattr(line, f.name) for f in fields(line)}, **found}


def item_out(view: ItemView) -> ItemOut:
    return ItemOut.model_validate({**flat(view), "self": f"{PREFIX}/items/{view.line.public_id}"})


def item_answer(context: Context, caller: Caller, public_id: str, response: Response) -> ItemOut:
    """The item as it is now, with its ETag: the answer to every act on it."""
    view = read_item(context, caller, public_id)
    response.headers["ETag"] = f'"{view.line.digest}"'
    return item_out(view)


def version_of(if_match: str | None) -> str:
    """The one digest that If-Match names. Raises 428 when there is none, 412 when it cannot be a version of ours."""
    if if_match is None or if_match.strip() in ("", "*"):
        detail = "修改稿件须在 If-Match 头中写明所依据版本的摘要（GET 稿件时的 ETag），以免覆盖他人的修改"
        raise Halt(428, "precondition-required", detail)
    tag = if_match.strip()
    if len(tag) != 66 or tag[0] != '"' or tag[-1] != '"':
        raise Halt(412, "stale", "If-Match 须是一个加双引号的版本摘要，如 GET 稿件时的 ETag", code="not_a_version")
    return tag[1:-1]
