"""The tree of commands."""

from __future__ import annotations

import typer

from hub.cli import audit, channels, db, deliveries, demo, importing, items, people, processes, site

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="政务信息多渠道发布中枢")
app.command("web")(processes.web)
app.command("worker")(processes.worker)
app.command("beat")(processes.beat)
app.command("run")(demo.run)
app.command("demo")(demo.demo)
app.command("import")(importing.import_files)
app.command("seed")(db.seed_district)
app.add_typer(db.app, name="db", help="数据库")
app.add_typer(people.users, name="user", help="人员")
app.add_typer(people.tokens, name="token", help="接口令牌")
app.add_typer(items.app, name="items", help="稿件")
app.add_typer(deliveries.app, name="deliveries", help="渠道投递：查看、重试、核实")
app.add_typer(channels.app, name="channels", help="渠道账号")
app.add_typer(audit.app, name="audit", help="记录（审计留痕）")
app.add_typer(site.app, name="site", help="网站")
