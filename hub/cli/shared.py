"""What every command needs: the container, the caller, options that return, and acts on several items."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Annotated, NoReturn

import typer

from hub.app.people import Caller, caller_by_name
from hub.cli import embedded
from hub.cli.printing import SHANGHAI, complain, say
from hub.domain.problems import Invalid, Refusal
from hub.settings import BadConfig, Settings, lend
from hub.store import upgrade
from hub.wiring import Container

_opened: list[Container] = []


def _filled(value: str) -> str:
    if not value.strip():
        raise typer.BadParameter("不能为空")
    return value


AsUser = Annotated[str, typer.Option("--as", help="以谁的身份办理（用户名）", envvar="HUB_AS")]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON")]
Reason = Annotated[str, typer.Option("--reason", help="理由（写入记录）", callback=_filled)]


def container() -> Container:
    """Everything, over a database that has this program's schema. Raises BadConfig when it has not."""
    hub = bare_container()
    at, newest = upgrade.current(hub.engine), upgrade.newest()
    if at != newest:
        raise BadConfig(f"数据库{f'版本为 {at}' if at else '还是空的'}，本程序需要 {newest}：请先运行 hub db upgrade")
    return hub


def bare_container() -> Container:
    """For the commands that make or look at the schema.

    Without HUB_CONFIG the hub of ``make run`` in the data folder is meant, if there is one: it keeps its settings there.
    """
    settings = Settings()
    kept = embedded.kept_plan(settings.data)
    if settings.config is None and kept is not None:
        lend(embedded.environment(kept, settings.data, settings.data / "hub.toml", settings.redis))
        settings = Settings()
    _opened.append(Container(settings))
    return _opened[-1]


def let_go() -> None:
    """Close the connections of every container this command opened."""
    while _opened:
        _opened.pop().close()


def caller(hub: Container, username: str) -> Caller:
    with hub.context.reading() as session:
        return caller_by_name(session, username)


def for_each(items: Iterable[str], act: Callable[[str], str]) -> None:
    """Do ``act`` for every item and print what it says. One that is refused does not stop the others; the exit code is 1."""
    failed = False
    for item in items:
        try:
            say(act(item))
        except Refusal as refusal:
            failed = True
            for reason in reasons(refusal):
                complain(f"{item}：{reason}")
    if failed:
        raise typer.Exit(1)


def reasons(refusal: Refusal) -> list[str]:
    """What to tell: every problem of an ``Invalid``, the message of any other refusal."""
    return [str(p) for p in refusal.problems] if isinstance(refusal, Invalid) else [refusal.message]


def bad_call(message: str) -> NoReturn:
    """Say what is wrong with the call and exit with 2."""
    complain(message)
    raise typer.Exit(2)


def one_of(value: str, known: Iterable[str], what: str) -> str:
    """``value`` if it is empty or known; a bad call otherwise."""
    names = list(known)
    if value and value not in names:
        bad_call(f"没有{what}“{value}”，可选：{' '.join(names)}")
    return value


def moment(text: str) -> datetime:
    """``2026-11-20 09:00`` as Beijing time, or any ISO 8601 time with a zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        bad_call(f"“{text}”不是时间，请写成 2026-11-20 09:00（北京时间）")
    return (found if found.tzinfo else found.replace(tzinfo=SHANGHAI)).astimezone(UTC)
