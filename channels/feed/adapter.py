"""The feed channel: RSS 2.0, Atom 1.0 and JSON Feed 1.1 as files of the public site."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from channels.base import (
    Absent,
    Account,
    Action,
    Health,
    Job,
    Limits,
    Live,
    Outcome,
    Publication,
    Refused,
    Rendition,
    Surroundings,
    Unavailable,
    Unknown,
)
from channels.feed import payload as payloads
from channels.feed.catalogue import settings_of
from channels.feed.entries import SHANGHAI, Entry, Release, tag
from channels.feed.index import Busy, Index, locked, moment
from channels.feed.writer import Writer

_PATIENCE = timedelta(seconds=30)


class Feed:
    """One site's feeds. See README.md for addresses, ids and settings."""

    name: ClassVar[str] = "feed"
    limits: ClassVar[Limits] = Limits(
        batch=200,
        can_edit=True,
        can_withdraw=True,
        absence_is_proof=True,
        # Half a minute for the lock and half for the files; a second push of the same changes nothing.
        lease=timedelta(seconds=60),
        lease_each=timedelta(milliseconds=200),
        retry_base=timedelta(seconds=2),
        retry_cap=timedelta(minutes=5),
        looks=(timedelta(seconds=2), timedelta(seconds=30), timedelta(minutes=5)),
    )

    def __init__(self, account: Account, around: Surroundings) -> None:
        """Raises ValueError, in Chinese, when a setting or the site's identity cannot serve a feed."""
        self._around = around
        self._site = around.site
        self.settings = settings_of(account.settings, around.site)
        self._writer = Writer(around.site, self.settings, around.site_dir)

    # ---------------------------------------------------------------------------------------------- the contract

    def format(self, publication: Publication) -> Rendition:
        """The entry's text with absolute addresses. Characters no feed can carry are removed, with a warning."""
        payload, findings = payloads.build(publication, self._site)
        return Rendition(self.name, payload, findings)

    def push(self, rendition: Rendition, job: Job) -> Outcome:
        return self.push_many([(rendition, job)])[0]

    def push_many(self, deliveries: Sequence[tuple[Rendition, Job]]) -> list[Outcome]:
        """Take in every delivery, then write each touched feed once. Outcomes stand in the order given; a delivery that
        cannot be taken in changes only its own."""
        with self._held() as index:
            if isinstance(index, Unavailable):
                return [index for _ in deliveries]
            with index.transaction():
                self._writer.survey(index)
                outcomes = [self._take(index, rendition, job) for rendition, job in deliveries]
                self._writer.survey(index)
            return self._written(index, outcomes)

    def reconcile(self, rendition: Rendition, job: Job) -> Outcome:
        """Live when the index has this revision or a newer one and its feeds are written and unchanged; else Absent, which is proof."""
        with self._held() as index:
            if isinstance(index, Unavailable):
                return index
            entry = index.entry(job.public_id)
            if entry is None:
                return Absent("订阅源中没有该信息")
            newest = entry.releases[-1].revision
            whole = self._whole(index, job.public_id)
            if job.action is Action.WITHDRAW:
                return Absent("已撤回") if entry.withdrawn_at is not None and whole else self._live(job.public_id, newest)
            if entry.withdrawn_at is not None or newest < job.revision:
                return Absent("订阅源中没有这一版")
            return self._live(job.public_id, newest) if whole else Absent("订阅源文件尚未写完或已被改动")

    def withdraw(self, rendition: Rendition, job: Job) -> Outcome:
        """Take the item out of every feed, whatever revision they show: a withdrawal is about the item. Idempotent."""
        with self._held() as index:
            if isinstance(index, Unavailable):
                return index
            with index.transaction():
                self._writer.survey(index)
                entry = index.entry(job.public_id)
                if entry is not None and entry.withdrawn_at is None:
                    self._writer.store(index, replace(entry, withdrawn_at=job.first_attempt_at, reason=job.note))
                index.mark(index.feeds_of(job.public_id))
            gone = Absent("已撤回" if entry is not None else "订阅源中从未有过该信息")
            return self._written(index, [gone])[0]

    def check(self) -> Health:
        """Can the folder be written, is the index there, and do the files show what the index knows?"""
        folder = self._writer.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
            with self._held() as index:
                return Health(False, index.why) if isinstance(index, Unavailable) else self._state(index)
        except OSError as error:
            return Health(False, f"订阅源目录不可写：{folder}（{error.strerror}）；请检查目录权限和磁盘空间")
        except sqlite3.Error as error:
            return Health(False, f"订阅源索引不可用：{error}；请运行 hub site rebuild")

    # --------------------------------------------------------------------------------------------- beside the contract

    def prepare(self) -> int:
        """Write what is missing or out of date without publishing anything: empty feeds of new columns, areas and
        departments, the OPML list, the stylesheet, feeds an interrupted run left. Returns how many files changed.
        Raises OSError, and RuntimeError when another process holds the feeds or the index is lost."""
        with self._held() as index:
            if isinstance(index, Unavailable):
                raise RuntimeError(index.why)
            with index.transaction():
                self._writer.survey(index)
            self._writer.sweep()
            return self._writer.write(index)

    def rebuild(self, entries: Iterable[Entry], progress: Callable[[int], None] = lambda _done: None) -> int:
        """Forget the index and build it again from ``entries`` (any order), then write every feed.

        Publishing waits meanwhile. ``progress`` gets the number of items taken in so far. Returns how many files
        changed. Raises OSError; RuntimeError when another process holds the feeds; KeyError, TypeError or ValueError for
        an entry that is none, and then the old index stands.
        """
        with self._held(lost_is_fine=True) as index:
            if isinstance(index, Unavailable):
                raise RuntimeError(index.why)
            done = 0
            with index.transaction():
                index.forget()
                for done, entry in enumerate(entries, 1):
                    self._writer.store(index, entry, eager=False)
                    if done % 500 == 0:
                        progress(done)
                self._writer.survey(index)
                index.mark_all()
                index.set_meta("lost", "")
            progress(done)
            self._writer.sweep()
            return self._writer.write(index)

    # -------------------------------------------------------------------------------------------------------- inside

    @contextmanager
    def _held(self, *, lost_is_fine: bool = False) -> Iterator[Index | Unavailable]:
        """Hold feeds and index alone; Unavailable when that cannot be, and then nothing has happened.

        An index that is new where feeds with entries lie was lost: writing from it would empty them.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(self._around.state_dir, _PATIENCE))
                index = stack.enter_context(Index.open(self._around.state_dir))
                if not index.meta("begun"):
                    with index.transaction():
                        index.set_meta("lost", "1" if self._published_before() else "")
                        index.set_meta("begun", "1")
                lost = bool(index.meta("lost")) and not lost_is_fine
            except (Busy, OSError, sqlite3.Error) as error:
                yield Unavailable(f"订阅源暂不可写：{error}")
                return
            yield Unavailable("订阅源索引丢失，而站点上已有订阅源；请先运行 hub site rebuild") if lost else index

    def _published_before(self) -> bool:
        feed = self._writer.folder / "all.json"
        return feed.is_file() and b'"items":[]' not in feed.read_bytes()

    def _take(self, index: Index, rendition: Rendition, job: Job) -> Outcome:
        try:
            with index.part():
                return self._accept(index, rendition, job)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # Rolled back to before this delivery: for certain nothing of it is in a feed.
            return Refused(f"条目不能写入订阅源：{error!r}；请修改内容后重新生成", code="unfit")

    def _accept(self, index: Index, rendition: Rendition, job: Job) -> Outcome:
        entry = index.entry(job.public_id)
        payload = rendition.payload
        if payload["public_id"] != job.public_id or payload["revision"] != job.revision:
            raise ValueError(f"内容属于 {payload['public_id']} 第 {payload['revision']} 版，不属于本次投递")
        if entry is not None:
            newest = entry.releases[-1].revision
            if entry.withdrawn_at is not None:
                return Refused("该信息已从订阅源撤回，不能再发布", code="superseded")
            if newest > job.revision:
                return Refused(f"订阅源已有第 {newest} 版，不能再发布第 {job.revision} 版", code="superseded")
            if newest == job.revision:
                if entry.releases[-1].payload != payload:
                    return Refused(f"订阅源中第 {newest} 版的内容与此不同，已批准的版本不得更改；请生成新版本", code="altered")
                index.mark(index.feeds_of(job.public_id))
                return self._live(job.public_id, newest)
        for each in _slugs(payload):
            if not payloads.FEED.fullmatch(each):
                raise ValueError(f"标识“{each}”不能作为订阅源名称")
        release = Release(job.revision, payload, job.updated_at, job.note)
        history = Entry(job.published_at, (release,)) if entry is None else replace(entry, releases=(*entry.releases, release))
        self._writer.store(index, history)
        return self._live(job.public_id, job.revision)

    def _written(self, index: Index, outcomes: list[Outcome]) -> list[Outcome]:
        try:
            self._writer.write(index)
        except OSError as error:
            # The index has them, so the next write of any kind finishes: whether readers see them now is open.
            why = f"订阅源文件未能写完：{error.strerror or error}；已记入索引，下次写入时补齐"
            return [each if isinstance(each, Refused) else Unknown(why) for each in outcomes]
        return outcomes

    def _live(self, public_id: str, revision: int) -> Live:
        return Live({"id": tag(self._site, f"item:{public_id}"), "revision": revision}, f"{self._site.url}/feeds/all.atom.xml")

    def _whole(self, index: Index, public_id: str) -> bool:
        """True when every feed of the item is written, and the files of the feed of all are what they should be."""
        if index.feeds_of(public_id) & set(index.dirty()):
            return False
        return self._all_is_right(index)

    def _all_is_right(self, index: Index) -> bool:
        head = self._writer.heads(index)["all"]
        for form, data in self._writer.documents(index, head):
            path = self._writer.folder / f"all.{form}"
            if not path.is_file() or path.read_bytes() != data:
                return False
        return True

    def _state(self, index: Index) -> Health:
        newest = index.members("all", 1, gone=False)
        if not newest:
            return Health(True, "订阅源目录可写，还没有条目")
        at = moment(newest[0].stamp)
        age = max(self._around.clock() - at, timedelta(0))
        when = f"最新条目 {at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}（北京时间），距今 {age.days} 天 {age.seconds // 3600} 小时"
        if index.dirty() or not self._all_is_right(index):
            return Health(False, f"订阅源文件与索引不一致，{when}；请运行 hub site rebuild")
        return Health(True, f"订阅源目录可写，{when}")


def _slugs(payload: dict[str, Any]) -> list[str]:
    feeds = payload["feeds"]
    if not isinstance(feeds, list) or not feeds:
        raise ValueError("内容没有列出所属订阅源")
    return [str(each["slug"]) for each in feeds]
