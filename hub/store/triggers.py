"""Rules that the database itself holds, whoever writes: append-only tables and other refusals, in both dialects.

A table declares its rules beside itself with ``attach``. ``Base.metadata.create_all`` then makes the triggers with the
table, and a migration makes the same ones with ``statements`` / ``drop_statements``, so the two cannot differ.
A refused statement arrives as ``sqlalchemy.exc.IntegrityError`` with the Chinese message of the rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, MetaData, Table, event

from hub.store.base import Base

_RULES = "hub_rules"
"""Where a metadata keeps the rules of its tables."""
_REFUSE = "hub_refuse"
# One function serves every refusal: PostgreSQL hands it the message as a trigger argument. Class 23 is "integrity
# constraint violation", which drivers turn into the same exception that SQLite's RAISE(ABORT) becomes.
_FUNCTION = f"""CREATE OR REPLACE FUNCTION {_REFUSE}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'restrict_violation';
END
$$"""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule on one table: the statements that make it and undo it, per dialect name. A dialect without an entry goes without."""

    table: str
    name: str
    create: Mapping[str, Sequence[str]]
    drop: Mapping[str, Sequence[str]]


def append_only(table: str, *keys: str) -> list[Rule]:
    """Rules that refuse UPDATE, DELETE and (PostgreSQL) TRUNCATE on ``table``.

    ``keys`` are the primary key and the other unique keys, each as ``"column"`` or ``"column, column"``: on SQLite
    ``INSERT OR REPLACE`` deletes a row without asking DELETE triggers, so an insert over an existing key is refused there.
    """
    message = f"{table}：只能追加，不得修改、删除或清空"
    rules = [refuse(table, "UPDATE", message), refuse(table, "DELETE", message)]
    name = f"{table}_refuse_truncate"
    create = f"CREATE TRIGGER {name} BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {_REFUSE}({_quoted(message)})"
    rules.append(Rule(table, name, {"postgresql": (_FUNCTION, create)}, {"postgresql": (f"DROP TRIGGER IF EXISTS {name} ON {table}",)}))
    for number, key in enumerate(keys or ("id",)):
        same = " AND ".join(f"{column.strip()} = NEW.{column.strip()}" for column in key.split(","))
        name = f"{table}_refuse_replace_{number}"
        create = _sqlite_refusal(table, name, "INSERT", message, f"EXISTS (SELECT 1 FROM {table} WHERE {same})")  # noqa: S608 - names from our own code
        rules.append(Rule(table, name, {"sqlite": (create,)}, {"sqlite": (f"DROP TRIGGER IF EXISTS {name}",)}))
    return rules


def refuse(table: str, act: str, message: str, *, when: str = "", name: str = "") -> Rule:
    """A rule that refuses ``act`` (INSERT, UPDATE or DELETE) on rows of ``table``, always or only ``when`` a condition holds.

    ``when`` is SQL over ``OLD`` and ``NEW`` that both dialects read (``NEW.digest IS DISTINCT FROM OLD.digest``); PostgreSQL
    allows no subquery there. Two rules for the same act on one table need a ``name`` each.
    """
    name = f"{table}_{name or 'refuse_' + act.lower()}"
    condition = f" WHEN ({when})" if when else ""
    create = f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW{condition} EXECUTE FUNCTION {_REFUSE}({_quoted(message)})"
    return Rule(
        table,
        name,
        {"postgresql": (_FUNCTION, create), "sqlite": (_sqlite_refusal(table, name, act, message, when),)},
        {"postgresql": (f"DROP TRIGGER IF EXISTS {name} ON {table}",), "sqlite": (f"DROP TRIGGER IF EXISTS {name}",)},
    )


def attach(table: Table, *rules: Rule, rows: Sequence[Mapping[str, object]] = ()) -> None:
    """Let ``create_all`` make ``rules`` after ``table`` and put in the ``rows`` it cannot do without; list the rules for migrations."""
    known: dict[str, Rule] = table.metadata.info.setdefault(_RULES, {})
    for rule in rules:
        if rule.table != table.name or rule.name in known:
            raise ValueError(f"trigger {rule.name} is defined twice or is not for table {table.name}")
        known[rule.name] = rule

    @event.listens_for(table, "after_create")
    def _make(_target: Table, connection: Connection, **_: object) -> None:
        for rule in rules:
            for statement in rule.create.get(connection.dialect.name, ()):
                connection.exec_driver_sql(statement)
        if rows:
            connection.execute(table.insert(), [dict(row) for row in rows])


def statements(dialect_name: str, tables: Sequence[str] | None = None, *, metadata: MetaData = Base.metadata) -> list[str]:
    """What makes every attached rule (or those of ``tables``), in order. To be run as they are, without parameters."""
    return _collect("create", dialect_name, tables, metadata)


def drop_statements(dialect_name: str, tables: Sequence[str] | None = None, *, metadata: MetaData = Base.metadata) -> list[str]:
    """What undoes every attached rule (or those of ``tables``). Dropping a table also drops its rules."""
    return _collect("drop", dialect_name, tables, metadata)


def _collect(which: str, dialect_name: str, tables: Sequence[str] | None, metadata: MetaData) -> list[str]:
    known: dict[str, Rule] = metadata.info.get(_RULES, {})
    chosen = [rule for rule in known.values() if tables is None or rule.table in tables]
    found = [statement for rule in chosen for statement in getattr(rule, which).get(dialect_name, ())]
    return list(dict.fromkeys(found))


def _sqlite_refusal(table: str, name: str, act: str, message: str, when: str) -> str:
    condition = f" WHEN {when}" if when else ""
    return f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW{condition} BEGIN SELECT RAISE(ABORT, {_quoted(message)}); END"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
