"""The record (审计留痕): entries, head, checkpoint, proofs. For auditors and administrators with the scope ``audit``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from hub.app import read_record, seal
from hub.app.people import Caller
from hub.app.read_record import WantedEntries
from hub.domain.verbs import LABELS, Verb
from hub.store.record import Recorded
from hub.web import cursor
from hub.web.api.parts import Cursor, Limit
from hub.web.deps import Ctx, Hub, may
from hub.web.documented import READ, errors
from hub.web.shapes.base import LARGEST_ID
from hub.web.shapes.record import CheckpointOut, ConsistencyOut, EntryPage, HeadOut, InclusionOut

_LABELS = {verb.value: label for verb, label in LABELS.items()}


def inspector(context: Ctx, caller: Annotated[Caller, Depends(may("audit"))]) -> Caller:
    read_record.must_inspect(context, caller)
    return caller


router = APIRouter(prefix="/record", tags=["审计记录"], dependencies=[Depends(inspector)])
Named = Annotated[str, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Seq = Annotated[int, Query(ge=1, le=LARGEST_ID)]
Size = Annotated[int, Query(ge=0, le=LARGEST_ID, description="前多少条；0：现有全部")]


@router.get("/entries", summary="记录", responses=errors(*READ))
def list_entries(
    context: Ctx,
    subject: Annotated[Named, Query(description="对象，如 item:20261120-k7m2x9qd")] = "",
    actor: Annotated[Named, Query(description="操作人，如 person:chu")] = "",
    verb: Annotated[Verb | None, Query(description="操作")] = None,
    newest_first: bool = True,
    limit: Limit = 50,
    after: Annotated[Cursor, Query(alias="cursor")] = "",
) -> EntryPage:
    """每次变更和每次被拒绝的尝试（act.refused）。"""
    filters: dict[str, Any] = {"subject": subject, "actor": actor, "verb": verb or "", "newest_first": newest_first}
    found, place = read_record.list_entries(context, WantedEntries(**filters, after=cursor.read(after, filters), limit=limit))
    return EntryPage.model_validate({"entries": [_entry(one) for one in found], "next": cursor.make(place, filters)})


@router.get("/head", summary="记录头", responses=errors(*READ))
def read_head(context: Ctx) -> HeadOut:
    return HeadOut.model_validate(read_record.read_head(context))


@router.get("/checkpoint", summary="签名检查点", responses=errors(*READ, 404))
def read_checkpoint(hub: Hub) -> CheckpointOut:
    """最近一次封存的签名检查点；网站的 /record/ 下也公开一份。"""
    note = read_record.checkpoint(hub.settings.data)
    key = seal.verifier_key(seal.load_or_make_key(hub.key_file), hub.origin)
    return CheckpointOut(note=note, origin=hub.origin, key=key.text())


@router.get("/proofs/inclusion", summary="包含证明", responses=errors(*READ))
def prove_inclusion(context: Ctx, seq: Seq, size: Size = 0) -> InclusionOut:
    """证明第 ``seq`` 条记录在前 ``size`` 条之中。"""
    proof = read_record.inclusion(context, seq, size)
    return InclusionOut(seq=seq, size=proof.size, root=proof.root, leaf=proof.leaf, path=list(proof.path))


@router.get("/proofs/consistency", summary="一致性证明", responses=errors(*READ))
def prove_consistency(context: Ctx, first: Seq, size: Size = 0) -> ConsistencyOut:
    """证明前 ``size`` 条记录是由前 ``first`` 条续写而成，没有改动。"""
    older, proof = read_record.consistency(context, first, size)
    return ConsistencyOut(first=older.size, first_root=older.root, size=proof.size, root=proof.root, path=list(proof.path))


def _entry(one: Recorded) -> dict[str, Any]:
    entry = one.entry
    return {
        "seq": one.seq,
        "at": entry.at,
        "actor": entry.actor,
        "subject": entry.subject,
        "verb": entry.verb,
        "label": _LABELS.get(entry.verb, entry.verb),
        "details": entry.details,
        "body": one.body,
        "leaf_hash": one.leaf.hex(),
    }
