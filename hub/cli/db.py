"""``hub db`` and ``hub seed``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.app import accounts
from hub.app.context import Context
from hub.app.seed import seed
from hub.cli.printing import say
from hub.cli.shared import bad_call, bare_container, container
from hub.domain.problems import Invalid
from hub.intake.district import load_district
from hub.store import upgrade as migrations

app = typer.Typer(no_args_is_help=True)


@app.command("upgrade")
def upgrade() -> None:
    """把数据库升级到最新版本。"""
    say(f"数据库版本：{migrations.upgrade(bare_container().engine)}")


@app.command("current")
def current() -> None:
    """显示数据库版本；不是最新时退出码为 1。"""
    hub = bare_container()
    at, newest = migrations.current(hub.engine), migrations.newest()
    say(f"数据库版本：{at or '（空）'}，程序需要：{newest}")
    if at != newest:
        raise typer.Exit(1)


def seed_district(district: Annotated[Path | None, typer.Argument(help="本区描述文件（TOML），默认用配置中的 district")] = None) -> None:
    """装入本区的单位、栏目、领域和人员；已有的不改动。"""
    hub = container()
    path = district or hub.config.district
    if path is None:
        bad_call("请给出本区描述文件，或在配置文件中写 district")
    try:
        described = load_district(path)
    except Invalid as invalid:
        bad_call(f"{path} 有误：" + "".join(f"\n  {p}" for p in invalid.problems))
    bare = Context(hub.engine, hub.clock, hub.files)
    done = seed(bare, described, "system")
    accounts.ensure(hub.context)
    say(f"新增：单位 {done.departments}，栏目 {done.columns}，领域 {done.areas}，人员 {done.people}")
