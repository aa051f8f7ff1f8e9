"""What officers did with a case. Free text may name people, so it is sealed."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from portal.schema.base import Base, InPlace, RowId


class CaseWork(InPlace):
    """One act on a case: which, by whom, when."""

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime]

    @declared_attr
    def case_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("cases.id"), index=True)

    @declared_attr
    def by_id(cls) -> Mapped[int | None]:
        return mapped_column(ForeignKey("users.id"))


class Event(CaseWork, Base):
    """A line of the case's history. by_id is empty for what a night did; detail never names a person."""

    __tablename__ = "events"
    kind: Mapped[str] = mapped_column(String(24))
    detail: Mapped[str] = mapped_column(String(500), default="")


class Visit(CaseWork, Base):
    __tablename__ = "visits"
    visited_on: Mapped[date]
    investigators_sealed: Mapped[bytes]
    met_sealed: Mapped[bytes]
    findings_sealed: Mapped[bytes]


class Reply(CaseWork, Base):
    __tablename__ = "replies"
    lead_id: Mapped[int] = mapped_column(ForeignKey("leads.id"), index=True)
    code: Mapped[str] = mapped_column(String(16))
    fact: Mapped[str] = mapped_column(String(40))
    note_sealed: Mapped[bytes | None]
    # The download whose workbook brought it, when it was not typed on the page.
    download_id: Mapped[int | None] = mapped_column(ForeignKey("downloads.id"))


class Outreach(CaseWork, Base):
    __tablename__ = "outreach"
    code: Mapped[str] = mapped_column(String(16))
    contacted_on: Mapped[date]
    note_sealed: Mapped[bytes | None]


class Decision(CaseWork, Base):
    """state: proposed | returned | final | withdrawn. Adverse ones are final only by a second person."""

    __tablename__ = "decisions"
    code: Mapped[str] = mapped_column(String(20))
    adverse: Mapped[bool]
    disposal: Mapped[str] = mapped_column(String(12))
    basis: Mapped[str] = mapped_column(String(500))
    reasons_sealed: Mapped[bytes]
    monthly_effect_fen: Mapped[int | None] = mapped_column(BigInteger)
    effective_on: Mapped[date | None]
    state: Mapped[str] = mapped_column(String(12))
    second_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    second_at: Mapped[datetime | None]
    second_note_sealed: Mapped[bytes | None]


class Notice(CaseWork, Base):
    __tablename__ = "notices"
    decision_id: Mapped[int] = mapped_column(ForeignKey("decisions.id"), index=True)
    served_on: Mapped[date]
    service: Mapped[str] = mapped_column(String(12))
    objection_until: Mapped[date]


class Objection(CaseWork, Base):
    """state: open | upheld | rejected."""

    __tablename__ = "objections"
    raised_on: Mapped[date]
    grounds_sealed: Mapped[bytes]
    state: Mapped[str] = mapped_column(String(12))
    result_sealed: Mapped[bytes | None]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    resolved_at: Mapped[datetime | None]


class Referral(CaseWork, Base):
    __tablename__ = "referrals"
    department: Mapped[str] = mapped_column(String(24))
    need_sealed: Mapped[bytes]
    due_on: Mapped[date]
    answered_at: Mapped[datetime | None]
    answer_sealed: Mapped[bytes | None]


class Note(CaseWork, Base):
    __tablename__ = "notes"
    body_sealed: Mapped[bytes]


class Attachment(CaseWork, Base):
    __tablename__ = "attachments"
    name_sealed: Mapped[bytes]
    media: Mapped[str] = mapped_column(String(32))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    body_sealed: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
