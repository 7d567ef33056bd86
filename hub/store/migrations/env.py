"""Alembic's way to the database. ``hub db upgrade`` hands over the connection."""

from __future__ import annotations

from alembic import context

from hub.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite cannot alter most of a table in place: batch mode rebuilds it.
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    user_module_prefix="hub.store.base.",
)
with context.begin_transaction():
    context.run_migrations()
