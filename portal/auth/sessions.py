"""Sessions: a random token in a signed cookie, everything else on the server."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from itsdangerous import BadSignature, Signer
from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from portal.prepared import Prepared
from portal.remembered import READ_STAMP, know_stamp
from portal.schema import DeskSession, User
from portal.scope import ScopedSession, Viewer
from portal.settings import Settings

STAGE_FULL = "full"
_LIVING = Prepared(
    select(
        DeskSession.id_hash,
        DeskSession.stage,
        DeskSession.csrf,
        DeskSession.seen_at,
        User.id.label("user_id"),
        User.login,
        User.display_name,
        User.role,
        User.region,
        READ_STAMP.scalar_subquery().label("stamp"),
    )
    .join(User, User.id == DeskSession.user_id)
    .where(
        DeskSession.id_hash == bindparam("id_hash"),
        DeskSession.seen_at > bindparam("seen_after"),
        DeskSession.created_at > bindparam("created_after"),
        User.active,
    )
)


@dataclass(frozen=True)
class SignedIn:
    """A living session, as it was when its officer was found at the door. stage, csrf: of portal.schema.DeskSession."""

    id_hash: str
    stage: str
    csrf: str
    seen_at: datetime


def cookie_name(settings: Settings) -> str:
    """With HTTPS the browser itself refuses the cookie from another host or path (__Host-)."""
    return "__Host-desk" if settings.https else "desk"


def start_session(
    db: Session, user: User, stage: str, now: datetime, settings: Settings
) -> tuple[DeskSession, str]:
    """A fresh session (nothing of an earlier one is kept) and the signed value of its cookie."""
    token = secrets.token_urlsafe(32)
    row = DeskSession(
        id_hash=_hash(token),
        user_id=user.id,
        stage=stage,
        csrf=secrets.token_urlsafe(32),
        created_at=now,
        seen_at=now,
    )
    db.add(row)
    return row, _signer(settings).sign(token.encode()).decode()


def find_session(
    db: ScopedSession, cookie: str | None, now: datetime, settings: Settings
) -> tuple[SignedIn, Viewer] | None:
    """The living session of a cookie with its officer; None when forged, idle, old, or its officer is switched off.

    Whether a list changed since its figures were counted is asked in the same breath (portal.remembered).
    """
    if not cookie:
        return None
    try:
        token = _signer(settings).unsign(cookie.encode()).decode()
    except (BadSignature, UnicodeDecodeError):
        return None
    living = {
        "id_hash": _hash(token),
        "seen_after": now - timedelta(minutes=settings.idle_minutes),
        "created_after": now - timedelta(hours=settings.session_hours),
    }
    found = _LIVING.columns(db, living)
    for id_hash, stage, csrf, seen_at, *officer, stamp in zip(*found.values(), strict=True):
        know_stamp(db, stamp)
        return SignedIn(id_hash, stage, csrf, seen_at), Viewer(*officer)
    return None


def end_session(db: Session, session: SignedIn) -> None:
    db.execute(delete(DeskSession).where(DeskSession.id_hash == session.id_hash))


def end_sessions_of(db: Session, user_id: int) -> None:
    db.execute(delete(DeskSession).where(DeskSession.user_id == user_id))


def remove_dead_sessions(db: Session, now: datetime, settings: Settings) -> None:
    db.execute(
        delete(DeskSession).where(DeskSession.created_at < now - timedelta(hours=settings.session_hours))
    )


def sign_in_csrf(settings: Settings, browser: str) -> str:
    """The token of the sign-in form, bound to a random value in the browser's own cookie."""
    return hmac.digest(settings.secret.encode(), b"sign-in:" + browser.encode(), "sha256").hex()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _signer(settings: Settings) -> Signer:
    return Signer(settings.secret, salt="desk-session", digest_method=hashlib.sha256)
