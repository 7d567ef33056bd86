"""What machines read in a page's head: the government page tags, JSON-LD, feeds.

Tags and their values: 国办发〔2017〕47号 附件 (网页设计规范). Three on every page, four more on column pages, and on articles
three that must be there and five that may.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from channels.base import SiteIdentity
from channels.website.look import machine, moment

Tag = tuple[str, str]
FORMATS = (
    ("rss.xml", "application/rss+xml", "RSS"),
    ("atom.xml", "application/atom+xml", "Atom"),
    ("json", "application/feed+json", "JSON Feed"),
)


@dataclass(frozen=True, slots=True)
class FeedLink:
    path: str
    media_type: str
    title: str
    format: str


def site_tags(site: SiteIdentity) -> list[Tag]:
    return [("SiteName", site.name), ("SiteDomain", site.domain), ("SiteIDCode", site.id_code)]


def column_tags(label: dict[str, Any], fallback_type: str = "信息公开目录") -> list[Tag]:
    """Tags of a listing; the rules ask for all four, so an area or department is described by its name."""
    name = label["name"]
    return [
        ("ColumnName", name),
        ("ColumnDescription", label.get("description") or name),
        ("ColumnKeywords", ",".join(label.get("keywords") or [name])),
        ("ColumnType", label.get("type") or fallback_type),
    ]


def article_tags(site: SiteIdentity, payload: dict[str, Any], published_at: str) -> list[Tag]:
    tags = [("ArticleTitle", payload["title"]), ("PubDate", moment(published_at)), ("ContentSource", payload["source"])]
    picture = cover_of(payload)
    optional = [
        ("Keywords", ",".join(payload["keywords"])),
        ("Author", payload["author"]),
        ("Description", payload["summary"]),
        ("Image", urljoin(site.url + "/", picture["path"]) if picture else ""),
        ("Url", payload["url"]),
    ]
    return tags + [tag for tag in optional if tag[1]]


def cover_of(payload: dict[str, Any]) -> dict[str, Any] | None:
    """The chosen cover, else the first picture."""
    pictures = payload["pictures"]
    return next((each for each in pictures if each["sha256"] == payload["cover"]), pictures[0] if pictures else None)


def feeds(site: SiteIdentity, *scopes: tuple[str, str]) -> list[FeedLink]:
    """Feeds of the whole site and of each scope, given as (``column-news``, title), in all three formats."""
    return [
        FeedLink(f"/feeds/{name}.{ending}", media_type, f"{title}（{shown}）", shown)
        for name, title in [("all", f"{site.name} 全部信息"), *scopes]
        for ending, media_type, shown in FORMATS
    ]


def publisher(site: SiteIdentity) -> dict[str, Any]:
    return {"@type": "GovernmentOrganization", "name": site.organiser or site.name, "url": site.url + "/"}


def site_facts(site: SiteIdentity) -> dict[str, Any]:
    facts = {
        "@context": "https://schema.org",
        "@type": "WebSite",
        "name": site.name,
        "url": site.url + "/",
        "inLanguage": "zh-CN",
        "publisher": publisher(site),
    }
    return facts | ({"description": site.description} if site.description else {})


def item_facts(site: SiteIdentity, payload: dict[str, Any], published_at: str, updated_at: str) -> dict[str, Any]:
    """JSON-LD of an item: one in a 办事服务 column is a GovernmentService, all else a NewsArticle by the department."""
    organ = {"@type": "GovernmentOrganization", "name": payload["department"]["name"]}
    common: dict[str, Any] = {"@context": "https://schema.org", "url": payload["url"]}
    if payload["summary"]:
        common["description"] = payload["summary"]
    if payload["column"]["type"] == "办事服务":
        return common | {"@type": "GovernmentService", "name": payload["title"], "provider": organ}
    facts = common | {
        "@type": "NewsArticle",
        "headline": payload["title"],
        "datePublished": machine(published_at),
        "dateModified": machine(updated_at),
        "inLanguage": "zh-CN",
        "articleSection": payload["column"]["name"],
        "author": organ,
        "publisher": publisher(site),
        "mainEntityOfPage": payload["url"],
    }
    picture = cover_of(payload)
    if payload["keywords"]:
        facts["keywords"] = ",".join(payload["keywords"])
    if picture:
        facts["image"] = urljoin(site.url + "/", picture["path"])
    return facts
