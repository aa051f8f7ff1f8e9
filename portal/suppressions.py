"""What was explained, for the nightly run: a sealed file in the home that it may honour.

`<home>/suppressions.sealed` holds, under the current key (two bytes of key version, then the sealed JSON),
`{"made_at", "suppressions": [{"list", "rule", "household_id", "person", "fact", "until", "by", "at", "code"}]}`.
person is the token in hexadecimal under that key version for person rules, else "". fact is the value in fen, or for
D01 and D02 the date the days are counted from (portal/codes/rules.toml). The reasons stay in the desk's database.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, select

from pipelines.durable import replace_file
from pipelines.identity.keyring import KeyRing
from portal.load import open_vault
from portal.schema import Suppression, User
from portal.scope import open_machine_session
from portal.settings import current_time

FILE = "suppressions.sealed"
_CONTEXT = b"desk:suppressions"
_TOKEN_DIGITS = 32


def export(home: Path, engine: Engine, ring: KeyRing, as_of: date) -> int:
    """Write the explanations that hold on `as_of`; returns how many."""
    vault = open_vault(engine, ring)
    with open_machine_session(engine) as db:
        rows = db.execute(
            select(Suppression, User.login)
            .join(User, User.id == Suppression.by_id)
            .where(Suppression.lifted_at.is_(None), Suppression.until >= as_of)
            .order_by(Suppression.id)
        ).all()
    told = [_told(kept, login, vault.person_version, ring) for kept, login in rows]
    document = {"made_at": current_time().isoformat(timespec="seconds"), "suppressions": told}
    sealed = ring.cipher().seal(json.dumps(document, ensure_ascii=False).encode(), _CONTEXT)
    replace_file(home / FILE, ring.current.to_bytes(2, "big") + sealed)
    return len(told)


def read(home: Path, ring: KeyRing) -> list[dict[str, Any]]:
    """The explanations of the last export; none when there was no export. Raises UnsealError, KeyRingError."""
    try:
        content = (home / FILE).read_bytes()
    except FileNotFoundError:
        return []
    cipher = ring.cipher(int.from_bytes(content[:2], "big"))
    found: list[dict[str, Any]] = json.loads(cipher.unseal(content[2:], _CONTEXT))["suppressions"]
    return found


def _told(kept: Suppression, login: str, version: int, ring: KeyRing) -> dict[str, Any]:
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
    }


def _current_token(person_key: str, version: int, ring: KeyRing) -> str:
    if len(person_key) != _TOKEN_DIGITS or version == ring.current:
        return person_key
    token = np.frombuffer(bytes.fromhex(person_key), np.uint8).reshape(1, 16)
    return ring.cipher().tokens(ring.cipher(version).open_tokens(token)).tobytes().hex()
