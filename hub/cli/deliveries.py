"""``hub deliveries``: what went where, every attempt with its evidence, and what a person may do about it."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from sqlalchemy import select

from channels.base import Action
from hub.app import resolve
from hub.cli.printing import local, print_json, print_table, say
from hub.cli.shared import AsJson, AsUser, Reason, bad_call, caller, container, one_of
from hub.domain.delivery import DELIVERY_LABELS, DeliveryState
from hub.domain.problems import NotFound
from hub.store.tables import Attempt, Delivery, Item

app = typer.Typer(invoke_without_command=True)
ACTIONS = {Action.PUBLISH: "发布", Action.CORRECT: "更正", Action.WITHDRAW: "撤回"}
KINDS = {"send": "发送", "look": "核实"}
OUTCOMES = {
    "Live": "已送达",
    "Accepted": "平台处理中",
    "Unavailable": "暂不可用",
    "Refused": "被拒绝",
    "Unknown": "结果未知",
    "Absent": "平台上没有",
    "Lost": "发送中断",
    "NeverBegan": "未开始",
}
FIELDS = ("id", "item", "revision", "channel", "action", "state", "due", "attempts", "needs_person", "url", "reason")


@app.callback()
def list_deliveries(
    command: typer.Context,
    state: Annotated[str, typer.Option(help="只看此状态：" + " ".join(DeliveryState))] = "",
    channel: Annotated[str, typer.Option(help="只看此渠道")] = "",
    item: Annotated[str, typer.Option(help="只看此稿件")] = "",
    needs_person: Annotated[bool, typer.Option("--needs-person", help="只看待人工处理的")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="最多几个")] = 200,
    as_json: AsJson = False,
) -> None:
    """列出投递，待人工处理的在前。"""
    if command.invoked_subcommand is not None:
        return
    one_of(state, DeliveryState, "状态")
    hub = container()
    one_of(channel, hub.accounts, "渠道")
    query = select(Delivery, Item.public_id).join(Item, Item.id == Delivery.item_id)
    for wanted, column in ((state, Delivery.state), (channel, Delivery.channel), (item, Item.public_id)):
        if wanted:
            query = query.where(column == wanted)
    if needs_person:
        query = query.where(Delivery.needs_person)
    with hub.context.reading() as session:
        rows = session.execute(query.order_by(Delivery.needs_person.desc(), Delivery.id.desc()).limit(limit)).all()
    if as_json:
        values = [
            (d.id, p, d.revision_no, d.channel, d.action, d.state, d.due_at, d.attempts, d.needs_person, d.url, d.reason) for d, p in rows
        ]
        print_json([dict(zip(FIELDS, v, strict=True)) for v in values])
        return
    shown = [
        (d.id, p, d.channel, ACTIONS[Action(d.action)], d.revision_no, _state(d), local(d.due_at), d.attempts, _last(d)) for d, p in rows
    ]
    print_table("投递", ["编号", "稿件", "渠道", "动作", "版本", "状态", "计划（北京时间）", "次数", "链接／说明"], shown)


def _last(row: Delivery) -> str:
    told = row.reason or row.url
    return f"待人工处理：{told}" if row.needs_person else row.url or told


@app.command("show")
def show(delivery: int, as_json: AsJson = False) -> None:
    """显示一个投递的每次发送与核实，含请求和应答摘要。"""
    with container().context.reading() as session:
        row = session.get(Delivery, delivery)
        if row is None:
            raise NotFound(f"没有编号为 {delivery} 的投递")
        attempts = list(session.scalars(select(Attempt).where(Attempt.delivery_id == delivery).order_by(Attempt.id)))
    if as_json:
        print_json(
            {
                "delivery": _plain(row) | {"ref": json.loads(row.ref)},
                "attempts": [_plain(a) | {"exchanges": json.loads(a.exchanges)} for a in attempts],
            }
        )
        return
    parts = (f"投递 {row.id}：{row.channel} {ACTIONS[Action(row.action)]}，{_state(row)}", row.reason, row.url)
    say("  ".join(part for part in parts if part))
    calls = [
        (
            KINDS.get(a.kind, a.kind),
            a.number,
            local(a.started_at),
            OUTCOMES.get(a.outcome, a.outcome),
            a.why,
            e.get("what", ""),
            e.get("status", ""),
            e.get("request_digest", "")[:12],
            e.get("response_digest", "")[:12],
        )
        for a in attempts
        for e in (json.loads(a.exchanges) or [{}])
    ]
    print_table("经过", ["类别", "次", "开始（北京时间）", "结果", "说明", "调用", "状态", "请求摘要", "应答摘要"], calls)


@app.command("retry")
def retry(delivery: int, reason: Reason, as_user: AsUser) -> None:
    """重新发送一个已停止的投递。"""
    hub = container()
    resolve.retry(hub.context, caller(hub, as_user), delivery, reason=reason)
    say(f"投递 {delivery} 已重新排队")


@app.command("reconcile")
def reconcile(delivery: int, reason: Reason, as_user: AsUser) -> None:
    """立即向平台核实一个结果未知的投递。"""
    hub = container()
    resolve.reconcile(hub.context, caller(hub, as_user), delivery, reason=reason)
    with hub.context.reading() as session:
        row = session.get_one(Delivery, delivery)
    say(f"投递 {delivery}：{_state(row)} {row.reason}")


@app.command("resolve")
def resolve_delivery(
    delivery: int,
    reason: Reason,
    as_user: AsUser,
    published: Annotated[str, typer.Option("--published", help="人工核实已发布：帖子链接或编号")] = "",
    not_published: Annotated[bool, typer.Option("--not-published", help="人工核实未发布，重新发送")] = False,
) -> None:
    """人工核实后定案。"""
    if bool(published) == not_published:
        bad_call("请二选一：--published 链接 或 --not-published")
    hub = container()
    if published:
        resolve.resolve_published(hub.context, caller(hub, as_user), delivery, ref=published, reason=reason)
    else:
        resolve.resolve_not_published(hub.context, caller(hub, as_user), delivery, reason=reason)
    say(f"投递 {delivery} 已定案")


@app.command("cancel")
def cancel(delivery: int, reason: Reason, as_user: AsUser) -> None:
    """放弃一个渠道的投递。"""
    hub = container()
    resolve.cancel(hub.context, caller(hub, as_user), delivery, reason=reason)
    say(f"投递 {delivery} 已取消")


def _state(row: Delivery) -> str:
    return DELIVERY_LABELS[DeliveryState(row.state)]


def _plain(row: Delivery | Attempt) -> dict[str, object]:
    return {c.key: getattr(row, c.key) for c in row.__mapper__.column_attrs}
