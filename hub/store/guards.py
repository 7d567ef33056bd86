"""Rules that hold in the database itself, whoever writes to it: invariants 1 to 4 and 8 as triggers.

The domain decides first and explains better; these catch a bug in it, a second process in a race, and a hand at the SQL
prompt. Both databases get the same rules, each in its own words.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from hub.store.base import Base
from hub.store.tables import CallbackRow, Contributor, RenditionRow, Review, Revision
from hub.store.triggers import Rule, append_only, attach


class Guard(NamedTuple):
    name: str
    table: str
    when: str
    """SQL over NEW that is true when the row must be refused."""
    message: str


_CHAIN = "('dept','first','second','final')"
_ORDER = "CASE NEW.stage WHEN 'first' THEN 'dept' WHEN 'second' THEN 'first' WHEN 'final' THEN 'second' END"

GUARDS: Final[tuple[Guard, ...]] = (
    Guard(
        "reviews_not_own_text",
        "reviews",
        "EXISTS (SELECT 1 FROM contributors c WHERE c.item_id = NEW.item_id AND c.person_id = NEW.person_id)",
        "guard: nobody reviews an item whose text they touched",
    ),
    Guard(
        "reviews_current_revision",
        "reviews",
        "NOT EXISTS (SELECT 1 FROM items i JOIN revisions r ON r.item_id = i.id AND r.number = i.revision_no "
        "WHERE i.id = NEW.item_id AND r.id = NEW.revision_id)",
        "guard: only the current revision can be reviewed",
    ),
    Guard(
        "reviews_not_withdrawn",
        "reviews",
        "EXISTS (SELECT 1 FROM items i WHERE i.id = NEW.item_id AND i.state = 'withdrawn')",
        "guard: a withdrawn item cannot be reviewed",
    ),
    Guard(
        "reviews_in_order",
        "reviews",
        f"NEW.decision = 'approve' AND NEW.stage <> 'dept' AND NOT EXISTS (SELECT 1 FROM reviews v "
        f"WHERE v.revision_id = NEW.revision_id AND v.decision = 'approve' AND v.stage = {_ORDER})",
        "guard: a stage cannot be skipped",
    ),
    Guard(
        "reviews_by_a_person",
        "reviews",
        "EXISTS (SELECT 1 FROM people p WHERE p.id = NEW.person_id AND p.is_service)",
        "guard: a system account cannot sign",
    ),
    Guard(
        "deliveries_need_three_reviews",
        "deliveries",
        f"NEW.action <> 'withdraw' AND (SELECT count(*) FROM reviews v JOIN revisions r ON r.id = v.revision_id AND r.digest = v.digest "
        f"WHERE v.revision_id = NEW.revision_id AND v.decision = 'approve' AND v.stage IN {_CHAIN}) <> 4",
        "guard: nothing reaches a channel without the full chain of reviews",
    ),
)


def _rule(guard: Guard) -> Rule:
    """PostgreSQL allows no subquery in a trigger's WHEN, so there each guard is a function of its own."""
    sqlite = (
        f"CREATE TRIGGER {guard.name} BEFORE INSERT ON {guard.table} WHEN {guard.when} BEGIN SELECT RAISE(ABORT, '{guard.message}'); END"
    )
    function = (
        f"CREATE OR REPLACE FUNCTION {guard.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {guard.when} THEN "
        f"RAISE EXCEPTION USING MESSAGE = '{guard.message}', ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$"
    )
    trigger = f"CREATE TRIGGER {guard.name} BEFORE INSERT ON {guard.table} FOR EACH ROW EXECUTE FUNCTION {guard.name}()"
    return Rule(
        guard.table,
        guard.name,
        {"sqlite": (sqlite,), "postgresql": (function, trigger)},
        {
            "sqlite": (f"DROP TRIGGER IF EXISTS {guard.name}",),
            "postgresql": (f"DROP TRIGGER IF EXISTS {guard.name} ON {guard.table}", f"DROP FUNCTION IF EXISTS {guard.name}()"),
        },
    )


APPEND_ONLY: Final = (
    (Revision, ("id", "item_id, number")),
    (RenditionRow, ("revision_id, channel",)),
    (Contributor, ("item_id, person_id",)),
    (Review, ("id",)),
    (CallbackRow, ("digest",)),
)

for _table, _keys in APPEND_ONLY:
    _name = _table.__tablename__
    attach(Base.metadata.tables[_name], *append_only(_name, *_keys), *(_rule(g) for g in GUARDS if g.table == _name))
attach(Base.metadata.tables["deliveries"], *(_rule(g) for g in GUARDS if g.table == "deliveries"))
