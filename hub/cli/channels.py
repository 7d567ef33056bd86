"""``hub channels``: the accounts and their test calls."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text
from sqlalchemy import select

from hub.app import accounts
from hub.cli.printing import local, print_json, print_table, say
from hub.cli.shared import AsJson, AsUser, Reason, caller, container, one_of
from hub.store.tables import AccountRow

app = typer.Typer(no_args_is_help=True)


@app.command("check")
def check(channel: Annotated[list[str] | None, typer.Argument(help="渠道，不写则全部")] = None, as_json: AsJson = False) -> None:
    """逐个检测渠道账号；检测通过的停用账号恢复发送。有不通过的退出码为 1。"""
    hub = container()
    names = [one_of(name, hub.channels, "渠道") for name in channel or hub.channels]
    found = {name: accounts.test(hub.context, "cli", name) for name in names}
    if as_json:
        print_json(
            {
                n: {"ok": h.ok, "message": h.message, "expires_at": h.expires_at, "used": dict(h.used), "quota": dict(h.quota)}
                for n, h in found.items()
            }
        )
    else:
        rows = [(n, Text("正常", "green") if h.ok else Text("异常", "red"), h.message, local(h.expires_at)) for n, h in found.items()]
        print_table("渠道账号", ["渠道", "状态", "说明", "授权到期（北京时间）"], rows)
    if not all(h.ok for h in found.values()):
        raise typer.Exit(1)


@app.command("list")
def list_accounts(as_json: AsJson = False) -> None:
    """列出渠道账号的状态。"""
    with container().context.reading() as session:
        rows = list(session.scalars(select(AccountRow).order_by(AccountRow.channel)))
    if as_json:
        print_json(
            [
                {
                    "channel": r.channel,
                    "paused_at": r.paused_at,
                    "brake_until": r.brake_until,
                    "reason": r.pause_reason,
                    "last_ok_at": r.last_ok_at,
                    "expires_at": r.expires_at,
                }
                for r in rows
            ]
        )
        return
    shown = [
        (r.channel, "停用" if r.paused_at else "", local(r.brake_until), r.pause_reason, local(r.last_ok_at), local(r.expires_at))
        for r in rows
    ]
    print_table("渠道账号", ["渠道", "停用", "暂停至", "原因", "最近成功", "授权到期"], shown)


@app.command("pause")
def pause(channel: str, reason: Reason, as_user: AsUser) -> None:
    """停用一个渠道账号，其余渠道不受影响。"""
    hub = container()
    accounts.pause_by_person(hub.context, caller(hub, as_user), one_of(channel, hub.channels, "渠道"), reason)
    say(f"{channel} 已停用；恢复请用 hub channels check {channel}")
