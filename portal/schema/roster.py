"""The roster's households as the nights tell them: nobody is named. Visits to those that have no case."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.schema.base import Base, InPlace, RowId


class Household(InPlace, Base):
    """lacks: why the last night was no whole check (pipelines.roster_extract), '' when it was one.

    checked_night: the last night that was one. on_roster: whether the last night still had it.
    declared_*: what the household told, income a month; None of a night before nights told it.
    """

    __tablename__ = "households"
    __table_args__ = (Index("ix_households_on_roster_place", "on_roster", "county_code", "township_code"),)
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    household_id: Mapped[str] = mapped_column(String(64), unique=True)
    programme: Mapped[str] = mapped_column(String(32))
    area: Mapped[str] = mapped_column(String(8))
    disability: Mapped[str] = mapped_column(String(8))
    lacks: Mapped[str] = mapped_column(String(16))
    declared_income_fen: Mapped[int | None] = mapped_column(BigInteger)
    declared_assets_fen: Mapped[int | None] = mapped_column(BigInteger)
    first_night: Mapped[date]
    last_night: Mapped[date]
    checked_night: Mapped[date | None]
    on_roster: Mapped[bool]


class YearlyVisit(InPlace, Base):
    """A visit that belongs to no case: the yearly one to a household without leads."""

    __tablename__ = "yearly_visits"
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    household_id: Mapped[str] = mapped_column(String(64), index=True)
    visited_on: Mapped[date]
    investigators_sealed: Mapped[bytes]
    findings_sealed: Mapped[bytes]
    by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
