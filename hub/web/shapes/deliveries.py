"""Deliveries, their evidence, and channel accounts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import ConfigDict, Field, field_validator

from hub.domain.delivery import DeliveryState
from hub.web.shapes.base import DIGEST_EXAMPLE, ID_EXAMPLE, Body, Local, Said, Shape, Text, Utc, local

DELIVERY_EXAMPLE: dict[str, Any] = {
    "id": 21,
    "item": ID_EXAMPLE,
    "title": "关于开展困难老年人家庭适老化改造的通知",
    "channel": "wechat",
    "action": "publish",
    "revision": 1,
    "state": "delivered",
    "state_label": "已送达",
    "needs_person": False,
    "reason": "",
    "kind": "",
    "url": "https://mp.weixin.qq.com/s/example",
    "attempts": 1,
    "looks": 1,
    "due_at": "2026-11-20T01:10:00.000Z",
    "due_at_local": "2026-11-20T09:10:00+08:00",
    "next_at": "2026-11-20T01:10:00.000Z",
    "settled_at": "2026-11-20T01:10:31.000Z",
}


class DeliveryOut(Shape):
    """One revision × one channel × one action."""

    id: int
    item: str
    title: str
    channel: str
    action: str = Field(description="publish 发布 / correct 更正 / withdraw 撤回")
    revision: int
    state: DeliveryState
    state_label: str
    needs_person: bool = Field(description="需要人处理")
    reason: str = Field(description="为什么处于这个状态")
    kind: str = Field(description="最近一次被拒的类别")
    url: str = Field(description="读者看到的地址，平台没有给出时为空")
    attempts: int
    looks: int
    due_at: Utc
    due_at_local: Local = local("due_at")
    next_at: Utc
    settled_at: Utc | None

    model_config = ConfigDict(json_schema_extra={"examples": [DELIVERY_EXAMPLE]})


class DeliveryPage(Shape):
    deliveries: list[DeliveryOut]
    next: str | None = Field(description="下一页的 cursor；null：已是最后一页")

    model_config = ConfigDict(json_schema_extra={"examples": [{"deliveries": [DELIVERY_EXAMPLE], "next": None}]})


class ExchangeOut(Shape):
    """One call that was made, secrets removed; digests are of the raw bytes."""

    what: str
    status: str = ""
    request_digest: str = ""
    response_digest: str = ""
    milliseconds: int = 0
    excerpt: str = ""


class AttemptOut(Shape):
    number: int
    kind: str = Field(description="send 发送 / look 核实 / patrol 巡查")
    worker: str
    started_at: Utc
    ended_at: Utc | None
    outcome: str
    why: str
    exchanges: list[ExchangeOut]


class DeliveryDetail(DeliveryOut):
    """With every attempt and every call made for it."""

    ref: dict[str, Any] = Field(description="平台给出的编号等")
    first_attempt_at: Utc | None
    history: list[AttemptOut]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **DELIVERY_EXAMPLE,
                    "ref": {"publish_id": "2247483647"},
                    "first_attempt_at": "2026-11-20T01:10:00.000Z",
                    "history": [
                        {
                            "number": 1,
                            "kind": "send",
                            "worker": "web1:311:1",
                            "started_at": "2026-11-20T01:10:00.000Z",
                            "ended_at": "2026-11-20T01:10:01.000Z",
                            "outcome": "Accepted",
                            "why": "",
                            "exchanges": [
                                {
                                    "what": "POST https://api.weixin.qq.com/cgi-bin/freepublish/submit",
                                    "status": "200",
                                    "request_digest": DIGEST_EXAMPLE,
                                    "response_digest": DIGEST_EXAMPLE,
                                    "milliseconds": 212,
                                    "excerpt": '{"errcode":0,"publish_id":"2247483647"}',
                                }
                            ],
                        }
                    ],
                }
            ]
        }
    )


class ResolveBody(Body):
    """What a person saw on the platform."""

    published: bool = Field(description="true：平台上有；false：平台上没有，重新排队发送")
    ref: Annotated[Text, Field(max_length=500, description="平台上的地址或编号；published 为 true 时必填")] = ""
    reason: Annotated[Said, Field(min_length=1, max_length=1000, description="怎样核实的，写入记录")]

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"published": True, "ref": "https://weibo.com/1/N1a2b3", "reason": "登录后台看到该条微博"}]}
    )


class LimitsOut(Shape):
    """What a channel can carry, as the adapter enforces it."""

    lengths: dict[str, int] = Field(description="字段 → 最多字数（单位见渠道说明）")
    media_types: list[str]
    media_bytes: int = Field(description="单张图片最多字节；0：不限")
    can_edit: bool = Field(description="更正能否直接改动已发内容")
    can_withdraw: bool
    batch: int

    @field_validator("media_types", mode="before")
    @classmethod
    def _in_order(cls, value: Iterable[str]) -> list[str]:
        return sorted(value)


LIMITS_EXAMPLE: dict[str, Any] = {
    "lengths": {"title": 64, "digest": 120},
    "media_types": ["image/jpeg", "image/png"],
    "media_bytes": 10485760,
    "can_edit": False,
    "can_withdraw": True,
    "batch": 4,
}


class AccountOut(Shape):
    """One channel account (渠道账号)."""

    channel: str
    kind: str
    sending: bool = Field(description="false：已停用，或限流休息中")
    paused_at: Utc | None
    pause_kind: str
    pause_reason: str
    brake_until: Utc | None = Field(description="限流休息到何时，到时自动恢复")
    last_ok_at: Utc | None
    tested_at: Utc | None
    expires_at: Utc | None = Field(description="授权到期时间")
    limits: LimitsOut


_ACCOUNT_EXAMPLE: dict[str, Any] = {
    "channel": "wechat",
    "kind": "wechat",
    "sending": True,
    "paused_at": None,
    "pause_kind": "",
    "pause_reason": "",
    "brake_until": None,
    "last_ok_at": "2026-11-20T01:10:31.000Z",
    "tested_at": "2026-11-20T00:00:02.000Z",
    "expires_at": None,
    "limits": LIMITS_EXAMPLE,
}


class AccountList(Shape):
    accounts: list[AccountOut]

    model_config = ConfigDict(json_schema_extra={"examples": [{"accounts": [_ACCOUNT_EXAMPLE]}]})


class HealthOut(Shape):
    """Answer of a harmless test call; a good one starts a stopped account again."""

    ok: bool
    message: str
    expires_at: Utc | None
    used: dict[str, int]
    quota: dict[str, int]
    account: AccountOut

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "ok": True,
                    "message": "微信账号正常，今日发布 3／100 次",
                    "expires_at": None,
                    "used": {},
                    "quota": {},
                    "account": _ACCOUNT_EXAMPLE,
                }
            ]
        }
    )


class AccountSaid(AccountOut):
    """An account after an act on it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ACCOUNT_EXAMPLE]})
