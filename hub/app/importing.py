"""Import: what ``hub.intake`` could read becomes drafts. Nothing is created twice, and each line stands for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter

from sqlalchemy import select

from hub.app import submit
from hub.app.context import Context
from hub.app.items import content_of, current_revision
from hub.app.people import Caller
from hub.domain.content import Content, RelationTo
from hub.domain.item import ItemState
from hub.domain.problems import Invalid, Problem, Refusal
from hub.domain.verbs import Verb
from hub.intake.report import Refused, Taken
from hub.store.tables import Item

INVERSE = {"interpreted_by": "interprets", "corrected_by": "corrects", "replaced_by": "replaces"}
"""Told from the other side. The page of the older item shows the link by itself once the newer one is public."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the answer. ``result``: created, revised, unchanged, kept (under review or public: not touched), refused."""

    source: str
    row: int
    title: str
    result: str
    public_id: str = ""
    external_ref: str = ""
    problems: tuple[Problem, ...] = field(default=())


def import_lines(
    context: Context,
    caller_for: Callable[[str], Caller],
    results: Sequence[Taken | Refused],
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Line]:
    """Turn reading results into drafts. ``caller_for``: who hands in for a department's slug.

    Relations name external references; they are put in order so that what is pointed at exists first.
    """
    taken = _in_order([r for r in results if isinstance(r, Taken)])
    ids = _known_ids(context, [t.external_ref for t in taken])
    lines = [Line(r.source, r.row, r.title, "refused", problems=r.problems) for r in results if isinstance(r, Refused)]
    for done, one in enumerate(taken, 1):
        line = _import_one(context, caller_for, one, ids)
        if line.public_id:
            ids[one.external_ref] = line.public_id
        lines.append(line)
        progress(done, len(taken))
    return sorted(lines, key=lambda line: (line.source, line.row))


def record_import(context: Context, caller: Caller, lines: Iterable[Line]) -> None:
    """One entry that says what an import brought."""
    counts: dict[str, int] = {}
    sources = set()
    for line in lines:
        counts[line.result] = counts.get(line.result, 0) + 1
        sources.add(line.source)
    with context.work(caller.actor) as work:
        work.record(Verb.IMPORT_DONE, "import", {"files": len(sources), "first": sorted(sources)[:5], "results": counts})
        work.commit()


def _import_one(context: Context, caller_for: Callable[[str], Caller], one: Taken, ids: dict[str, str]) -> Line:
    def line(result: str, public_id: str = "", problems: tuple[Problem, ...] = one.problems) -> Line:
        return Line(one.source, one.row, one.content.title, result, public_id, one.external_ref, problems)

    content = replace(one.content, relations=tuple(RelationTo(r.type, ids.get(r.target, r.target)) for r in one.content.relations))
    try:
        caller = caller_for(content.department)
        known = ids.get(one.external_ref)
        if known is None:
            made = submit.create(context, caller, content, external_ref=one.external_ref, index_no=one.index_no)
            return line("created", made.public_id, made.problems)
        state, present = _present(context, known)
        if present == content:
            return line("unchanged", known)
        if state is not ItemState.DRAFT:
            note = Problem("state", "not_draft", "稿件已在审核或已发布，本次导入未改动", "需要修改请在稿件中另建新版本", blocking=False)
            return line("kept", known, (*one.problems, note))
        made = submit.revise(context, caller, known, content)
        return line("revised", known, made.problems)
    except Invalid as invalid:
        return line("refused", problems=invalid.problems)
    except Refusal as refusal:
        return line("refused", problems=(Problem("item", refusal.code, refusal.message),))


def _present(context: Context, public_id: str) -> tuple[ItemState, Content]:
    with context.reading() as session:
        item = session.scalars(select(Item).where(Item.public_id == public_id)).one()
        return ItemState(item.state), content_of(current_revision(session, item))


def _known_ids(context: Context, refs: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    with context.reading() as session:
        for start in range(0, len(refs), 500):
            chunk = [r for r in refs[start : start + 500] if r]
            for row in session.execute(select(Item.external_ref, Item.public_id).where(Item.external_ref.in_(chunk))):
                found[str(row.external_ref)] = row.public_id
    return found


def _in_order(taken: list[Taken]) -> list[Taken]:
    by_ref = {t.external_ref: t for t in taken}
    kept = {t.external_ref: _without_told_twice(t, by_ref) for t in taken}
    graph = {ref: [r.target for r in t.content.relations if r.target in kept and r.target != ref] for ref, t in kept.items()}
    try:
        return [kept[ref] for ref in TopologicalSorter(graph).static_order()]
    except CycleError:
        # Two items that each claim to interpret the other: taken as they stand, the rules name the odd relation.
        return list(kept.values())


def _without_told_twice(one: Taken, by_ref: dict[str, Taken]) -> Taken:
    """Drop "interpreted by B" where B, handed in with it, says "interprets A": one fact, told once."""

    def told(relation: RelationTo) -> bool:
        other = by_ref.get(relation.target)
        forward = INVERSE.get(relation.type)
        return bool(other and forward and any(r.type == forward and r.target == one.external_ref for r in other.content.relations))

    left = tuple(r for r in one.content.relations if not told(r))
    return one if left == one.content.relations else replace(one, content=replace(one.content, relations=left))
