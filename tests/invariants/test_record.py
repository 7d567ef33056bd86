"""Invariants 5, 6, 11 and 12: everything is recorded, the record is a Merkle log, times are the server's, ids are for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update

from hub.app import release, review, seal, submit, withdraw
from hub.app.verify import verify
from hub.domain.item import Stage
from hub.domain.problems import Invalid, Refusal
from hub.domain.verbs import Verb
from hub.store.record import head, read_entries
from hub.store.tables import Item
from hub.store.uow import Unrecorded
from tests.clock import FixedClock
from tests.world import World


def size(hub: World) -> int:
    with hub.context.reading() as session:
        return head(session).size


def test_invariant_05_every_change_is_recorded(hub: World) -> None:
    item = hub.draft()
    # Three ways to slip past a guard that only looks at the session's dirty objects.
    with hub.context.work("bug") as work, pytest.raises(Unrecorded):
        row = work.session.get_one(Item, hub.item(item).id)
        row.state = "approved"
        work.commit()
    with hub.context.work("bug") as work, pytest.raises(Unrecorded):
        row = work.session.get_one(Item, hub.item(item).id)
        row.state = "approved"
        work.session.flush()
        work.commit()
    with hub.context.work("bug") as work, pytest.raises(Unrecorded):
        work.session.execute(update(Item).values(state="approved"))
        work.commit()
    with hub.context.work("bug") as work, pytest.raises(Unrecorded):
        work.session.execute(text("UPDATE items SET state = 'approved'"))
        work.commit()
    assert hub.item(item).state == "draft"
    # A refused attempt changes nothing and is recorded with who, what and why.
    before = size(hub)
    with pytest.raises(Refusal):
        release.release(hub.context, hub.caller("li"), item)
    with hub.context.reading() as session:
        entry = read_entries(session, after=before)[0].entry
    assert (entry.actor, entry.verb, entry.subject) == ("person:li", Verb.ACT_REFUSED.value, f"item:{item}")
    assert entry.details["attempted"] == Verb.ITEM_RELEASED.value


def test_invariant_06_record_is_a_merkle_log(hub: World, tmp_path: Path) -> None:
    hub.released()
    hub.send()
    key = seal.load_or_make_key(tmp_path / "record.key")
    sealed = seal.seal(hub.engine, key, "example/record", tmp_path, tmp_path / "site", hub.clock())
    public = seal.verifier_key(key, "example/record")
    checkpoints = sorted((tmp_path / "checkpoints").glob("[0-9]*.txt"))
    report = verify(hub.engine, checkpoints=checkpoints, key=public)
    assert report.ok
    assert report.size == sealed.size == size(hub)
    with hub.engine.begin() as connection:
        drop = "DROP TRIGGER record_entries_refuse_update" + (" ON record_entries" if connection.dialect.name == "postgresql" else "")
        connection.execute(text(drop))
        connection.execute(text("UPDATE record_entries SET actor = 'person:somebody' WHERE seq = 7"))
    broken = verify(hub.engine, checkpoints=checkpoints, key=public)
    assert not broken.ok
    assert broken.findings[0].seq == 7


def test_invariant_11_times_are_utc_and_set_by_the_server(hub: World, fixed_clock: FixedClock) -> None:
    item = hub.approved()
    with pytest.raises(Invalid, match="时间已过"):
        release.release(hub.context, hub.caller("qian"), item, due_at=fixed_clock() - timedelta(hours=1))
    release.release(hub.context, hub.caller("qian"), item, due_at=fixed_clock() + timedelta(minutes=30))
    fixed_clock.advance(minutes=45)
    hub.send()
    published = hub.item(item).published_at
    # The moment the page went out, not the moment it was planned for: no back-dating.
    assert published == fixed_clock()
    assert published.tzinfo is UTC
    with pytest.raises(Exception, match="without a zone"), hub.context.work("bug") as work:
        work.session.get_one(Item, hub.item(item).id).published_at = datetime(2020, 1, 1)  # noqa: DTZ001 - that is the point
        work.session.flush()
    # A correction keeps it.
    fixed_clock.advance(days=1)
    hub.revised(item, title="更正", change_note="更正")
    hub.send()
    assert hub.item(item).published_at == published


def test_invariant_12_public_id_never_changes(hub: World) -> None:
    item = hub.released()
    hub.send()
    address = next(iter(hub.platform("website").posts.values())).payload["url"]
    assert str(address).endswith(f"/items/{item}/")
    row = hub.item(item)
    hub.revised(item, title="更正", change_note="更正")
    hub.send()
    again = hub.item(item)
    assert (again.public_id, again.index_no) == (row.public_id, row.index_no)
    assert next(iter(hub.platform("website").posts.values())).payload["url"] == address
    withdraw.withdraw(hub.context, hub.caller("qian"), item, reason="内容有误", notice="该信息已撤回。")
    hub.send()
    assert hub.item(item).withdrawal_note == "该信息已撤回。"
    with pytest.raises(Refusal, match="已撤稿"):
        submit.revise(hub.context, hub.caller("li"), item, hub.content())
    with pytest.raises(Refusal, match="已撤稿"):
        review.sign(hub.context, hub.caller("hu"), item, Stage.DEPT, digest=hub.digest(item))
