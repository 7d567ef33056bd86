"""From a page key to bytes, read from the index alone: the same index always gives the same site."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from channels.website.addresses import ARCHIVE, URGENT, item_path, listing_path
from channels.website.details import blocks
from channels.website.fixed import fixed_pages, sitemap_index, sitemap_urls
from channels.website.listings import finished, sitemap_span, sitemaps, span
from channels.website.look import Look, day
from channels.website.tags import article_tags, column_tags, feeds, item_facts, site_facts, site_tags
from channels.website.urgent import current_warnings

NEWEST = 12
PER_BLOCK = 6
BACKLINKS = 50
"""Most links back that a page shows, newest first; a much interpreted policy must not make every publication dear."""

INVERSE = {
    "interprets": "interpreted_by",
    "interpreted_by": "interprets",
    "corrects": "corrected_by",
    "corrected_by": "corrects",
    "replaces": "replaced_by",
    "replaced_by": "replaces",
}
RELATIONS = {
    "interprets": "所解读的文件",
    "interpreted_by": "政策解读",
    "corrects": "所更正的信息",
    "corrected_by": "更正公告",
    "replaces": "所替代的文件",
    "replaced_by": "已被以下文件替代",
}


@dataclass(frozen=True, slots=True)
class StoredCopy:
    """A file below ``/files/`` whose bytes are the hub's."""

    sha256: str


Content = bytes | StoredCopy | None
"""None: there must be no such file."""


def draw(db: sqlite3.Connection, look: Look, page: str) -> dict[str, Content]:
    """Return every path (relative to the site) that the page consists of. ValueError for a key that names nothing."""
    kind, _, name = page.partition(":")
    drawers: dict[str, Callable[[sqlite3.Connection, Look, str], dict[str, Content]]] = {
        "item": _item,
        "list": _list,
        "home": _home,
        "sitemap": _sitemap,
        "file": _file,
        "fixed": _fixed,
    }
    if kind not in drawers:
        raise ValueError(f"未知的页面：{page}")
    return drawers[kind](db, look, name)


# ------------------------------------------------------------------------------------------------------------- items


def _item(db: sqlite3.Connection, look: Look, public_id: str) -> dict[str, Content]:
    folder = item_path(public_id)[1:]
    row = db.execute("SELECT * FROM item WHERE public_id = ?", (public_id,)).fetchone()
    if row is None:
        return {folder + "index.html": None, folder + "gone.html": None}
    payload = json.loads(row["payload"])
    if row["withdrawn_at"]:
        notice = look.draw(
            "gone.html", tags=site_tags(look.site), feeds=[], payload=payload, withdrawn_at=row["withdrawn_at"], note=row["note"]
        )
        return {folder + "gone.html": notice, folder + "index.html": None}
    relations = _relations(db, payload)
    scopes = [
        *((f"column-{each['slug']}", each["name"]) for each in [payload["column"]]),
        (f"department-{payload['department']['slug']}", payload["department"]["name"]),
        *((f"area-{each['slug']}", each["name"]) for each in [payload["area"]] if each),
    ]
    page = look.draw(
        "item.html",
        tags=[*site_tags(look.site), *column_tags(payload["column"]), *article_tags(look.site, payload, row["published_at"])],
        feeds=feeds(look.site, *scopes),
        payload=payload,
        published_at=row["published_at"],
        updated_at=row["updated_at"],
        blocks=blocks(payload["details"]),
        facts=_facts(payload, row["published_at"]),
        relations=relations,
        warned=[
            group
            for group in relations
            if group["type"] in ("corrected_by", "replaced_by") and any(each["path"] for each in group["items"])
        ],
        json_ld=item_facts(look.site, payload, row["published_at"], row["updated_at"]),
    )
    return {folder + "index.html": page, folder + "gone.html": None}


def _facts(payload: dict[str, Any], published_at: str) -> list[tuple[str, str]]:
    """The metadata table (政府信息公开目录); rows without a value are left out."""
    rows = [
        ("索引号", payload["index_no"]),
        ("发布机构", payload["department"]["name"]),
        ("成文日期", payload["issued_on"]),
        ("发布日期", day(published_at)),
        ("文号", payload["doc_no"]),
        ("效力", payload["validity"]),
        ("生效日期", payload["effective_on"]),
        ("有效期至", payload["expires_on"]),
        ("体裁", payload["genre"]),
        ("主题分类", payload["theme"]),
        ("公开属性", payload["disclosure_attr"]),
        ("信息来源", f"{payload['source']}（{payload['source_kind']}）" if payload["source_kind"] else payload["source"]),
        ("关键词", "；".join(payload["keywords"])),
    ]
    return [row for row in rows if row[1]]


def _relations(db: sqlite3.Connection, payload: dict[str, Any]) -> list[dict[str, Any]]:
    """Links to and from other items, by type. A target that is withdrawn or not yet there is named without a link."""
    found: dict[str, list[dict[str, str]]] = {}
    seen = set()
    for each in payload["relations"]:
        row = db.execute("SELECT withdrawn_at FROM item WHERE public_id = ?", (each["public_id"],)).fetchone()
        shown = row is not None and not row["withdrawn_at"]
        seen.add((each["type"], each["public_id"]))
        found.setdefault(each["type"], []).append({"title": each["title"], "path": item_path(each["public_id"]) if shown else ""})
    back = db.execute(
        "SELECT r.type, i.public_id, i.card FROM relation r JOIN item i ON i.public_id = r.source"
        " WHERE r.target = ? AND i.withdrawn_at IS NULL ORDER BY i.published_at DESC, i.public_id DESC LIMIT ?",
        (payload["public_id"], BACKLINKS),
    )
    for row in back:
        kind = INVERSE.get(row["type"], row["type"])
        if (kind, row["public_id"]) not in seen:
            found.setdefault(kind, []).append({"title": json.loads(row["card"])["title"], "path": item_path(row["public_id"])})
    return [{"type": kind, "title": RELATIONS.get(kind, "相关信息"), "items": items} for kind, items in sorted(found.items())]


# ---------------------------------------------------------------------------------------------------------- listings


def configured(look: Look) -> dict[str, dict[str, Any]]:
    """Listing → label, for every listing the configuration names."""
    site = look.site
    found: dict[str, dict[str, Any]] = {ARCHIVE: {"slug": "", "name": "全部公开信息", "type": "信息公开目录"}}
    for column in site.columns:
        parents = [{"slug": each.slug, "name": each.name} for each in column.parents]
        found[f"columns/{column.slug}"] = {
            "slug": column.slug,
            "name": column.name,
            "type": column.type,
            "description": column.description,
            "keywords": list(column.keywords),
            "parents": parents,
        }
    found |= {f"departments/{each.slug}": {"slug": each.slug, "name": each.name} for each in site.departments}
    return found | {f"areas/{each.slug}": {"slug": each.slug, "name": each.name} for each in site.areas}


def _list(db: sqlite3.Connection, look: Look, name: str) -> dict[str, Content]:
    listing, _, part = name.partition(":")
    number = int(part) if part else 0
    path = listing_path(listing, number)
    row = db.execute("SELECT entries, visible, label FROM listing WHERE name = ?", (listing,)).fetchone()
    label = configured(look).get(listing) or (json.loads(row["label"]) if row else None)
    last = finished(row["entries"]) if row else 0
    if label is None or number > last:
        return {path[1:] + "index.html": None}
    group = listing.partition("/")[0]
    scope = [(f"{group[:-1]}-{label['slug']}", label["name"])] if group != ARCHIVE else []
    page = look.draw(
        "listing.html",
        tags=[*site_tags(look.site), *column_tags(label)],
        feeds=feeds(look.site, *scope),
        label=label,
        group=group,
        parents=label.get("parents") or [],
        children=[each for each in look.site.columns if group == "columns" and each.parents and each.parents[-1].slug == label["slug"]],
        entries=_cards(db, listing, *span(number, last)),
        path=path,
        number=number,
        total=row["visible"] if row else 0,
        pages=_pager(listing, number, last),
    )
    return {path[1:] + "index.html": page}


def _pager(listing: str, number: int, last: int) -> dict[str, Any]:
    """Links between the pages. Finished pages name only their neighbours, so that they stay as they are."""
    older = last if number == 0 else number - 1
    newer = 0 if number == 0 or number == last else number + 1
    return {
        "older": listing_path(listing, older) if older else "",
        "newer": listing_path(listing, newer) if number else "",
        "newest": listing_path(listing),
        "finished": [(each, listing_path(listing, each)) for each in range(last, max(0, last - 5), -1)] if number == 0 else [],
        "first": listing_path(listing, 1) if number == 0 and last > 5 else "",
    }


def _cards(db: sqlite3.Connection, listing: str, low: int, high: int) -> list[dict[str, Any]]:
    """Shown entries of these places, newest first."""
    rows = db.execute(
        "SELECT i.published_at, i.card FROM entry e JOIN item i ON i.public_id = e.public_id"
        " WHERE e.listing = ? AND e.position BETWEEN ? AND ? AND e.hidden = 0 ORDER BY e.position DESC",
        (listing, low, high),
    )
    return [_shown(row) for row in rows]


def _newest(db: sqlite3.Connection, listing: str, count: int) -> list[dict[str, Any]]:
    rows = db.execute(
        "SELECT i.published_at, i.card FROM entry e JOIN item i ON i.public_id = e.public_id"
        " WHERE e.listing = ? AND e.hidden = 0 ORDER BY e.position DESC LIMIT ?",
        (listing, count),
    )
    return [_shown(row) for row in rows]


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    card: dict[str, Any] = json.loads(row["card"])
    return card | {"path": item_path(card["public_id"]), "published_at": row["published_at"]}


# -------------------------------------------------------------------------------------------------------- other pages


def _home(db: sqlite3.Connection, look: Look, _name: str) -> dict[str, Content]:
    newest = _newest(db, ARCHIVE, NEWEST)
    roots = [each for each in look.site.columns if not each.parents]
    page = look.draw(
        "home.html",
        tags=[*site_tags(look.site), *column_tags(_home_label(look), "首页")],
        feeds=feeds(look.site),
        warnings=current_warnings(_newest(db, URGENT, 20), newest[0]["published_at"] if newest else ""),
        newest=newest,
        columns=[
            {"column": each, "path": listing_path(f"columns/{each.slug}"), "entries": _newest(db, f"columns/{each.slug}", PER_BLOCK)}
            for each in roots
        ],
        json_ld=site_facts(look.site),
    )
    return {"index.html": page}


def _home_label(look: Look) -> dict[str, Any]:
    return {
        "name": "首页",
        "description": look.site.description or look.site.name,
        "keywords": look.site.keywords or (look.site.name,),
        "type": "首页",
    }


def _sitemap(db: sqlite3.Connection, look: Look, name: str) -> dict[str, Content]:
    entries = db.execute("SELECT entries FROM listing WHERE name = ?", (ARCHIVE,)).fetchone()
    files = sitemaps(entries[0]) if entries else 0
    if not name:
        return {"sitemap.xml": sitemap_index(look, files)}
    number = int(name)
    path = f"sitemaps/{number}.xml"
    if number > files:
        return {path: None}
    rows = db.execute(
        "SELECT e.public_id, i.updated_at FROM entry e JOIN item i ON i.public_id = e.public_id"
        " WHERE e.listing = ? AND e.position BETWEEN ? AND ? AND e.hidden = 0 ORDER BY e.position",
        (ARCHIVE, *sitemap_span(number)),
    )
    return {path: sitemap_urls(look, [(item_path(row["public_id"]), row["updated_at"]) for row in rows])}


def _file(db: sqlite3.Connection, _look: Look, name: str) -> dict[str, Content]:
    row = db.execute("SELECT sha256 FROM file WHERE path = ? LIMIT 1", (name,)).fetchone()
    return {f"files/{name}": StoredCopy(row["sha256"]) if row else None}


def _fixed(_db: sqlite3.Connection, look: Look, name: str) -> dict[str, Content]:
    return {name: fixed_pages(look)[name]()}
