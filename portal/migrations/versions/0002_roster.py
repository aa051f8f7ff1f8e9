"""The roster's households, and visits to those without a case"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PLACE = ("county_code", "township_code")


def upgrade() -> None:
    op.create_table(
        "households",
        sa.Column("id", _ID, nullable=False),
        sa.Column("household_id", sa.String(length=64), nullable=False),
        sa.Column("programme", sa.String(length=32), nullable=False),
        sa.Column("area", sa.String(length=8), nullable=False),
        sa.Column("disability", sa.String(length=8), nullable=False),
        sa.Column("lacks", sa.String(length=16), nullable=False),
        sa.Column("first_night", sa.Date(), nullable=False),
        sa.Column("last_night", sa.Date(), nullable=False),
        sa.Column("checked_night", sa.Date(), nullable=True),
        sa.Column("on_roster", sa.Boolean(), nullable=False),
        sa.Column("county_code", sa.String(length=6), nullable=False),
        sa.Column("township_code", sa.String(length=9), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_households")),
        sa.UniqueConstraint("household_id", name=op.f("uq_households_household_id")),
    )
    op.create_index("ix_households_on_roster_place", "households", ["on_roster", *_PLACE])
    op.create_table(
        "yearly_visits",
        sa.Column("id", _ID, nullable=False),
        sa.Column("household_id", sa.String(length=64), nullable=False),
        sa.Column("visited_on", sa.Date(), nullable=False),
        sa.Column("investigators_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("findings_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("by_id", _ID, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("county_code", sa.String(length=6), nullable=False),
        sa.Column("township_code", sa.String(length=9), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("fk_yearly_visits_by_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_yearly_visits")),
    )
    op.create_index(op.f("ix_yearly_visits_household_id"), "yearly_visits", ["household_id"])
    for table in ("households", "yearly_visits"):
        for column in _PLACE:
            op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    op.drop_table("yearly_visits")
    op.drop_table("households")
