"""The counts of a list are read from an index of their own

Leads and households of every tab are counted in one pass of it. The index of the list's order is several times as wide,
and PostgreSQL would rather read the whole table.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_NAME = "ix_leads_list_counts"


def upgrade() -> None:
    op.create_index(_NAME, "leads", ["list", "county_code", "view", "household_id"])
    op.execute("ANALYZE leads")


def downgrade() -> None:
    op.drop_index(_NAME, table_name="leads")
