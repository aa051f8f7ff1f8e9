"""Officers and their sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.schema.base import Base, RowId


class User(Base):
    """region: the prefix of division codes the officer works for (44, 4401, 440103, 440103001)."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    login: Mapped[str] = mapped_column(String(64), unique=True)
    display_name: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(16))
    region: Mapped[str] = mapped_column(String(9))
    password_hash: Mapped[str] = mapped_column(String(255))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    totp_sealed: Mapped[bytes | None]
    totp_confirmed: Mapped[bool] = mapped_column(default=False)
    # The last accepted step: a code is good once (RFC 6238, 5.2).
    totp_last_step: Mapped[int] = mapped_column(RowId, default=0)
    totp_needed: Mapped[bool] = mapped_column(default=True)
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class DeskSession(Base):
    """id_hash: SHA-256 of the cookie's token. stage: password | enrol | code | change | full."""

    __tablename__ = "sessions"
    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    stage: Mapped[str] = mapped_column(String(8))
    csrf: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
