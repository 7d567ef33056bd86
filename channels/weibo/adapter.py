"""The Weibo channel (微博): ``statuses/share`` and, for corrections and withdrawals, ``statuses/destroy``.

There is no idempotency key and no editing (weibo.md §2, §7). The text itself is the key: it carries the item's
address, stays the same over all attempts, and is looked for in the timeline before anything is sent again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

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
    Ref,
    RefusalClass,
    Refused,
    Rendition,
    Surroundings,
    Unavailable,
    Unknown,
    sha256_hex,
)
from channels.http import FilePart, Http
from channels.weibo import health, verdict
from channels.weibo.client import Client, Problem
from channels.weibo.errors import Meaning
from channels.weibo.eyes import Eyes, text_key
from channels.weibo.permalink import permalink
from channels.weibo.rendition import SUFFIXES, rendition
from channels.weibo.settings import Settings, read_settings
from channels.weibo.timeline import read_post

LIMITS = Limits(
    lengths={"text": 130},
    media_types=frozenset(SUFFIXES),
    media_bytes=4_999_999,
    batch=1,
    serial=True,
    can_edit=False,
    can_withdraw=True,
    absence_is_proof=True,
    lease=timedelta(minutes=4),
    retry_base=timedelta(seconds=30),
    retry_cap=timedelta(minutes=30),
    max_attempts=8,
    looks=(timedelta(seconds=90), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1)),
)


class Weibo:
    """One Weibo account."""

    name: ClassVar[str] = "weibo"
    limits: ClassVar[Limits] = LIMITS

    def __init__(self, account: Account, around: Surroundings) -> None:
        self._settings: Settings = read_settings(account.name, account.settings)
        self._token = account.secrets.get("access_token", "")
        http = Http(
            secrets=tuple(account.secrets.values()),
            connect_timeout=self._settings.connect_timeout,
            read_timeout=self._settings.read_timeout,
        )
        self._client = Client(http, account.api_base, self._token)
        self._eyes = Eyes(self._client, self._settings, around.cache, account.name, self._rest, self._token)
        self._around = around
        self._wait = self._settings.pause(self._settings.look_wait)
        self._gap = self._settings.pause(self._settings.look_gap)

    def format(self, publication: Publication) -> Rendition:
        return rendition(publication, self._settings)

    # ------------------------------------------------------------------------------------------------- publishing

    def push(self, rendition: Rendition, job: Job) -> Outcome:
        """Post; a correction then deletes the older post. What is already posted (``ref["id"]``) is never posted again."""
        refusal = self._unready()
        if refusal:
            return refusal
        ref = dict(job.ref)
        if job.action is Action.CORRECT and "id" not in ref and job.previous.get("text") == text_key(rendition):
            return self._unchanged(rendition, job)
        if "id" not in ref:
            outcome = self._post(rendition, job, ref)
            if not isinstance(outcome, Live):
                return outcome
            ref = dict(outcome.ref)
        return self._replace(job, ref) if self._replaces(job, ref) else self._live(ref)

    def _post(self, rendition: Rendition, job: Job, ref: Ref) -> Outcome:
        try:
            picture = self._picture(rendition)
        except (FileNotFoundError, ValueError) as error:
            return Refused(f"配图文件缺失或已损坏，请重新上传：{error}", RefusalClass.CONTENT, "picture")
        if ref:
            # Looks made before this attempt prove nothing about it; said before sending, for the crash in between.
            ref |= {"looks": [], "sent_at": job.now.isoformat()}
            job.keep(ref)
        text = str(rendition.payload["text"])
        reply = self._client.share(text, self._settings.operator_ip, picture)
        if isinstance(reply, Problem) and verdict.meaning(reply) is Meaning.AGAIN:
            reply = self._client.share(text, self._settings.operator_ip, picture)
        if isinstance(reply, Problem):
            return verdict.of_post(reply, ref, self._wait, self._rest, self._token)
        if isinstance(reply, Unknown):
            return Unknown(reply.why, self._wait, ref)
        if isinstance(reply, Unavailable | Refused):
            return reply
        post = read_post(reply)
        if post is None:
            return Unknown("微博的应答里没有微博编号", self._wait, ref)
        ref = self._eyes.adopt(rendition, job, post)
        if self._replaces(job, ref):
            job.keep(ref)
        return self._live(ref)

    def _replaces(self, job: Job, ref: Ref) -> bool:
        """True while a correction still has the older post to delete."""
        wanted = job.action is Action.CORRECT and self._settings.replace_on_correction and bool(job.previous)
        return wanted and not ref.get("old_gone")

    def _replace(self, job: Job, ref: Ref) -> Outcome:
        """Delete the post that the correction replaces. Its own post is out, so nothing here may read as "not sent"."""
        old = str(job.previous.get("id", ""))
        if not old:
            return self._stuck(ref, "旧微博编号未知")
        outcome = self._destroy(old, ref)
        if isinstance(outcome, Absent):
            return self._live({**ref, "old_gone": True})
        if isinstance(outcome, Refused) and outcome.kind is RefusalClass.CONTENT:
            return self._stuck(ref, outcome.reason)
        if isinstance(outcome, Unavailable):
            return Unknown(f"更正微博已发出，旧微博暂未删除：{outcome.why}", outcome.retry_after or self._gap, ref)
        return outcome

    def _stuck(self, ref: Ref, why: str) -> Unknown:
        return Unknown(f"更正微博已发出（{self._live(ref).url}），旧微博需人工删除：{why}", None, {**ref, "stuck": why})

    def _unchanged(self, rendition: Rendition, job: Job) -> Outcome:
        if job.previous.get("digest") == rendition.digest:
            return self._live(dict(job.previous))
        return Refused("更正后的微博正文与原微博完全相同，平台不接受；请在正文中写明更正内容", RefusalClass.CONTENT, "unchanged")

    # ---------------------------------------------------------------------------------------------------- looking

    def reconcile(self, rendition: Rendition, job: Job) -> Outcome:
        """A look that cannot be made leaves everything in doubt: it is ``Unknown``, never ``Unavailable`` or ``Refused``."""
        if job.action is Action.WITHDRAW:
            return self._still_there(rendition, job)
        ref = dict(job.ref)
        if "id" in ref:
            return self._complete(job, ref)
        seen = self._eyes.look(rendition, job, job.first_attempt_at)
        if isinstance(seen, Unknown):
            return replace(seen, ref=ref)
        if seen.found is None:
            return self._not_seen(job, ref, seen.complete)
        ref = self._eyes.adopt(rendition, job, seen.found)
        if self._replaces(job, ref):
            # The id must be stored before a push may finish the work, or it would post again.
            return Unknown("更正微博已发出，旧微博待删除", self._settings.pause(1), ref)
        return self._live(ref)

    def _complete(self, job: Job, ref: Ref) -> Outcome:
        """The post's id is known: is it there, and is the older one gone?"""
        if ref.get("stuck"):
            return self._stuck(ref, str(ref["stuck"]))
        there = self._eyes.visible(str(ref["id"]), ref)
        if isinstance(there, Unknown):
            return there
        if not there:
            return Unknown(f"微博已发出（{self._live(ref).url}），但平台上已看不到，可能已被删除，请人工核对", None, ref)
        if not self._replaces(job, ref):
            return self._live(ref)
        old = self._eyes.visible(str(job.previous.get("id", "")), ref) if job.previous.get("id") else True
        if isinstance(old, Unknown):
            return old
        return Absent("更正微博已发出，旧微博还在，需继续删除") if old else self._live({**ref, "old_gone": True})

    def _not_seen(self, job: Job, ref: Ref, complete: bool) -> Outcome:
        """Absence is believed after two looks that are far enough apart and reach back far enough (weibo.md §7)."""
        if ref.get("landed"):
            return Unknown("平台称该微博已发布，但时间线上没有看到，请人工核对并填写编号", None, ref)
        if ref.get("similar"):
            return Unknown("平台称已有相似微博，时间线上没有看到本条，请人工核对", None, ref)
        if not complete:
            return Unknown(
                f"平台只显示最新 {self._settings.visible_posts} 条，看不到首次发送之前，无法断定是否已发布，请人工核对", None, ref
            )
        sent_at = _moment(ref.get("sent_at")) or job.first_attempt_at
        if job.now < sent_at + self._gap:
            return Unknown("刚刚发送，平台显示有延迟", sent_at + self._gap - job.now, ref)
        looks = ref.get("looks")
        first = _moment(looks[0]) if isinstance(looks, list) and looks else None
        if first is None:
            return Unknown("时间线上没有看到，稍后再看一次", self._gap, {**ref, "looks": [job.now.isoformat()]})
        if job.now < first + self._gap:
            return Unknown("时间线上没有看到，稍后再看一次", first + self._gap - job.now, ref)
        return Absent("间隔两次查看时间线，均没有该微博")

    # ----------------------------------------------------------------------------------------------- taking back

    def withdraw(self, rendition: Rendition, job: Job) -> Outcome:
        refusal = self._unready()
        if refusal:
            return refusal
        ref = dict(job.ref)
        post_id = str(ref.get("id") or job.previous.get("id") or "")
        if not post_id:
            seen = self._eyes.look(rendition, job, job.published_at)
            if isinstance(seen, Unknown):
                return replace(seen, ref=ref)
            if seen.found is None:
                return self._never_there(job, seen.complete)
            ref = self._eyes.adopt(rendition, job, seen.found)
            job.keep(ref)
            post_id = seen.found.id
        return self._destroy(post_id, ref)

    def _destroy(self, post_id: str, ref: Ref) -> Outcome:
        reply = self._client.destroy(post_id)
        if isinstance(reply, dict):
            if post_id in (reply.get("idstr"), reply.get("mid")):
                return Absent("已删除")
            return Unknown("微博对删除的应答里没有该微博", self._gap, ref)
        if isinstance(reply, Problem):
            if verdict.meaning(reply) is Meaning.GONE:
                return Absent("该微博已不存在")
            return verdict.of_delete(reply, ref, self._gap, self._rest, self._token)
        return Unknown(reply.why, self._gap, ref) if isinstance(reply, Unknown) else reply

    def _still_there(self, rendition: Rendition, job: Job) -> Outcome:
        ref = {**job.previous, **job.ref}
        if "id" not in ref:
            seen = self._eyes.look(rendition, job, job.published_at)
            if isinstance(seen, Unknown):
                return replace(seen, ref=dict(job.ref))
            if seen.found is None:
                return self._never_there(job, seen.complete)
            return self._live(self._eyes.adopt(rendition, job, seen.found))
        there = self._eyes.visible(str(ref["id"]), dict(job.ref))
        if isinstance(there, Unknown):
            return there
        return self._live(ref) if there else Absent("该微博已不存在")

    def _never_there(self, job: Job, complete: bool) -> Outcome:
        if job.previous.get("landed"):
            return Unknown("平台称该微博已发布，但时间线上没有看到，请人工核对并删除", None, dict(job.ref))
        if complete:
            return Absent("账号上没有该微博")
        return Unknown("微博编号未知，时间线上已看不到，请人工核对并删除", None, dict(job.ref))

    # ----------------------------------------------------------------------------------------------------- the rest

    def check(self) -> Health:
        return health.check(self._client, self._settings, self._around, self._token, self._eyes.remember_uid)

    def _unready(self) -> Refused | None:
        if not self._token:
            return Refused("渠道账号没有配置微博授权（access_token），请账号管理员授权", RefusalClass.TOKEN, "no_token")
        if self._settings.rip_problem:
            return Refused(self._settings.rip_problem, RefusalClass.PERMISSION, "operator_ip")
        return None

    def _picture(self, rendition: Rendition) -> FilePart | None:
        """The approved picture, checked against its digest. Raises FileNotFoundError or ValueError."""
        picture = rendition.payload.get("picture")
        if not isinstance(picture, dict):
            return None
        sha256, media_type = str(picture["sha256"]), str(picture["media_type"])
        body = self._around.files.path(sha256).read_bytes()
        if sha256_hex(body) != sha256:
            raise ValueError("图片内容与审定时不一致")
        return f"{sha256[:16]}.{SUFFIXES[media_type]}", body, media_type

    def _rest(self) -> timedelta:
        return health.rest(self._client, self._settings, self._around.clock())

    def _live(self, ref: Ref) -> Live:
        return Live(ref, permalink(self._settings.page_base, str(ref.get("uid", "")), str(ref["mid"])))


def create(account: Account, around: Surroundings) -> Weibo:
    """Build the channel. Raises ValueError, in Chinese, when a setting is wrong."""
    settings = read_settings(account.name, account.settings)

    class Configured(Weibo):
        """The account's own limits: its house limit, and pauses at its time scale."""

        limits: ClassVar[Limits] = replace(
            LIMITS,
            lengths={"text": settings.text_limit},
            media_bytes=settings.picture_bytes - 1,
            retry_base=LIMITS.retry_base * settings.time_scale,
            retry_cap=LIMITS.retry_cap * settings.time_scale,
            looks=tuple(look * settings.time_scale for look in LIMITS.looks),
        )

    return Configured(account, around)


def _moment(value: object) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None
