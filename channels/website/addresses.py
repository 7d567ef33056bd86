"""Where everything lies on the site: page keys, paths on disk, addresses in links.

A *page key* names one thing the site writes (``item:ID``, ``list:columns/news``, ``list:columns/news:3``, ``home``,
``sitemap:2``, ``file:ab/abcd…/表.pdf``, ``fixed:robots.txt``). Keys are what the index notes as dirty.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}\Z")
PUBLIC_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,99}\Z")
RESERVED_IDS = frozenset({"page"})
"""``/items/page/`` is the archive's own."""
DIGEST = re.compile(r"[0-9a-f]{64}\Z")

ARCHIVE = "items"
URGENT = "urgent"
"""Not shown as a listing: the home page reads it."""
HOME = "home"
SITEMAP = "sitemap"
OWNED = ("items", "columns", "departments", "areas", "files", "assets", "sitemaps", "subscribe")
"""Folders of the site that belong to the website channel; ``feeds`` and ``record`` belong to others."""


def item_key(public_id: str) -> str:
    return f"item:{public_id}"


def list_key(listing: str, number: int = 0) -> str:
    """``number`` 0 is the landing page, 1… the finished pages from the old end."""
    return f"list:{listing}:{number}" if number else f"list:{listing}"


def sitemap_key(number: int) -> str:
    return f"sitemap:{number}"


def file_key(path: str) -> str:
    return f"file:{path}"


def fixed_key(path: str) -> str:
    return f"fixed:{path}"


def item_path(public_id: str) -> str:
    return f"/items/{public_id}/"


def listing_path(listing: str, number: int = 0) -> str:
    return f"/{listing}/page/{number}/" if number else f"/{listing}/"


def stored_name(name: str) -> str:
    """The name a file has on disk and in its address: no folders, no control characters, at most 200 bytes of UTF-8, ending kept."""
    plain = re.sub(r"[\x00-\x1f\x7f/\\]+", "_", name).strip().lstrip(".") or "file"
    if len(plain.encode()) <= 200:
        return plain
    stem, dot, ending = plain.rpartition(".")
    ending = dot + ending if dot and len(ending.encode()) <= 20 else ""
    return (stem or plain).encode()[: 200 - len(ending.encode())].decode(errors="ignore") + ending


def file_place(sha256: str, name: str) -> str:
    """Path below ``/files/``, not quoted."""
    return f"{sha256[:2]}/{sha256}/{stored_name(name)}"


def file_address(sha256: str, name: str) -> str:
    return "/files/" + quote(file_place(sha256, name))


def listings_of(payload: dict[str, Any]) -> list[str]:
    """Every listing an item stands in: the archive, its column and the columns above, its department, its area."""
    column = payload["column"]
    names = [ARCHIVE, *(f"columns/{each['slug']}" for each in [*column["parents"], column]), f"departments/{payload['department']['slug']}"]
    if payload["area"]:
        names.append(f"areas/{payload['area']['slug']}")
    if payload["kind"] == "emergency" or payload["urgency"] == "特急":
        names.append(URGENT)
    return list(dict.fromkeys(names))


def files_of(payload: dict[str, Any]) -> dict[str, str]:
    """Path below ``/files/`` → SHA-256 of every file the page shows or offers."""
    return {file_place(each["sha256"], each["name"]): each["sha256"] for each in [*payload["attachments"], *payload["pictures"]]}


def folder_of(page: str) -> str:
    """Folder, relative to the site, that holds what a page key stands for."""
    kind, _, name = page.partition(":")
    if kind == "item":
        return f"items/{name}"
    if kind == "list":
        listing, _, number = name.partition(":")
        return listing_path(listing, int(number or 0)).strip("/")
    if kind == "file":
        return f"files/{name.rpartition('/')[0]}"
    if kind == "fixed":
        return name.rpartition("/")[0]
    return "sitemaps" if kind == SITEMAP and name else ""
