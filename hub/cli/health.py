"""``hub health``: is the process of this machine (container) well? For health checks: 0 well, 1 not."""

from __future__ import annotations

from typing import Annotated

import typer

from hub import alive
from hub.cli.shared import container, out
from hub.embedded.program import answers

app = typer.Typer(no_args_is_help=True)


@app.command("web")
def web() -> None:
    """网站服务是否应答。"""
    settings = container().settings
    # A server that listens on every address is asked on the loopback one.
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host  # noqa: S104 - compared, not bound
    _answer("web", answers(f"http://{host}:{settings.port}/healthz", timeout=5.0)())


@app.command("worker")
def worker(queue: Annotated[list[str] | None, typer.Option("--queue", help="与 hub worker 相同")] = None) -> None:
    """发布进程是否在取任务。"""
    _warm(alive.worker_name(queue or []))


@app.command("beat")
def beat() -> None:
    """调度进程是否在运转。"""
    _warm("beat")


def _warm(name: str) -> None:
    age = alive.age(container().settings.data, name)
    _answer(name, age is not None and age < alive.COLD, "" if age is None else f"（最近一次信号在 {age:.0f} 秒前）")


def _answer(name: str, well: bool, more: str = "") -> None:
    out.print(f"{name}：{'正常' if well else '没有应答'}{more}")
    if not well:
        raise typer.Exit(1)
