"""What officers explained at the desk, as the night reads it: one sealed file in the home.

`<home>/suppressions.sealed` holds, under one key version (two bytes of it, then the sealed JSON), `{"made_at",
"suppressions": [{"list", "rule", "household_id", "person", "fact", "until", "by", "at", "code", "answer"}]}`.
person: the token in hexadecimal under that key version for rules about a person, else "". fact: the value in fen, or
the day that a number of days is counted from, so that a finding that only grows older is the same finding. answer:
the words of `code`. The reasons stay at the desk. No file: nothing is explained. A file that does not open or is not
of this shape stops the night: going on would either bring explained findings back or keep unexplained ones away.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pyarrow as pa

from pipelines.durable import replace_file
from pipelines.errors import NightFailed
from pipelines.identity.cipher import UnsealError
from pipelines.identity.keyring import KeyRing, KeyRingError
from pipelines.identity.tokens import token_halves

FILE = "suppressions.sealed"
# Only findings against a family can be explained away, never one that might help it.
LIST = "discrepancies"
_CONTEXT = b"desk:suppressions"
_TOKEN = re.compile(r"[0-9a-f]{32}")
_FEN = re.compile(r"-?[0-9]{1,18}")


class SuppressionEntry(TypedDict):
    """One explanation, as in the file."""

    list: str
    rule: str
    household_id: str
    person: str
    fact: str
    until: str
    by: str
    at: str
    code: str
    answer: str


class SuppressionsBroken(NightFailed):
    """The file is there and cannot be used."""


@dataclass(frozen=True)
class Suppressions:
    """made_at: when the desk wrote the file; sha256: of the sealed file; version: of the key it is under."""

    made_at: datetime
    sha256: str
    version: int
    entries: tuple[SuppressionEntry, ...]

    def table(self, ring: KeyRing) -> pa.Table:
        """Columns entry, rule, household_id, hi, lo (tokens under the current key, null for a household's rule),
        value (two decimals) or since (a day), until, and for the list of explained leads fact, answer,
        explained_by, explained_on. One row per entry.
        """
        persons = [bytes.fromhex(entry["person"]) for entry in self.entries if entry["person"]]
        tokens = np.frombuffer(b"".join(persons), np.uint8).reshape(-1, 16)
        if self.version != ring.current and len(tokens):
            tokens = ring.cipher().tokens(ring.cipher(self.version).open_tokens(tokens.copy()))
        known = np.array([bool(entry["person"]) for entry in self.entries], bool)
        hi, lo = np.zeros(len(known), np.uint64), np.zeros(len(known), np.uint64)
        hi[known], lo[known] = token_halves(tokens)
        days = [_day(entry["fact"]) for entry in self.entries]
        values = [
            None if day else Decimal(int(entry["fact"])).scaleb(-2)
            for entry, day in zip(self.entries, days, strict=True)
        ]
        return pa.table(
            {
                "entry": np.arange(len(self.entries)),
                **{
                    name: pa.array([entry[name] for entry in self.entries], pa.string())
                    for name in ("rule", "household_id", "fact", "answer")
                },
                "hi": pa.array(hi, mask=~known),
                "lo": pa.array(lo, mask=~known),
                "value": pa.array(values, pa.decimal128(38, 2)),
                "since": pa.array(days, pa.date32()),
                "until": pa.array([_day(entry["until"]) for entry in self.entries], pa.date32()),
                "explained_by": pa.array([entry["by"] for entry in self.entries], pa.string()),
                "explained_on": pa.array(
                    [_moment(entry["at"]).date() for entry in self.entries], pa.date32()
                ),
            }
        )


def write_suppressions(
    home: Path, ring: KeyRing, entries: Sequence[SuppressionEntry], made_at: datetime
) -> None:
    """Seal the explanations under the current key and put the file in place in one step.

    person of each entry: a token under the current key. made_at: with its zone.
    """
    document = {"made_at": made_at.isoformat(timespec="seconds"), "suppressions": list(entries)}
    sealed = ring.cipher().seal(json.dumps(document, ensure_ascii=False).encode(), _CONTEXT)
    replace_file(home / FILE, ring.current.to_bytes(2, "big") + sealed)


def read_suppressions(home: Path, ring: KeyRing) -> Suppressions | None:
    """The explanations the desk wrote out last; None when there is no file. Raises SuppressionsBroken."""
    try:
        content = (home / FILE).read_bytes()
    except FileNotFoundError:
        return None
    version = int.from_bytes(content[:2], "big")
    try:
        document = json.loads(ring.cipher(version).unseal(content[2:], _CONTEXT))
    except (UnsealError, KeyRingError):
        raise _broken(home, f"it does not open with version {version} of the key ring") from None
    except ValueError:
        raise _broken(home, "what is sealed in it is not JSON") from None
    try:
        return Suppressions(
            _moment(document["made_at"]),
            hashlib.sha256(content).hexdigest(),
            version,
            tuple(_entry(entry) for entry in document["suppressions"]),
        )
    except (KeyError, TypeError, ValueError):
        raise _broken(home, "it is sealed, but not of the shape of this version") from None


def _broken(home: Path, found: str) -> SuppressionsBroken:
    return SuppressionsBroken(
        f"{home / FILE}: {found}; wanted the explanations as the desk writes them. Nothing was published. "
        "Write it anew with `python -m portal load`; only if the desk is lost, move the file away: then every "
        "explained finding is work again"
    )


def _entry(entry: dict[str, Any]) -> SuppressionEntry:
    """Raises KeyError, TypeError or ValueError for an entry of another shape."""
    if set(entry) != set(SuppressionEntry.__annotations__) or not all(
        isinstance(value, str) for value in entry.values()
    ):
        raise ValueError("other keys or types")
    if entry["list"] != LIST or (entry["person"] and not _TOKEN.fullmatch(entry["person"])):
        raise ValueError("another list, or a person that is no token")
    if _day(entry["until"]) is None or not (_FEN.fullmatch(entry["fact"]) or _day(entry["fact"])):
        raise ValueError("a fact or an end that is neither")
    _moment(entry["at"])
    return entry  # type: ignore[return-value]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if "-" in text[1:] else None
    except ValueError:
        return None


def _moment(text: str) -> datetime:
    """Raises ValueError for a text that is no instant with its zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no zone")
    return moment
