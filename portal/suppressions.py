"""What was explained, written out for the nightly run (pipelines.suppressions says how the file looks)."""

from __future__ import annotations

import logging
from datetime import date
from pathlib import Path

import numpy as np
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from pipelines.durable import file_lock
from pipelines.identity.keyring import KeyRing
from pipelines.suppressions import FILE, LIST, SuppressionEntry, write_suppressions
from portal.codes import desk_codes
from portal.desk import Desk
from portal.load import open_vault
from portal.night import NO_FACT
from portal.schema import Suppression, User
from portal.scope import open_machine_session
from portal.sealing import Vault
from portal.settings import current_time

_TOKEN_DIGITS = 32
_LOCK = "suppressions.lock"
_log = logging.getLogger("portal")


def export(home: Path, engine: Engine, ring: KeyRing, as_of: date) -> int:
    """Write the explanations that hold on `as_of`; returns how many."""
    return write_out(home, engine, open_vault(engine, ring), as_of)


def write_out_after_commit(desk: Desk) -> None:
    """Write them out once what this request did is committed, so that the next night knows of it.

    A file that cannot be written is logged and not told to the officer: the work is saved, and the next load writes
    it again.
    """

    def write(_db: Session) -> None:
        try:
            write_out(desk.settings.home, desk.office.engine, desk.vault, desk.today)
        except OSError:
            _log.exception("%s could not be written; run: python -m portal load", FILE)

    event.listen(desk.db, "after_commit", write, once=True)


def write_out(home: Path, engine: Engine, vault: Vault, as_of: date) -> int:
    """The same, with the vault that is open. One after the other: whoever writes last has read last."""
    with file_lock(home / _LOCK):
        told = _standing(engine, vault, as_of)
        write_suppressions(home, vault.ring, told, current_time())
    return len(told)


def _standing(engine: Engine, vault: Vault, as_of: date) -> list[SuppressionEntry]:
    with open_machine_session(engine) as db:
        rows = db.execute(
            select(Suppression, User.login)
            .join(User, User.id == Suppression.by_id)
            .where(
                Suppression.list == LIST,
                Suppression.fact != NO_FACT,
                Suppression.lifted_at.is_(None),
                Suppression.until >= as_of,
            )
            .order_by(Suppression.id)
        ).all()
    return [
        _told(kept, login, vault.person_version, vault.ring)
        for kept, login in rows
        if _names_its_person(kept)
    ]


def _names_its_person(kept: Suppression) -> bool:
    """A person nobody can name is told apart by a running number here, which the next night does not know."""
    return len(kept.person_key) in (0, _TOKEN_DIGITS)


def _told(kept: Suppression, login: str, version: int, ring: KeyRing) -> SuppressionEntry:
    return {
        "list": kept.list,
        "rule": kept.rule,
        "household_id": kept.household_id,
        "person": _current_token(kept.person_key, version, ring),
        "fact": kept.fact,
        "until": kept.until.isoformat(),
        "by": login,
        "at": kept.at.isoformat(timespec="seconds"),
        "code": kept.reply_code,
        "answer": desk_codes().replies[kept.reply_code].name,
    }


def _current_token(person_key: str, version: int, ring: KeyRing) -> str:
    if not person_key or version == ring.current:
        return person_key
    token = np.frombuffer(bytes.fromhex(person_key), np.uint8).reshape(1, 16)
    return ring.cipher().tokens(ring.cipher(version).open_tokens(token)).tobytes().hex()
