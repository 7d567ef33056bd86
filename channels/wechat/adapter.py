"""The channel itself: the methods of ``channels.base.Channel`` and ``Callbacks``, each handed to its subject."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from channels.base import Account, Event, Health, Job, Limits, Outcome, Publication, Rendition, Surroundings
from channels.wechat.article import COVER_BYTES, IMAGE_TYPES, article
from channels.wechat.callback import Callback
from channels.wechat.client import Client, Problem
from channels.wechat.find import Fingerprint
from channels.wechat.media import Media
from channels.wechat.office import Office, known, number, said
from channels.wechat.publish import push
from channels.wechat.reconcile import reconcile
from channels.wechat.retract import take_back
from channels.wechat.settings import Settings, read_settings

_DEFAULTS = Settings()
_EFFECT_PATHS = {"publish": "/cgi-bin/freepublish/submit", "mass": "/cgi-bin/message/mass/sendall"}


class WeChat:
    """One Official Account (微信公众号)."""

    name: ClassVar[str] = "wechat"
    limits: ClassVar[Limits] = Limits(
        lengths={
            "title": _DEFAULTS.title_limit,
            "author": _DEFAULTS.author_limit,
            "digest": _DEFAULTS.digest_limit,
            "content": _DEFAULTS.content_limit - 1,
        },
        media_types=IMAGE_TYPES,
        media_bytes=COVER_BYTES,
        batch=4,
        can_edit=False,
        can_withdraw=True,
        # reconcile looks twice, well apart, before it says Absent.
        absence_is_proof=True,
        lease=timedelta(minutes=2),
        retry_base=timedelta(seconds=10),
        retry_cap=timedelta(minutes=15),
    )

    def __init__(self, account: Account, around: Surroundings) -> None:
        self._settings = read_settings(account)
        client = Client(account, self._settings, around.cache, around.clock)
        self._office = Office(client, Media(client, around.files, around.cache, account.name), self._settings)
        self._callback = Callback(
            account.secrets.get("callback_token", ""),
            account.secrets.get("aes_key", ""),
            self._settings.appid,
            self._settings.original_id,
            self._settings.callback_window,
        )

    def format(self, publication: Publication) -> Rendition:
        return article(self.name, publication, self._settings)

    def push(self, rendition: Rendition, job: Job) -> Outcome:
        return push(self._office, rendition, job)

    def reconcile(self, rendition: Rendition, job: Job) -> Outcome:
        return reconcile(self._office, rendition, job)

    def withdraw(self, rendition: Rendition, job: Job) -> Outcome:
        title = known(job.previous, "title") or said(rendition, "title")
        mark = Fingerprint(title, said(rendition, "content_source_url"), job.published_at)
        return take_back(self._office, job.previous, mark)

    def check(self) -> Health:
        """draft/count, and the day's quota of the call that publishes. Neither changes anything."""
        drafts = self._office.client.get("/cgi-bin/draft/count", "查询草稿数")
        if isinstance(drafts, Problem):
            return Health(False, f"微信账号测试未通过：{drafts.why}")
        path = _EFFECT_PATHS.get(self._settings.mode)
        if path is None:
            return Health(True, f"微信账号正常（草稿模式），草稿箱现有 {drafts.get('total_count', 0)} 篇")
        answer = self._office.client.post("/cgi-bin/openapi/quota/get", {"cgi_path": path}, "查询调用次数")
        if isinstance(answer, Problem):
            return Health(False, f"微信账号测试未通过：{answer.why}")
        quota = answer.get("quota") or {}
        used, limit = number(quota.get("used")) or 0, number(quota.get("daily_limit")) or 0
        words = f"今日{'发布' if self._settings.mode == 'publish' else '群发'} {used}／{limit} 次"
        if limit == 0:
            return Health(False, f"公众号没有{words[2:4]}权限，请把 mode 改为 draft（草稿模式）")
        return Health(True, f"微信账号正常，{words}", used={path: used}, quota={path: limit})

    def answer(self, method: str, query: Mapping[str, str], body: bytes, now: datetime) -> tuple[int, str, str, tuple[Event, ...]]:
        return self._callback.answer(method, query, body, now)


def create(account: Account, around: Surroundings) -> WeChat:
    """Factory for the registry. Raises ValueError in Chinese when the account is configured wrongly."""
    return WeChat(account, around)
