"""What a household declared"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TOLD = ("declared_income_fen", "declared_assets_fen")


def upgrade() -> None:
    for name in _TOLD:
        op.add_column("households", sa.Column(name, sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("households") as households:
        for name in _TOLD:
            households.drop_column(name)
