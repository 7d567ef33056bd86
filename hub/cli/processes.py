"""The long-running processes. Each command becomes the process it names: signals, exit code and name are its own."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def _group() -> None:
    """常驻进程"""


@app.command()
def web() -> None:
    """启动网站与接口服务（HUB_HOST:HUB_PORT）。"""
    _become("hub.web.serve")


@app.command()
def worker(
    queue: Annotated[list[str] | None, typer.Option("--queue", help="只处理这些渠道的队列，可多次；不写则全部")] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="同时处理的批次数")] = 8,
) -> None:
    """启动发布进程（Celery worker）。"""
    _become("workers.run", "worker", "--concurrency", str(concurrency), *(part for q in queue or [] for part in ("--queue", q)))


@app.command()
def beat() -> None:
    """启动调度进程：到时提醒（relay）与日常巡检。"""
    _become("workers.run", "beat")


def _become(module: str, *arguments: str) -> None:
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - our own interpreter and module
