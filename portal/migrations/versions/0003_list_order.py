"""The order of a list, as an index"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_cases_list_order",
        "cases",
        ["list", "county_code", sa.text("coalesce(due_on, '9999-12-31')"), "id"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index("ix_cases_list_order", table_name="cases")
