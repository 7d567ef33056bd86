"""The website as a channel: a static site, written page by page."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
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
    RefusalClass,
    Refused,
    Rendition,
    Surroundings,
    Unavailable,
    Unknown,
)
from channels.files import remove, write_atomically
from channels.website.addresses import HOME, SITEMAP, file_key, files_of, fixed_key, item_key, list_key
from channels.website.changes import Altered, Superseded, Version, note_dirty, put, take_back
from channels.website.fixed import fixed_pages
from channels.website.index import Busy, State, meta, savepoint, set_meta, stamp, transaction
from channels.website.listings import places, seen_on
from channels.website.look import Look, look_of
from channels.website.pages import configured, draw
from channels.website.payload import PICTURE_TYPES, build
from channels.website.writer import DRAWING_FAULTS, Place, Written, as_drawn, tidy, write_dirty

log = logging.getLogger(__name__)
SPARE = 200 * 1024 * 1024
"""Bytes that must be free before ``check`` is content; setting ``spare_bytes``."""
RETRY = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class _Done:
    """One delivery's part of a round: what it will be answered, and the pages that must be right for that to hold."""

    outcome: Outcome
    pages: frozenset[str] = frozenset()


class Website:
    """Writes ``around.site_dir`` and keeps its index in ``around.state_dir``. See README.md for addresses and settings."""

    name: ClassVar[str] = "website"
    limits: ClassVar[Limits] = Limits(
        media_types=PICTURE_TYPES,
        batch=50,
        can_edit=True,
        can_withdraw=True,
        absence_is_proof=True,
        # Half a minute for the lock and half for the files; a second push of the same changes nothing.
        lease=timedelta(seconds=60),
        lease_each=timedelta(milliseconds=200),
        looks=(timedelta(seconds=2), timedelta(seconds=30), timedelta(minutes=5)),
        retry_base=timedelta(seconds=1),
        retry_cap=timedelta(minutes=5),
    )

    def __init__(self, account: Account, around: Surroundings) -> None:
        self._account = account
        self._around = around
        patience = account.settings.get("lock_seconds", 30)
        if not isinstance(patience, int | float) or patience <= 0:
            raise ValueError(f"渠道账号 {account.name} 的设置 lock_seconds 应为大于 0 的秒数，现为 {patience!r}")
        spare = account.settings.get("spare_bytes", SPARE)
        if not isinstance(spare, int) or spare < 0:
            raise ValueError(f"渠道账号 {account.name} 的设置 spare_bytes 应为不小于 0 的整数，现为 {spare!r}")
        self._spare = spare
        self._state = State(around.state_dir, patience=timedelta(seconds=patience))

    # ------------------------------------------------------------------------------------------------- the contract

    def format(self, publication: Publication) -> Rendition:
        payload, findings = build(publication, self._around.site)
        return Rendition(self.name, payload, findings)

    def push(self, rendition: Rendition, job: Job) -> Outcome:
        return self.push_many([(rendition, job)])[0]

    def push_many(self, deliveries: Sequence[tuple[Rendition, Job]]) -> list[Outcome]:
        """Publish or correct many at once: every touched page is written once. Outcomes stand in the order given.

        A delivery that cannot be shown is refused alone. Never raises for one item; Unavailable for all when another
        process holds the site.
        """
        try:
            with self._state.held() as db:
                return self._push_all(db, deliveries)
        except Busy as busy:
            return [Unavailable(str(busy), RETRY) for _ in deliveries]

    def reconcile(self, rendition: Rendition, job: Job) -> Outcome:
        """Look at the index and the disk: Live when this revision (or a newer one) is there, byte for byte, and not withdrawn."""
        try:
            with self._state.held() as db:
                return self._look_up(db, rendition, job)
        except Busy as busy:
            return Unknown(str(busy), RETRY)

    def withdraw(self, rendition: Rendition, job: Job) -> Outcome:
        """Replace the page by its notice (410). The time shown is ``job.first_attempt_at``, the same over all attempts."""
        try:
            with self._state.held() as db:
                tidy(db, self._around.site_dir)
                self._start(db)
                try:
                    with transaction(db):
                        note_dirty(db, take_back(db, job.public_id, job.revision, stamp(job.first_attempt_at), job.note))
                except Superseded as newer:
                    return Refused(str(newer), RefusalClass.CONTENT, "superseded")
                done = write_dirty(db, self._place)
                return _settled(_Done(Absent("已撤下"), frozenset(self._pages(db, job.public_id))), done)
        except Busy as busy:
            return Unavailable(str(busy), RETRY)

    def check(self) -> Health:
        """Writable folders, free space, nothing left half done."""
        probe = self._around.site_dir / ".check"
        try:
            write_atomically(probe, b"", gzip=False)
            remove(probe)
            free = shutil.disk_usage(self._around.site_dir).free
            with self._state.held() as db:
                waiting = db.execute("SELECT count(*) FROM dirty").fetchone()[0]
                stale = meta(db, "drawn") not in ("", self._look.digest)
                unfinished = meta(db, "rebuilding")
        except (OSError, sqlite3.Error, Busy) as fault:
            return Health(False, f"网站目录不可用：{fault}")
        if free < self._spare:
            return Health(False, f"网站所在磁盘只剩 {free // 1024 // 1024} MB，请清理（下限 {self._spare // 1024 // 1024} MB）")
        if unfinished:
            return Health(False, "上次全站重建没有完成，请再运行一次 hub site rebuild")
        if waiting:
            return Health(False, f"有 {waiting} 个页面等待补写，下一次发布时自动补写，也可运行 hub site rebuild")
        if stale:
            return Health(True, "网站可写；模板或站点信息已更改，旧页面仍是旧样式，请运行 hub site rebuild")
        return Health(True, f"网站可写，磁盘剩余 {free // 1024 // 1024} MB")

    def prepare(self) -> None:
        """Write what an empty site needs (home, stylesheet, empty listings …) and what a crash left unwritten. Idempotent. Raises Busy."""
        with self._state.held() as db:
            tidy(db, self._around.site_dir)
            self._start(db)
            write_dirty(db, self._place)

    # ------------------------------------------------------------------------------------------------------- inside

    @property
    def _look(self) -> Look:
        return look_of(self._around.site)

    @property
    def _place(self) -> Place:
        return Place(self._look, self._around.files, self._around.site_dir)

    def _push_all(self, db: sqlite3.Connection, deliveries: Sequence[tuple[Rendition, Job]]) -> list[Outcome]:
        tidy(db, self._around.site_dir)
        self._start(db)
        results: list[_Done | None] = [None] * len(deliveries)
        # Oldest first: each then stands at the end of its listings, and no place moves.
        order = sorted(
            range(len(deliveries)), key=lambda n: (deliveries[n][1].published_at, deliveries[n][1].public_id, deliveries[n][1].revision)
        )
        with transaction(db):
            for number in order:
                results[number] = self._enter(db, *deliveries[number])
        written = write_dirty(db, self._place)
        return [_settled(done, written) for done in results if done is not None]

    def _enter(self, db: sqlite3.Connection, rendition: Rendition, job: Job) -> _Done:
        """Put one delivery into the index, alone: what fails here leaves no trace and is certain."""
        try:
            with savepoint(db):
                payload: dict[str, Any] = dict(rendition.payload)
                if payload["public_id"] != job.public_id or payload["revision"] != job.revision:
                    raise ValueError(f"任务 {job.key} 与内容 {payload['public_id']} 第 {payload['revision']} 版不符")
                for digest in files_of(payload).values():
                    self._around.files.path(digest)
                version = Version(payload, rendition.digest, stamp(job.published_at), stamp(job.updated_at))
                pages = put(db, version, configured(self._look).keys())
                # Drawn once for nothing: a payload no page can be made of must not get in and stay dirty for ever.
                draw(db, self._look, item_key(job.public_id))
                note_dirty(db, pages)
                return _Done(Live(self._ref(job), self._url(rendition, job)), frozenset(pages))
        except Superseded as newer:
            return _Done(Refused(str(newer), RefusalClass.CONTENT, "superseded"))
        except Altered as altered:
            return _Done(Refused(str(altered), RefusalClass.CONTENT, "altered"))
        except FileNotFoundError as missing:
            return _Done(Unavailable(f"找不到要发布的文件：{missing}"))
        except DRAWING_FAULTS as fault:
            log.exception("delivery %s cannot be shown", job.key)
            return _Done(Refused(f"内容无法生成网页：{type(fault).__name__}：{fault}", RefusalClass.CONTENT, "payload"))

    def _look_up(self, db: sqlite3.Connection, rendition: Rendition, job: Job) -> Outcome:
        row = db.execute("SELECT revision, withdrawn_at, payload FROM item WHERE public_id = ?", (job.public_id,)).fetchone()
        if row is None:
            return Absent("网站索引中没有这条信息")
        pending = {each[0] for each in db.execute("SELECT page FROM dirty")} & self._pages(db, job.public_id)
        whole = not pending and as_drawn(db, self._place, item_key(job.public_id))
        live = Live(self._ref(job), self._url(rendition, job))
        if job.action is Action.WITHDRAW:
            return Absent("已撤下") if row["withdrawn_at"] and whole else live
        if row["withdrawn_at"]:
            return Absent("网站上的这条信息已撤下")
        if row["revision"] < job.revision:
            return Absent(f"网站上还是第 {row['revision']} 版")
        missing = [path for path in files_of(json.loads(row["payload"])) if not as_drawn(db, self._place, file_key(path))]
        return live if whole and not missing else Absent("索引已登记，但页面尚未写完或与索引不一致")

    def _start(self, db: sqlite3.Connection) -> None:
        """Note the pages that hang on the configuration when it is new; a site never drawn before is whole with them."""
        look = self._look
        if meta(db, "started") == look.digest:
            return
        landings = {list_key(listing) for listing in configured(look)}
        with transaction(db):
            note_dirty(db, {HOME, SITEMAP, *landings, *(fixed_key(path) for path in fixed_pages(look))})
            set_meta(db, "started", look.digest)
            if not meta(db, "drawn"):
                set_meta(db, "drawn", look.digest)

    def _pages(self, db: sqlite3.Connection, public_id: str) -> set[str]:
        """The pages an item is seen on."""
        return {item_key(public_id), HOME}.union(*(seen_on(db, place) for place in places(db, public_id)))

    def _ref(self, job: Job) -> dict[str, Any]:
        return {"public_id": job.public_id, "revision": job.revision}

    def _url(self, rendition: Rendition, job: Job) -> str:
        return str(rendition.payload.get("url") or f"{self._around.site.url}/items/{job.public_id}/")


def _settled(done: _Done, written: Written) -> Outcome:
    """The outcome, unless a page it stands on could not be written: it is in the index then, and the next round writes it."""
    faults = [f"{page}（{written.faults[page]}）" for page in sorted(done.pages & written.faults.keys())]
    return Unknown("已登记，但有页面未能写入：" + "；".join(faults[:3])) if faults else done.outcome
