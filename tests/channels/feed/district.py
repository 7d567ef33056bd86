"""A small district to publish from: site, items, jobs, and a channel over folders of the test's own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from channels.base import (
    Account,
    Action,
    ColumnRef,
    Job,
    Named,
    Outcome,
    Picture,
    Publication,
    Rendition,
    SiteIdentity,
    StoredFile,
    Surroundings,
)
from channels.cache import MemoryCache
from channels.feed import Entry, Feed, Release

START = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
NEWS = ColumnRef("news", "政务动态", "工作动态", "云川区政务动态", ("政务",))
NOTICES = ColumnRef("notices", "通知公告", "政策文件", "通知和公告", ("通知",), (Named("open", "信息公开"),))
LABOUR = Named("labour", "区人力资源和社会保障局")
HEALTH = Named("health", "区卫生健康局")
JOBS = Named("jobs", "就业")
SITE = SiteIdentity(
    name="云川区人民政府",
    domain="www.yunchuan.gov.cn",
    id_code="3201990001",
    url="https://www.yunchuan.gov.cn",
    description="云川区政府信息公开",
    columns=(NEWS, NOTICES),
    departments=(LABOUR, HEALTH),
    areas=(JOBS,),
)


class NoFiles:
    """The feed channel names files and never opens them."""

    def path(self, sha256: str) -> Path:
        raise FileNotFoundError(sha256)


def stored(name: str, media_type: str = "application/pdf", size: int = 2048) -> StoredFile:
    return StoredFile(hashlib.sha256(name.encode()).hexdigest(), name, media_type, size)


def publication(public_id: str = "YC-01", revision: int = 1, *, site: SiteIdentity = SITE, **changes: Any) -> Publication:
    """A complete item; ``changes`` replace fields."""
    base = Publication(
        public_id=public_id,
        revision=revision,
        url=f"{site.url}/items/{public_id}/",
        title=f"公益性岗位招聘公告 {public_id}",
        subtitle="",
        body_html="<p>面向全区公开招聘公益性岗位人员26名。</p>",
        summary="面向全区公开招聘。",
        kind="notice",
        department=LABOUR,
        column=NOTICES,
        area=JOBS,
        index_no="YC0000106/2026-00312",
        doc_no="",
        issued_on=date(2026, 11, 16),
        formed_on=date(2026, 11, 16),
        effective_on=None,
        expires_on=None,
        validity="有效",
        disclosure_attr="主动公开",
        genre="公告",
        theme="劳动、人事、监察",
        keywords=("招聘",),
        source_kind="本单位制发",
        source=LABOUR.name,
        source_url="",
        urgency="普通",
        author="",
    )
    return replace(base, **changes)


def rich(public_id: str = "YC-RICH", **changes: Any) -> Publication:
    """An item with everything a feed can show."""
    photo = stored("现场 照片.png", "image/png", 5000)
    body = (
        f'<h2>一、概况</h2><p>见<a href="/columns/news/">动态</a>。</p><figure><img src="file:{photo.sha256}" alt="现场"></figure>'
        '<table><tbody><tr><td colspan="2">合计</td></tr></tbody></table><p>a &lt; b &amp;&amp; c</p>'
    )
    return publication(
        public_id,
        body_html=body,
        attachments=(stored("附件1：岗位表.xlsx", "application/vnd.ms-excel"), stored("附件2&说明.pdf"), stored("附件3.bin", "奇怪")),
        pictures=(Picture(photo, "现场", 800, 600, ai_generated=True),),
        cover=photo.sha256,
        source_kind="转载",
        source="云川日报",
        source_url="https://paper.example.cn/a?b=1&c=2",
        author="王某",
        **changes,
    )


def job(rendition: Rendition, at: datetime, action: Action = Action.PUBLISH, *, first: datetime | None = None, note: str = "") -> Job:
    """The delivery of ``rendition`` released at ``at``; ``first``: when the item was first published."""
    public_id, revision = str(rendition.payload["public_id"]), rendition.payload["revision"]
    assert isinstance(revision, int)
    return Job(
        key=f"{public_id}.{revision}.feed.{action}",
        action=action,
        public_id=public_id,
        revision=revision,
        ref={},
        previous={},
        published_at=first or at,
        updated_at=at,
        first_attempt_at=at,
        now=at + timedelta(seconds=3),
        note=note,
    )


@dataclass
class District:
    """A feed channel and the history of everything published through it, as the hub's database would have it."""

    root: Path
    site: SiteIdentity = SITE
    settings: dict[str, Any] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)

    @property
    def around(self) -> Surroundings:
        now = START + timedelta(days=2)
        return Surroundings(self.site, NoFiles(), MemoryCache(), self.root / "site", self.root / "state", lambda: now)

    @property
    def account(self) -> Account:
        return Account("feed", "feed", settings=self.settings)

    @property
    def channel(self) -> Feed:
        return Feed(self.account, self.around)

    @property
    def folder(self) -> Path:
        return self.root / "site" / "feeds"

    @staticmethod
    def at(hours: float) -> datetime:
        """A moment ``hours`` after the district began to publish."""
        return START + timedelta(hours=hours)

    def publish(self, item: Publication, at: datetime, note: str = "") -> Outcome:
        """Publish, or correct when the item is there already."""
        return self.publish_many([item], at, note)[0]

    def publish_many(self, items: Sequence[Publication], at: datetime, note: str = "") -> list[Outcome]:
        deliveries = []
        for item in items:
            rendition = self.channel.format(item)
            before = self.entries.get(item.public_id)
            action = Action.CORRECT if before else Action.PUBLISH
            delivery = job(rendition, at, action, first=before.published_at if before else at, note=note)
            release = Release(item.revision, rendition.payload, at, note)
            self.entries[item.public_id] = replace(before, releases=(*before.releases, release)) if before else Entry(at, (release,))
            deliveries.append((rendition, delivery))
        return self.channel.push_many(deliveries)

    def withdraw(self, public_id: str, at: datetime, reason: str = "内容有误，现予撤回。") -> Outcome:
        before = self.entries[public_id]
        rendition = Rendition("feed", before.releases[-1].payload)
        self.entries[public_id] = replace(before, withdrawn_at=at, reason=reason)
        return self.channel.withdraw(rendition, job(rendition, at, Action.WITHDRAW, first=before.published_at, note=reason))

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())}

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()


TAG = "tag:www.yunchuan.gov.cn,2026:"
"""How every id of the district's feeds begins."""


def items(district: District, feed: str = "all") -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(district.read(f"{feed}.json"))["items"]
    return listed


def ids(district: District, feed: str = "all") -> list[str]:
    return [each["id"].removeprefix(TAG) for each in items(district, feed)]
