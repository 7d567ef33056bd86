"""The live board: item × channel, redrawn until everything is final; and the table that remains."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.style import Style
from rich.table import Column, Table
from rich.text import Text
from sqlalchemy import select

from channels.base import Action
from hub.cli.printing import SHANGHAI, local, print_table
from hub.domain.delivery import DELIVERY_LABELS, FINAL_FOR_NOW, TERMINAL, DeliveryState
from hub.domain.item import ItemState
from hub.domain.summary import summarise
from hub.store.tables import Delivery, Item, Revision
from hub.wiring import Container

COLOURS = {
    DeliveryState.DELIVERED: "green",
    DeliveryState.REFUSED: "red",
    DeliveryState.UNKNOWN: "yellow",
    DeliveryState.ACCEPTED: "cyan",
    DeliveryState.SENDING: "cyan",
}
TITLE = "样例稿件 × 渠道（北京时间）"
CELL = 10
"""Columns of the longest state, 平台处理中."""


@dataclass(frozen=True, slots=True)
class Board:
    """A picture of the moment: items with their deliveries."""

    channels: tuple[str, ...]
    rows: tuple[tuple[Item, str, dict[str, Delivery]], ...]

    @property
    def deliveries(self) -> list[Delivery]:
        return [d for _, _, by_channel in self.rows for d in by_channel.values()]

    @property
    def done(self) -> int:
        """How many are final, or wait for a person."""
        return sum(DeliveryState(d.state) in FINAL_FOR_NOW or d.needs_person for d in self.deliveries)

    @property
    def final(self) -> bool:
        return self.done == len(self.deliveries)

    @property
    def good(self) -> bool:
        """Everything is where it should be: delivered, or taken back with its item."""
        return all(
            d.state == DeliveryState.DELIVERED or (item.state == ItemState.WITHDRAWN and DeliveryState(d.state) in TERMINAL)
            for item, _, by_channel in self.rows
            for d in by_channel.values()
        )


def look(hub: Container, prefix: str) -> Board:
    """The newest publication of every item × channel whose external reference starts with ``prefix``."""
    with hub.context.reading() as session:
        items = session.execute(
            select(Item, Revision.title)
            .join(Revision, (Revision.item_id == Item.id) & (Revision.number == Item.revision_no))
            .where(Item.external_ref.like(f"{prefix}%"))
            .order_by(Item.external_ref)
        ).all()
        by_item: dict[int, dict[str, Delivery]] = {i.id: {} for i, _ in items}
        for delivery in session.scalars(
            select(Delivery).where(Delivery.item_id.in_(by_item), Delivery.action != Action.WITHDRAW).order_by(Delivery.id)
        ):
            by_item[delivery.item_id][delivery.channel] = delivery
    return Board(tuple(hub.accounts), tuple((i, t, by_item[i.id]) for i, t in items))


def watch(hub: Container, console: Console, prefix: str, seconds: float, dead: Callable[[], str]) -> Board:
    """Redraw until every delivery is final, ``seconds`` have passed, or ``dead`` names a process that keeps dying."""
    bar = Progress(TextColumn("发布进度"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console)
    task = bar.add_task("", total=None)
    ends = time.monotonic() + seconds
    board = look(hub, prefix)
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        while not board.final and time.monotonic() < ends and not dead():
            bar.update(task, total=len(board.deliveries), completed=board.done)
            live.update(Group(draw(board), bar))
            time.sleep(0.25)
            board = look(hub, prefix)
    return board


def draw(board: Board, *, site: str = "") -> Table:
    """One line an item; with ``site`` (its address) a second line tells where the page is and when each channel had it."""
    title = Column("稿件", no_wrap=True, ratio=1)
    channels = [Column(name, no_wrap=True, width=8 if site else CELL) for name in board.channels]
    table = Table(
        title, Column("状态", no_wrap=True), *channels, title=TITLE, title_justify="left", box=box.SIMPLE_HEAD, expand=True, pad_edge=False
    )
    for item, name, by_channel in board.rows:
        cells = [_cell(by_channel.get(c), told=bool(site)) for c in board.channels]
        table.add_row(_named(name, by_channel, site), _overall(item, by_channel), *cells)
    return table


def tell(board: Board) -> None:
    """The same for a pipe: a line a delivery, with its address."""
    rows = [
        (name, _overall(item, by_channel), channel, DELIVERY_LABELS[DeliveryState(d.state)], local(d.settled_at), d.url or d.reason)
        for item, name, by_channel in board.rows
        for channel, d in by_channel.items()
    ]
    print_table(TITLE, ["稿件", "状态", "渠道", "投递", "时间（北京时间）", "链接／说明"], rows)


def _overall(item: Item, by_channel: dict[str, Delivery]) -> str:
    return summarise(ItemState(item.state), [DeliveryState(d.state) for d in by_channel.values()])


def _named(name: str, by_channel: dict[str, Delivery], site: str) -> Text:
    text = Text(name)
    page = next((d.url for d in by_channel.values() if site and d.url.startswith(f"{site}/items/")), "")
    if page:
        text.append("\n").append(page.removeprefix(site), Style(dim=True, link=page))
    return text


def _cell(delivery: Delivery | None, *, told: bool) -> Text:
    if delivery is None:
        return Text("—", "dim")
    state = DeliveryState(delivery.state)
    # Addresses do not fit into a terminal's table: the words are the link, where the terminal knows links.
    text = Text(DELIVERY_LABELS[state], Style(color=COLOURS.get(state), link=delivery.url if told and delivery.url else None))
    if told and delivery.settled_at is not None:
        text.append(f"\n{delivery.settled_at.astimezone(SHANGHAI):%H:%M:%S}", "dim")
    return text
