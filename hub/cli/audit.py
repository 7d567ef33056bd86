"""``hub audit``: prove the record, or hand it to somebody who proves it themselves."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hub.app import seal
from hub.app.export import export
from hub.app.verify import VerifyReport, verify
from hub.cli.printing import out, print_json, say
from hub.cli.shared import AsJson, bad_call, container
from hub.wiring import Container

app = typer.Typer(no_args_is_help=True)


@app.command("verify")
def verify_record(
    checkpoint: Annotated[list[Path] | None, typer.Option("--checkpoint", help="另外保存的检查点文件，可多次")] = None,
    as_json: AsJson = False,
) -> None:
    """重算全部记录并核对每个签名检查点；有问题时指出第一条并以 1 退出。"""
    report = check(container(), checkpoint or [], quiet=as_json)
    if as_json:
        print_json(
            {"ok": report.ok, "size": report.size, "root": report.root, "checkpoints": report.checkpoints, "findings": report.findings}
        )
    else:
        say(str(report), "green" if report.ok else "red")
    if not report.ok:
        raise typer.Exit(1)


@app.command("export")
def export_record(
    file: Annotated[Path | None, typer.Argument(help="写到此文件，不写则写到标准输出")] = None,
    after: Annotated[int, typer.Option(min=0, help="只要此号之后的")] = 0,
) -> None:
    """导出记录（JSON Lines），可用 docs/verify_record.py 独立核验。"""
    hub = container()
    key = seal.load_or_make_key(hub.key_file)
    seal.seal(hub.engine, key, hub.origin, hub.settings.data, hub.settings.site, hub.clock())
    note = (hub.settings.data / "checkpoints" / "latest.txt").read_text("utf-8")
    public = seal.verifier_key(key, hub.origin)
    size = seal.read_checkpoint(note, public).size
    if after > size:
        bad_call(f"--after 应在 0 与 {size}（最近一次检查点的条数）之间")
    if file is None:
        export(hub.engine, sys.stdout, note=note, key=public, after=after)
        return
    with file.open("w", encoding="utf-8") as target:
        count = export(hub.engine, target, note=note, key=public, after=after)
    say(f"已导出 {count} 条到 {file}")


def check(hub: Container, more: list[Path], *, quiet: bool) -> VerifyReport:
    """Verify against every checkpoint of the data folder and ``more``, with a progress bar on a terminal."""
    key = seal.verifier_key(seal.load_or_make_key(hub.key_file), hub.origin)
    kept = sorted((hub.settings.data / "checkpoints").glob("[0-9]*.txt"))
    parts = (TextColumn("核验记录"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*parts, console=out, transient=True, disable=quiet or not out.is_terminal) as bar:
        task = bar.add_task("", total=None)
        return verify(
            hub.engine, checkpoints=[*kept, *more], key=key, progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
