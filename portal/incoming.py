"""A published row as the desk keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from pipelines.identity.keyring import KeyRing
from policy.codes import load_codes
from policy.rules import load_rules
from portal.night import PublishedNight, fact_of, fen, token_matrix
from portal.sealing import Vault, age_bands

NAME_PLACE = "name"
_MONITORED, _ROSTER = "rural_revitalisation", "roster"
# It is judged before anybody authorised a look: on what was declared alone.
_DECLARED_ALONE = "N00"
# Such a row carries what an earlier night found.
FOUND_EARLIER = ("unverified", "cleared")


@dataclass(frozen=True)
class IncomingLead:
    """columns: values of the Lead table that the night tells."""

    columns: dict[str, Any]

    @property
    def key(self) -> tuple[Any, ...]:
        """The lead's identity over the nights, with the night it began."""
        told = self.columns
        return (told["list"], told["rule"], told["household_id"], told["person_key"], told["first_night"])

    @property
    def fact_key(self) -> tuple[str, ...]:
        """What an explanation is bound to."""
        told = self.columns
        return (told["list"], told["rule"], told["household_id"], told["person_key"], told["fact"])


def read_incoming(night: PublishedNight, name: str, vault: Vault, ring: KeyRing) -> list[IncomingLead]:
    """All rows of one published list; names are sealed anew for this database."""
    table = night.read_list(name)
    persons = _persons(table, night, vault)
    names = readable_names(table, night, ring)
    digests = vault.name_digests(names) if names else []
    bands = age_bands(vault.numbers(persons), night.as_of)
    money = _money_columns(name)
    told_by = _sources_told(night) if name == "newly_eligible" else {}
    rows = table.drop_columns(["person", "name_sealed"]).to_pylist()
    return [
        IncomingLead(
            _columns(name, night.as_of, row | _told_by(row, told_by), money)
            | _identity(row, person, readable, digest, vault)
            | {"age_band": band}
        )
        for row, person, readable, digest, band in zip(rows, persons, names, digests, bands, strict=True)
    ]


def _sources_told(night: PublishedNight) -> dict[str, dict[str, str]]:
    """Per newly-eligible rule what departments told and of which day; the published list has no such columns."""
    codes, known, inputs = load_codes(), night.manifest["status"]["sources"], night.manifest["inputs"]

    def day(source: str) -> str:
        if known[source]["state"] == "accepted":
            return str(inputs[source]["snapshot_date"])
        return codes.source_states.name(known[source]["state"])

    told = {}
    for code, rule in load_rules().items():
        if rule.list != "newly_eligible":
            continue
        first = (_ROSTER if rule.programmes else _MONITORED,)
        wanted = first if code == _DECLARED_ALONE else dict.fromkeys((*first, *rule.needs, *rule.connected))
        asked = [source for source in wanted if source in known]
        told[code] = {
            "sources": "、".join(map(codes.sources.name, asked)),
            "source_dates": "；".join(f"{codes.sources.name(source)} {day(source)}" for source in asked),
        }
    return told


def _told_by(row: dict[str, Any], told: dict[str, dict[str, str]]) -> dict[str, str | None]:
    """None where an earlier night's word still holds."""
    if not told:
        return {}
    if row["state"] in FOUND_EARLIER:
        return {"sources": None, "source_dates": None}
    return dict(told.get(row["rule"], {}))


def readable_names(table: pa.Table, night: PublishedNight, ring: KeyRing) -> list[str]:
    """Names in clear, '' where there is none; sealed in the night under the row's person token."""
    sealed = table.column("name_sealed").to_pylist()
    contexts = [person or b"" for person in table.column("person").to_pylist()]
    opened = ring.cipher(night.key_version).unseal_column(sealed, contexts)
    return [name.decode() if name else "" for name in opened]


def _persons(table: pa.Table, night: PublishedNight, vault: Vault) -> list[bytes | None]:
    known, tokens = token_matrix(table.column("person"))
    opened = iter(vault.same_version(tokens, night.key_version))
    return [next(opened).tobytes() if is_known else None for is_known in known]


def _identity(
    row: dict[str, Any], person: bytes | None, name: str, digest: bytes, vault: Vault
) -> dict[str, Any]:
    # A person rule whose person cannot be named is told apart by its running number.
    key = "" if not row["is_person_rule"] else person.hex() if person else row["lead_no"].rsplit("-", 1)[-1]
    return {
        "person": person,
        "person_key": key,
        "name_sealed": vault.seal_text(name, NAME_PLACE) if name else None,
        "name_digest": digest if name else None,
    }


def _money_columns(name: str) -> dict[str, str]:
    if name == "discrepancies":
        return {"value_fen": "value", "line_fen": "line"}
    return {
        "value_fen": "income",
        "line_fen": "income_line",
        "assets_fen": "assets",
        "asset_line_fen": "asset_line",
    }


def _columns(name: str, as_of: date, row: dict[str, Any], money: dict[str, str]) -> dict[str, Any]:
    value = fen(row[money["value_fen"]])
    return {
        "list": name,
        "lead_no": row["lead_no"],
        "rule": row["rule"],
        "county_code": row["county_code"],
        "township_code": row["township_code"],
        "household_id": row["household_id"],
        "is_person_rule": row["is_person_rule"],
        "programme": row.get("programme"),
        "members": row.get("members"),
        "assets_fen": None,
        "asset_line_fen": None,
        **{column: fen(row[source]) for column, source in money.items()},
        "sources": row.get("sources", ""),
        "source_dates": row.get("source_dates", ""),
        "evidence": row["evidence"] or "",
        "basis": row["basis"] or "",
        "clears": (row.get("clears") if name == "discrepancies" else row.get("next_step")) or "",
        "area": None,
        "disability": None,
        "first_night": row["first_night"],
        "state": row["state"],
        "present": row["state"] != "cleared",
        "fact": fact_of(row["rule"], value, as_of),
    }
