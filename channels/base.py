"""The contract between the hub and its channels (渠道).

Values and one protocol, nothing else. This module knows nothing of the hub, of a database or of Celery, so a channel
can be read, run and tested alone. Everything that crosses the line is a frozen value:

    Publication --format()--> Rendition --(three reviews sign its digest)--> push() --> Outcome

All times are timezone-aware ``datetime`` in UTC; an adapter shows them in Asia/Shanghai where a reader sees them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeAlias, Union

import rfc8785

Json: TypeAlias = Union[bool, int, float, str, "list[Json]", "dict[str, Json]", None]
Ref: TypeAlias = dict[str, Json]
"""What an adapter wants to be given again: media ids, draft id, publish id, post id. Opaque to the hub, plain JSON."""


class Action(StrEnum):
    """What a delivery does to a channel. Unique per (revision, channel)."""

    PUBLISH = "publish"
    CORRECT = "correct"
    WITHDRAW = "withdraw"


# ----------------------------------------------------------------------------------------------- what is to be shown


@dataclass(frozen=True, slots=True)
class Named:
    """A department, column or area as a reader sees it: ``slug`` makes addresses, ``name`` is Chinese."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class ColumnRef:
    """A column (栏目) with the words the government page tags ask for (国办发〔2017〕47号 附件)."""

    slug: str
    name: str
    type: str
    description: str
    keywords: tuple[str, ...]
    parents: tuple[Named, ...] = ()
    """From the root column down to the direct parent; empty for a root column."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file kept by its content: ``sha256`` finds the bytes through ``Files``, ``name`` is what the reader sees."""

    sha256: str
    name: str
    media_type: str
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image (already re-encoded, metadata stripped). In ``Publication.body_html`` it is ``<img src="file:SHA256">``."""

    file: StoredFile
    alt: str
    width: int
    height: int
    ai_generated: bool = False
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """A link to another item (关联): ``type`` is interprets | interpreted_by | corrects | corrected_by | replaces | replaced_by."""

    type: str
    public_id: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Publication:
    """One immutable revision, complete, as the hub hands it to every channel's ``format``.

    ``body_html`` is already sanitised: p h2 h3 h4 strong em u s sub sup ul ol li blockquote table caption thead tbody
    tfoot tr th td img a br hr figure figcaption, ``href`` on links (http, https, mailto, tel or a relative path of the
    site), ``src="file:SHA256"`` and ``alt`` on images, ``colspan``/``rowspan`` on cells. Texts hold no character
    that XML 1.0 forbids.
    """

    public_id: str
    """Permanent, URL-safe, never reused; the website's ``/items/{public_id}/``."""
    revision: int
    url: str
    """Absolute, permanent address of the item's page, ending in ``/items/{public_id}/``."""
    title: str
    subtitle: str
    body_html: str
    summary: str
    kind: str
    """notice policy interpretation emergency qa correction consultation announcement publicity budget news …"""
    department: Named
    column: ColumnRef
    area: Named | None
    index_no: str
    doc_no: str
    issued_on: date | None
    """成文日期."""
    formed_on: date
    """形成(变更)日期."""
    effective_on: date | None
    expires_on: date | None
    validity: str
    """有效 | 尚未施行 | 失效 | 废止 | 不适用, as approved."""
    disclosure_attr: str
    """公开属性."""
    genre: str
    """体裁(文种)."""
    theme: str
    """主题分类."""
    keywords: tuple[str, ...]
    source_kind: str
    """本单位制发 | 转载 | 中心采写."""
    source: str
    """ContentSource: who made the text."""
    source_url: str
    """Where a repost was taken from; empty for own work."""
    urgency: str
    """普通 | 加急 | 特急."""
    author: str
    attachments: tuple[StoredFile, ...] = ()
    pictures: tuple[Picture, ...] = ()
    """Every picture of the body, and those shown only as cover."""
    cover: str = ""
    """SHA-256 of the picture chosen as cover, one of ``pictures``; empty: none chosen."""
    relations: tuple[Relation, ...] = ()
    wording: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Per-channel wording: ``{"wechat": {"title", "digest", "author", "cover"}, "weibo": {"text", "cover"}}``, all optional."""
    details: Mapping[str, Json] = field(default_factory=dict)
    """Facts that only one kind has: warning, qa, consultation, correction, publicity."""
    change_note: str = ""
    """Revisions after the first: what changed and why, in words for the public (更正说明)."""

    def said(self, channel: str, key: str) -> str:
        """Return this channel's own wording for ``key``, stripped, or an empty string."""
        return self.wording.get(channel, {}).get(key, "").strip()


# ------------------------------------------------------------------------------------------------ what will be shown


class Severity(StrEnum):
    BLOCK = "block"
    """The item cannot be submitted for review while this stands."""
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a wording, found before review. ``message`` is Chinese and says what to do."""

    severity: Severity
    field: str
    """Dotted path in the item: ``title``, ``wording.wechat.title``, ``body``."""
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Rendition:
    """What reviewers approve and what is sent: one channel's version of one revision.

    ``payload`` is plain JSON and complete: text, markup, and the SHA-256 of every file to be sent. ``push`` adds
    nothing but ids the platform hands back, addresses of uploaded media and the time of publication.
    """

    channel: str
    payload: dict[str, Json]
    findings: tuple[Finding, ...] = ()

    @property
    def canonical(self) -> bytes:
        """RFC 8785 canonical JSON of channel and payload: the bytes that are signed."""
        return rfc8785.dumps({"channel": self.channel, "payload": self.payload})

    @property
    def digest(self) -> str:
        """Hex SHA-256 of ``canonical``."""
        return hashlib.sha256(self.canonical).hexdigest()

    @property
    def blocked(self) -> bool:
        return any(f.severity is Severity.BLOCK for f in self.findings)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a channel can carry, as data, so that editors, forms and tests read the same numbers the adapter enforces."""

    lengths: Mapping[str, int] = field(default_factory=dict)
    """Field name → most characters (or the channel's own unit, see its README)."""
    media_types: frozenset[str] = frozenset()
    media_bytes: int = 0
    """Largest single picture, bytes; 0: no limit."""
    batch: int = 1
    """Most deliveries that one task claims at a time."""
    serial: bool = False
    """True: at most one delivery of the account is under way, and none while one is ``unknown`` and being looked for."""
    can_edit: bool = False
    """True: a correction changes what readers already have; False: it is a new post and the old one is taken back."""
    can_withdraw: bool = True
    absence_is_proof: bool = False
    """True: when ``reconcile`` says ``Absent``, a new attempt cannot publish twice."""
    lease: timedelta = timedelta(minutes=2)
    """How long one delivery may stay ``sending`` before it counts as ``unknown``."""
    lease_each: timedelta = timedelta(seconds=30)
    """How much longer for every further delivery of a batch. It must cover the slowest send: while one still runs, a look
    that found nothing would let another begin."""
    retry_base: timedelta = timedelta(seconds=5)
    retry_cap: timedelta = timedelta(minutes=15)
    max_attempts: int = 12
    horizon: timedelta = timedelta(hours=24)
    """Give up (and tell a person) this long after the due time, whatever the attempts."""
    looks: tuple[timedelta, ...] = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
    """Pauses before each look at an ``unknown`` delivery; after the last one a person is asked."""


# ---------------------------------------------------------------------------------------------------------- outcomes


class RefusalClass(StrEnum):
    """Why a platform said no; decides who must act."""

    CONTENT = "content"
    """Back to the editor. Only this delivery stops."""
    TOKEN = "token"  # noqa: S105 - a class name, not a secret
    QUOTA = "quota"
    PERMISSION = "permission"
    BRAKE = "brake"
    """TOKEN, QUOTA, PERMISSION, BRAKE: the account stops (until ``until``, or until its keeper tests it); the delivery waits, unsent."""


@dataclass(frozen=True, slots=True)
class Live:
    """The channel shows it (or, for a withdrawal that was looked up: still shows it)."""

    ref: Ref
    url: str = ""
    """Where a reader finds it; empty where the platform gives none."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The platform took the job and will decide later; ``reconcile`` asks after ``check_after``."""

    ref: Ref
    check_after: timedelta


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Nothing happened, for certain: safe to send again after a pause."""

    why: str
    retry_after: timedelta | None = None
    """What the platform asked for; None: the channel's own back-off."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The platform said no, for certain."""

    reason: str
    """For a person, in Chinese, with the platform's code."""
    kind: RefusalClass = RefusalClass.CONTENT
    code: str = ""
    until: timedelta | None = None
    """QUOTA and BRAKE: how long the account rests; None: until a person starts it again."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have happened. Never leads to another send without a look."""

    why: str
    look_after: timedelta | None = None
    """Earliest useful look; None: the channel's ``limits.looks``."""
    ref: Ref | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """Looked, and it is not there. From ``withdraw``: it is gone, which is success."""

    why: str = ""


Outcome: TypeAlias = Live | Accepted | Unavailable | Refused | Unknown | Absent


# ------------------------------------------------------------------------------------------------------------- a job


@dataclass(frozen=True, slots=True)
class Job:
    """One delivery attempt, or one look at it, as the adapter sees it."""

    key: str
    """Stable over all attempts: ``{public_id}.{revision}.{channel}.{action}``; at most 64 ASCII bytes."""
    action: Action
    public_id: str
    revision: int
    ref: Ref
    """What earlier attempts of this delivery kept or were given; ``{}`` at first."""
    previous: Ref
    """CORRECT and WITHDRAW: the ref under which the channel shows the older revision; ``{}`` if it never did."""
    published_at: datetime
    """When the item was first published (发布时间), set by the hub's server once and never changed. UTC."""
    updated_at: datetime
    """When this revision was released; equals ``published_at`` for the first one. UTC."""
    first_attempt_at: datetime
    """Start of this delivery's first attempt, UTC: what a listing shows from before it is not ours."""
    now: datetime
    """UTC, from the hub's clock."""
    note: str = ""
    """CORRECT: the change note; WITHDRAW: the reason shown to the public."""
    keep: Callable[[Ref], None] = lambda _ref: None
    """Call after every step that cost the platform something: the ref survives a crash and comes back as ``ref``."""


@dataclass(frozen=True, slots=True)
class Health:
    """Answer of a harmless test call (``hub channels check``)."""

    ok: bool
    message: str
    """Chinese, for the keeper of the account."""
    expires_at: datetime | None = None
    """When the authorisation ends, where the platform says so (UTC)."""
    used: Mapping[str, int] = field(default_factory=dict)
    quota: Mapping[str, int] = field(default_factory=dict)


class Channel(Protocol):
    """One account on one platform. Instances are cheap, hold no state that matters, and may be used by one thread at a time."""

    name: ClassVar[str]
    limits: ClassVar[Limits]

    def format(self, publication: Publication) -> Rendition:
        """Pure and deterministic: same publication, same bytes. Whatever breaks a limit comes back as a finding, never as a cut."""
        ...

    def push(self, rendition: Rendition, job: Job) -> Outcome:
        """Publish or correct. The only method, with ``withdraw``, that changes the world. May raise: that is an ``Unknown``."""
        ...

    def reconcile(self, rendition: Rendition, job: Job) -> Outcome:
        """Read-only: what does the platform say about this job? ``Absent`` only where absence is proof."""
        ...

    def withdraw(self, rendition: Rendition, job: Job) -> Outcome:
        """Take back what ``job.previous`` names. Idempotent; ``Absent`` is success, also when it was never there."""
        ...

    def check(self) -> Health:
        """A harmless call that proves address, credentials and rights."""
        ...


class Callbacks(Protocol):
    """Channels whose platform reports by calling us (WeChat's PUBLISHJOBFINISH)."""

    def answer(self, method: str, query: Mapping[str, str], body: bytes, now: datetime) -> tuple[int, str, str, tuple[Event, ...]]:
        """Check and read one call: (HTTP status, media type, body to answer, events). Bad signature: 403 and no event."""
        ...


@dataclass(frozen=True, slots=True)
class Event:
    """Something a platform told us: the delivery is found by ``match`` being a subset of its ref."""

    match: Ref
    outcome: Outcome
    digest: str
    """SHA-256 of the raw message: the same event delivered three times is one."""


# ------------------------------------------------------------------------------------------- what an adapter is given


class Files(Protocol):
    """Content-addressed files of the hub."""

    def path(self, sha256: str) -> Path:
        """Where the bytes lie. Raises FileNotFoundError with a clear message."""
        ...


class Cache(Protocol):
    """Small shared values that all workers see (access tokens, uploaded media). Losing it costs only calls."""

    def get(self, key: str) -> str | None: ...

    def set(self, key: str, value: str, ttl: timedelta) -> None: ...

    def delete(self, key: str) -> None: ...

    def lock(self, key: str, ttl: timedelta) -> AbstractContextManager[bool]:
        """One holder at a time over all processes; yields False when the wait (``ttl``) ran out."""
        ...


@dataclass(frozen=True, slots=True)
class SiteIdentity:
    """Who publishes: the values of the government page tags and of every feed."""

    name: str
    """SiteName (规范名称)."""
    domain: str
    """SiteDomain (英文域名)."""
    id_code: str
    """SiteIDCode (政府网站标识码), 10 characters."""
    url: str
    """Absolute root address without a trailing slash."""
    description: str = ""
    keywords: tuple[str, ...] = ()
    organiser: str = ""
    """主办单位."""
    operator: str = ""
    """承办单位."""
    contact: str = ""
    icp: str = ""
    police: str = ""
    tag_date: str = "2026"
    """Date part of ``tag:`` URIs (RFC 4151): a day or year on which the domain was ours. Never change it."""
    columns: tuple[ColumnRef, ...] = ()
    departments: tuple[Named, ...] = ()
    areas: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """One configured account (渠道账号). ``settings`` are the adapter's own, documented in its README; ``secrets`` never reach a log."""

    name: str
    kind: str
    api_base: str = ""
    settings: Mapping[str, Json] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything an adapter's factory gets besides its account."""

    site: SiteIdentity
    files: Files
    cache: Cache
    site_dir: Path
    """Root of the public static site."""
    state_dir: Path
    """A folder of this channel's own for indexes and fragments; survives restarts, can be rebuilt."""
    clock: Callable[[], datetime]


# --------------------------------------------------------------------------------------------------- what was exchanged


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call an adapter made, for the attempt's evidence. Digests are of the raw bytes; secrets are already removed."""

    what: str
    """``POST https://host/path`` or ``WRITE items/…/index.html``."""
    status: str
    request_digest: str
    response_digest: str
    milliseconds: int
    excerpt: str = ""
    """The first part of the answer, secrets removed, for a person who looks."""


_exchanges: ContextVar[list[Exchange] | None] = ContextVar("exchanges", default=None)


@contextmanager
def recording() -> Iterator[list[Exchange]]:
    """Collect every exchange made inside the block by this thread."""
    collected: list[Exchange] = []
    token = _exchanges.set(collected)
    try:
        yield collected
    finally:
        _exchanges.reset(token)


def note_exchange(exchange: Exchange) -> None:
    """Called by ``channels.http`` and by channels that write files."""
    collected = _exchanges.get()
    if collected is not None:
        collected.append(exchange)


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def dumps_utf8(value: Any) -> bytes:
    """JSON as raw UTF-8, never ``\\uXXXX``: WeChat counts escapes as characters (wechat.md §0)."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
