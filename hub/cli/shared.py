"""What every command needs: the container, the caller, tables and JSON."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from hub.app.people import Caller, caller_by_name
from hub.domain.problems import Problem
from hub.settings import Settings
from hub.wiring import Container

SHANGHAI = ZoneInfo("Asia/Shanghai")
out = Console(highlight=False)
AsUser = Annotated[str, typer.Option("--as", help="以谁的身份办理（用户名）", envvar="HUB_AS")]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON")]
Reason = Annotated[str, typer.Option("--reason", help="理由（写入记录）")]


def container() -> Container:
    return Container(Settings())


def caller(hub: Container, username: str) -> Caller:
    with hub.context.reading() as session:
        return caller_by_name(session, username)


def local(moment: datetime | None) -> str:
    """``2026-11-20 09:00 北京时间``, or an empty string."""
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}" if moment else ""


def print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=_plain) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    table = Table(*columns, title=title, title_justify="left", show_lines=False)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    out.print(table)


def problems_text(problems: Iterable[Problem]) -> str:
    return "\n".join(f"{'' if p.blocking else '（提示）'}{p}" for p in problems)


def bad_call(message: str) -> NoReturn:
    """Say what is wrong with the call and exit with 2."""
    Console(stderr=True, highlight=False).print(f"[red]✗[/] {message}")
    raise typer.Exit(2)


def moment(text: str) -> datetime:
    """``2026-11-20 09:00`` as Beijing time, or any ISO 8601 time with a zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        bad_call(f"“{text}”不是时间，请写成 2026-11-20 09:00（北京时间）")
    return (found if found.tzinfo else found.replace(tzinfo=SHANGHAI)).astimezone(UTC)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)
