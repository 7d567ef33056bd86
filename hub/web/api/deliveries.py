"""Deliveries: list, evidence, and what a person may do with one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from hub.app import resolve
from hub.app.context import Context
from hub.app.people import Caller
from hub.app.read_deliveries import WantedDeliveries, list_deliveries, read_delivery
from hub.domain.delivery import DeliveryState
from hub.domain.problems import Invalid, Problem
from hub.domain.verbs import Verb
from hub.web import cursor
from hub.web.api.parts import Cursor, DeliveryId, Limit, Slug, flat
from hub.web.deps import Ctx, may, may_act
from hub.web.documented import READ, REPLAYED, WRITE, errors, ok
from hub.web.idempotency import Keyed
from hub.web.shapes.deliveries import DeliveryDetail, DeliveryPage, ResolveBody
from hub.web.shapes.items import ReasonBody

router = APIRouter(prefix="/deliveries", tags=["投递"], route_class=Keyed)
Reader = Annotated[Caller, Depends(may("read"))]
_SAID = {**ok(200, "办理后的投递", REPLAYED), **errors(*WRITE, 404)}


@router.get("", summary="投递列表", responses=errors(*READ))
def list_all(
    context: Ctx,
    caller: Reader,
    state: Annotated[DeliveryState | None, Query(description="投递状态")] = None,
    channel: Slug = "",
    item: Slug = "",
    needs_person: Annotated[bool | None, Query(description="只看需要（或不需要）人处理的")] = None,
    limit: Limit = 50,
    after: Annotated[Cursor, Query(alias="cursor")] = "",
) -> DeliveryPage:
    """新的在前。部门人员看到本单位稿件的投递。"""
    filters: dict[str, Any] = {"state": state or "", "channel": channel, "item": item, "needs_person": needs_person}
    lines, place = list_deliveries(context, caller, WantedDeliveries(**filters, before=cursor.read(after, filters), limit=limit))
    return DeliveryPage.model_validate({"deliveries": lines, "next": cursor.make(place, filters)})


@router.get("/{delivery_id}", summary="投递详情", responses=errors(*READ, 404))
def read_one(delivery_id: DeliveryId, context: Ctx, caller: Reader) -> DeliveryDetail:
    """每次尝试、每次调用的摘要都在其中，作为证据。"""
    return _detail(context, caller, delivery_id)


@router.post("/{delivery_id}/retry", summary="重新投递", responses=_SAID)
def retry(
    delivery_id: DeliveryId, body: ReasonBody, context: Ctx, caller: Annotated[Caller, Depends(may_act("deliver", Verb.DELIVERY_RETRIED))]
) -> DeliveryDetail:
    """只用于“被拒绝”的投递；“待核实”的须先核实，以免重复发布。"""
    resolve.retry(context, caller, delivery_id, reason=body.reason)
    return _detail(context, caller, delivery_id)


@router.post("/{delivery_id}/reconcile", summary="立即核实", responses=_SAID)
def reconcile(
    delivery_id: DeliveryId,
    body: ReasonBody,
    context: Ctx,
    caller: Annotated[Caller, Depends(may_act("deliver", Verb.DELIVERY_RECONCILED))],
) -> DeliveryDetail:
    """现在就向平台查询，不等下一次计划的核实。"""
    resolve.reconcile(context, caller, delivery_id, reason=body.reason)
    return _detail(context, caller, delivery_id)


@router.post("/{delivery_id}/resolve", summary="人工认定结果", responses=_SAID)
def resolve_by_person(
    delivery_id: DeliveryId,
    body: ResolveBody,
    context: Ctx,
    caller: Annotated[Caller, Depends(may_act("deliver", Verb.DELIVERY_RESOLVED))],
) -> DeliveryDetail:
    """本人在平台上看过：有，写明地址；没有，重新排队发送。"""
    if body.published:
        if not body.ref.strip():
            raise Invalid((Problem("ref", "required", "没有填写平台上的地址或编号", "请从平台上复制"),))
        resolve.resolve_published(context, caller, delivery_id, ref=body.ref.strip(), reason=body.reason)
    else:
        resolve.resolve_not_published(context, caller, delivery_id, reason=body.reason)
    return _detail(context, caller, delivery_id)


@router.post("/{delivery_id}/cancel", summary="取消投递", responses=_SAID)
def cancel(
    delivery_id: DeliveryId, body: ReasonBody, context: Ctx, caller: Annotated[Caller, Depends(may_act("deliver", Verb.DELIVERY_CANCELLED))]
) -> DeliveryDetail:
    """放弃这一渠道的这次发布。"""
    resolve.cancel(context, caller, delivery_id, reason=body.reason)
    return _detail(context, caller, delivery_id)


def _detail(context: Context, caller: Caller, delivery_id: int) -> DeliveryDetail:
    view = read_delivery(context, caller, delivery_id)
    return DeliveryDetail.model_validate({**flat(view), "attempts": view.line.attempts, "history": view.attempts})
