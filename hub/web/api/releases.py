"""签发、排期、撤稿."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from hub.app import release, withdraw
from hub.app.people import Caller
from hub.domain.verbs import Verb
from hub.web.api.parts import PublicId, item_answer
from hub.web.deps import Ctx, may_act
from hub.web.documented import ETAG, REPLAYED, WRITE, errors, ok
from hub.web.idempotency import Keyed
from hub.web.shapes.items import ItemOut, ReasonBody, ReleaseBody, RescheduleBody, WithdrawBody

router = APIRouter(prefix="/items/{public_id}", tags=["签发与撤稿"], route_class=Keyed)


@router.post("/release", summary="签发", responses={**ok(200, "已签发", ETAG, REPLAYED), **errors(*WRITE, 404, 412)})
def release_item(
    public_id: PublicId,
    body: ReleaseBody,
    context: Ctx,
    caller: Annotated[Caller, Depends(may_act("release", Verb.ITEM_RELEASED))],
    response: Response,
) -> ItemOut:
    """现在或在 ``due_at`` 发布；其他渠道可以比网站晚 ``offsets`` 秒。"""
    release.release(context, caller, public_id, digest=body.digest, due_at=body.due_at, offsets=body.offsets, note=body.note)
    return item_answer(context, caller, public_id, response)


@router.patch("/release", summary="调整排期", responses={**ok(200, "已调整", ETAG, REPLAYED), **errors(*WRITE, 404)})
def reschedule_item(
    public_id: PublicId,
    body: RescheduleBody,
    context: Ctx,
    caller: Annotated[Caller, Depends(may_act("release", Verb.RELEASE_RESCHEDULED))],
    response: Response,
) -> ItemOut:
    """任何渠道都还没有开始发布时可以调整。"""
    release.reschedule(context, caller, public_id, due_at=body.due_at, offsets=body.offsets)
    return item_answer(context, caller, public_id, response)


@router.post("/release/cancel", summary="取消签发", responses={**ok(200, "已取消，稿件回到待签发", ETAG, REPLAYED), **errors(*WRITE, 404)})
def cancel_release(
    public_id: PublicId,
    body: ReasonBody,
    context: Ctx,
    caller: Annotated[Caller, Depends(may_act("release", Verb.RELEASE_CANCELLED))],
    response: Response,
) -> ItemOut:
    """任何渠道都还没有开始发布时可以取消；此前已公开的版本不受影响。"""
    release.cancel(context, caller, public_id, reason=body.reason)
    return item_answer(context, caller, public_id, response)


@router.post("/withdraw", summary="撤稿", responses={**ok(200, "已撤稿", ETAG, REPLAYED), **errors(*WRITE, 404)})
def withdraw_item(
    public_id: PublicId,
    body: WithdrawBody,
    context: Ctx,
    caller: Annotated[Caller, Depends(may_act("release", Verb.ITEM_WITHDRAWN))],
    response: Response,
) -> ItemOut:
    """所有显示该稿件的渠道都会撤下；原地址答复 410 和对外说明。不可恢复，如需重新发布请新建稿件。"""
    withdraw.withdraw(context, caller, public_id, reason=body.reason, notice=body.notice)
    return item_answer(context, caller, public_id, response)
