"""Every table except the record's (``record.py``). Rows only: rules live in ``hub.domain``, guards in ``guards.py``.

Foreign keys RESTRICT everywhere: what an inspector may ask for is never deleted, and nothing disappears as a side effect.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, ForeignKeyConstraint, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from hub.store.base import Base, Utc

Id = BigInteger().with_variant(Integer, "sqlite")


def _key() -> Mapped[int]:
    return mapped_column(Id, primary_key=True, autoincrement=True)


def _ref(target: str, *, nullable: bool = False, index: bool = False) -> Mapped[Any]:
    return mapped_column(Id, ForeignKey(target, ondelete="RESTRICT"), nullable=nullable, index=index)


class Department(Base):
    """委办局、街道, and the media centre itself (``kind`` = centre)."""

    __tablename__ = "departments"
    id: Mapped[int] = _key()
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    org_code: Mapped[str] = mapped_column(String(32), default="")
    """组织机构代码 or whatever the site's index-number rule is built on."""
    kind: Mapped[str] = mapped_column(String(16), default="department")
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    next_index: Mapped[int] = mapped_column(Integer, default=1)
    """Next running number of the index number (索引号) in ``index_year``."""
    index_year: Mapped[int] = mapped_column(Integer, default=0)


class Person(Base):
    """Somebody with a name, or a department's system account (``is_service``), which may hand in but never sign."""

    __tablename__ = "people"
    id: Mapped[int] = _key()
    username: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    department_id: Mapped[int] = _ref("departments.id")
    is_service: Mapped[bool] = mapped_column(Boolean, default=False)
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime] = mapped_column(Utc)


class GrantRow(Base):
    """A role given to a person, in one department or everywhere; ended, never deleted."""

    __tablename__ = "grants"
    id: Mapped[int] = _key()
    person_id: Mapped[int] = _ref("people.id", index=True)
    role: Mapped[str] = mapped_column(String(24))
    department_id: Mapped[int | None] = _ref("departments.id", nullable=True)
    grades: Mapped[str] = mapped_column(String(8), default="ABC")
    given_at: Mapped[datetime] = mapped_column(Utc)
    ended_at: Mapped[datetime | None] = mapped_column(Utc)


class DeputyRow(Base):
    """AB角: named in advance, for a time; the deputy signs in their own name on the principal's right."""

    __tablename__ = "deputies"
    id: Mapped[int] = _key()
    principal_id: Mapped[int] = _ref("people.id")
    deputy_id: Mapped[int] = _ref("people.id", index=True)
    role: Mapped[str] = mapped_column(String(24))
    starts_at: Mapped[datetime] = mapped_column(Utc)
    ends_at: Mapped[datetime] = mapped_column(Utc)
    named_at: Mapped[datetime] = mapped_column(Utc)


class TokenRow(Base):
    """An API token: only its SHA-256 is kept."""

    __tablename__ = "tokens"
    id: Mapped[int] = _key()
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = _ref("people.id", index=True)
    label: Mapped[str] = mapped_column(String(120))
    scopes: Mapped[str] = mapped_column(String(200))
    """Space-separated: read write review release deliver audit."""
    issued_at: Mapped[datetime] = mapped_column(Utc)
    expires_at: Mapped[datetime] = mapped_column(Utc)
    revoked_at: Mapped[datetime | None] = mapped_column(Utc)


class ColumnRow(Base):
    """栏目, a tree."""

    __tablename__ = "columns"
    id: Mapped[int] = _key()
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    parent_id: Mapped[int | None] = _ref("columns.id", nullable=True)
    type: Mapped[str] = mapped_column(String(40))
    description: Mapped[str] = mapped_column(Text, default="")
    keywords: Mapped[str] = mapped_column(Text, default="")
    position: Mapped[int] = mapped_column(Integer, default=0)
    active: Mapped[bool] = mapped_column(Boolean, default=True)


class AreaRow(Base):
    """领域: data, never an enum (domain.md §2)."""

    __tablename__ = "areas"
    id: Mapped[int] = _key()
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    position: Mapped[int] = mapped_column(Integer, default=0)
    active: Mapped[bool] = mapped_column(Boolean, default=True)


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = _key()
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    index_no: Mapped[str] = mapped_column(String(64), unique=True)
    """索引号: generated once, never changed."""
    external_ref: Mapped[str | None] = mapped_column(String(160), unique=True)
    """Where an import found it: importing the same thing again finds this item."""
    department_id: Mapped[int] = _ref("departments.id", index=True)
    state: Mapped[str] = mapped_column(String(24), index=True)
    revision_no: Mapped[int] = mapped_column(Integer, default=0)
    """Number of the current revision."""
    released_no: Mapped[int] = mapped_column(Integer, default=0)
    """Number of the newest released revision; 0: never released."""
    created_by: Mapped[int] = _ref("people.id")
    created_at: Mapped[datetime] = mapped_column(Utc)
    changed_at: Mapped[datetime] = mapped_column(Utc)
    published_at: Mapped[datetime | None] = mapped_column(Utc)
    """发布时间: set by the server when the website's first send begins, never changed."""
    withdrawn_at: Mapped[datetime | None] = mapped_column(Utc)
    withdrawal_note: Mapped[str] = mapped_column(Text, default="")
    """What the public is told in place of the item."""


class Revision(Base):
    """Immutable (trigger): what was written, by whom, and the one digest that every signature covers."""

    __tablename__ = "revisions"
    id: Mapped[int] = _key()
    item_id: Mapped[int] = _ref("items.id")
    number: Mapped[int] = mapped_column(Integer)
    content: Mapped[str] = mapped_column(Text)
    """Canonical JSON of ``hub.domain.content.Content``."""
    title: Mapped[str] = mapped_column(String(400))
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 over content, files and every chosen channel's rendition digest (invariant 2)."""
    author_id: Mapped[int] = _ref("people.id")
    created_at: Mapped[datetime] = mapped_column(Utc)
    problems: Mapped[str] = mapped_column(Text, default="[]")
    """What was found when it was made (JSON): blocking ones must be mended before it can be submitted."""
    __table_args__ = (UniqueConstraint("item_id", "number"), UniqueConstraint("id", "digest"), UniqueConstraint("id", "item_id"))


class RenditionRow(Base):
    """Immutable (trigger): what one channel will send, word for word."""

    __tablename__ = "renditions"
    revision_id: Mapped[int] = mapped_column(Id, ForeignKey("revisions.id", ondelete="RESTRICT"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    payload: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))


class Contributor(Base):
    """Everyone who wrote any revision of an item. They may never review it (trigger, invariant 1)."""

    __tablename__ = "contributors"
    item_id: Mapped[int] = mapped_column(Id, ForeignKey("items.id", ondelete="RESTRICT"), primary_key=True)
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id", ondelete="RESTRICT"), primary_key=True)
    since_revision: Mapped[int] = mapped_column(Integer)


class Review(Base):
    """Immutable (trigger): one signature or one return."""

    __tablename__ = "reviews"
    id: Mapped[int] = _key()
    item_id: Mapped[int] = mapped_column(Id)
    revision_id: Mapped[int] = mapped_column(Id)
    stage: Mapped[str] = mapped_column(String(12))
    decision: Mapped[str] = mapped_column(String(12))
    """approve or return."""
    person_id: Mapped[int] = _ref("people.id")
    on_behalf_of: Mapped[int | None] = _ref("people.id", nullable=True)
    digest: Mapped[str] = mapped_column(String(64))
    reason_code: Mapped[str] = mapped_column(String(24), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    statements: Mapped[str] = mapped_column(Text, default="{}")
    """Department stage: conclusions of 公开前审查 and 保密审查 (JSON)."""
    at: Mapped[datetime] = mapped_column(Utc)
    __table_args__ = (
        # A signature names the digest of exactly the revision it stands under.
        ForeignKeyConstraint(["revision_id", "digest"], ["revisions.id", "revisions.digest"], ondelete="RESTRICT"),
        ForeignKeyConstraint(["revision_id", "item_id"], ["revisions.id", "revisions.item_id"], ondelete="RESTRICT"),
        Index(
            "uq_reviews_one_signature_per_stage",
            "revision_id",
            "stage",
            unique=True,
            postgresql_where=text("decision = 'approve'"),
            sqlite_where=text("decision = 'approve'"),
        ),
        Index(
            "uq_reviews_one_stage_per_person",
            "revision_id",
            "person_id",
            unique=True,
            postgresql_where=text("decision = 'approve'"),
            sqlite_where=text("decision = 'approve'"),
        ),
        Index("ix_reviews_item_id", "item_id"),
    )


class Release(Base):
    """签发: who let which revision (or which withdrawal) out, and when it is due."""

    __tablename__ = "releases"
    id: Mapped[int] = _key()
    item_id: Mapped[int] = _ref("items.id", index=True)
    revision_id: Mapped[int] = _ref("revisions.id")
    action: Mapped[str] = mapped_column(String(12))
    person_id: Mapped[int] = _ref("people.id")
    at: Mapped[datetime] = mapped_column(Utc)
    due_at: Mapped[datetime] = mapped_column(Utc)
    offsets: Mapped[str] = mapped_column(Text, default="{}")
    """Seconds after ``due_at`` by channel (JSON)."""
    reason: Mapped[str] = mapped_column(Text, default="")
    previous_no: Mapped[int] = mapped_column(Integer, default=0)
    """``items.released_no`` before this release, for its cancellation."""
    cancelled_at: Mapped[datetime | None] = mapped_column(Utc)


class Delivery(Base):
    """One effect: (revision, channel, action), unique (invariant 8). Its own outbox: ``due_at`` is the schedule."""

    __tablename__ = "deliveries"
    id: Mapped[int] = _key()
    release_id: Mapped[int] = _ref("releases.id", index=True)
    item_id: Mapped[int] = mapped_column(Id)
    revision_id: Mapped[int] = mapped_column(Id)
    revision_no: Mapped[int] = mapped_column(Integer)
    channel: Mapped[str] = mapped_column(String(40))
    action: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))
    urgent: Mapped[int] = mapped_column(Integer, default=0)
    """Emergency before correction before routine."""
    due_at: Mapped[datetime] = mapped_column(Utc)
    next_at: Mapped[datetime] = mapped_column(Utc)
    """planned: not before; accepted, unknown: the next look."""
    lease_until: Mapped[datetime | None] = mapped_column(Utc)
    """sending: when the send counts as unknown; otherwise: a look is under way until then."""
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    """Unavailable answers in a row; a person's retry starts again from nought."""
    looks: Mapped[int] = mapped_column(Integer, default=0)
    needs_person: Mapped[bool] = mapped_column(Boolean, default=False)
    ref: Mapped[str] = mapped_column(Text, default="{}")
    url: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why it is where it is, in Chinese."""
    kind: Mapped[str] = mapped_column(String(16), default="")
    """Class of the last refusal: content token quota permission brake gave_up missed."""
    first_attempt_at: Mapped[datetime | None] = mapped_column(Utc)
    settled_at: Mapped[datetime | None] = mapped_column(Utc)
    """When it was first known to be live (or gone, for a withdrawal); None: readers never saw it."""
    __table_args__ = (
        UniqueConstraint("revision_id", "channel", "action"),
        ForeignKeyConstraint(["revision_id", "item_id"], ["revisions.id", "revisions.item_id"], ondelete="RESTRICT"),
        Index("ix_deliveries_next_at", "state", "next_at", "channel"),
        Index("ix_deliveries_item_id_channel", "item_id", "channel"),
        Index("ix_deliveries_state_id", "state", "id"),
    )


# In the order of claims: with a backlog, a claim reads its first rows and not all of it to sort them.
Index("ix_deliveries_turn", Delivery.channel, Delivery.state, Delivery.urgent.desc(), Delivery.due_at, Delivery.id)


class Attempt(Base):
    """One send or one look, with its evidence."""

    __tablename__ = "attempts"
    id: Mapped[int] = _key()
    delivery_id: Mapped[int] = _ref("deliveries.id")
    number: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(10))
    """send or look."""
    worker: Mapped[str] = mapped_column(String(80))
    started_at: Mapped[datetime] = mapped_column(Utc)
    ended_at: Mapped[datetime | None] = mapped_column(Utc)
    outcome: Mapped[str] = mapped_column(String(16), default="")
    why: Mapped[str] = mapped_column(Text, default="")
    exchanges: Mapped[str] = mapped_column(Text, default="[]")
    """Every call made: what, status, digests of request and answer, milliseconds, excerpt (JSON)."""
    __table_args__ = (UniqueConstraint("delivery_id", "kind", "number"),)


class Progress(Base):
    """How far a send under way has come. Scratch, not history: written between the calls of one send, so a crash resumes.

    The one table, with idempotency keys, whose changes need no record entry (ADR 0013): the settled attempt is recorded.
    """

    __tablename__ = "progress"
    delivery_id: Mapped[int] = mapped_column(Id, ForeignKey("deliveries.id", ondelete="RESTRICT"), primary_key=True)
    attempt: Mapped[int] = mapped_column(Integer)
    begun_at: Mapped[datetime] = mapped_column(Utc)
    ref: Mapped[str] = mapped_column(Text, default="{}")


class AccountRow(Base):
    """A channel account's health: paused by a refusal or a person, resting until ``brake_until``."""

    __tablename__ = "accounts"
    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    paused_at: Mapped[datetime | None] = mapped_column(Utc)
    pause_kind: Mapped[str] = mapped_column(String(16), default="")
    pause_reason: Mapped[str] = mapped_column(Text, default="")
    brake_until: Mapped[datetime | None] = mapped_column(Utc)
    last_ok_at: Mapped[datetime | None] = mapped_column(Utc)
    tested_at: Mapped[datetime | None] = mapped_column(Utc)
    expires_at: Mapped[datetime | None] = mapped_column(Utc)
    """When the authorisation ends, as the last test call said."""
    warned_for: Mapped[datetime | None] = mapped_column(Utc)
    """The ``expires_at`` its keeper has been warned about."""


class CallbackRow(Base):
    """A platform's message, once: the same one delivered three times is refused by the key."""

    __tablename__ = "callbacks"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    channel: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(Utc)
    delivery_id: Mapped[int | None] = _ref("deliveries.id", nullable=True)


class Notice(Base):
    """Something a person must be told, on its way out by e-mail or webhook: an outbox, so no crash loses it."""

    __tablename__ = "notices"
    id: Mapped[int] = _key()
    at: Mapped[datetime] = mapped_column(Utc)
    kind: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12), default="waiting", index=True)
    """waiting, sent, failed, or local (no hook configured: shown by the hub only)."""
    failures: Mapped[int] = mapped_column(Integer, default=0)
    next_at: Mapped[datetime] = mapped_column(Utc)
    last_error: Mapped[str] = mapped_column(Text, default="")


class IdempotencyRow(Base):
    """The answer given to a write with an ``Idempotency-Key``, so that its repetition gets the same answer."""

    __tablename__ = "idempotency"
    token_id: Mapped[int] = mapped_column(Id, ForeignKey("tokens.id", ondelete="RESTRICT"), primary_key=True)
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    request_digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Utc)
    status: Mapped[int] = mapped_column(Integer, default=0)
    body: Mapped[str] = mapped_column(Text, default="")
    etag: Mapped[str] = mapped_column(String(80), default="")
