"""Reading the record for inspectors: entries, the head, signed checkpoints, and proofs anyone can check (RFC 9162)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.app.context import Context
from hub.app.people import Caller, require_role
from hub.domain.item import Role
from hub.domain.merkle import consistency_proof, inclusion_proof, root_of
from hub.domain.problems import Invalid, NotFound, Problem
from hub.store.record import Recorded, entries, head, read_entries

LARGEST_PROOF = 2_000_000
"""Leaves read for one proof. Beyond it the exported record (``hub audit export``) is the tool."""


@dataclass(frozen=True, slots=True)
class HeadView:
    size: int
    root: str
    """Hex."""


@dataclass(frozen=True, slots=True)
class Proof:
    """``path``: hashes from the leaf upwards (or of a consistency proof), hex."""

    size: int
    root: str
    leaf: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WantedEntries:
    """Filters; empty: not filtered. ``after``: number of the last entry of the page before."""

    subject: str = ""
    actor: str = ""
    verb: str = ""
    after: int = 0
    newest_first: bool = True
    limit: int = 50


def must_inspect(context: Context, caller: Caller) -> None:
    """Raise NotPermitted unless the caller is an auditor or an administrator."""
    with context.reading() as session:
        require_role(session, caller.person_id, context.clock(), Role.AUDITOR, Role.ADMINISTRATOR)


def list_entries(context: Context, wanted: WantedEntries) -> tuple[list[Recorded], int]:
    """A page and the number after which the next one starts (0: this was the last)."""
    with context.reading() as session:
        found = read_entries(
            session,
            wanted.after,
            wanted.limit + 1,
            subject=wanted.subject or None,
            actor=wanted.actor or None,
            verb=wanted.verb or None,
            newest_first=wanted.newest_first,
        )
    page = found[: wanted.limit]
    return page, page[-1].seq if len(found) > wanted.limit else 0


def read_head(context: Context) -> HeadView:
    with context.reading() as session:
        frontier = head(session)
    return HeadView(frontier.size, frontier.root().hex())


def checkpoint(folder: Path) -> str:
    """The last signed checkpoint as ``hub.app.seal`` wrote it. Raises NotFound before the first."""
    path = folder / "checkpoints" / "latest.txt"
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound("还没有签名检查点，请稍后再试（每分钟封存一次）", code="checkpoint_missing") from None


def inclusion(context: Context, seq: int, size: int) -> Proof:
    """Prove that entry ``seq`` stands in the record of the first ``size`` entries (0: as it is now). Raises Invalid."""
    with context.reading() as session:
        leaves = _leaves(session, size, at_least=seq, field="seq")
    return Proof(len(leaves), root_of(leaves).hex(), leaves[seq - 1].hex(), tuple(h.hex() for h in inclusion_proof(leaves, seq - 1)))


def consistency(context: Context, first: int, size: int) -> tuple[HeadView, Proof]:
    """Prove that the record of ``size`` entries (0: now) continues the one of ``first``. Raises Invalid."""
    with context.reading() as session:
        leaves = _leaves(session, size, at_least=first, field="first")
    older = HeadView(first, root_of(leaves[:first]).hex())
    return older, Proof(len(leaves), root_of(leaves).hex(), "", tuple(h.hex() for h in consistency_proof(leaves, first)))


def _leaves(session: Session, size: int, *, at_least: int, field: str) -> list[bytes]:
    present = head(session).size
    size = size or present
    if size > present:
        raise Invalid((Problem("size", "size_too_large", f"记录现有 {present} 条，没有 {size} 条", "请减小 size 或省略"),))
    if not 0 < at_least <= size:
        raise Invalid((Problem(field, "out_of_range", f"前 {size} 条记录中没有第 {at_least} 条", "请核对编号"),))
    if size > LARGEST_PROOF:
        message = f"超过 {LARGEST_PROOF} 条的证明不在线计算"
        raise Invalid((Problem("size", "size_too_large", message, "请用 hub audit export 导出后离线验证"),))
    query = select(entries.c.leaf_hash).where(entries.c.seq <= size).order_by(entries.c.seq)
    return [bytes(leaf) for leaf in session.execute(query).scalars()]
