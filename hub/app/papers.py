"""What a worker takes along with each delivery: its rendition, its refs, and the proof that these are the bytes that were signed.

Read for a whole batch at once, one statement for each kind of row: a few statements for every delivery would be most of
what a delivery costs. All deliveries of a call belong to one channel.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select

from channels.base import Action, Ref, Rendition
from hub.domain.delivery import DeliveryState
from hub.domain.record import canonical_json
from hub.store.tables import Delivery, Progress, RenditionRow, Revision
from hub.store.uow import Work

SHOWING = (DeliveryState.DELIVERED, DeliveryState.WITHDRAWING)


def rendition_of(work: Work, delivery: Delivery) -> Rendition:
    row = work.session.get_one(RenditionRow, (delivery.revision_id, delivery.channel))
    return Rendition(delivery.channel, json.loads(row.payload))


def previous_ref(work: Work, delivery: Delivery) -> Ref:
    """Under which ref the channel shows the older revision (or, for a withdrawal, the one to take back); ``{}``: none."""
    return previous_refs(work, [delivery]).get(delivery.id, {})


def previous_refs(work: Work, deliveries: Sequence[Delivery]) -> dict[int, Ref]:
    """``previous_ref`` by delivery id, of those that have one."""
    shown: dict[int, list[tuple[int, str]]] = defaultdict(list)
    query = (
        select(Delivery.item_id, Delivery.id, Delivery.ref)
        .where(
            Delivery.item_id.in_([d.item_id for d in deliveries]),
            Delivery.channel.in_({d.channel for d in deliveries}),
            Delivery.action != Action.WITHDRAW,
            Delivery.state.in_(SHOWING),
        )
        .order_by(Delivery.revision_no)
    )
    for item_id, delivery_id, ref in work.session.execute(query):
        shown[item_id].append((delivery_id, ref))
    newest = {d.id: [ref for other, ref in shown[d.item_id] if other != d.id][-1:] for d in deliveries}
    return {delivery_id: json.loads(refs[0]) for delivery_id, refs in newest.items() if refs}


def kept_refs(work: Work, deliveries: Sequence[Delivery]) -> dict[int, Ref]:
    """What a send under way has kept so far, by delivery id; a delivery that never began is not there."""
    query = select(Progress.delivery_id, Progress.ref).where(Progress.delivery_id.in_([d.id for d in deliveries]))
    return {delivery_id: json.loads(ref) for delivery_id, ref in work.session.execute(query)}


def renditions(work: Work, channel: str, deliveries: Sequence[Delivery]) -> tuple[dict[int, Rendition], set[int]]:
    """What ``channel`` is to send, by revision id, and the revisions whose stored bytes are what four people signed (invariant 2).

    The stored texts are canonical JSON: hashing them as they stand gives the signed digests, and nothing but the signed bytes does.
    """
    revisions = [d.revision_id for d in deliveries]
    payloads = dict(
        work.session.execute(
            select(RenditionRow.revision_id, RenditionRow.payload).where(
                RenditionRow.revision_id.in_(revisions), RenditionRow.channel == channel
            )
        ).all()
    )
    digests: dict[int, dict[str, str]] = defaultdict(dict)
    for revision, name, digest in work.session.execute(
        select(RenditionRow.revision_id, RenditionRow.channel, RenditionRow.digest).where(RenditionRow.revision_id.in_(revisions))
    ):
        digests[revision][name] = digest
    signed = {
        revision
        for revision, content, digest in work.session.execute(
            select(Revision.id, Revision.content, Revision.digest).where(Revision.id.in_(revisions))
        )
        if digests[revision].get(channel) == _sha256(b'{"channel":', canonical_json(channel), b',"payload":', payloads[revision].encode())
        and digest == _sha256(b'{"content":', content.encode(), b',"renditions":', canonical_json(digests[revision]))
    }
    return {revision: Rendition(channel, json.loads(payload)) for revision, payload in payloads.items()}, signed


def _sha256(*parts: bytes) -> str:
    return hashlib.sha256(b"".join((*parts, b"}"))).hexdigest()
