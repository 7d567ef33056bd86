"""Which feeds there are, what each is called, and the settings they share."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels.base import SiteIdentity
from channels.feed.entries import SHANGHAI, tag
from channels.feed.payload import FEED
from channels.feed.text import line

FORMATS = ("rss.xml", "atom.xml", "json")
MEDIA_TYPES = {"rss.xml": "application/rss+xml", "atom.xml": "application/atom+xml", "json": "application/feed+json"}
DEFAULT_COUNT = 50
DEFAULT_TTL = 15
GROUPS = {"all": "全站", "column": "栏目", "area": "领域", "department": "部门"}
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_TAG_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


@dataclass(frozen=True, slots=True)
class Image:
    """Picture of the RSS channel; RSS 2.0 allows at most 144 × 400 pixels, GIF, JPEG or PNG."""

    url: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Settings:
    """The adapter's settings, checked."""

    count: int
    """Entries per feed."""
    ttl: int
    """Minutes a reader may keep a feed; the web server's ``max-age`` must say the same."""
    image: Image | None

    @property
    def sy(self) -> tuple[str, int]:
        """``ttl`` as sy:updatePeriod and sy:updateFrequency."""
        return ("hourly", 60 // self.ttl) if 60 % self.ttl == 0 else ("daily", 1440 // self.ttl)


@dataclass(frozen=True, slots=True)
class Head:
    """What one feed says about itself, whatever its entries."""

    slug: str
    id: str
    title: str
    description: str
    home: str
    """The page of the site that lists the same items."""
    folder: str
    """Absolute address of ``/feeds/`` with the trailing slash."""
    author: str
    author_url: str
    born: datetime
    """``updated`` of a feed without an entry: fixed, since the time of building must never show."""
    settings: Settings

    @property
    def digest(self) -> str:
        """Changes when anything of the head changes."""
        return hashlib.sha256(repr(self).encode()).hexdigest()

    def url(self, form: str) -> str:
        """Absolute address of this feed in one of ``FORMATS``."""
        return f"{self.folder}{self.slug}.{form}"


def settings_of(given: Mapping[str, Any], site: SiteIdentity) -> Settings:
    """Check the account's settings and the parts of the site's identity that become ids. Raises ValueError, in Chinese."""
    if not _DOMAIN.fullmatch(site.domain.lower()):
        raise ValueError(f"站点域名（domain）“{site.domain}”不能用于订阅源编号；请填写英文域名，不带协议、端口和路径")
    if not _TAG_DATE.fullmatch(site.tag_date):
        raise ValueError(f"tag_date“{site.tag_date}”格式不对；请写成 2026 或 2026-01-01")
    _born(site.tag_date)
    unknown = sorted(set(given) - {"count", "ttl", "image"})
    if unknown:
        raise ValueError(f"订阅源渠道没有设置项 {'、'.join(unknown)}；可用的是 count、ttl、image")
    count = _whole(given.get("count", DEFAULT_COUNT), "count", 1, 500)
    ttl = _whole(given.get("ttl", DEFAULT_TTL), "ttl", 5, 1440)
    if 60 % ttl and 1440 % ttl:
        raise ValueError(f"ttl（{ttl} 分钟）须能整除 60 或 1440，才能与更新频率一致；例如 5、10、15、30、60")
    return Settings(count, ttl, _image(given.get("image"), site))


def heads(site: SiteIdentity, settings: Settings, named: Mapping[str, str]) -> dict[str, Head]:
    """Every feed by slug: those of the configured site, and those in ``named`` (slug → name) that items brought along."""
    descriptions = {"all": site.description}
    names = {"all": ""}
    for column in site.columns:
        names[f"column-{column.slug}"] = column.name
        descriptions[f"column-{column.slug}"] = column.description
        for parent in column.parents:
            names.setdefault(f"column-{parent.slug}", parent.name)
    names |= {f"area-{each.slug}": each.name for each in site.areas}
    names |= {f"department-{each.slug}": each.name for each in site.departments}
    names = {**named, **names}
    for slug in names:
        if not FEED.fullmatch(slug):
            raise ValueError(f"标识“{slug}”不能作为订阅源文件名，只能由英文字母、数字、-、_ 组成；请在配置中更正")
    return {slug: _head(site, settings, slug, names[slug], descriptions.get(slug, "")) for slug in sorted(names, key=_order)}


def _order(slug: str) -> tuple[int, str]:
    return list(GROUPS).index(slug.partition("-")[0]), slug


def _head(site: SiteIdentity, settings: Settings, slug: str, name: str, description: str) -> Head:
    group, _, own = slug.partition("-")
    title = line(f"{name} - {site.name}" if own else f"{site.name} - 信息公开")
    return Head(
        slug=slug,
        id=tag(site, f"feed:{slug}"),
        title=title,
        description=line(description)
        or (f"{line(site.name)}{GROUPS[group]}“{line(name)}”公开的信息" if own else f"{line(site.name)}公开的全部信息"),
        home=f"{site.url}/{group}s/{own}/" if own else f"{site.url}/",
        folder=f"{site.url}/feeds/",
        author=line(site.name),
        author_url=f"{site.url}/",
        born=_born(site.tag_date),
        settings=settings,
    )


def _born(tag_date: str) -> datetime:
    year, month, day = [*map(int, tag_date.split("-")), 1, 1][:3]
    try:
        return datetime(year, month, day, tzinfo=SHANGHAI)
    except ValueError as error:
        raise ValueError(f"tag_date“{tag_date}”不是日历上的日期；请写成 2026 或 2026-01-01") from error


def _whole(value: object, name: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"设置项 {name} 须为 {least} 到 {most} 之间的整数，现为 {value!r}")
    return value


def _image(value: object, site: SiteIdentity) -> Image | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or set(value) != {"path", "width", "height"}:
        raise ValueError("设置项 image 须写成 { path, width, height }，path 为站内以 / 开头的路径")
    path = value["path"]
    if not isinstance(path, str) or not path.startswith("/") or not path.lower().endswith((".png", ".jpg", ".jpeg", ".gif")):
        raise ValueError(f"设置项 image.path 须为站内以 / 开头的 PNG、JPEG 或 GIF 图片，现为 {path!r}")
    return Image(site.url + path, _whole(value["width"], "image.width", 1, 144), _whole(value["height"], "image.height", 1, 400))


def by_group(known: Iterable[Head]) -> dict[str, list[Head]]:
    """Heads under the Chinese name of their group, groups and feeds in fixed order."""
    grouped: dict[str, list[Head]] = {name: [] for name in GROUPS.values()}
    for head in known:
        grouped[GROUPS[head.slug.partition("-")[0]]].append(head)
    return {name: members for name, members in grouped.items() if members}
