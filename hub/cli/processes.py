"""The long-running processes. Each command becomes the process it names: signals, exit code and name are its own."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from hub.cli.shared import bad_call, container


def web() -> None:
    """启动网站与接口服务（HUB_HOST:HUB_PORT）。"""
    _become("hub.web.serve")


def worker(
    queue: Annotated[list[str] | None, typer.Option("--queue", help="只处理这些渠道的队列，可多次；不写则全部")] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="同时处理的批次数")] = 8,
) -> None:
    """启动发布进程（Celery worker）。"""
    known = list(container().accounts)
    wrong = [q for q in queue or [] if q not in (*known, "chores")]
    if wrong:
        bad_call(f"没有渠道“{'、'.join(wrong)}”，可选：{'、'.join((*known, 'chores'))}")
    _become("workers.run", "worker", "--concurrency", str(concurrency), *(part for q in queue or [] for part in ("--queue", q)))


def beat() -> None:
    """启动调度进程：到时提醒（relay）与日常巡检。"""
    _become("workers.run", "beat")


def _become(module: str, *arguments: str) -> None:
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - our own interpreter and module
