"""Calls, cards, feedback, tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "call",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("given_at", moment, nullable=False),
        sa.Column("service", sa.String(100), nullable=False),
        sa.Column("hook", sa.String(100), nullable=False),
        sa.Column("hook_instance", sa.String(64)),
        sa.Column("client", sa.String(100), nullable=False),
        sa.Column("patient", sa.String(64)),
        sa.Column("milliseconds", sa.Float, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("cards", sa.Integer, nullable=False),
        sa.Column("table_version", sa.String(64)),
        sa.Column("gaps", sa.Text, nullable=False),
        sa.Column("unread", sa.Text, nullable=False),
    )
    op.create_index("call_given_at", "call", ["given_at"])
    op.create_table(
        "card",
        sa.Column("uuid", sa.String(36), primary_key=True),
        sa.Column("call", sa.String(32), sa.ForeignKey("call.id"), nullable=False),
        sa.Column("recommendation", sa.String(40), nullable=False),
        sa.Column("laterality", sa.String(20), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("state_rule", sa.String(20)),
        sa.Column("indicator", sa.String(20), nullable=False),
        sa.Column("rules", sa.Text, nullable=False),
        sa.Column("discordance", sa.String(40)),
        sa.Column("estimated_category", sa.String(20)),
        sa.Column("reported_category", sa.String(20)),
        sa.Column("flags", sa.Text, nullable=False),
        sa.Column("suggestions", sa.Text, nullable=False),
    )
    op.create_index("card_call", "card", ["call"])
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("card", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("outcome_at", moment, nullable=False),
        sa.Column("outcome_at_stated", sa.Boolean, nullable=False),
        sa.Column("suggestions", sa.Text, nullable=False),
        sa.Column("reason_system", sa.String(200)),
        sa.Column("reason_code", sa.String(100)),
        sa.Column("comment_length", sa.Integer, nullable=False),
        sa.Column("comment", sa.Text),
        sa.Column("client", sa.String(100), nullable=False),
        sa.Column("service", sa.String(100), nullable=False),
        sa.Column("received_at", moment, nullable=False),
    )
    op.create_index("feedback_card", "feedback", ["card"])
    op.create_index("feedback_received_at", "feedback", ["received_at"])
    op.create_table(
        "token_use",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("expires", sa.BigInteger, nullable=False),
    )
    op.create_index("token_use_expires", "token_use", ["expires"])


def downgrade() -> None:
    """Drop the tables and what they hold."""
    for table in ("token_use", "feedback", "card", "call"):
        op.drop_table(table)
