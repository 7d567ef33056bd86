"""The words of the record: every act that can stand in it, as ``noun.verb``, and how a person reads it.

To add an act, write one line here: value and label stand together, so neither can be forgotten.
"""

from __future__ import annotations

from enum import StrEnum


class Verb(StrEnum):
    """An act as the record names it. A value, once used, is never renamed: the record outlives the code."""

    label: str
    """Chinese, for lists and pages."""

    def __new__(cls, value: str, label: str) -> Verb:
        verb = str.__new__(cls, value)
        verb._value_ = value
        verb.label = label
        return verb

    HUB_SEEDED = "hub.seeded", "初始数据装入"
    IMPORT_DONE = "import.done", "批量导入完成"
    FILE_STORED = "file.stored", "文件入库"
    SITE_REBUILT = "site.rebuilt", "网站重新生成"
    RECORD_SEALED = "record.sealed", "记录封存签名"
    ALARM_RAISED = "alarm.raised", "异常告警"
    ACT_REFUSED = "act.refused", "操作被拒绝"

    PERSON_ADDED = "person.added", "新增人员"
    PERSON_CHANGED = "person.changed", "修改人员信息"
    GRANT_GIVEN = "grant.given", "授予职责"
    GRANT_TAKEN = "grant.taken", "收回职责"
    DEPUTY_NAMED = "deputy.named", "指定代审人"
    DEPUTY_ENDED = "deputy.ended", "代审结束"
    TOKEN_ISSUED = "token.issued", "签发接口令牌"
    TOKEN_REVOKED = "token.revoked", "吊销接口令牌"

    DEPARTMENT_ADDED = "department.added", "新增单位"
    DEPARTMENT_CHANGED = "department.changed", "修改单位"
    DEPARTMENT_CLOSED = "department.closed", "停用单位"
    COLUMN_ADDED = "column.added", "新增栏目"
    COLUMN_CHANGED = "column.changed", "修改栏目"
    COLUMN_CLOSED = "column.closed", "停用栏目"
    AREA_ADDED = "area.added", "新增领域"
    AREA_CHANGED = "area.changed", "修改领域"
    AREA_CLOSED = "area.closed", "停用领域"

    ITEM_CREATED = "item.created", "新建稿件"
    REVISION_MADE = "revision.made", "形成新版本"
    ITEM_SUBMITTED = "item.submitted", "送审"
    ITEM_RECALLED = "item.recalled", "主动撤回修改"
    ITEM_TAKEN = "item.taken", "受理"
    REVIEW_SIGNED = "review.signed", "审核签字"
    REVIEW_RETURNED = "review.returned", "退回修改"
    ITEM_RELEASED = "item.released", "签发"
    RELEASE_RESCHEDULED = "release.rescheduled", "调整排期"
    RELEASE_CANCELLED = "release.cancelled", "取消签发"
    ITEM_WITHDRAWN = "item.withdrawn", "撤稿"

    DELIVERY_CLAIMED = "delivery.claimed", "开始投递"
    DELIVERY_SETTLED = "delivery.settled", "投递回执"
    DELIVERY_LEASE_EXPIRED = "delivery.lease_expired", "投递超时待核实"
    DELIVERY_RECONCILED = "delivery.reconciled", "投递核对"
    DELIVERY_SUPERSEDED = "delivery.superseded", "被新版本取代"
    DELIVERY_CANCELLED = "delivery.cancelled", "取消投递"
    DELIVERY_RETRIED = "delivery.retried", "重新投递"
    DELIVERY_RESOLVED = "delivery.resolved", "人工认定投递结果"
    DELIVERY_GAVE_UP = "delivery.gave_up", "放弃投递"
    DELIVERY_TAKEN_DOWN = "delivery.taken_down", "渠道内容已撤下"

    ACCOUNT_PAUSED = "account.paused", "渠道账号暂停"
    ACCOUNT_RESUMED = "account.resumed", "渠道账号恢复"
    ACCOUNT_TESTED = "account.tested", "渠道账号测试"
    CALLBACK_RECEIVED = "callback.received", "收到平台回调"
    NOTICE_SENT = "notice.sent", "通知已发出"
    NOTICE_FAILED = "notice.failed", "通知发送失败"


LABELS: dict[Verb, str] = {verb: verb.label for verb in Verb}
"""What each act is called in lists and pages."""
