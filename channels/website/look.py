"""How the site looks: templates, stylesheet and identity, and one digest over them all."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from channels.base import SiteIdentity, sha256_hex
from channels.templates import templates_dir

BEIJING = ZoneInfo("Asia/Shanghai")
SIZES = ("字节", "KB", "MB", "GB")


@dataclass(frozen=True)
class Look:
    """Draws pages. One per identity and process; safe to share."""

    site: SiteIdentity
    environment: Environment
    stylesheet: bytes
    stylesheet_path: str
    favicon: bytes
    digest: str
    """Changes when any page may look different though its item is the same: then ``rebuild`` is due."""

    def draw(self, template: str, **context: Any) -> bytes:
        """Return the page as UTF-8. Raises jinja2.TemplateError for a name the context lacks."""
        return self.environment.get_template(template).render(**context).encode()


@lru_cache(maxsize=8)
def look_of(site: SiteIdentity, folder: Path | None = None) -> Look:
    """Read the templates in ``folder`` (default: ``templates/site``)."""
    folder = folder or templates_dir() / "site"
    sources = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    stylesheet = sources["site.css"]
    identity = json.dumps(asdict(site), ensure_ascii=False, sort_keys=True).encode()
    digest = sha256_hex(b"\0".join([identity, *(part for name, data in sources.items() for part in (name.encode(), data))]))
    stylesheet_path = f"/assets/site.{sha256_hex(stylesheet)[:16]}.css"
    # The templates of a running process stand still: what it writes must not change under its feet.
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False
    )
    filters: dict[str, Callable[..., Any]] = {
        "moment": moment,
        "machine": machine,
        "day": day,
        "size": size,
        "ending": ending,
        "safe_json": safe_json,
        "urlquote": quote,
    }
    environment.filters.update(filters)
    environment.globals.update(site=site, stylesheet=stylesheet_path, icon="/favicon.svg")
    return Look(site, environment, stylesheet, stylesheet_path, sources["favicon.svg"], digest)


def moment(value: str) -> str:
    """A stored time (UTC or with its zone) as readers see it: Beijing time, ``YYYY-MM-DD HH:MM``. Other text passes unchanged."""
    parsed = _parsed(value)
    return parsed.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M") if parsed else value


def machine(value: str) -> str:
    """The same time for machines: RFC 3339 with +08:00, to the second."""
    parsed = _parsed(value)
    return parsed.astimezone(BEIJING).isoformat(timespec="seconds") if parsed else value


def day(value: str) -> str:
    """A stored time as the day it was in Beijing."""
    parsed = _parsed(value)
    return parsed.astimezone(BEIJING).strftime("%Y-%m-%d") if parsed else value


def _parsed(value: str) -> datetime | None:
    try:
        date.fromisoformat(value)
    except ValueError:
        pass
    else:
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def size(count: int) -> str:
    """Bytes for people, 1024 to the next unit."""
    amount, unit = float(count), 0
    while amount >= 1024 and unit < len(SIZES) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{count} {SIZES[0]}" if unit == 0 else f"{amount:.1f} {SIZES[unit]}"


def ending(name: str) -> str:
    """The kind of file as readers know it: its ending in capitals, or 文件."""
    found = re.search(r"\.([A-Za-z0-9]{1,5})\Z", name)
    return found.group(1).upper() if found else "文件"


def safe_json(value: Any) -> Markup:
    """JSON for a ``<script type="application/ld+json">``: nothing in it can end the element or open a comment."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)  # noqa: S704 - every character that HTML could read is escaped above
