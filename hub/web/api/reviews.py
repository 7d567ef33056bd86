"""The reviews: take up, sign, return, sign several at once."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from hub.app import review
from hub.app.people import Caller
from hub.domain.verbs import Verb
from hub.web.api.parts import PublicId, item_answer
from hub.web.deps import Ctx, may_act
from hub.web.documented import ETAG, REPLAYED, WRITE, errors, ok
from hub.web.idempotency import Keyed
from hub.web.shapes.items import BatchBody, BatchOut, ItemOut, ReturnBody, SignBody

router = APIRouter(tags=["审核"], route_class=Keyed)
Signer = Annotated[Caller, Depends(may_act("review", Verb.REVIEW_SIGNED))]


@router.post("/items/{public_id}/take", summary="受理", responses={**ok(200, "已受理", ETAG, REPLAYED), **errors(*WRITE, 404)})
def take_item(
    public_id: PublicId, context: Ctx, caller: Annotated[Caller, Depends(may_act("review", Verb.ITEM_TAKEN))], response: Response
) -> ItemOut:
    """表明融媒体中心已开始初审。"""
    review.take(context, caller, public_id)
    return item_answer(context, caller, public_id, response)


@router.post("/items/{public_id}/sign", summary="签字", responses={**ok(200, "已签字", ETAG, REPLAYED), **errors(*WRITE, 404, 412)})
def sign_item(public_id: PublicId, body: SignBody, context: Ctx, caller: Signer, response: Response) -> ItemOut:
    """对 ``digest`` 所指的版本签字。写过该稿件任一版本的人不能签；同一人不能签两个审次；审次不能跳过。"""
    statements = review.Statements(**body.statements.model_dump()) if body.statements else None
    review.sign(context, caller, public_id, body.stage, digest=body.digest, note=body.note, statements=statements)
    return item_answer(context, caller, public_id, response)


@router.post("/items/{public_id}/return", summary="退回", responses={**ok(200, "已退回", ETAG, REPLAYED), **errors(*WRITE, 404, 412)})
def return_item(
    public_id: PublicId,
    body: ReturnBody,
    context: Ctx,
    caller: Annotated[Caller, Depends(may_act("review", Verb.REVIEW_RETURNED))],
    response: Response,
) -> ItemOut:
    """退回作者修改，写明原因代号和意见。"""
    review.give_back(context, caller, public_id, digest=body.digest, reason=body.reason, note=body.note)
    return item_answer(context, caller, public_id, response)


@router.post("/reviews/batch", summary="批量签字", responses={**ok(200, "逐件结果", REPLAYED), **errors(*WRITE)})
def sign_batch(body: BatchBody, context: Ctx, caller: Signer) -> BatchOut:
    """每件单独签字、单独记录；不能签的一件不影响其他。部门审核须逐件填写审查结论，不能批量。"""
    signings = [review.Signing(line.public_id, line.digest) for line in body.items]
    return BatchOut.model_validate({"results": review.sign_batch(context, caller, body.stage, signings)})
