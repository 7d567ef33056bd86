"""Looking at the account: its newest posts, one post by its id, and whose post is whose. Changes nothing out there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from channels.base import Cache, Job, Ref, Refused, Rendition, Unknown, sha256_hex
from channels.weibo import verdict
from channels.weibo.client import Client, Problem, Reply
from channels.weibo.errors import Meaning
from channels.weibo.settings import Settings
from channels.weibo.timeline import Post, Search, read_post, search
from channels.weibo.verdict import Rest

_OWNER_TTL = timedelta(days=30)


class Eyes:
    """``rest`` tells how long the account must rest, ``secret`` is kept out of every word."""

    def __init__(self, client: Client, settings: Settings, cache: Cache, account: str, rest: Rest, secret: str) -> None:
        self._client = client
        self._settings = settings
        self._cache = cache
        self._account = account
        self._rest = rest
        self._secret = secret
        self._gap = settings.pause(settings.look_gap)

    def look(self, rendition: Rendition, job: Job, since: datetime) -> Search | Unknown:
        reply = self._client.user_timeline(self._settings.visible_posts)
        statuses = reply.get("statuses") if isinstance(reply, dict) else None
        if not isinstance(statuses, list):
            return self._unseen(reply)
        since -= timedelta(seconds=self._settings.clock_skew)
        text = str(rendition.payload["text"])
        return search(statuses, text, since, self._settings.visible_posts, lambda post: self._owner(post.id) in ("", _owner_of(job)))

    def visible(self, post_id: str, ref: Ref) -> bool | Unknown:
        reply = self._client.show(post_id)
        if isinstance(reply, dict):
            return read_post(reply) is not None
        if isinstance(reply, Problem) and verdict.meaning(reply) is Meaning.GONE:
            return False
        return replace(self._unseen(reply), ref=ref)

    def _unseen(self, reply: Reply) -> Unknown:
        """Why a look told nothing. The account's trouble (token, quota) shows at the next push or check."""
        if isinstance(reply, Problem):
            outcome = verdict.of_post(reply, {}, self._gap, self._rest, self._secret)
            pause = outcome.until if isinstance(outcome, Refused) else None
            return Unknown(f"暂时无法核对：{getattr(outcome, 'reason', '') or getattr(outcome, 'why', '')}", pause or self._gap)
        if isinstance(reply, dict):
            return Unknown("暂时无法核对：微博的应答里没有时间线", self._gap)
        return Unknown(f"暂时无法核对：{reply.reason if isinstance(reply, Refused) else reply.why}", self._gap)

    def adopt(self, rendition: Rendition, job: Job, post: Post) -> Ref:
        """The post is this delivery's: remember that, so that no other delivery takes it for its own."""
        self._cache.set(self._cache_key(f"post:{post.id}"), _owner_of(job), _OWNER_TTL)
        return {"id": post.id, "mid": post.mid, "uid": self._uid(post), "text": text_key(rendition), "digest": rendition.digest}

    def _owner(self, post_id: str) -> str:
        return self._cache.get(self._cache_key(f"post:{post_id}")) or ""

    def _uid(self, post: Post) -> str:
        uid = post.uid or self._settings.uid or self._cache.get(self._cache_key("uid")) or ""
        if uid:
            return uid
        info = self._client.token_info()
        return self.remember_uid(info) if isinstance(info, dict) else ""

    def remember_uid(self, info: dict[str, Any]) -> str:
        uid = str(info.get("uid") or "")
        if uid:
            self._cache.set(self._cache_key("uid"), uid, _OWNER_TTL)
        return uid

    def _cache_key(self, what: str) -> str:
        return f"weibo:{self._account}:{what}"


def text_key(rendition: Rendition) -> str:
    return sha256_hex(str(rendition.payload["text"]).encode())


def _owner_of(job: Job) -> str:
    """Deliveries of one revision share one post: what publishes it and what withdraws it."""
    return f"{job.public_id}.{job.revision}"
