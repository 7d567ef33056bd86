"""The command as a process: what goes to which stream, and what is said when nothing can be done."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys

import pytest
from rich.console import Console

from hub.cli import printing
from tests.architecture.sources import ROOT
from tests.cli.conftest import Hub


def test_a_process_answers_as_the_tests_here_assume(hub: Hub) -> None:
    answer = hub.process("items", "list", "--json")
    assert (answer.code, answer.json, answer.err) == (0, [], "")
    wrong = hub.process("items", "sign", "x")
    assert (wrong.code, wrong.one_sentence()) == (2, "缺少 --stage；用法见 hub items sign --help")


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"HUB_CONFIG": ""}, "未指定配置文件：请设置 HUB_CONFIG"),
        ({"HUB_CONFIG": "/nowhere/hub.toml"}, "找不到或无法读取配置文件 /nowhere/hub.toml"),
        ({"HUB_PORT": "eighty"}, "环境变量 HUB_PORT 的值“eighty”不对"),
        ({"HUB_DATABASE_URL": "hub.db"}, "HUB_DATABASE_URL 不是数据库地址"),
        ({"HUB_DATABASE_URL": "oracle9://x"}, "HUB_DATABASE_URL 不是数据库地址"),
        ({"HUB_DATABASE_URL": "postgresql://hub:hub@127.0.0.1:1/hub"}, "数据库无法使用"),
    ],
)
def test_what_is_not_set_up_is_told_in_one_sentence(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], says: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    answer = hub("channels", "list")
    assert answer.code == 2
    assert says in answer.one_sentence()


@pytest.mark.parametrize(
    "command",
    [
        ["user", "list"],
        ["token", "list"],
        ["items", "list"],
        ["items", "submit", "x", "--as", "li"],
        ["deliveries"],
        ["deliveries", "show", "1"],
        ["channels", "check"],
        ["channels", "list"],
        ["audit", "verify"],
        ["audit", "export"],
        ["site", "rebuild"],
        ["seed"],
        ["import", "x.md", "--as", "li"],
    ],
)
def test_a_database_without_tables_names_the_remedy(bare: Hub, command: list[str]) -> None:
    answer = bare(*command)
    assert answer.code == 2
    assert "请先运行 hub db upgrade" in answer.one_sentence()


def test_a_config_that_is_wrong_names_the_key(bare: Hub) -> None:
    (bare.folder / "hub.toml").write_text("[[accounts]]\nname = 'x'\n", "utf-8")
    answer = bare("seed")
    assert answer.code == 2
    answer = bare("channels", "list")
    assert "请先运行 hub db upgrade" in answer.err
    bare.ok("db", "upgrade")
    answer = bare("channels", "list")
    assert answer.code == 2
    assert "accounts.0.kind" in answer.err


def test_a_district_that_is_wrong_names_the_field(hub: Hub) -> None:
    file = hub.folder / "district.toml"
    file.write_text('[site]\nname = "云川区人民政府"\n', "utf-8")
    answer = hub("seed", file)
    assert answer.code == 2
    assert "Traceback" not in answer.err
    assert "site.domain" in answer.err


def test_help_names_every_command(hub: Hub) -> None:
    answer = hub("--help")
    assert answer.code == 0
    for word in ("import", "items", "deliveries", "channels", "audit", "site", "demo"):
        assert word in answer.out


def on_terminal(columns: int, *arguments: str) -> str:
    """What a person sees on a terminal of so many columns, colours removed."""
    master, slave = pty.openpty()
    variables = os.environ | {"COLUMNS": str(columns), "TERM": "xterm", "NO_COLOR": "1"}
    process = subprocess.Popen([sys.executable, "-m", "hub.cli", *arguments], cwd=ROOT, env=variables, stdout=slave, stderr=slave)
    os.close(slave)
    shown = b""
    try:
        while chunk := os.read(master, 65536):
            shown += chunk
    except OSError:
        # Linux says EIO when the other side has closed a pseudo-terminal.
        assert process.wait() == 0
    finally:
        os.close(master)
    return shown.decode().replace("\r\n", "\n")


def test_a_table_that_does_not_fit_becomes_blocks(public: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    (item,) = public.released("甲")
    public.send("website")
    narrow = on_terminal(80, "deliveries", "--channel", "website")
    assert f"/items/{item}/\n" in narrow
    assert "已送达\n" in narrow
    screen = io.StringIO()
    monkeypatch.setattr(printing, "out", Console(file=screen, force_terminal=True, width=200, soft_wrap=True))
    public.ok("deliveries", "--channel", "website")
    (row,) = (line for line in screen.getvalue().splitlines() if item in line)
    assert "已送达" in row
    assert f"/items/{item}/" in row
