"""What a command prints: sentences, tables for people, tab-separated lines for programs, JSON."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

SHANGHAI = ZoneInfo("Asia/Shanghai")
# Sentences are broken by the terminal where they end, not by us: what is copied or piped must stay in one piece.
out = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def local(moment: datetime | None) -> str:
    """``2026-11-20 09:00:00`` in Beijing time, or an empty string."""
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}" if moment else ""


def say(text: str, style: str = "") -> None:
    """Print one sentence. Titles and names may hold square brackets, which must not be taken for markup."""
    out.print(Text(text, style))


def complain(text: str) -> None:
    """Say on stderr what is wrong."""
    errors.print(Text.assemble(("✗", "red"), " ", text))


def print_json(value: object) -> None:
    """Write ``value`` to stdout and nothing else; times are UTC with a Z."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=_plain) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on a terminal that is wide enough, one block a row on a narrow one, tab-separated lines into a pipe."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    if not out.is_terminal:
        for line in ([Text(c) for c in columns], *cells):
            sys.stdout.write("\t".join(" ".join(cell.plain.split()) for cell in line) + "\n")
        return
    if not cells:
        say(f"{title}：（没有）")
        return
    table = Table(*columns, title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for line in cells:
        table.add_row(*line)
    if Measurement.get(out, out.options.update(max_width=10_000), table).maximum <= out.width:
        out.print(table, soft_wrap=False)
        return
    say(title, "italic")
    for line in cells:
        out.print(Text("  ").join(line[:2]), style="bold", soft_wrap=False)
        told = [(name, cell) for name, cell in zip(columns[2:], line[2:], strict=True) if cell.plain]
        for name, cell in told:
            out.print(Text.assemble("  ", (f"{name}：", "dim"), cell))


def _cell(value: object) -> Text:
    return value if isinstance(value, Text) else Text("" if value is None else str(value))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{type(value).__name__} is not written as JSON")
