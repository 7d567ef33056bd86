"""Recompute the whole record and say what is broken first (``hub audit verify``).

Three layers, each catching what the one before cannot: an entry against its own hash and columns, all entries against the
head, and the head against signed checkpoints kept outside the database. Whoever rewrites entries, hashes and head alike
passes the first two and fails the third. Reads page by page in short transactions, in flat memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias, cast

from sqlalchemy import Connection, Engine, String, func, literal_column, select
from sqlalchemy.exc import DBAPIError

from hub.app.seal import read_checkpoint
from hub.domain.checkpoint import Checkpoint, VerifierKey
from hub.domain.merkle import Frontier
from hub.domain.record import parse_entry
from hub.store.engine import READ_ONLY
from hub.store.record import entries, heads

PAGE = 5000
# Both databases write the time as the body does, which is far cheaper than making a datetime of every row here.
_AT = {
    "sqlite": "replace(at, ' ', 'T') || 'Z'",
    "postgresql": """to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
}
_FIELDS = ("操作人", "时间", "对象", "操作")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. ``seq`` is the first entry concerned (0: none in particular); ``code`` is stable; ``message`` is Chinese."""

    seq: int
    code: str
    message: str


Check: TypeAlias = Callable[[Connection], Iterable[Finding]]
"""A further comparison, for instance of the record with the tables; gets a read-only connection."""


@dataclass(frozen=True, slots=True)
class VerifyReport:
    size: int
    """Entries that were checked and are intact, from the first on."""
    root: str
    """Hex Merkle root over those."""
    checkpoints: int
    """Signed checkpoints that agree."""
    findings: tuple[Finding, ...] = ()
    """In the order of the entries; empty: the record is intact."""

    @property
    def ok(self) -> bool:
        return not self.findings

    @property
    def first(self) -> Finding | None:
        return self.findings[0] if self.findings else None

    def as_json(self) -> dict[str, Any]:
        return {"ok": self.ok, **asdict(self)}

    def __str__(self) -> str:
        """One line per finding, or one that says all is well; Chinese."""
        if self.ok:
            return f"记录完好：共 {self.size} 条，根 {self.root}，{self.checkpoints} 个签名检查点全部相符"
        return "\n".join(f"{one.code}：{one.message}" for one in self.findings)


@dataclass(slots=True)
class _Walk:
    frontier: Frontier = field(default_factory=Frontier)
    agreed: list[Checkpoint] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def verify(
    engine: Engine,
    *,
    checkpoints: Sequence[Path],
    key: VerifierKey,
    progress: Callable[[int, int], None] | None = None,
    checks: Sequence[Check] = (),
) -> VerifyReport:
    """Check every entry, the head and every checkpoint file; never raises for a broken record, only for a lost database.

    ``checkpoints``: files of signed notes, also copies an outsider kept. ``progress``: called with (done, total) per page.
    """
    walk = _Walk()
    signed = _signed(checkpoints, key, walk.findings)
    reader = engine.execution_options(**{READ_ONLY: True})
    head, total = _outline(reader, walk.findings)
    # The tree of no entries needs no reading; a checkpoint over it agrees or not right here.
    _compare(walk, signed)
    for rows in _pages(reader, total):
        intact = _page(walk, rows, signed, total)
        if progress is not None:
            progress(walk.frontier.size, total)
        if not intact:
            break
    if walk.frontier.size == total:
        _compare_end(walk, signed, head)
    with reader.connect() as connection:
        for check in checks:
            walk.findings.extend(check(connection))
    walk.findings.sort(key=lambda one: one.seq)
    return VerifyReport(walk.frontier.size, walk.frontier.root().hex(), len(walk.agreed), tuple(walk.findings))


def _signed(paths: Sequence[Path], key: VerifierKey, findings: list[Finding]) -> dict[int, list[Checkpoint]]:
    """Checkpoints by size. A file that we did not sign is a finding of its own."""
    signed: dict[int, list[Checkpoint]] = {}
    for path in paths:
        try:
            found = read_checkpoint(path.read_text(encoding="utf-8"), key)
        except (ValueError, OSError) as error:
            findings.append(Finding(0, "checkpoint_invalid", f"检查点文件 {path.name} 无法采信（签名不符或已损坏）：{error}"))
        else:
            signed.setdefault(found.size, []).append(found)
    return signed


def _outline(reader: Engine, findings: list[Finding]) -> tuple[Frontier | None, int]:
    """Head and number of entries to read, from one statement: entries may be appended while we look."""
    query = select(
        select(heads.c.size).where(heads.c.id == 1).scalar_subquery(),
        select(heads.c.frontier).where(heads.c.id == 1).scalar_subquery(),
        select(func.min(entries.c.seq)).scalar_subquery(),
        select(func.max(entries.c.seq)).scalar_subquery(),
    )
    with reader.connect() as connection:
        size, frontier, lowest, highest = connection.execute(query).one()
        highest = highest or 0
        if lowest is not None and lowest < 1:
            findings.append(Finding(lowest, "entry_inserted", f"出现编号为 {lowest} 的记录：编号从 1 开始，这一条是插入的"))
        try:
            head = Frontier.from_json(frontier or "")
            if head.size != size:
                raise ValueError(f"size={size}, frontier.size={head.size}")
        except ValueError as error:
            findings.append(Finding(highest, "head_unreadable", f"记录头缺失或自相矛盾，最后一条记录是第 {highest} 条：{error}"))
            return None, highest
        if highest > head.size:
            extra = connection.execute(select(func.min(entries.c.seq)).where(entries.c.seq > head.size)).scalar_one()
            message = f"第 {extra} 条记录不在记录头之内（记录头只有 {head.size} 条）：这一条是插入的，或记录头被改小"
            findings.append(Finding(extra, "entry_inserted", message))
    return head, head.size


def _pages(reader: Engine, total: int) -> Iterator[Sequence[Any] | Finding]:
    """Page after page, the next one being fetched while this one is checked. Ends with an empty page when rows are missing."""
    if total == 0:
        return
    with ThreadPoolExecutor(1) as fetcher:
        coming: Future[Sequence[Any] | Finding] | None = fetcher.submit(_read, reader, 0, total, PAGE)
        while coming is not None:
            rows = coming.result()
            coming = None
            if not isinstance(rows, Finding) and rows and rows[-1][0] < total:
                coming = fetcher.submit(_read, reader, rows[-1][0], total, PAGE)
            yield rows


def _page(walk: _Walk, rows: Sequence[Any] | Finding, signed: dict[int, list[Checkpoint]], total: int) -> bool:
    """Check the next entries; False when one is broken, which ends the walk."""
    frontier = walk.frontier
    if isinstance(rows, Finding):
        walk.findings.append(rows)
        return False
    for row, told in zip(rows, _parse_all([row[5] for row in rows]), strict=True):
        broken = _entry(frontier.size + 1, row, told)
        if broken is not None:
            walk.findings.append(broken)
            return False
        frontier.append(row[6])
        if frontier.size in signed:
            _compare(walk, signed)
    if not rows:
        seq = frontier.size + 1
        walk.findings.append(Finding(seq, "entry_missing", f"第 {seq} 条记录不存在，而记录头说有 {total} 条：末尾被截断"))
    return bool(rows)


def _read(reader: Engine, after: int, upto: int, limit: int) -> Sequence[Any] | Finding:
    at = literal_column(_AT[reader.dialect.name], String)
    columns = (entries.c.seq, at, entries.c.actor, entries.c.subject, entries.c.verb, entries.c.body, entries.c.leaf_hash)
    query = select(*columns).where(entries.c.seq > after, entries.c.seq <= upto).order_by(entries.c.seq).limit(limit)
    try:
        with reader.connect() as connection:
            return connection.execute(query).all()
    except DBAPIError as error:
        # A damaged page or bytes that are no text: halve the page until the row that cannot be read stands alone.
        if error.connection_invalidated:
            raise
        if limit > 1:
            return _read(reader, after, upto, limit // 2)
        return Finding(after + 1, "entry_unreadable", f"第 {after + 1} 条记录无法从数据库读出：{error.orig}")


def _parse_all(bodies: list[str]) -> Sequence[Any]:
    """Parse a page of bodies in one go, which is twice as fast; None for each when one of them is not canonical, to find out which."""
    try:
        joined = f"[{','.join(bodies)}]"
        found = json.loads(joined)
        if len(found) == len(bodies) and json.dumps(found, ensure_ascii=False, sort_keys=True, separators=(",", ":")) == joined:
            return cast("list[Any]", found)
    except (ValueError, TypeError, RecursionError):
        return [None] * len(bodies)
    return [None] * len(bodies)


def _entry(seq: int, row: Any, told: Any) -> Finding | None:
    """What is wrong with one row, if anything. ``told``: its body, parsed and known to be canonical, or None."""
    number, at, actor, subject, verb, body, leaf = row
    if number != seq:
        return Finding(seq, "entry_missing", f"第 {seq} 条记录缺失：其后是第 {number} 条")
    if not isinstance(body, str) or sha256(b"\x00" + body.encode()).digest() != leaf:
        return Finding(seq, "entry_changed", f"第 {seq} 条记录被改动：正文与其散列不符")
    try:
        if told is None:
            parse_entry(body)
            told = json.loads(body)
        named, words = told["seq"], (told["actor"], told["at"], told["subject"], told["verb"])
        if len(told) != 6 or type(told["details"]) is not dict:
            raise ValueError("the fields are not exactly those of an entry")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return Finding(seq, "entry_malformed", f"第 {seq} 条记录的正文不是本系统的规范格式：{error}")
    if named != seq:
        return Finding(seq, "entry_moved", f"第 {seq} 条记录的正文自称第 {named} 条：记录被调换或插入")
    if words != (actor, at, subject, verb):
        columns = "、".join(name for name, word, shown in zip(_FIELDS, words, (actor, at, subject, verb), strict=True) if word != shown)
        return Finding(seq, "entry_fields_differ", f"第 {seq} 条记录的{columns}与正文不符：数据列被改动")
    return None


def _compare(walk: _Walk, signed: dict[int, list[Checkpoint]]) -> None:
    """Compare the tree so far with the checkpoints of its size."""
    size = walk.frontier.size
    for one in signed.get(size, ()):
        if one.root == walk.frontier.root():
            walk.agreed.append(one)
            continue
        if any(found.code == "checkpoint_differs" for found in walk.findings):
            continue
        since = walk.agreed[-1].size + 1 if walk.agreed else 1
        message = f"第 {since} 至第 {size} 条记录中有改动：与已签名的 {size} 条检查点不符（改动者连同散列一并改写）"
        walk.findings.append(Finding(since, "checkpoint_differs", message))


def _compare_end(walk: _Walk, signed: dict[int, list[Checkpoint]], head: Frontier | None) -> None:
    size = walk.frontier.size
    if head is not None and head.hashes != walk.frontier.hashes:
        since = walk.agreed[-1].size + 1 if walk.agreed else 1
        message = f"记录头与全部 {size} 条记录算出的根不同：记录头被改动，或第 {since} 条以后的记录连同散列被改写"
        walk.findings.append(Finding(min(since, size), "head_differs", message))
    ahead = [one for one in signed if one > size]
    if ahead:
        message = f"第 {size + 1} 条记录起被删除：已签名的检查点有 {max(ahead)} 条，数据库只有 {size} 条"
        walk.findings.append(Finding(size + 1, "record_truncated", message))
