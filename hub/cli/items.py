"""``hub items``: the editorial acts on the command line, for small centres and for scripts. Each acts as a named person."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import select

from hub.app import release, review, submit, withdraw
from hub.app.items import locked
from hub.app.review import Statements
from hub.cli.printing import local, print_json, print_table, say
from hub.cli.shared import AsJson, AsUser, Reason, bad_call, caller, container, for_each, moment, one_of
from hub.domain.item import RETURN_REASONS, STATE_LABELS, ItemState, Stage
from hub.store.tables import Item, Revision
from hub.wiring import Container

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_items(
    state: Annotated[str, typer.Option(help="只看此状态：" + " ".join(ItemState))] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="最多几件")] = 50,
    as_json: AsJson = False,
) -> None:
    """列出稿件，新的在前。"""
    one_of(state, ItemState, "状态")
    query = select(Item, Revision.title).join(Revision, (Revision.item_id == Item.id) & (Revision.number == Item.revision_no))
    if state:
        query = query.where(Item.state == state)
    with container().context.reading() as session:
        rows = session.execute(query.order_by(Item.id.desc()).limit(limit)).all()
    if as_json:
        names = ("id", "index_no", "external_ref", "title", "state", "revision", "changed_at")
        values = [(i.public_id, i.index_no, i.external_ref, t, i.state, i.revision_no, i.changed_at) for i, t in rows]
        print_json([dict(zip(names, v, strict=True)) for v in values])
    else:
        found = [(i.public_id, i.index_no, t, STATE_LABELS[ItemState(i.state)], i.revision_no, local(i.changed_at)) for i, t in rows]
        print_table("稿件", ["编号", "索引号", "标题", "状态", "版本", "变动时间（北京时间）"], found)


@app.command("submit")
def submit_items(ids: list[str], as_user: AsUser) -> None:
    """送审。"""
    hub = container()
    who = caller(hub, as_user)

    def act(item: str) -> str:
        submit.submit(hub.context, who, item)
        return f"{item} 已送部门审核"

    for_each(ids, act)


@app.command("sign")
def sign(
    ids: list[str],
    stage: Annotated[Stage, typer.Option(help="审次")],
    as_user: AsUser,
    pre_release: Annotated[str, typer.Option(help="部门审核：公开前审查结论")] = "",
    secrecy: Annotated[str, typer.Option(help="部门审核：保密审查结论")] = "",
    note: str = "",
) -> None:
    """签署一个审次（对当前版本）。"""
    hub = container()
    who = caller(hub, as_user)
    statements = Statements(pre_release, secrecy) if stage is Stage.DEPT else None

    def act(item: str) -> str:
        state = review.sign(hub.context, who, item, stage, digest=_digest(hub, item), note=note, statements=statements)
        return f"{item} 已签署，现为“{STATE_LABELS[state]}”"

    for_each(ids, act)


@app.command("return")
def give_back(
    item: str,
    reason_code: Annotated[str, typer.Option(help="原因：" + " ".join(RETURN_REASONS))],
    note: Annotated[str, typer.Option(help="退回意见")],
    as_user: AsUser,
) -> None:
    """退回修改。"""
    one_of(reason_code, RETURN_REASONS, "退回原因")
    hub = container()
    review.give_back(hub.context, caller(hub, as_user), item, digest=_digest(hub, item), reason=reason_code, note=note)
    say(f"{item} 已退回")


@app.command("release")
def release_items(
    ids: list[str],
    as_user: AsUser,
    at: Annotated[str, typer.Option("--at", help="发布时间，如 2026-11-20 09:00（北京时间）；不写为立即")] = "",
    offset: Annotated[list[str] | None, typer.Option(help="某渠道推迟的秒数，如 weibo=600，可多次")] = None,
) -> None:
    """签发。"""
    due = moment(at) if at else None
    offsets = _offsets(offset or [])
    hub = container()
    who = caller(hub, as_user)

    def act(item: str) -> str:
        release.release(hub.context, who, item, due_at=due, offsets=offsets)
        return f"{item} 已签发，{'立即发布' if due is None else local(due) + '（北京时间）发布'}"

    for_each(ids, act)


@app.command("reschedule")
def reschedule(item: str, at: Annotated[str, typer.Option("--at", help="新的发布时间（北京时间）")], as_user: AsUser) -> None:
    """调整排期（尚无渠道开始发布时）。"""
    due = moment(at)
    hub = container()
    release.reschedule(hub.context, caller(hub, as_user), item, due_at=due)
    say(f"{item} 改为 {local(due)}（北京时间）发布")


@app.command("cancel")
def cancel(item: str, reason: Reason, as_user: AsUser) -> None:
    """取消签发（尚无渠道开始发布时）。"""
    hub = container()
    release.cancel(hub.context, caller(hub, as_user), item, reason=reason)
    say(f"{item} 已取消签发")


@app.command("withdraw")
def withdraw_item(item: str, reason: Reason, notice: Annotated[str, typer.Option(help="对外说明")], as_user: AsUser) -> None:
    """撤稿：从所有已发布的渠道撤回。"""
    hub = container()
    channels = withdraw.withdraw(hub.context, caller(hub, as_user), item, reason=reason, notice=notice)
    say(f"{item} 已撤稿，正从这些渠道撤回：{'、'.join(channels) or '（无）'}")


def _digest(hub: Container, item: str) -> str:
    with hub.context.reading() as session:
        return locked(session, item)[1].digest


def _offsets(texts: list[str]) -> dict[str, int]:
    found = {}
    for text in texts:
        channel, _, seconds = text.partition("=")
        if not seconds.isdigit():
            bad_call(f"“{text}”应写成 渠道=秒数")
        found[channel] = int(seconds)
    return found
