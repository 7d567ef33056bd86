"""A small district for the website's tests: identity, items, jobs, and the tree a site is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from channels.base import Account, Action, ColumnRef, Job, Named, Outcome, Publication, Rendition, SiteIdentity, Surroundings
from channels.cache import MemoryCache
from channels.website import Entry, RebuildReport, Website, create, rebuild
from tests.channels.samples import FolderFiles, a_publication

NEWS = ColumnRef("news", "权威发布", "工作动态", "区内要闻与权威发布", ("要闻", "发布"))
POLICY = ColumnRef("policy", "政策文件", "政策文件", "行政规范性文件", ("政策",), (Named("news", "权威发布"),))
NOTICE = ColumnRef("notice", "通知公告", "信息公开目录", "通知和公告", ("通知",))
EMPTY = ColumnRef("empty", "收费目录", "数据发布", "行政事业性收费", ("收费",))
CIVIL, LABOUR = Named("civil", "区民政局"), Named("labour", "区人力资源和社会保障局")
JOBS = Named("jobs", "就业")
SITE = SiteIdentity(
    name="云川区人民政府",
    domain="www.yunchuan.example",
    id_code="3201990001",
    url="https://www.yunchuan.example",
    description="云川区门户",
    organiser="云川区人民政府办公室",
    contact="025-00001000",
    columns=(NEWS, POLICY, NOTICE, EMPTY),
    departments=(CIVIL, LABOUR),
    areas=(JOBS,),
)
START = datetime(2026, 11, 1, 1, 0, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def item(public_id: str, **more: Any) -> Publication:
    base = a_publication(public_id, column=NOTICE, department=LABOUR, area=JOBS, title=f"关于{public_id}的公告")
    return replace(base, url=f"{SITE.url}/items/{public_id}/", **more)


@dataclass
class District:
    """One site on disk. ``publish`` and ``withdraw`` act as the hub would and remember what a rebuild is to be told."""

    folder: Path
    site: SiteIdentity = SITE
    settings: dict[str, Any] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.files = FolderFiles(self.folder / "store")
        self.around = Surroundings(self.site, self.files, MemoryCache(), self.folder / "site", self.folder / "state", lambda: START)
        self.around.site_dir.mkdir(parents=True, exist_ok=True)
        self.channel: Website = create(Account("website", "website", settings=self.settings), self.around)

    def delivery(self, publication: Publication, published: int, updated: int | None = None) -> tuple[Rendition, Job]:
        when = at(published if updated is None else updated)
        action = Action.PUBLISH if publication.revision == 1 else Action.CORRECT
        return self.channel.format(publication), job(publication, action, at(published), when)

    def publish(self, publication: Publication, published: int, updated: int | None = None) -> Outcome:
        return self.publish_many([(publication, published, updated)])[0]

    def publish_many(self, wanted: list[tuple[Publication, int, int | None]]) -> list[Outcome]:
        deliveries = [self.delivery(*each) for each in wanted]
        for rendition, work in deliveries:
            self.remember(rendition, work)
        return self.channel.push_many(deliveries)

    def withdraw(self, publication: Publication, when: int, reason: str = "内容有误，撤下核查") -> Outcome:
        self.entries[publication.public_id] = replace(self.entries[publication.public_id], withdrawn_at=at(when), note=reason)
        return self.channel.withdraw(self.channel.format(publication), job(publication, Action.WITHDRAW, START, at(when), reason))

    def remember(self, rendition: Rendition, work: Job) -> None:
        old = self.entries.get(work.public_id)
        if old is None or old.revision < work.revision:
            published = old.published_at if old else work.published_at
            self.entries[work.public_id] = Entry(rendition.payload, published, work.updated_at, None, "", work.revision)

    def rebuild(self, entries: list[Entry] | None = None) -> RebuildReport:
        return rebuild(self.around, list(self.entries.values()) if entries is None else entries)

    def tree(self) -> dict[str, bytes]:
        return tree(self.around.site_dir)

    def rebuilt_elsewhere(self, folder: Path) -> dict[str, bytes]:
        """The tree that a rebuild from the same entries makes in an empty folder."""
        around = replace(self.around, site_dir=folder / "site", state_dir=folder / "state")
        report = rebuild(around, list(self.entries.values()))
        assert report.faults == {}
        return tree(around.site_dir)

    def page(self, path: str) -> str:
        return (self.around.site_dir / path.strip("/") / "index.html").read_text()

    def has(self, path: str) -> bool:
        return (self.around.site_dir / path.lstrip("/")).exists()


def job(publication: Publication, action: Action, published_at: datetime, when: datetime, note: str = "") -> Job:
    return Job(
        key=f"{publication.public_id}.{publication.revision}.website.{action}",
        action=action,
        public_id=publication.public_id,
        revision=publication.revision,
        ref={},
        previous={},
        published_at=published_at,
        updated_at=when,
        first_attempt_at=when,
        now=when + timedelta(seconds=3),
        note=note,
    )


def tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
