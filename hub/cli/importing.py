"""``hub import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.text import Text

from hub.app.importing import Line, import_lines, record_import
from hub.app.revisions import vocabulary_for
from hub.cli.printing import out, print_json, print_table, say
from hub.cli.shared import AsJson, AsUser, bad_call, caller, container
from hub.domain.problems import Problem
from hub.intake.report import read_sources
from hub.intake.sources.xlsx_rows import write_template

RESULTS: dict[str, str | Text] = {
    "created": "新建",
    "revised": "更新",
    "unchanged": "未变",
    "kept": "未改动",
    "refused": Text("未收", "red"),
}


def import_files(
    files: Annotated[list[Path] | None, typer.Argument(help="JSON、XLSX、DOCX、Markdown 文件，可多个")] = None,
    as_user: AsUser = "",
    template: Annotated[Path | None, typer.Option("--template", help="写出 XLSX 模板到此文件后退出")] = None,
    default: Annotated[list[str] | None, typer.Option("--default", help="文件中没写的字段，如 栏目=通知公告，可多次")] = None,
    column_map: Annotated[list[str] | None, typer.Option("--map", help="表头对应，如 文件名称=标题，可多次")] = None,
    as_json: AsJson = False,
) -> None:
    """导入稿件为草稿。每行（文件）各自成败；同一文件再导入一次不会重复。"""
    if not files and template is None:
        bad_call("请给出要导入的文件，或用 --template 写出模板")
    if not as_user and template is None:
        bad_call("请用 --as 指明由谁报送（用户名）")
    defaults, mapping = _pairs(default or []), _pairs(column_map or [])
    hub = container()
    with hub.context.reading() as session:
        words = vocabulary_for(session)
    if template is not None:
        write_template(template, words)
        say(f"已写出模板：{template}")
        return
    who = caller(hub, as_user)
    with Progress(console=out, transient=True, disable=as_json or not out.is_terminal) as bar:
        reading = bar.add_task("读取", total=None)
        results = list(read_sources(files or [], words, hub.files, defaults, hub.clock(), mapping=mapping))
        bar.update(reading, total=1, completed=1)
        saving = bar.add_task("保存", total=len(results))
        lines = import_lines(
            hub.context, lambda _department: who, results, lambda done, total: bar.update(saving, completed=done, total=total)
        )
    record_import(hub.context, who, lines)
    _answer(lines, as_json)
    if any(line.result == "refused" for line in lines):
        raise typer.Exit(1)


def _answer(lines: list[Line], as_json: bool) -> None:
    if as_json:
        print_json(lines)
        return
    rows = [(x.source, x.row or "", x.title[:30], RESULTS[x.result], x.public_id, _told(x.problems)) for x in lines]
    print_table("导入结果", ["文件", "行", "标题", "结果", "编号", "问题与处理办法"], rows)
    counts = {key: sum(line.result == key for line in lines) for key in RESULTS}
    say("，".join(f"{RESULTS[key]} {count}" for key, count in counts.items() if count) or "没有可导入的内容")


def _told(problems: tuple[Problem, ...]) -> str:
    return "\n".join(f"{'' if p.blocking else '（提示）'}{p}" for p in problems)


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            bad_call(f"“{text}”应写成 名称=值")
        pairs[name.strip()] = value.strip()
    return pairs
