"""Items: list, read, create, revise, preview; the department's own acts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from hub.app import read, submit, uploads
from hub.app.inbox import inbox
from hub.app.people import Caller
from hub.app.preview import preview
from hub.app.views import Wanted
from hub.domain.item import ItemState
from hub.domain.verbs import Verb
from hub.web import cursor
from hub.web.api.parts import PREFIX, Cursor, IfMatch, Limit, Number, PublicId, Slug, flat, item_answer, version_of
from hub.web.deps import Ctx, Hub, may, may_act
from hub.web.documented import ETAG, LOCATION, READ, REPLAYED, WRITE, errors, ok
from hub.web.idempotency import Keyed
from hub.web.shapes.content import ContentBody, PreviewOut
from hub.web.shapes.items import (
    CreateBody,
    InboxOut,
    ItemOut,
    ItemPage,
    PreviewBody,
    ReasonBody,
    RevisionList,
    RevisionOut,
)

router = APIRouter(prefix="/items", tags=["稿件"], route_class=Keyed)
Reader = Annotated[Caller, Depends(may("read"))]


@router.get("", summary="稿件列表", responses=errors(*READ))
def list_items(
    context: Ctx,
    caller: Reader,
    state: Annotated[ItemState | None, Query(description="编辑状态")] = None,
    department: Slug = "",
    column: Slug = "",
    area: Slug = "",
    kind: Slug = "",
    q: Annotated[str, Query(max_length=100, description="标题中的文字")] = "",
    limit: Limit = 50,
    after: Annotated[Cursor, Query(alias="cursor")] = "",
) -> ItemPage:
    """新稿在前。部门人员看到本单位的全部稿件和其他单位已公开的版本；融媒体中心、管理员、审计员看到全部。"""
    filters: dict[str, Any] = {"state": state or "", "department": department, "column": column, "area": area, "kind": kind, "title": q}
    wanted = Wanted(**filters, before=cursor.read(after, filters), limit=limit)
    lines, place = read.list_items(context, caller, wanted)
    return ItemPage.model_validate({"items": lines, "next": cursor.make(place, filters)})


@router.get("/inbox", summary="待我办理", responses=errors(*READ), tags=["待办"])
def waiting_for_me(context: Ctx, caller: Reader, limit: Limit = 50) -> InboxOut:
    """最紧急的在前，同等紧急的先到先办。"""
    found = inbox(context, caller, limit)
    return InboxOut.model_validate({"waiting": [{"item": w.line, "actions": w.actions} for w in found]})


@router.post(
    "",
    summary="新建稿件",
    status_code=201,
    responses={**ok(201, "已保存为草稿", ETAG, LOCATION, REPLAYED), **errors(*WRITE, 404)},
)
def create_item(
    body: CreateBody, context: Ctx, hub: Hub, caller: Annotated[Caller, Depends(may_act("write", Verb.ITEM_CREATED))], response: Response
) -> ItemOut:
    """保存为草稿。``problems`` 指出送审前须改正之处；只能为本单位新建。"""
    content = body.content.content()
    uploads.must_be_ours(hub.files, content)
    made = submit.create(context, caller, content, external_ref=body.external_ref, index_no=body.index_no)
    response.headers["Location"] = f"{PREFIX}/items/{made.public_id}"
    return item_answer(context, caller, made.public_id, response)


@router.post("/preview", summary="预览各渠道", responses={**ok(200, "各渠道将发布的内容"), **errors(*WRITE, 404)})
def preview_item(
    body: PreviewBody, context: Ctx, hub: Hub, caller: Annotated[Caller, Depends(may_act("write", Verb.ITEM_CREATED))]
) -> PreviewOut:
    """不保存。返回每个所选渠道将逐字发布的内容，以及全部问题。"""
    content = body.content.content()
    uploads.must_be_ours(hub.files, content)
    return PreviewOut.model_validate(preview(context, caller, content, body.public_id))


@router.get("/{public_id}", summary="稿件", responses={**ok(200, "稿件", ETAG), **errors(*READ, 404)})
def read_item(public_id: PublicId, context: Ctx, caller: Reader, response: Response) -> ItemOut:
    """当前版本的内容、状态、签字、投递，以及您现在可以办理的事项。ETag 是版本摘要，修改时写入 If-Match。"""
    return item_answer(context, caller, public_id, response)


@router.put(
    "/{public_id}",
    summary="修改稿件",
    responses={**ok(200, "已形成新版本", ETAG, REPLAYED), **errors(*WRITE, 404, 412, 428)},
)
def revise_item(
    public_id: PublicId,
    body: ContentBody,
    context: Ctx,
    hub: Hub,
    caller: Annotated[Caller, Depends(may_act("write", Verb.REVISION_MADE))],
    response: Response,
    if_match: IfMatch = None,
) -> ItemOut:
    """形成新版本，此前的签字全部失效；已发布的版本继续公开，直到新版本签发。"""
    seen = version_of(if_match)
    content = body.content()
    uploads.must_be_ours(hub.files, content)
    submit.revise(context, caller, public_id, content, seen=seen)
    return item_answer(context, caller, public_id, response)


@router.get("/{public_id}/revisions", summary="全部版本", responses=errors(*READ, 404))
def list_revisions(public_id: PublicId, context: Ctx, caller: Reader) -> RevisionList:
    return RevisionList.model_validate({"revisions": read.list_revisions(context, caller, public_id)})


@router.get("/{public_id}/revisions/{number}", summary="一个版本", responses={**ok(200, "版本", ETAG), **errors(*READ, 404)})
def read_revision(public_id: PublicId, number: Number, context: Ctx, caller: Reader, response: Response) -> RevisionOut:
    """版本不可更改。``renditions`` 是各渠道将逐字发布的内容。"""
    view = read.read_revision(context, caller, public_id, number)
    response.headers["ETag"] = f'"{view.line.digest}"'
    return RevisionOut.model_validate(flat(view))


@router.post("/{public_id}/submit", summary="送审", responses={**ok(200, "已送审", ETAG, REPLAYED), **errors(*WRITE, 404)})
def submit_item(
    public_id: PublicId, context: Ctx, caller: Annotated[Caller, Depends(may_act("write", Verb.ITEM_SUBMITTED))], response: Response
) -> ItemOut:
    """交分管负责人审核。仍有须改正之处时答复 422，逐项指出。"""
    submit.submit(context, caller, public_id)
    return item_answer(context, caller, public_id, response)


@router.post("/{public_id}/recall", summary="主动撤回修改", responses={**ok(200, "已撤回为草稿", ETAG, REPLAYED), **errors(*WRITE, 404)})
def recall_item(
    public_id: PublicId,
    body: ReasonBody,
    context: Ctx,
    caller: Annotated[Caller, Depends(may_act("write", Verb.ITEM_RECALLED))],
    response: Response,
) -> ItemOut:
    submit.recall(context, caller, public_id, body.reason)
    return item_answer(context, caller, public_id, response)
