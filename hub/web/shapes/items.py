"""Items, revisions, signatures and releases as the API gives them back, and the acts on them as it takes them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from hub.domain.item import ItemEvent, ItemState, Stage
from hub.web.shapes.base import (
    DIGEST_EXAMPLE,
    ID_EXAMPLE,
    PUBLIC_ID,
    Body,
    FoundProblem,
    Local,
    Offsets,
    Said,
    Sha256,
    Shape,
    Text,
    Utc,
    When,
    WordOut,
    local,
)
from hub.web.shapes.content import CONTENT_EXAMPLE, ContentBody, ContentOut, RenderedOut
from hub.web.shapes.deliveries import DELIVERY_EXAMPLE, DeliveryOut

_AT = {"at": "2026-11-18T02:10:00.000Z", "at_local": "2026-11-18T10:10:00+08:00"}
LINE_EXAMPLE: dict[str, Any] = {
    "public_id": ID_EXAMPLE,
    "index_no": "YC0000103/2026-00312",
    "title": CONTENT_EXAMPLE["title"],
    "kind": "notice",
    "urgency": "普通",
    "grade": "A",
    "department": {"slug": "minzheng", "name": "区民政局"},
    "column": {"slug": "notices", "name": "通知公告"},
    "area": {"slug": "elderly", "name": "养老服务"},
    "state": "released",
    "state_label": "已签发",
    "summary": "已发布",
    "revision": 1,
    "released_revision": 1,
    "digest": DIGEST_EXAMPLE,
    "url": f"https://www.example.gov.cn/items/{ID_EXAMPLE}/",
    "created_at": "2026-11-17T01:42:00.000Z",
    "created_at_local": "2026-11-17T09:42:00+08:00",
    "changed_at": "2026-11-20T00:55:00.000Z",
    "changed_at_local": "2026-11-20T08:55:00+08:00",
    "published_at": "2026-11-20T01:00:00.000Z",
    "published_at_local": "2026-11-20T09:00:00+08:00",
    "withdrawn_at": None,
}
SIGNATURE_EXAMPLE: dict[str, Any] = {
    "revision": 1,
    "stage": "first",
    "stage_label": "初审",
    "decision": "approve",
    "person": {"slug": "chu", "name": "初审员"},
    "on_behalf_of": None,
    "digest": DIGEST_EXAMPLE,
    "reason": "",
    "note": "",
    "statements": {},
    **_AT,
}
RELEASE_EXAMPLE: dict[str, Any] = {
    "id": 7,
    "action": "publish",
    "revision": 1,
    "person": {"slug": "qian", "name": "签发人"},
    **_AT,
    "due_at": "2026-11-20T01:00:00.000Z",
    "due_at_local": "2026-11-20T09:00:00+08:00",
    "offsets": {"wechat": 600},
    "reason": "",
    "cancelled_at": None,
}


class ItemLineOut(Shape):
    """One item in a list, as the reader may see it."""

    public_id: str = Field(description="永久编号")
    index_no: str = Field(description="索引号")
    title: str
    kind: str
    urgency: str
    grade: str
    department: WordOut
    column: WordOut
    area: WordOut | None
    state: ItemState
    state_label: str
    summary: str = Field(description="对外可以怎样说：由各渠道投递算出，如 已发布、部分发布、待处理")
    revision: int
    released_revision: int = Field(description="最近签发的版本号；0：从未签发")
    digest: str
    url: str = Field(description="网站上的永久地址")
    created_at: Utc
    created_at_local: Local = local("created_at")
    changed_at: Utc
    changed_at_local: Local = local("changed_at")
    published_at: Utc | None
    published_at_local: Local | None = local("published_at")
    withdrawn_at: Utc | None

    model_config = ConfigDict(json_schema_extra={"examples": [LINE_EXAMPLE]})


class ItemPage(Shape):
    items: list[ItemLineOut]
    next: str | None = Field(description="下一页的 cursor；null：已是最后一页")

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [LINE_EXAMPLE], "next": None}]})


class SignatureOut(Shape):
    revision: int
    stage: Stage
    stage_label: str
    decision: str = Field(description="approve 签字 / return 退回")
    person: WordOut
    on_behalf_of: WordOut | None = Field(description="代审（AB角）时的被代人")
    digest: str = Field(description="签字所覆盖的摘要")
    reason: str = Field(description="退回原因代号")
    note: str
    statements: dict[str, Any] = Field(description="部门审核：公开前审查与保密审查结论")
    at: Utc
    at_local: Local = local("at")

    model_config = ConfigDict(json_schema_extra={"examples": [SIGNATURE_EXAMPLE]})


class ReleaseOut(Shape):
    id: int
    action: str = Field(description="publish 发布 / correct 更正 / withdraw 撤稿")
    revision: int
    person: WordOut
    at: Utc
    at_local: Local = local("at")
    due_at: Utc
    due_at_local: Local = local("due_at")
    offsets: dict[str, int]
    reason: str
    cancelled_at: Utc | None

    model_config = ConfigDict(json_schema_extra={"examples": [RELEASE_EXAMPLE]})


class ItemOut(ItemLineOut):
    """One item whole. Outsiders get what the public sees: no signatures, problems, releases or deliveries."""

    self: str = Field(description="本稿件在接口中的地址")
    external_ref: str
    author: WordOut
    whole: bool = Field(description="false：只显示已公开的版本")
    withdrawal_note: str
    content: ContentOut
    problems: list[FoundProblem]
    signatures: list[SignatureOut]
    releases: list[ReleaseOut]
    deliveries: list[DeliveryOut]
    actions: list[ItemEvent] = Field(description="您现在可以办理的事项")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **LINE_EXAMPLE,
                    "self": f"/api/v1/items/{ID_EXAMPLE}",
                    "external_ref": "YC-SAMPLE-02",
                    "author": {"slug": "li", "name": "信息员"},
                    "whole": True,
                    "withdrawal_note": "",
                    "content": CONTENT_EXAMPLE,
                    "problems": [],
                    "signatures": [SIGNATURE_EXAMPLE],
                    "releases": [RELEASE_EXAMPLE],
                    "deliveries": [DELIVERY_EXAMPLE],
                    "actions": ["withdraw"],
                }
            ]
        }
    )


class RevisionLineOut(Shape):
    number: int
    title: str
    digest: str
    author: WordOut
    created_at: Utc
    created_at_local: Local = local("created_at")


_REVISION_EXAMPLE: dict[str, Any] = {
    "number": 1,
    "title": CONTENT_EXAMPLE["title"],
    "digest": DIGEST_EXAMPLE,
    "author": {"slug": "li", "name": "信息员"},
    "created_at": "2026-11-17T01:42:00.000Z",
    "created_at_local": "2026-11-17T09:42:00+08:00",
}


class RevisionList(Shape):
    revisions: list[RevisionLineOut] = Field(description="新版在前")

    model_config = ConfigDict(json_schema_extra={"examples": [{"revisions": [_REVISION_EXAMPLE]}]})


class RevisionOut(RevisionLineOut):
    """One revision, immutable, with what every channel will send."""

    item: str
    content: ContentOut
    problems: list[FoundProblem]
    signatures: list[SignatureOut]
    renditions: list[RenderedOut]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_REVISION_EXAMPLE,
                    "item": ID_EXAMPLE,
                    "content": CONTENT_EXAMPLE,
                    "problems": [],
                    "signatures": [SIGNATURE_EXAMPLE],
                    "renditions": [{"channel": "website", "digest": DIGEST_EXAMPLE, "payload": {"title": CONTENT_EXAMPLE["title"]}}],
                }
            ]
        }
    )


class WaitingOut(Shape):
    item: ItemLineOut
    actions: list[ItemEvent] = Field(description="您现在可以办理的事项")


class InboxOut(Shape):
    """Most urgent first, then the oldest."""

    waiting: list[WaitingOut]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"waiting": [{"item": {**LINE_EXAMPLE, "state": "submitted", "state_label": "已报送"}, "actions": ["take", "sign_first"]}]}
            ]
        }
    )


# ------------------------------------------------------------------------------------------------------- what is sent


class CreateBody(Body):
    content: ContentBody
    external_ref: Annotated[Text, Field(max_length=160, description="报送方自己的编号，唯一；可空")] = ""
    index_no: Annotated[Text, Field(max_length=64, description="已有的索引号；空：按规则生成")] = ""

    model_config = ConfigDict(json_schema_extra={"examples": [{"content": CONTENT_EXAMPLE, "external_ref": "OA-2026-1182"}]})


class PreviewBody(Body):
    content: ContentBody
    public_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{0,32}$", description="作为哪件稿件的下一版；空：新稿件")] = ""

    model_config = ConfigDict(json_schema_extra={"examples": [{"content": CONTENT_EXAMPLE}]})


class ReasonBody(Body):
    reason: Annotated[Said, Field(min_length=1, max_length=1000, description="理由，写入记录")]

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "附件有误，收回修改"}]})


class StatementsBody(Body):
    """审签单: what the department's head declares."""

    pre_release: Annotated[Said, Field(min_length=1, max_length=500, description="公开前审查结论")]
    secrecy: Annotated[Said, Field(min_length=1, max_length=500, description="保密审查结论")]
    is_secret: bool = Field(False, description="是否涉密；涉密的只能退回")


class SignBody(Body):
    stage: Stage = Field(description="dept 部门审核 / first 初审 / second 复审 / final 终审")
    digest: Annotated[Sha256, Field(description="您审阅的版本的摘要：签字只对这一版有效")]
    note: Annotated[Text, Field(max_length=2000)] = ""
    statements: StatementsBody | None = Field(None, description="部门审核必填")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"stage": "dept", "digest": DIGEST_EXAMPLE, "statements": {"pre_release": "可以公开", "secrecy": "不涉密，可以公开"}},
                {"stage": "first", "digest": DIGEST_EXAMPLE, "note": "已核对"},
            ]
        }
    )


class ReturnBody(Body):
    digest: Annotated[Sha256, Field(description="您审阅的版本的摘要")]
    reason: Annotated[Text, Field(min_length=1, max_length=24, description="退回原因代号，见 /vocabulary")]
    note: Annotated[Said, Field(min_length=1, max_length=2000, description="需要修改之处")]

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"digest": DIGEST_EXAMPLE, "reason": "facts", "note": "补贴标准与文件不一致"}]}
    )


class SigningBody(Body):
    public_id: Annotated[str, Field(pattern=PUBLIC_ID)]
    digest: Sha256


class BatchBody(Body):
    stage: Stage
    items: Annotated[list[SigningBody], Field(min_length=1, max_length=100)]

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"stage": "first", "items": [{"public_id": ID_EXAMPLE, "digest": DIGEST_EXAMPLE}]}]}
    )


class BatchLineOut(Shape):
    public_id: str
    signed: bool
    code: str = Field(description="未签时的原因代码")
    message: str


class BatchOut(Shape):
    """Each item stands for itself: one refused line stops no other."""

    results: list[BatchLineOut]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "results": [
                        {"public_id": ID_EXAMPLE, "signed": True, "code": "", "message": ""},
                        {
                            "public_id": "20261120-2b3c4d5e",
                            "signed": False,
                            "code": "own_text",
                            "message": "您撰写或修改过该稿件，不能审核",
                        },
                    ]
                }
            ]
        }
    )


class ReleaseBody(Body):
    digest: Annotated[Sha256, Field(description="要签发的版本的摘要")]
    due_at: When | None = Field(None, description="发布时间，带时区；空：现在")
    offsets: Offsets = Field(default_factory=dict)
    note: Annotated[Text, Field(max_length=1000)] = ""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"digest": DIGEST_EXAMPLE, "due_at": "2026-11-20T09:00:00+08:00", "offsets": {"wechat": 600}}]}
    )


class RescheduleBody(Body):
    due_at: When
    offsets: Offsets | None = Field(None, description="空：不变")

    model_config = ConfigDict(json_schema_extra={"examples": [{"due_at": "2026-11-21T09:00:00+08:00"}]})


class WithdrawBody(Body):
    reason: Annotated[Said, Field(min_length=1, max_length=1000, description="撤稿原因，写入记录")]
    notice: Annotated[Said, Field(min_length=1, max_length=1000, description="对外说明，公众在原地址看到")]

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "数据有误", "notice": "因数据有误，本信息已撤回，更正后另行公布。"}]}
    )
