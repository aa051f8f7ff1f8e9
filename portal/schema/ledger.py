"""Who took what out, and what has to be counted to refuse too much of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.schema.base import Base, InPlace, RowId


class Download(Base):
    """canary: the mark every row of this one sheet carries, so that a leaked row names its download."""

    __tablename__ = "downloads"
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    list: Mapped[str] = mapped_column(String(16))
    format: Mapped[str] = mapped_column(String(8))
    filters: Mapped[str] = mapped_column(Text)
    rows: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    canary: Mapped[str] = mapped_column(String(16), unique=True)


class Reveal(InPlace, Base):
    """One number opened by one officer."""

    __tablename__ = "reveals"
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("leads.id"))
    at: Mapped[datetime] = mapped_column(index=True)


class Attempt(Base):
    """A sign-in attempt from an address, kept for a day."""

    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_origin_at", "origin", "at"),)
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    origin: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class Setting(Base):
    __tablename__ = "settings"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
