"""Channel accounts: how they are, test, pause."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends

from hub.app import accounts
from hub.app.people import Caller
from hub.app.read_deliveries import list_accounts, read_account
from hub.domain.verbs import Verb
from hub.web.api.parts import ChannelName
from hub.web.deps import Ctx, may, may_act
from hub.web.documented import READ, REPLAYED, WRITE, errors, ok
from hub.web.idempotency import Keyed
from hub.web.shapes.deliveries import AccountList, AccountSaid, HealthOut
from hub.web.shapes.items import ReasonBody

router = APIRouter(prefix="/accounts", tags=["渠道账号"], route_class=Keyed)


@router.get("", summary="渠道账号", responses=errors(*READ))
def list_all(context: Ctx, _caller: Annotated[Caller, Depends(may("read"))]) -> AccountList:
    return AccountList.model_validate({"accounts": list_accounts(context)})


@router.post("/{channel}/test", summary="检测账号", responses={**ok(200, "检测结果", REPLAYED), **errors(*WRITE, 404)})
def test_account(
    channel: ChannelName, context: Ctx, caller: Annotated[Caller, Depends(may_act("deliver", Verb.ACCOUNT_TESTED))]
) -> HealthOut:
    """做一次无害的调用。结果良好时，停用或限流中的账号立即恢复发送。"""
    health = accounts.test_by_person(context, caller, channel)
    return HealthOut.model_validate({**asdict(health), "account": read_account(context, channel)})


@router.post("/{channel}/pause", summary="停用账号", responses={**ok(200, "已停用", REPLAYED), **errors(*WRITE, 404)})
def pause_account(
    channel: ChannelName, body: ReasonBody, context: Ctx, caller: Annotated[Caller, Depends(may_act("deliver", Verb.ACCOUNT_PAUSED))]
) -> AccountSaid:
    """只停这一个账号；待发的投递留在队列中，检测通过后继续。"""
    accounts.pause_by_person(context, caller, channel, body.reason)
    return AccountSaid.model_validate(read_account(context, channel))
