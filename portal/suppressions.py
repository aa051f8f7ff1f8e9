"""What was explained, written out for the nightly run (pipelines.suppressions says how the file looks)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
from sqlalchemy import Engine, select

from pipelines.identity.keyring import KeyRing
from pipelines.suppressions import LIST, SuppressionEntry, write_suppressions
from portal.codes import desk_codes
from portal.load import open_vault
from portal.night import NO_FACT
from portal.schema import Suppression, User
from portal.scope import open_machine_session
from portal.settings import current_time

_TOKEN_DIGITS = 32


def export(home: Path, engine: Engine, ring: KeyRing, as_of: date) -> int:
    """Write the explanations that hold on `as_of`; returns how many."""
    vault = open_vault(engine, ring)
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
    told = [_told(kept, login, vault.person_version, ring) for kept, login in rows if _names_its_person(kept)]
    write_suppressions(home, ring, told, current_time())
    return len(told)


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
