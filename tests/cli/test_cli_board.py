"""The board of `make run`: what it says of items on their way, and that it fits."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from hub.cli import board
from hub.settings import Settings
from hub.wiring import Container
from tests.cli.conftest import Hub


def seen(*, prefix: str = "T-") -> board.Board:
    hub = Container(Settings())
    try:
        return board.look(hub, prefix)
    finally:
        hub.close()


def drawn(shown: board.Board, columns: int, site: str = "") -> list[str]:
    screen = Console(file=io.StringIO(), width=columns)
    screen.print(board.draw(shown, site=site))
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue().splitlines()


def test_from_draft_to_withdrawal(hub: Hub) -> None:
    (draft,) = hub.take_in("T-1")
    stay, leave = hub.released("T-2", "T-3")
    waiting = seen()
    assert (waiting.final, waiting.done, len(waiting.deliveries)) == (False, 0, 6)
    assert not waiting.good
    hub.send()
    out = seen()
    assert out.final
    assert out.good
    hub.ok("items", "withdraw", leave, "--reason", "有误", "--notice", "已撤下。", "--as", "publisher-1")
    assert not seen().final
    assert not seen().good
    hub.send()
    gone = seen()
    assert gone.final
    assert gone.good, "a second run after a withdrawal is as good as the first"
    states = {line.split()[0]: line.split()[1] for line in drawn(gone, 120) if line.strip().startswith("关于")}
    assert list(states.values()) == ["草稿", "已发布", "已撤稿"]
    assert {item.public_id for item, _, _ in gone.rows} == {draft, stay, leave}


def test_it_fits_and_names_the_page(public: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    title = "云川区市场监督管理局关于公布2026年第二十一期食品安全监督抽检信息及不合格产品核查处置情况的公告"
    (item,) = public.released("T-1", title=title)
    public.send("website", "feed")
    shown, site = seen(), Settings().site_address
    for columns in (80, 120):
        for lines in (drawn(shown, columns), drawn(shown, columns, site)):
            assert all(cell_len(line) <= columns for line in lines)
            assert any("已送达" in line for line in lines)
        assert any(f"/items/{item}/" in line for line in lines)
        assert not any(f"/items/{item}/" in line for line in drawn(shown, columns))

    # Into a pipe: a line for each delivery, with its address.
    capsys.readouterr()
    board.tell(shown)
    head, *rows = (line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert head[2:4] == ["渠道", "投递"]
    assert [(row[2], row[3]) for row in rows] == [("website", "已送达"), ("feed", "已送达"), ("wechat", "待发")]
    assert rows[0][5].endswith(f"/items/{item}/")
