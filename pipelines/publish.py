"""Publish a night: compare it with the one before, write both lists, and put the manifest in place in one step."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors.registry import all_contracts
from pipelines.durable import sha256_of, sync_file
from pipelines.explained import explained_details, part_explained
from pipelines.identity.cipher import Tokeniser
from pipelines.identity.keyring import KeyRing
from pipelines.intake.batch import reasons_of
from pipelines.intake.sealed_names import open_names
from pipelines.lead_people import heads_of
from pipelines.lead_rules import name_open_leads, rule_needs, telling_of
from pipelines.leads import (
    compare_leads,
    gone_leads,
    list_leads,
    names_on,
    previous_leads,
    read_leads,
    seal_rows,
)
from pipelines.lists import ROSTER_FILE, count_leads, seal_inputs, seal_of, to_readable
from pipelines.manifest import Manifest, latest_before, publish_night, published_nights
from pipelines.report import write_report
from pipelines.roster_extract import extract_roster
from pipelines.settings import Settings
from pipelines.suppressions import Suppressions, read_suppressions
from pipelines.warehouse import build_table, open_warehouse
from policy.model import PolicyAt

STATES = ("new", "continuing", "changed", "cleared", "unverified")
# Which table of the assess stage is which list.
_ASSESSED = {"discrepancies": "discrepancy", "newly_eligible": "newly_eligible"}
# Columns whose values repeat: the others are written as they are.
_REPEATING = [
    *(
        "state",
        "rule",
        "county_code",
        "township_code",
        "programme",
        "members",
        "first_night",
        "is_person_rule",
    ),
    *("sources", "source_dates", "basis", "clears", "next_step", "source", "file", "reasons"),
    *("answer", "explained_by", "explained_on", "explained_until", "area", "disability", "lacks"),
]
# Nothing is to be gained on random bytes.
_RANDOM = ("person", "name_sealed")


def publish_lists(
    settings: Settings,
    policy: PolicyAt,
    ring: KeyRing,
    sources: dict[str, dict[str, Any]],
    linked: dict[str, dict[str, int]],
    summary: dict[str, Any],
    gates: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
) -> Manifest:
    """Write nights/<as-of>-<run> and publish it. Returns the manifest.

    gates: judges the lists and returns every outcome of tonight; raises NightFailed.
    """
    run = datetime.now(UTC).strftime("%Y%m%dT%H%M%S") + "-" + secrets.token_hex(3)
    folder = settings.home / "nights" / f"{settings.as_of.isoformat()}-{run}"
    cipher = ring.cipher()
    before = latest_before(settings.home, settings.as_of)
    folder.mkdir(parents=True)
    try:
        inputs = _inputs(sources)
        with open_warehouse(settings.work / "publish.building") as con, ThreadPoolExecutor(2) as beside:
            suppressions = read_suppressions(settings.home, ring)
            _view_tables(con, settings)
            names = beside.submit(open_names, settings.work / "people" / "names.sealed", cipher)
            quarantined = beside.submit(_quarantine, settings)
            written = [beside.submit(_write_roster, con.cursor(), sources, summary, folder)]
            lists = _build_lists(con, settings, ring, sources, summary, before, suppressions, names)
            quarantine = quarantined.result()
            written.append(beside.submit(_write_file, quarantine, folder / "quarantine.parquet"))
            # Closing names is the interpreter's work, writing is not.
            for which, listed in lists.items():
                table = seal_rows(which, listed, cipher)
                written.append(beside.submit(_write_file, table, folder / f"{which}.parquet"))
            seal = _seal(
                seal_inputs(sources, inputs), policy.digest(summary["rules"]), lists, quarantine, cipher
            )
            for one in written:
                one.result()
        outcomes = gates([_list_summary(name, lists[name]) for name in _ASSESSED])
        status = _status(settings, policy, sources, linked, summary, lists, seal)
        manifest: Manifest = {
            "as_of": settings.as_of.isoformat(),
            "run": run,
            "folder": folder.name,
            "published_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "seal": seal,
            "key_version": ring.current,
            "previous": before["as_of"] if before else None,
            "files": {},
            "status": status,
            "inputs": inputs,
            "details": _details(policy, sources, lists, summary, outcomes),
        }
        if suppressions is not None:
            manifest["details"]["explained"] = explained_details(suppressions, lists["explained"])
        return _finish(settings, ring, manifest, folder)
    except BaseException:
        remove_debris(settings.home)  # only what no manifest names: the night may already be in place
        raise
    finally:
        shutil.rmtree(settings.work / "publish.building", ignore_errors=True)


def _seal(
    inputs: dict[str, Any],
    policy_sha256: str,
    lists: dict[str, pa.Table],
    quarantine: pa.Table,
    cipher: Tokeniser,
) -> str:
    """The seal of the night, of the lists before names and numbers are closed."""
    readable = {
        which: to_readable(listed, cipher, {name: listed.column(name) for name in ("name", "id_number")})
        for which, listed in lists.items()
    }
    return seal_of(
        inputs,
        policy_sha256,
        readable["discrepancies"],
        readable["newly_eligible"],
        to_readable(quarantine, cipher),
        readable.get("explained"),
    )


def _write_roster(
    con: duckdb.DuckDBPyConnection, sources: dict[str, dict[str, Any]], summary: dict[str, Any], folder: Path
) -> None:
    _write_file(extract_roster(con, sources, summary["tax_comparable"]), folder / ROSTER_FILE)


def _write_file(table: pa.Table, path: Path) -> None:
    """Write a list and flush it; whoever reads it finds plain columns, whether they are dictionaries here or not."""
    pq.write_table(
        table,
        path,
        compression={name: "none" if name in _RANDOM else "zstd" for name in table.column_names},
        use_dictionary=[name for name in table.column_names if name in _REPEATING],
        store_schema=False,
    )
    sync_file(path)


def _finish(settings: Settings, ring: KeyRing, manifest: Manifest, folder: Path) -> Manifest:
    write_report(dict(manifest), earlier_manifests(settings.home, settings.as_of), folder / "report.html")
    manifest["files"] = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
    publish_night(settings.home, ring, manifest)
    remove_debris(settings.home)
    return manifest


def earlier_manifests(home: Path, as_of: date, most: int = 14) -> list[dict[str, Any]]:
    """The manifests of the nights before as_of, oldest first."""
    found: list[dict[str, Any]] = []
    day = as_of
    while len(found) < most:
        manifest = latest_before(home, day)
        if manifest is None:
            break
        found.append(dict(manifest))
        day = date.fromisoformat(manifest["as_of"])
    return found[::-1]


def remove_debris(home: Path) -> None:
    """Delete folders of nights that no manifest names: runs that were killed, and nights published again since."""
    nights = home / "nights"
    named = {json.loads(path.read_text(encoding="utf-8")).get("folder") for path in nights.glob("*.json")}
    for folder in nights.iterdir():
        if folder.is_dir() and folder.name not in named:
            shutil.rmtree(folder, ignore_errors=True)


def _view_tables(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """What the earlier stages left, read as far as somebody looks at it."""
    people, assessed = settings.work / "people", settings.work / "assess"
    for table in ("household", "record", "authorised", "unauthorised_household", "incomplete"):
        con.read_parquet(str(people / f"{table}.parquet")).create_view(table)
    for table in _ASSESSED.values():
        con.read_parquet(str(assessed / f"{table}.parquet")).create_view(table)


def _build_lists(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    ring: KeyRing,
    sources: dict[str, dict[str, Any]],
    summary: dict[str, Any],
    before: Manifest | None,
    suppressions: Suppressions | None,
    names: Future[pa.Array],
) -> dict[str, pa.Table]:
    """Both lists readable, and of the discrepancies those that are explained at the desk, if any explanation was read.

    names: of all records.
    """
    cipher = ring.cipher()
    before_cipher = ring.cipher(before["key_version"]) if before else None
    telling = telling_of(sources, before)
    con.register("rule_need", rule_needs(telling, summary["tax_comparable"]))
    build_table(con, "publish/household_lead")
    heads = heads_of(con, cipher)
    lists: dict[str, pa.Table] = {}
    for which, assessed in _ASSESSED.items():
        leads = read_leads(settings.work / "assess" / f"{assessed}.parquet", heads)
        old = previous_leads(settings.home, which, before, ring)
        states = compare_leads(con, which, leads, old)
        named = names_on(leads, names.result(), gone_leads(old, states, len(leads)), before_cipher)
        listed = list_leads(which, leads, named, states, old, telling, settings.as_of, cipher)
        if suppressions is not None and which == "discrepancies":
            nights = published_nights(settings.home)
            listed, lists["explained"] = part_explained(
                con, listed, suppressions, ring, settings.as_of, nights
            )
        lists[which] = listed
    rule_names = {code: rule.name for code, rule in telling.rules.items()}
    lists["newly_eligible"] = name_open_leads(lists["newly_eligible"], lists["discrepancies"], rule_names)
    return lists


def _quarantine(settings: Settings) -> pa.Table:
    parts = [
        pq.read_table(settings.work / "quarantine" / f"{source}.parquet")
        for source in all_contracts()
        if (settings.work / "quarantine" / f"{source}.parquet").exists()
    ]
    table = pa.concat_tables(parts)
    few = table.column("mask").combine_chunks().dictionary_encode()
    reasons = pa.array([reasons_of(mask) for mask in few.dictionary.to_pylist()], pa.string()).take(
        few.indices
    )
    table = table.drop_columns(["mask"]).append_column("reasons", reasons)
    return table.sort_by([("source", "ascending"), ("file", "ascending"), ("line", "ascending")])


def _inputs(sources: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    names = ("snapshot_date", "covers", "files", "unlisted")
    return {
        source: {name: result[name] for name in names}
        for source, result in sources.items()
        if result["state"] != "missing"
    }


def _count_states(table: pa.Table) -> dict[str, int]:
    found = {pair["values"]: pair["counts"] for pair in pc.value_counts(table.column("state")).to_pylist()}
    return {state: found.get(state, 0) for state in STATES}


def _list_summary(which: str, table: pa.Table) -> dict[str, Any]:
    numbers = pc.count_distinct(table.column("lead_no")).as_py()
    return {"list": which, **_count_states(table), "rows": len(table), "distinct_numbers": numbers}


def _status(
    settings: Settings,
    policy: PolicyAt,
    sources: dict[str, dict[str, Any]],
    linked: dict[str, dict[str, int]],
    summary: dict[str, Any],
    lists: dict[str, pa.Table],
    seal: str,
) -> dict[str, Any]:
    none = {"linked": 0, "duplicate": 0}
    return {
        "as_of": settings.as_of.isoformat(),
        "complete": all(result["state"] == "accepted" for result in sources.values()),
        "seal": seal,
        "sources": {
            source: {
                **{name: result[name] for name in ("state", "reason", "received", "accepted", "quarantined")},
                **linked.get(source, none),
                "unauthorised": result["unauthorised"],
            }
            for source, result in sources.items()
        },
        "lists": {
            "discrepancies": _count_states(lists["discrepancies"]),
            "newly_eligible": {**_count_states(lists["newly_eligible"]), "withheld": summary["withheld"]},
        },
        "policy": {
            "id": policy.id,
            "unconfirmed": sum(not entry["confirmed"] for entry in summary["policy_used"]),
            "gaps": summary["policy_gaps"],
        },
    }


def _details(
    policy: PolicyAt,
    sources: dict[str, dict[str, Any]],
    lists: dict[str, pa.Table],
    summary: dict[str, Any],
    gates: list[dict[str, Any]],
) -> dict[str, Any]:
    leads = [{"list": which, **entry} for which in _ASSESSED for entry in count_leads(lists[which])]
    entries = summary["policy_used"]
    return {
        **{name: summary[name] for name in ("replay",) if name in summary},
        "quarantine_reasons": {source: result["reasons"] for source, result in sources.items()},
        "codes": {source: result["codes"] for source, result in sources.items()},
        "held": {
            source: result["message"] for source, result in sources.items() if result["state"] != "accepted"
        },
        "unlisted": {source: result["unlisted"] for source, result in sources.items() if result["unlisted"]},
        "freshness": {
            source: {name: result[name] for name in ("snapshot_date", "age_days", "max_age_days")}
            for source, result in sources.items()
        },
        "leads": leads,
        "authorisation": {
            "used_without": summary["used_without_authorisation"],
            "dropped": {
                source: result["unauthorised"] for source, result in sources.items() if result["unauthorised"]
            },
        },
        "gates": gates,
        "policy": {
            "id": policy.id,
            "sha256": policy.digest(summary["rules"]),
            "used": entries,
            "unconfirmed": sum(not entry["confirmed"] for entry in entries),
            "gaps": summary["policy_gaps"],
            "silent": summary["rules_silent"],
        },
    }
