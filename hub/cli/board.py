"""The live board: item × channel with state, time and link, redrawn until everything is final."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.style import Style
from rich.table import Table
from rich.text import Text
from sqlalchemy import select

from hub.cli.shared import SHANGHAI
from hub.domain.delivery import DELIVERY_LABELS, FINAL_FOR_NOW, DeliveryState
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


@dataclass(frozen=True, slots=True)
class Board:
    """A picture of the moment: items with their deliveries."""

    channels: tuple[str, ...]
    rows: tuple[tuple[Item, str, dict[str, Delivery]], ...]

    @property
    def deliveries(self) -> list[Delivery]:
        return [d for _, _, by_channel in self.rows for d in by_channel.values()]

    @property
    def final(self) -> bool:
        return all(DeliveryState(d.state) in FINAL_FOR_NOW for d in self.deliveries)

    @property
    def good(self) -> bool:
        return all(d.state == DeliveryState.DELIVERED for d in self.deliveries)


def look(hub: Container, prefix: str) -> Board:
    """The newest delivery of every item × channel whose external reference starts with ``prefix``."""
    with hub.context.reading() as session:
        items = session.execute(
            select(Item, Revision.title)
            .join(Revision, (Revision.item_id == Item.id) & (Revision.number == Item.revision_no))
            .where(Item.external_ref.like(f"{prefix}%"))
            .order_by(Item.external_ref)
        ).all()
        by_item: dict[int, dict[str, Delivery]] = {i.id: {} for i, _ in items}
        for delivery in session.scalars(select(Delivery).where(Delivery.item_id.in_(by_item)).order_by(Delivery.id)):
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
            done = sum(DeliveryState(d.state) in FINAL_FOR_NOW for d in board.deliveries)
            bar.update(task, total=len(board.deliveries), completed=done)
            live.update(Group(draw(board, links=False), bar))
            time.sleep(0.25)
            board = look(hub, prefix)
    return board


def draw(board: Board, *, links: bool) -> Table:
    table = Table("稿件", "状态", *board.channels, title="样例稿件 × 渠道（时间为北京时间）", title_justify="left", show_lines=links)
    for item, title, by_channel in board.rows:
        overall = summarise(ItemState(item.state), [DeliveryState(d.state) for d in by_channel.values()])
        short = title if len(title) <= 20 else title[:19] + "…"
        table.add_row(short, overall, *(_cell(by_channel.get(c), links=links) for c in board.channels))
    return table


def _cell(delivery: Delivery | None, *, links: bool) -> Text:
    if delivery is None:
        return Text("—", "dim")
    state = DeliveryState(delivery.state)
    text = Text(DELIVERY_LABELS[state], COLOURS.get(state, ""))
    if delivery.settled_at is not None:
        text.append(f" {delivery.settled_at.astimezone(SHANGHAI):%H:%M:%S}", "dim")
    if links and delivery.url:
        # A link in the terminal: whole addresses would make four columns unreadable; `hub deliveries --json` prints them.
        text.append("\n打开", Style(color="blue", underline=True, link=delivery.url))
    elif links and delivery.reason:
        text.append(f"\n{delivery.reason}", "dim")
    return text
