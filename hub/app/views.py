"""What reading gives back: frozen values about items, for the API, the console and the command line alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.domain.content import Content
from hub.domain.delivery import DeliveryState
from hub.domain.item import ItemEvent, ItemState, Stage
from hub.domain.problems import Problem


@dataclass(frozen=True, slots=True)
class Word:
    """A thing of the district's vocabulary as people read it."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One item in a list, as the reader may see it: ``revision`` is the current one, or the public one for outsiders."""

    public_id: str
    index_no: str
    title: str
    kind: str
    urgency: str
    grade: str
    department: Word
    column: Word
    area: Word | None
    state: ItemState
    state_label: str
    summary: str
    """What may truthfully be said of it as a whole (已发布, 部分发布, …)."""
    revision: int
    released_revision: int
    digest: str
    url: str
    created_at: datetime
    changed_at: datetime
    published_at: datetime | None
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature or one return."""

    revision: int
    stage: Stage
    stage_label: str
    decision: str
    person: Word
    on_behalf_of: Word | None
    digest: str
    reason: str
    note: str
    statements: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    id: int
    item: str
    title: str
    channel: str
    action: str
    revision: int
    state: DeliveryState
    state_label: str
    needs_person: bool
    reason: str
    kind: str
    url: str
    attempts: int
    looks: int
    due_at: datetime
    next_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReleaseLine:
    id: int
    action: str
    revision: int
    person: Word
    at: datetime
    due_at: datetime
    offsets: Mapping[str, int]
    reason: str
    cancelled_at: datetime | None


@dataclass(frozen=True, slots=True)
class ItemView:
    """One item. For outsiders ``whole`` is False and signatures, problems, releases and deliveries are empty."""

    line: ItemLine
    external_ref: str
    content: Content
    author: Word
    whole: bool
    withdrawal_note: str
    actions: tuple[ItemEvent, ...]
    """What this caller could do now."""
    problems: tuple[Problem, ...] = ()
    signatures: tuple[Signature, ...] = ()
    """Of the current revision."""
    releases: tuple[ReleaseLine, ...] = ()
    deliveries: tuple[DeliveryLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """What one channel will send, word for word."""

    channel: str
    digest: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RevisionLine:
    number: int
    title: str
    digest: str
    author: Word
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RevisionView:
    item: str
    line: RevisionLine
    content: Content
    problems: tuple[Problem, ...]
    signatures: tuple[Signature, ...]
    renditions: tuple[Rendered, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters of a list of items; empty: not filtered. ``before``: ids below this one (paging, newest first)."""

    state: str = ""
    department: str = ""
    column: str = ""
    area: str = ""
    kind: str = ""
    title: str = ""
    before: int = 0
    limit: int = 50
