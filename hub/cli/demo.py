"""``hub demo`` (``make run``): the whole hub on this machine with a sample district. ``hub run``: the same without the sample."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.cells import set_cell_size

from hub.app import accounts, seal
from hub.app.context import Context
from hub.app.seed import seed
from hub.cli import audit, board, embedded, journey
from hub.cli.printing import complain, out, say
from hub.cli.shared import bad_call, bare_container
from hub.domain.item import STATE_LABELS, ItemState
from hub.embedded.redis_server import RedisNotStarted
from hub.embedded.supervisor import NotReady, Supervisor
from hub.intake.district import load_district
from hub.settings import Settings, lend
from hub.store import upgrade as migrations
from hub.wiring import Container

PREFIX = "YC-SAMPLE-"
RESTARTS = 5
"""So many restarts of one process before its work is done: it will not get better by itself."""
EXAMPLES = Path(__file__).parents[2] / "examples"


def demo(
    once: Annotated[bool, typer.Option("--once", help="样例全部发布完毕后退出；全部成功且记录核验通过时退出码为 0")] = False,
    wait: Annotated[float, typer.Option(help="等待样例发布完毕的最长秒数")] = 300,
    port: Annotated[int, typer.Option(help="网站端口；被占用时自动顺延")] = embedded.WEB,
) -> None:
    """启动完整的中枢和样例区县：建库、装入样例、三审、签发、发布到四个渠道。Ctrl-C 停止。"""
    if not EXAMPLES.joinpath("district.toml").exists():
        bad_call(f"找不到样例目录 {EXAMPLES}；请在源代码目录中运行 make run")
    data = Settings().data
    chosen = embedded.plan(data, port)
    config = embedded.write_config(chosen, EXAMPLES / "hub.toml", data / "hub.toml")
    try:
        with embedded.redis_server(data) as redis:
            variables = embedded.environment(chosen, data, config, redis.url)
            lend(variables)
            hub = bare_container()
            try:
                _serve(hub, chosen, variables, once=once, wait=wait)
            finally:
                hub.close()
    except (NotReady, RedisNotStarted) as error:
        complain(str(error))
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        say("已停止。再次运行 make run 将继续使用同一份数据。")


def _serve(hub: Container, chosen: embedded.Plan, variables: dict[str, str], *, once: bool, wait: float) -> None:
    began = time.monotonic()
    data = hub.settings.data
    with Supervisor(data / "logs") as supervisor:
        _step("数据库", migrations.upgrade(hub.engine))
        for program in embedded.platform_programs(chosen, data):
            supervisor.start(program)
        done = seed(Context(hub.engine, hub.clock, hub.files), load_district(EXAMPLES / "district.toml"), "system")
        _step("样例区县", f"单位 {done.departments}，栏目 {done.columns}，领域 {done.areas}，人员 {done.people}（新增）")
        accounts.ensure(hub.context)
        for program in embedded.hub_programs(hub.settings, variables):
            supervisor.start(program)
        lines = journey.import_samples(hub, EXAMPLES / "sample_items.json")
        _step(
            "导入样例",
            f"{sum(x.result == 'created' for x in lines)} 件新建，{sum(x.result in ('unchanged', 'kept') for x in lines)} 件已有",
        )
        for line in lines:
            if line.result == "refused":
                complain(f"未收 {line.title}：" + "；".join(map(str, line.problems)))
        supervisor.wait_ready(timeout=90)
        _step("进程", "、".join(s.name for s in supervisor.status()) + " 已就绪")
        journey.carry_through(hub, lambda text: say(f"  {text}"))

        def dead() -> str:
            return next((s.name for s in supervisor.status() if s.restarts > RESTARTS), "")

        shown = board.watch(hub, out, PREFIX, wait, dead)
        if broken := dead():
            complain(f"{broken} 反复退出，请看日志 {_near(data / 'logs' / f'{broken}.log')}")
        good = _conclude(hub, shown)
        if once:
            say(f"用时 {time.monotonic() - began:.1f} 秒")
            if not good:
                raise typer.Exit(1)
            return
        _tell_where(hub, chosen)
        supervisor.wait()


def _conclude(hub: Container, shown: board.Board) -> bool:
    """The table, the verified record, and whether everything is as it should be."""
    if out.is_terminal:
        out.print(board.draw(shown, site=hub.settings.site_address), soft_wrap=False)
    else:
        board.tell(shown)
    key = seal.load_or_make_key(hub.key_file)
    seal.seal(hub.engine, key, hub.origin, hub.settings.data, hub.settings.site, hub.clock())
    report = audit.check(hub, [], quiet=False)
    say(str(report), "green" if report.ok else "red")
    held_back = [(item, title) for item, title, deliveries in shown.rows if not deliveries]
    for item, title in held_back:
        why = (
            "保密审查退回，须去标识化后重新报送" if item.external_ref == journey.PRIVATE else f"现为“{STATE_LABELS[ItemState(item.state)]}”"
        )
        say(f"未发布 {title}：{why}", "yellow")
    released = len(shown.rows) - len(held_back)
    good = report.ok and shown.good and released > 0 and all(item.external_ref == journey.PRIVATE for item, _ in held_back)
    say(f"{'✓ 全部到位' if good else '✗ 尚有未到位'}：{released} 件稿件，{len(shown.deliveries)} 个投递", "green" if good else "red")
    return good


def _tell_where(hub: Container, chosen: embedded.Plan) -> None:
    tokens = journey.sign_ins(hub, hub.settings.data / "demo-tokens.txt")
    places = (
        ("网站", f"{chosen.site}/"),
        ("订阅源", f"{chosen.site}/feeds/all.atom.xml"),
        ("微信（模拟）", f"{chosen.addresses['wechat']}/"),
        ("微博（模拟）", f"{chosen.addresses['weibo']}/"),
        ("接口文档", f"{chosen.site}/api/v1/docs"),
        ("登录令牌", f"{_near(tokens)}（每行：用户名、令牌）"),
        ("命令行", ".venv/bin/hub deliveries（其余见 docs/commands.md）"),
        ("日志", _near(hub.settings.data / "logs")),
    )
    say("\n中枢正在运行", "bold green")
    for name, place in places:
        say(f"  {set_cell_size(name, 14)}{place}")
    say("  按 Ctrl-C 停止；再次 make run 将继续使用同一份数据。")


def _near(path: Path) -> str:
    """The path as one would type it here."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def run() -> None:
    """启动嵌入式中枢（Redis、网站、发布、调度），不装入样例。配置见 HUB_CONFIG。"""
    settings = Settings()
    try:
        with embedded.redis_server(settings.data) as redis:
            variables = {"HUB_DATA_DIR": str(settings.data), "HUB_REDIS_URL": redis.url}
            lend(variables)
            hub = bare_container()
            try:
                _keep_running(hub, variables)
            finally:
                hub.close()
    except (NotReady, RedisNotStarted) as error:
        complain(str(error))
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        say("已停止。")


def _keep_running(hub: Container, variables: dict[str, str]) -> None:
    with Supervisor(hub.settings.data / "logs") as supervisor:
        _step("数据库", migrations.upgrade(hub.engine))
        accounts.ensure(hub.context)
        for program in embedded.hub_programs(hub.settings, variables):
            supervisor.start(program)
        supervisor.wait_ready(timeout=90)
        say(f"中枢正在运行：{hub.settings.site_address}/  按 Ctrl-C 停止")
        supervisor.wait()


def _step(what: str, result: str) -> None:
    out.print(f"[green]✓[/] {what}：{result}")
