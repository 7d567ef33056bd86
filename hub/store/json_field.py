"""One text field of a column that holds JSON as text, in both dialects: filters need it, whole documents stay where they are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ColumnElement, FunctionElement, literal


class _JsonField(FunctionElement[str]):
    name = "json_field"
    type = String()
    inherit_cache = True


def json_field(column: Any, name: str) -> ColumnElement[str]:
    """The top-level text field ``name`` of ``column``; NULL when it is missing."""
    return _JsonField(column, literal(name))


@compiles(_JsonField, "sqlite")
def _sqlite(element: _JsonField, compiler: SQLCompiler, **options: Any) -> str:
    column, name = (compiler.process(part, **options) for part in element.clauses)
    return f"json_extract({column}, '$.' || {name})"


@compiles(_JsonField, "postgresql")
def _postgresql(element: _JsonField, compiler: SQLCompiler, **options: Any) -> str:
    column, name = (compiler.process(part, **options) for part in element.clauses)
    return f"(CAST({column} AS json) ->> CAST({name} AS text))"
