"""One household now, by the same rules: for an application, a complaint, or before a decision.

The feeds are not read again: the evidence is that of the latest published night, whose date the answer names.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.registry import (
    authorised_sources,
    evidence_sources,
    required_authorisations,
)
from pipelines.assess import assess_tables
from pipelines.audit import AuditLog
from pipelines.durable import replace_file
from pipelines.errors import HeduiError, UsageError
from pipelines.evidence_kept import EvidenceNotKept, KeptEvidence, open_evidence
from pipelines.identity.cipher import Tokeniser
from pipelines.identity.keyring import KeyRing
from pipelines.intake.evidence_tables import mark_repeated
from pipelines.intake.sealed_names import open_names_of
from pipelines.lead_people import heads_of, open_numbers, tokens_of
from pipelines.link import define_reach, gather_inexact, view_reach
from pipelines.lists import ListName, read_published
from pipelines.manifest import Manifest
from pipelines.policy_in_force import load_policy
from pipelines.settings import Settings
from pipelines.warehouse import build_table, insert_arrow, open_warehouse, query_arrow
from policy.rules import Rule, load_rules

_LISTS = {"discrepancies": "discrepancy", "newly_eligible": "newly_eligible"}
_AMOUNTS = {
    "value": "value_cents",
    "line": "line_cents",
    "assets": "assets_cents",
    "asset_line": "asset_line_cents",
}


class HouseholdUnknown(HeduiError):
    """The night did not look at this household."""


def check_household(settings: Settings, household_id: str, actor: str, reason: str) -> dict[str, Any]:
    """Judge one household against the latest published night's evidence.

    settings: home and policy count; the as-of date is the night's. Returns, ready for JSON: as_of, seal,
    household_id, sources (state and snapshot_date of each), tax_comparable, households (one for each list it
    stands on: place, programme, members, is_incomplete, members_unauthorised), leads (list, rule, rule_name,
    value, line, evidence, basis, clears, next_step, name, id_number, lead_no on the published list or None;
    money in yuan as text), policy (id, sha256, is_of_the_night).
    The leads are readable, so the audit log has who asked for what before this returns.
    A source whose contract was added since the night counts as one that delivered nothing. Raises UsageError without
    actor or reason, EvidenceNotKept, HouseholdUnknown.
    """
    wanted, actor, reason = household_id.strip(), actor.strip(), reason.strip()
    if not wanted or not actor or not reason:
        raise UsageError(
            "a household check needs a household number, --actor (who) and --reason (why), none empty"
        )
    ring = KeyRing.open(settings.home, os.environ)
    kept = open_evidence(settings.home, ring)
    _require_known_authorisations(kept)
    night = kept.night
    policy = load_policy(_on_the_night(settings, night))
    checks_folder(settings.home).mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=checks_folder(settings.home), prefix="spill-") as spill,
        open_warehouse(Path(spill), threads=1) as con,
    ):
        con.execute("pragma disable_optimizer")  # of a few rows each: planning takes longer than running
        _load_household(con, kept, wanted)
        summary = assess_tables(con, policy, kept.sources)
        policy_digest = policy.digest(summary["rules"])
        answer = {
            "as_of": night["as_of"],
            "seal": night["seal"],
            "household_id": wanted,
            "sources": {
                source: {name: result[name] for name in ("state", "reason", "snapshot_date")}
                for source, result in kept.sources.items()
            },
            "tax_comparable": summary["tax_comparable"],
            "households": _households(con, wanted),
            "leads": _leads(con, settings.home, kept, wanted, ring.cipher(night["key_version"])),
            "policy": {
                "id": policy.id,
                "sha256": policy_digest,
                "is_of_the_night": policy_digest == night["details"]["policy"]["sha256"],
            },
        }
    found = sorted(lead["rule"] for lead in answer["leads"])
    detail = {"as_of": night["as_of"], "seal": night["seal"], "household_id": wanted, "leads": found}
    AuditLog(settings.home, ring).append("household_check", actor, reason, detail)
    return answer


def check_household_sealed(settings: Settings, household_id: str, actor: str, reason: str) -> Path:
    """As `check_household`, the answer sealed under checks/ for `open_check`. Returns the file."""
    answer = check_household(settings, household_id, actor, reason)
    ring = KeyRing.open(settings.home, os.environ)
    path = checks_folder(settings.home) / f"{answer['as_of']}-{secrets.token_hex(6)}-v{ring.current}.sealed"
    content = json.dumps(answer, ensure_ascii=False).encode("utf-8")
    replace_file(path, ring.cipher().seal(content, _context(path)))
    return path


def open_check(home: Path, path: Path, actor: str, reason: str) -> dict[str, Any]:
    """The answer in a file of `check_household_sealed`. Raises UsageError, UnsealError for a changed file."""
    actor, reason = actor.strip(), reason.strip()
    if not actor or not reason:
        raise UsageError("opening a check needs --actor (who) and --reason (why), neither of them empty")
    if not path.is_file() or path.suffix != ".sealed" or "-v" not in path.stem:
        raise UsageError(f"{path.name} is no file of checks/; wanted one that the check_household DAG named")
    ring = KeyRing.open(home, os.environ)
    version = int(path.stem.rpartition("-v")[2])
    answer: dict[str, Any] = json.loads(ring.cipher(version).unseal(path.read_bytes(), _context(path)))
    AuditLog(home, ring).append("household_check_opened", actor, reason, {"file": path.name})
    return answer


def checks_folder(home: Path) -> Path:
    """Where sealed answers lie until retention deletes them."""
    return home / "checks"


def _context(path: Path) -> bytes:
    return b"household check " + path.name.encode()


def _on_the_night(settings: Settings, night: Manifest) -> Settings:
    return Settings.from_dict({**settings.as_dict(), "as_of": night["as_of"]})


def _load_household(con: duckdb.DuckDBPyConnection, kept: KeptEvidence, household_id: str) -> None:
    """The tables the rules read, cut down to the household and those that share a member or an account with it.

    One member of two active households is D03's case, and one account of several Z02's, so the others are looked at
    too (spec section 4, docs/rules.md).
    """
    own = _rows_of(kept, "household", "household_id", np.array([household_id]))
    if not len(own):
        raise HouseholdUnknown(
            f"the night of {kept.night['as_of']} did not look at household {household_id}: it is neither active "
            "on the roster nor a candidate among the monitored ones. No commission, no check: once it is entered "
            "there, the next night checks it."
        )
    households = _numbers(own, "household")
    records = _rows_of(kept, "record", "household", households)
    asked = _asked_records(kept, records)
    sharing = _that_share(kept, asked)
    if len(others := sharing[~np.isin(sharing, households)]):
        households = np.append(households, others)
        own, records = (_rows_of(kept, table, "household", households) for table in ("household", "record"))
        asked = _asked_records(kept, records)
    asked = asked.filter(pc.field("household").isin(households))
    near = _rows_of(kept, "near_suspect", "household", households)
    tables = {"household": own, "record": records, "asked_record": asked, "near_suspect": near}
    for name, table in tables.items():
        insert_arrow(con, name, table)
    define_reach(con)
    persons = _numbers(asked, "person")
    evidence = {source: kept.evidence_where(source, "person", persons) for source in evidence_sources()}
    for source, rows in evidence.items():
        view_reach(con, source, mark_repeated(rows))
    gather_inexact(con)
    registers = _numbers(evidence["household_registration"], "register_no")
    insert_arrow(con, "register_row", kept.registers(registers))


def _asked_records(kept: KeptEvidence, records: pa.Table) -> pa.Table:
    """All records, in whatever household, of the persons of some records, so far as departments are asked about them.

    By the half of their tokens: whoever has the same half, which is nobody, is looked at too.
    """
    persons = kept.persons_where("hi", _numbers(records, "hi"))
    return _rows_of(kept, "asked_record", "person", _numbers(persons, "person"))


def _that_share(kept: KeptEvidence, asked: pa.Table) -> NDArray[Any]:
    """The households that have a member of these records, or whose members are paid on an account of theirs."""
    persons = _numbers(asked, "person")
    paid = kept.evidence_where("benefit_payments", "person", persons)
    payees = kept.evidence_where("benefit_payments", "account_no", _numbers(paid, "account_no"))
    also = _rows_of(kept, "asked_record", "person", _numbers(payees, "person"))
    return _numbers(pa.concat_tables([asked, also]).filter(pc.field("is_member")), "household")


def _rows_of(kept: KeptEvidence, table: str, column: str, values: NDArray[Any]) -> pa.Table:
    return kept.rows_where(f"people/{table}.parquet", column, values)


def _numbers(rows: pa.Table, column: str) -> NDArray[Any]:
    """Every number of a column once."""
    numbers: NDArray[Any] = rows.column(column).drop_null().unique().to_numpy()
    return numbers


def _require_known_authorisations(kept: KeptEvidence) -> None:
    """Kept authorisations are bits in the order of the sources; of one that came later they say nothing.

    Raises EvidenceNotKept when the bits would mean other sources now, or when one is asked for that the night did not
    know: everybody would seem to lack it.
    """
    asked = authorised_sources()
    known = [source for source in asked if source in kept.linked]
    younger = [source for source in asked if source not in known]
    if asked[: len(known)] != known or set(required_authorisations()) & set(younger):
        raise EvidenceNotKept(
            f"the night of {kept.night['as_of']} was read before the contract of {', '.join(younger)} was added: what "
            f"is kept of its authorisations does not say who allows that. Run the night of {kept.night['as_of']} "
            "again, or wait for the next one"
        )


def _households(con: duckdb.DuckDBPyConnection, household_id: str) -> list[dict[str, Any]]:
    names = (
        "list",
        "county_code",
        "township_code",
        "area",
        "programme",
        "members",
        "is_incomplete",
        "members_unauthorised",
    )
    rows = con.execute(
        """
        select
            list, county_code, township_code, area, programme, n::integer, is_incomplete, members_unauthorised
        from household_position where household_id = $household_id order by list desc
        """,
        {"household_id": household_id},
    ).fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]


def _leads(
    con: duckdb.DuckDBPyConnection, home: Path, kept: KeptEvidence, household_id: str, cipher: Tokeniser
) -> list[dict[str, Any]]:
    build_table(con, "publish/household_lead")
    con.register("head", heads_of(con, cipher))
    rules = load_rules()
    leads: list[dict[str, Any]] = []
    for which, table in _LISTS.items():
        numbers = _published_numbers(home, kept.night, which, household_id)
        found = query_arrow(con, _NAMED.format(table=table)).filter(pc.field("household_id") == household_id)
        if not len(found):
            continue
        records = found.column("record").to_numpy().astype(np.int64)
        with kept.open("people/names.sealed") as names:
            named = open_names_of(names, records, cipher)
        opened = open_numbers(found, cipher).to_pylist()
        tokens = tokens_of(found)
        for place, row in enumerate(found.to_pylist()):
            token = bytes(tokens[place]) if row["hi"] is not None else None
            lead = _readable(rules[row["rule"]], row, which)
            leads.append(
                {
                    **lead,
                    "lead_no": numbers.get((row["rule"], token)),
                    "name": named[place],
                    "id_number": opened[place],
                }
            )
    return leads


# A lead with the person whose name it carries, the head's for leads of the whole household.
_NAMED = """
    select
        l.* exclude (record, hi, lo),
        coalesce(l.record, h.record) as record,
        coalesce(l.hi, h.hi) as hi,
        coalesce(l.lo, h.lo) as lo
    from {table} as l
    left join head as h on h.household = l.household and l.record is null
    order by l.rule, record
"""


def _readable(rule: Rule, row: dict[str, Any], which: str) -> dict[str, Any]:
    amounts = {name: _yuan(row[column]) for name, column in _AMOUNTS.items() if column in row}
    return {
        "list": which,
        "rule": rule.code,
        "rule_name": rule.name,
        **amounts,
        "evidence": row["evidence"],
        "basis": rule.basis,
        "clears": rule.clears,
        "next_step": rule.next_step,
    }


def _yuan(cents: Any) -> str | None:
    if cents is None:
        return None
    whole = int(cents)
    return f"{'-' if whole < 0 else ''}{abs(whole) // 100}.{abs(whole) % 100:02d}"


def _published_numbers(
    home: Path, night: Manifest, which: str, household_id: str
) -> dict[tuple[str, bytes | None], str]:
    """Lead numbers on the published list by rule and person."""
    lists: list[ListName] = ["discrepancies" if which == "discrepancies" else "newly-eligible"]
    if which == "discrepancies" and "explained.parquet" in night["files"]:
        lists.append("explained")
    columns = ["rule", "person", "lead_no", "household_id"]
    tables = [read_published(home, night, one, columns) for one in lists]
    own = pa.concat_tables(tables).filter(pc.field("household_id") == household_id).to_pylist()
    return {(row["rule"], row["person"]): row["lead_no"] for row in own}
