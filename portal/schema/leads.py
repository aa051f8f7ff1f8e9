"""What the nights brought: leads, grouped by household into cases, and what was explained for good."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.schema.base import Base, InPlace, RowId


class Night(Base):
    """A published night that was loaded. status: the JSON text of `hedui status`."""

    __tablename__ = "nights"
    as_of: Mapped[date] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(String(64))
    seal: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime | None]
    loaded_at: Mapped[datetime]
    leads: Mapped[int]
    manifest: Mapped[str] = mapped_column(Text)


class Lead(InPlace, Base):
    """One row of a published list and what officers answered to it. Money in fen.

    person_key: hex token of a person rule's person, else ''. fact: what an explanation is bound to.
    view: the one tab of its list it is on, '' while it has no case. due_by: 9999-12-31 where no day is due.
    state: as the last night left it (new, continuing, changed, cleared, unverified) or withdrawn.
    """

    __tablename__ = "leads"
    __table_args__ = (
        UniqueConstraint(
            "list", "rule", "household_id", "person_key", "first_night", name="uq_leads_identity"
        ),
        # The order of a list (portal.listing), then what its filters and counts ask for.
        Index(
            "ix_leads_list_order",
            *("list", "county_code", "view", "due_by", "case_id", "lead_no"),
            *("rule", "state", "township_code", "stage", "assignee_id", "household_id", "id"),
        ),
        # Leads and households of every tab, counted in its order.
        Index("ix_leads_list_counts", "list", "county_code", "view", "household_id"),
        Index(
            "ix_leads_own",
            *("assignee_id", "list"),
            sqlite_where=text("assignee_id IS NOT NULL"),
            postgresql_where=text("assignee_id IS NOT NULL"),
        ),
        # The choices of a list's filters are read from these alone.
        Index("ix_leads_list_place_rule", "list", "county_code", "rule"),
        Index("ix_leads_list_place_township", "list", "county_code", "township_code"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    lead_no: Mapped[str] = mapped_column(String(40), index=True)
    list: Mapped[str] = mapped_column(String(16))
    rule: Mapped[str] = mapped_column(String(8))
    household_id: Mapped[str] = mapped_column(String(64), index=True)
    person_key: Mapped[str] = mapped_column(String(32), default="")
    is_person_rule: Mapped[bool] = mapped_column(default=False)
    person: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)
    name_sealed: Mapped[bytes | None]
    name_digest: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)
    programme: Mapped[str | None] = mapped_column(String(32))
    members: Mapped[int | None]
    value_fen: Mapped[int | None] = mapped_column(BigInteger)
    line_fen: Mapped[int | None] = mapped_column(BigInteger)
    assets_fen: Mapped[int | None] = mapped_column(BigInteger)
    asset_line_fen: Mapped[int | None] = mapped_column(BigInteger)
    sources: Mapped[str] = mapped_column(Text, default="")
    source_dates: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[str] = mapped_column(Text, default="")
    basis: Mapped[str] = mapped_column(Text, default="")
    clears: Mapped[str] = mapped_column(Text, default="")
    age_band: Mapped[str | None] = mapped_column(String(8))
    area: Mapped[str | None] = mapped_column(String(8))
    disability: Mapped[str | None] = mapped_column(String(8))
    first_night: Mapped[date]
    last_night: Mapped[date]
    state: Mapped[str] = mapped_column(String(12))
    present: Mapped[bool] = mapped_column(default=True)
    fact: Mapped[str] = mapped_column(String(40))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), index=True)
    suppression_id: Mapped[int | None] = mapped_column(ForeignKey("suppressions.id"), index=True)
    reply_code: Mapped[str | None] = mapped_column(String(16))
    reply_fact: Mapped[str | None] = mapped_column(String(40))
    # Of the lead's case, for the lists: kept by triggers (migration 0005), written by nobody else.
    view: Mapped[str] = mapped_column(String(10), server_default="")
    stage: Mapped[str | None] = mapped_column(String(12))
    due_by: Mapped[date] = mapped_column(server_default=text("'9999-12-31'"))
    assignee_id: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__: dict[str, Any] = {"version_id_col": version}  # noqa: RUF012


class LeadChange(InPlace, Base):
    """A night on which a lead was new, changed, cleared or unverified: its history in the dossier."""

    __tablename__ = "lead_changes"
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("leads.id"), index=True)
    as_of: Mapped[date] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(12))
    value_fen: Mapped[int | None] = mapped_column(BigInteger)
    line_fen: Mapped[int | None] = mapped_column(BigInteger)


class Case(InPlace, Base):
    """All leads of one list about one household that are worked together. round: 1, 2 … after closing."""

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("list", "household_id", "round", name="uq_cases_household_round"),
        Index("ix_cases_list_place", "list", "county_code", "stage"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    list: Mapped[str] = mapped_column(String(16))
    household_id: Mapped[str] = mapped_column(String(64), index=True)
    round: Mapped[int] = mapped_column(default=1)
    stage: Mapped[str] = mapped_column(String(12), index=True)
    opened_on: Mapped[date]
    stage_since: Mapped[date]
    due_on: Mapped[date | None] = mapped_column(index=True)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    disposal: Mapped[str | None] = mapped_column(String(12))
    outcome: Mapped[str | None] = mapped_column(String(20))
    closed_on: Mapped[date | None]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    touched_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__: dict[str, Any] = {"version_id_col": version}  # noqa: RUF012


class Suppression(InPlace, Base):
    """An explanation that holds as long as the fact stays the same and until `until`."""

    __tablename__ = "suppressions"
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    list: Mapped[str] = mapped_column(String(16))
    rule: Mapped[str] = mapped_column(String(8))
    household_id: Mapped[str] = mapped_column(String(64), index=True)
    person_key: Mapped[str] = mapped_column(String(32), default="")
    fact: Mapped[str] = mapped_column(String(40))
    reply_code: Mapped[str] = mapped_column(String(16))
    reason_sealed: Mapped[bytes]
    by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
    until: Mapped[date]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
