"""``hub site``: build the public files again from the database."""

from __future__ import annotations

import typer
from rich.progress import Progress

from channels import feed, website
from hub.app.republish import History, histories
from hub.cli.printing import complain, out, say
from hub.cli.shared import container
from hub.domain.verbs import Verb

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """网站"""


@app.command("rebuild")
def rebuild() -> None:
    """按数据库重新生成网站和订阅源；内容未变的文件逐字节相同，不会重写。"""
    hub = container()
    with Progress(console=out, transient=True, disable=not out.is_terminal) as bar, hub.context.reading() as session:
        task = bar.add_task("网站", total=None)
        report = website.rebuild(
            hub.surroundings("website"),
            (_website_entry(h) for h in histories(session, "website")),
            progress=lambda stage, done: bar.update(task, description=f"网站 {stage}", completed=done),
        )
        task = bar.add_task("订阅源", total=None)
        feeds = feed.rebuild(
            hub.surroundings("feed"),
            (_feed_entry(h) for h in histories(session, "feed")),
            lambda done: bar.update(task, completed=done),
            account=hub.accounts.get("feed"),
        )
    with hub.context.work("cli") as work:
        work.record(
            Verb.SITE_REBUILT, "site", {"items": report.items, "pages": report.pages, "changed": report.changed, "feeds_changed": feeds}
        )
        work.commit()
    for what, why in report.faults.items():
        complain(f"未能生成 {what}：{why}")
    say(f"网站：{report.items} 件稿件，{report.pages} 个页面，改动 {report.changed} 个文件；订阅源：改动 {feeds} 个文件")
    if report.faults:
        raise typer.Exit(1)


def _website_entry(history: History) -> website.Entry:
    newest = history.shown[-1]
    return website.Entry(newest.payload, history.published_at, newest.updated_at, history.withdrawn_at, history.notice, newest.revision)


def _feed_entry(history: History) -> feed.Entry:
    releases = tuple(feed.Release(s.revision, s.payload, s.updated_at, s.note) for s in history.shown)
    return feed.Entry(history.published_at, releases, history.withdrawn_at, history.notice)
