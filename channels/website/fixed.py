"""Pages that hang on the configuration alone, and the sitemap's form."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from xml.sax.saxutils import escape

from channels.website.addresses import ARCHIVE, listing_path
from channels.website.look import Look, machine
from channels.website.tags import column_tags, feeds, site_tags

SITEMAP_SPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def fixed_pages(look: Look) -> dict[str, Callable[[], bytes]]:
    """Path → how to draw it."""
    site = look.site
    pages: dict[str, Callable[[], bytes]] = {
        look.stylesheet_path[1:]: lambda: look.stylesheet,
        "favicon.svg": lambda: look.favicon,
        "robots.txt": lambda: f"User-agent: *\nAllow: /\n\nSitemap: {site.url}/sitemap.xml\n".encode(),
        "404.html": lambda: look.draw("missing.html", tags=site_tags(site), feeds=feeds(site)),
        "subscribe/index.html": lambda: _subscribe(look),
        "sitemaps/pages.xml": lambda: sitemap_urls(look, [(path, "") for path in ["/", "/subscribe/", *_landings(look)]]),
    }
    for group, name, members in _groups(look):
        pages[f"{group}/index.html"] = lambda group=group, name=name, members=members: look.draw(  # type: ignore[misc]
            "directory.html",
            tags=[*site_tags(site), *column_tags({"name": name})],
            feeds=feeds(site),
            name=name,
            path=listing_path(group),
            members=members,
        )
    return pages


def _groups(look: Look) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """Folders of listings that have members: address, name, members."""
    site = look.site
    columns = [{"name": each.name, "path": listing_path(f"columns/{each.slug}"), "depth": len(each.parents)} for each in site.columns]
    departments = [{"name": each.name, "path": listing_path(f"departments/{each.slug}"), "depth": 0} for each in site.departments]
    areas = [{"name": each.name, "path": listing_path(f"areas/{each.slug}"), "depth": 0} for each in site.areas]
    groups = [("columns", "栏目", columns), ("departments", "部门", departments), ("areas", "领域", areas)]
    return [group for group in groups if group[2]]


def _landings(look: Look) -> list[str]:
    return [listing_path(ARCHIVE)] + [
        path for group, _, members in _groups(look) for path in [listing_path(group), *(each["path"] for each in members)]
    ]


def _subscribe(look: Look) -> bytes:
    site = look.site
    scopes = [
        ("栏目", [(f"column-{each.slug}", " / ".join([*(above.name for above in each.parents), each.name])) for each in site.columns]),
        ("部门", [(f"department-{each.slug}", each.name) for each in site.departments]),
        ("领域", [(f"area-{each.slug}", each.name) for each in site.areas]),
    ]
    return look.draw(
        "subscribe.html",
        tags=[*site_tags(site), *column_tags({"name": "订阅说明"})],
        feeds=feeds(site),
        groups=[("全部", [("all", "全部信息")]), *(scope for scope in scopes if scope[1])],
    )


def sitemap_index(look: Look, files: int) -> bytes:
    """Without times, so that it changes only when a file is added."""
    names = ["pages", *(str(number) for number in range(1, files + 1))]
    body = "".join(f"<sitemap><loc>{escape(look.site.url)}/sitemaps/{name}.xml</loc></sitemap>\n" for name in names)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<sitemapindex xmlns="{SITEMAP_SPACE}">\n{body}</sitemapindex>\n'.encode()


def sitemap_urls(look: Look, pages: Iterable[tuple[str, str]]) -> bytes:
    """``pages``: path and time of the last change, or an empty string."""
    rows = []
    for path, changed in pages:
        when = f"<lastmod>{machine(changed)}</lastmod>" if changed else ""
        rows.append(f"<url><loc>{escape(look.site.url + path)}</loc>{when}</url>\n")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{SITEMAP_SPACE}">\n{"".join(rows)}</urlset>\n'.encode()
