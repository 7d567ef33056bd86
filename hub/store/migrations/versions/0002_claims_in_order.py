"""Indexes of the two questions that are asked all day: what is due (by time), and what is claimed next (by turn).

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    turn: list[str | sa.TextClause] = ["channel", "state", sa.text("urgent DESC"), "due_at", "id"]
    op.create_index("ix_deliveries_turn", "deliveries", turn, unique=False)
    op.create_index("ix_deliveries_next_at", "deliveries", ["state", "next_at", "channel"], unique=False)
    op.drop_index("ix_deliveries_waiting", table_name="deliveries")


def downgrade() -> None:
    op.create_index("ix_deliveries_waiting", "deliveries", ["channel", "state", "next_at"], unique=False)
    op.drop_index("ix_deliveries_next_at", table_name="deliveries")
    op.drop_index("ix_deliveries_turn", table_name="deliveries")
