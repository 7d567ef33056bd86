"""The smallest complete channel: the example to copy, and the stand-in for a platform in tests of the hub.

Its platform is an object in this process, one per account name, so a test reaches the platform behind a channel with
``MemoryPlatform.named(account.name)``, looks at ``posts`` and ``log``, and plans what happens next:

    platform.plan("push", Unknown("no answer"), apply=True)     # it was published, and the answer got lost
    platform.plan("push", ConnectionError("reset"), times=2)    # the adapter raises

To add a channel: make a folder of this shape, put the adapter's class and ``create`` in it, add one line to
``channels.registry``, and let ``tests/channels/contract.py`` ask its questions.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import unescape
from re import sub
from typing import ClassVar

from channels.base import (
    Absent,
    Account,
    Action,
    Exchange,
    Finding,
    Health,
    Job,
    Json,
    Limits,
    Live,
    Outcome,
    Publication,
    Ref,
    Rendition,
    Severity,
    Surroundings,
    note_exchange,
    sha256_hex,
)

TITLE_LIMIT = 100
METHODS = ("push", "reconcile", "withdraw")


@dataclass(frozen=True, slots=True)
class Post:
    """What a reader of the memory platform sees."""

    id: str
    key: str
    """Key of the delivery that wrote what is shown now."""
    payload: dict[str, Json]
    published_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Called:
    """A line of the platform's log."""

    method: str
    key: str
    action: Action
    digest: str
    """Digest of the rendition that came with the call."""
    applied: bool


@dataclass(frozen=True, slots=True)
class Plan:
    outcome: Outcome | Exception
    apply: bool


@dataclass(slots=True)
class MemoryPlatform:
    """Posts by id, every call in order, and the answers planned for the next calls. Safe to share between threads."""

    posts: dict[str, Post] = field(default_factory=dict)
    log: list[Called] = field(default_factory=list)
    plans: dict[str, deque[Plan]] = field(default_factory=lambda: {method: deque() for method in METHODS})
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @staticmethod
    def named(name: str) -> MemoryPlatform:
        """The platform that every channel of the account ``name`` in this process talks to."""
        with _platforms_lock:
            return _platforms.setdefault(name, MemoryPlatform())

    @staticmethod
    def forget(name: str) -> None:
        """Start ``name`` afresh: the next ``named`` is an empty platform."""
        with _platforms_lock:
            _platforms.pop(name, None)

    def plan(self, method: str, outcome: Outcome | Exception, *, apply: bool = False, times: int = 1) -> None:
        """Let the next ``times`` calls of push, reconcile or withdraw end with ``outcome`` (an exception is raised).

        ``apply`` says whether the call did its work all the same.
        """
        if method not in METHODS:
            raise ValueError(f"没有名为“{method}”的调用，只能是：{'、'.join(METHODS)}")
        with self.lock:
            self.plans[method].extend([Plan(outcome, apply)] * times)

    def pushes(self, key: str = "") -> list[Called]:
        """Every push that changed the platform, of one delivery or of all."""
        with self.lock:
            return [call for call in self.log if call.method == "push" and call.applied and key in ("", call.key)]

    def answer(self, method: str, rendition: Rendition, job: Job, work: Callable[[], Outcome]) -> Outcome:
        """Do ``work`` unless a plan says otherwise, and log the call."""
        with self.lock:
            plan = self.plans[method].popleft() if self.plans[method] else None
            applied = plan is None or plan.apply
            self.log.append(Called(method, job.key, job.action, rendition.digest, applied))
            done = work() if applied else None
            if plan is None:
                assert done is not None
                return done
            if isinstance(plan.outcome, Exception):
                raise plan.outcome
            return plan.outcome


_platforms: dict[str, MemoryPlatform] = {}
_platforms_lock = threading.Lock()


class Memory:
    """Publishes to a ``MemoryPlatform``. A post is edited in place; the delivery's key makes a second push harmless."""

    name: ClassVar[str] = "memory"
    limits: ClassVar[Limits] = Limits(
        lengths={"title": TITLE_LIMIT},
        batch=20,
        can_edit=True,
        absence_is_proof=True,
        retry_base=timedelta(seconds=1),
        looks=(timedelta(seconds=1), timedelta(seconds=5), timedelta(seconds=30)),
    )

    def __init__(self, account: Account, around: Surroundings) -> None:
        self._platform = MemoryPlatform.named(account.name)

    def format(self, publication: Publication) -> Rendition:
        payload: dict[str, Json] = {
            "title": publication.said(self.name, "title") or publication.title,
            "text": unescape(sub(r"<[^>]+>", "", publication.body_html)),
            "url": publication.url,
            "change_note": publication.change_note,
            "pictures": [picture.file.sha256 for picture in publication.pictures],
        }
        return Rendition(self.name, payload, _findings(str(payload["title"])))

    def push(self, rendition: Rendition, job: Job) -> Outcome:
        return self._platform.answer("push", rendition, job, lambda: self._write(rendition, job))

    def reconcile(self, rendition: Rendition, job: Job) -> Outcome:
        return self._platform.answer("reconcile", rendition, job, lambda: self._look(job))

    def withdraw(self, rendition: Rendition, job: Job) -> Outcome:
        return self._platform.answer("withdraw", rendition, job, lambda: self._delete(job))

    def check(self) -> Health:
        return Health(ok=True, message="内存渠道随时可用（仅供测试）", used={"posts": len(self._platform.posts)})

    def _write(self, rendition: Rendition, job: Job) -> Outcome:
        post_id = _post_id(job)
        first = self._platform.posts.get(post_id)
        post = Post(post_id, job.key, dict(rendition.payload), first.published_at if first else job.now, job.now)
        self._platform.posts[post_id] = post
        _note("WRITE", post_id, rendition)
        return self._live(post_id)

    def _look(self, job: Job) -> Outcome:
        post_id = _post_id(job)
        post = self._platform.posts.get(post_id)
        if post is None or (job.action is not Action.WITHDRAW and post.key != job.key):
            return Absent("平台上没有这一版")
        return self._live(post_id)

    def _delete(self, job: Job) -> Outcome:
        self._platform.posts.pop(_post_id(job), None)
        return Absent("已撤下")

    def _live(self, post_id: str) -> Live:
        ref: Ref = {"post": post_id}
        return Live(ref, f"memory:{post_id}")


def _post_id(job: Job) -> str:
    """An edit and a withdrawal concern the post that is already there; a first publication makes one, named by its key."""
    return str(job.previous.get("post", "")) or job.key


def _findings(title: str) -> tuple[Finding, ...]:
    if len(title) <= TITLE_LIMIT:
        return ()
    message = f"标题共 {len(title)} 字，超过上限 {TITLE_LIMIT} 字，请另写一个渠道标题。"
    return (Finding(Severity.BLOCK, "wording.memory.title", "memory.title.too_long", message),)


def _note(what: str, post_id: str, rendition: Rendition) -> None:
    note_exchange(Exchange(f"{what} memory:{post_id}", "ok", rendition.digest, sha256_hex(post_id.encode()), 0))


def create(account: Account, around: Surroundings) -> Memory:
    return Memory(account, around)
