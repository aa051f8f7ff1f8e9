"""Publish a night: compare it with the one before, write both lists, and put the manifest in place in one step."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from connectors.registry import all_contracts, authorised_sources, evidence_sources
from pipelines.assess import PROGRAMMES
from pipelines.durable import sha256_of
from pipelines.explained import ADDED, explained_details, part_explained
from pipelines.identity.cipher import Tokeniser
from pipelines.identity.idnumber import unpack_blocks
from pipelines.identity.keyring import KeyRing
from pipelines.identity.tokens import join_halves, token_halves
from pipelines.intake.batch import reasons_of
from pipelines.intake.sealed_names import open_names
from pipelines.lists import ROSTER_FILE, ListName, read_published, seal_inputs, seal_of, to_readable
from pipelines.manifest import Manifest, latest_before, publish_night, published_nights
from pipelines.report import write_report
from pipelines.roster_extract import extract_roster
from pipelines.settings import Settings
from pipelines.suppressions import Suppressions, read_suppressions
from pipelines.warehouse import build_table, insert_arrow, load_table, open_warehouse, query_arrow
from policy.codes import Codes, load_codes
from policy.model import PolicyAt
from policy.rules import Rule, load_rules

STATES = ("new", "continuing", "changed", "cleared", "unverified")
_PRESENT = ("new", "continuing", "changed", "unverified")
_LETTERS = {"discrepancies": "D", "newly_eligible": "N"}
_LIST_NAMES: dict[str, ListName] = {"discrepancies": "discrepancies", "newly_eligible": "newly-eligible"}
_CENTS = pa.decimal128(38, 2)

COMMON = [
    ("lead_no", pa.string()),
    ("state", pa.string()),
    ("rule", pa.string()),
    ("county_code", pa.string()),
    ("township_code", pa.string()),
    ("household_id", pa.string()),
]
SCHEMAS = {
    "discrepancies": pa.schema(
        [
            *COMMON,
            ("programme", pa.string()),
            ("person", pa.binary(16)),
            ("name_sealed", pa.binary()),
            ("value", _CENTS),
            ("line", _CENTS),
            ("sources", pa.string()),
            ("source_dates", pa.string()),
            ("evidence", pa.string()),
            ("basis", pa.string()),
            ("clears", pa.string()),
            ("first_night", pa.date32()),
            ("is_person_rule", pa.bool_()),
        ]
    ),
    "newly_eligible": pa.schema(
        [
            *COMMON,
            ("person", pa.binary(16)),
            ("name_sealed", pa.binary()),
            ("members", pa.int32()),
            ("income", _CENTS),
            ("income_line", _CENTS),
            ("assets", _CENTS),
            ("asset_line", _CENTS),
            ("evidence", pa.string()),
            ("basis", pa.string()),
            ("next_step", pa.string()),
            ("first_night", pa.date32()),
            ("is_person_rule", pa.bool_()),
        ]
    ),
}
SCHEMAS["explained"] = pa.schema([*SCHEMAS["discrepancies"], *ADDED])
# Money columns of each list and the assessed columns they show.
_MONEY = {
    "discrepancies": {"value": "value_cents", "line": "line_cents"},
    "newly_eligible": {
        "income": "value_cents",
        "income_line": "line_cents",
        "assets": "assets_cents",
        "asset_line": "asset_line_cents",
    },
}


class People:
    """Readable numbers and names of the few records that stand on a list; only ever in memory."""

    def __init__(self, con: duckdb.DuckDBPyConnection, folder: Path, cipher: Tokeniser) -> None:
        self._con = con
        self._names = open_names(folder / "names.sealed", cipher)
        self._cipher = cipher

    def name(self, records: pa.Array) -> pa.Array:
        return self._names.take(pc.subtract(records.cast(pa.int64()), 1))

    def heads(self) -> pa.Table:
        """household, record, hi, lo of the person whose name household leads carry (spec section 5)."""
        members = query_arrow(
            self._con,
            """
            select r.household, r.record, r.hi, r.lo,
                r.relation = '01' and count(*) filter (r.relation = '01') over (partition by r.household) = 1
                    as is_head,
                count(*) filter (r.relation = '01') over (partition by r.household) = 1 as has_head
            from record as r
            where r.role = 'member' and r.household in (select household from household_lead)
            """,
        )
        headed = members.filter(members.column("is_head"))
        others = members.filter(pc.invert(members.column("has_head")))
        numbers = open_numbers(others, self._cipher)
        others = others.append_column("number", numbers).sort_by(
            [("household", "ascending"), ("number", "ascending")]
        )
        households = others.column("household").to_numpy()
        first = np.ones(len(households), bool)
        first[1:] = households[1:] != households[:-1]
        names = ["household", "record", "hi", "lo"]
        return pa.concat_tables([headed.select(names), others.filter(pa.array(first)).select(names)])


def tokens_of(table: pa.Table) -> NDArray[np.uint8]:
    """(n, 16) tokens from columns hi and lo; nulls become zeros."""
    halves = (pc.fill_null(table.column(name), 0).to_numpy().astype(np.uint64) for name in ("hi", "lo"))
    return join_halves(*halves)


def open_numbers(table: pa.Table, cipher: Tokeniser) -> pa.Array:
    """Readable numbers of the tokens in hi and lo; empty where they are null."""
    known = np.asarray(pc.is_valid(table.column("hi")))
    tokens = tokens_of(table)[known]
    opened = (
        unpack_blocks(cipher.open_tokens(np.ascontiguousarray(tokens)))
        if len(tokens)
        else pa.array([], pa.string())
    )
    places = np.full(len(known), -1)
    places[known] = np.arange(known.sum())
    return pc.fill_null(opened.take(pa.array(places, mask=~known)), "")


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
        with open_warehouse(settings.work / "publish.building") as con, ThreadPoolExecutor(1) as beside:
            suppressions = read_suppressions(settings.home, ring)
            _load_tables(con, settings)
            # The lists are the interpreter's work and these two are not: together they take as long as the lists.
            comparable = summary["tax_comparable"]
            extracted = beside.submit(
                extract_roster, con.cursor(), settings.work / "people", sources, comparable
            )
            quarantined = beside.submit(_quarantine, settings)
            lists, explained = _build_lists(
                con, settings, cipher, ring, sources, summary, before, suppressions
            )
            roster, quarantine = extracted.result(), quarantined.result()
            tables = {**lists, "quarantine": quarantine}
            if explained is not None:
                tables["explained"] = explained
            written = beside.submit(_write_files, folder, tables, roster)
            readable = {name: to_readable(table, cipher) for name, table in tables.items()}
            written.result()
        inputs = _inputs(sources)
        seal = seal_of(
            seal_inputs(sources, inputs),
            policy.digest(summary["rules"]),
            readable["discrepancies"],
            readable["newly_eligible"],
            readable["quarantine"],
            readable.get("explained"),
        )
        outcomes = gates([_list_summary(name, lists[name]) for name in lists])
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
        if suppressions is not None and explained is not None:
            manifest["details"]["explained"] = explained_details(suppressions, explained)
        return _finish(settings, ring, manifest, folder)
    except BaseException:
        remove_debris(settings.home)  # only what no manifest names: the night may already be in place
        raise
    finally:
        shutil.rmtree(settings.work / "publish.building", ignore_errors=True)


def _write_files(folder: Path, tables: dict[str, pa.Table], roster: pa.Table) -> None:
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
    pq.write_table(roster, folder / ROSTER_FILE, compression="zstd")


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


def _load_tables(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    people, assessed = settings.work / "people", settings.work / "assess"
    con.read_parquet(str(people / "record.parquet")).create_view(
        "record"
    )  # of which few columns are looked at
    for table in ("authorised", "unauthorised_household", "incomplete"):
        load_table(con, table, [people / f"{table}.parquet"])
    for table in ("discrepancy", "newly_eligible"):
        load_table(con, table, [assessed / f"{table}.parquet"])


def _build_lists(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    cipher: Tokeniser,
    ring: KeyRing,
    sources: dict[str, dict[str, Any]],
    summary: dict[str, Any],
    before: Manifest | None,
    suppressions: Suppressions | None,
) -> tuple[dict[str, pa.Table], pa.Table | None]:
    """Both lists, and of the discrepancies those that are explained at the desk; None without explanations."""
    con.execute(
        """
        create or replace table household_lead as
        select distinct household from discrepancy where record is null
        union select distinct household from newly_eligible where record is null
        """
    )
    people = People(con, settings.work / "people", cipher)
    heads = people.heads()
    insert_arrow(con, "head", heads)
    rules = load_rules()
    known_before = set(before["status"]["sources"]) if before else set()
    asked = {code: _asked_sources(rule, known_before | set(sources)) for code, rule in rules.items()}
    insert_arrow(con, "rule_need", _rule_needs(rules, asked, sources, summary))
    lists: dict[str, pa.Table] = {}
    explained: pa.Table | None = None
    for which, assessed_table in (("discrepancies", "discrepancy"), ("newly_eligible", "newly_eligible")):
        old = _previous(settings.home, which, before, ring)
        old_hi, old_lo = token_halves(_retoken(old, cipher))
        fresh, states = _compare(con, which, assessed_table, old, old_hi, old_lo)
        shown = _shown_columns(which, fresh, people, cipher, rules, asked, sources)
        carried = _carried_columns(old, old_hi, old_lo, cipher)
        merged = _merge(which, states, shown, carried, settings.as_of)
        listed = _number(which, merged, settings.as_of)
        if suppressions is not None and which == "discrepancies":
            nights = published_nights(settings.home)
            listed, apart = part_explained(con, listed, suppressions, ring, settings.as_of, nights)
            explained = _seal_rows("explained", apart, cipher)
        lists[which] = _seal_rows(which, listed, cipher)
    lists["newly_eligible"] = _name_open_leads(lists["newly_eligible"], lists["discrepancies"], rules)
    return lists, explained


def _asked_sources(rule: Rule, connected: set[str]) -> tuple[str, ...]:
    """The sources a rule needs, and those it asks besides that are connected: tonight, or the night before."""
    besides = [
        source
        for source in evidence_sources()
        if source in connected and (source in rule.connected or "*" in rule.connected)
    ]
    return (*rule.needs, *(source for source in besides if source not in rule.needs))


def _rule_needs(
    rules: dict[str, Rule],
    asked: dict[str, tuple[str, ...]],
    sources: dict[str, dict[str, Any]],
    summary: dict[str, Any],
) -> pa.Table:
    """Per rule: whether a source it needs is not usable tonight, and which authorisations it needs."""
    scopes = authorised_sources()
    rows = []
    for rule in rules.values():
        needs = set(asked[rule.code])
        rows.append(
            {
                "rule": rule.code,
                "is_person_rule": rule.person,
                "is_partial": rule.partial,
                "household_list": "monitored" if rule.code.startswith("N") else "roster",
                "is_held": any(_state_of(sources, source) != "accepted" for source in needs),
                "is_not_comparable": "tax" in needs and not summary["tax_comparable"],
                "scopes": sum(1 << place for place, source in enumerate(scopes) if source in needs),
            }
        )
    table = pa.Table.from_pylist(rows)
    return table.set_column(
        table.column_names.index("scopes"), "scopes", table.column("scopes").cast(pa.uint64())
    )


def _state_of(sources: dict[str, dict[str, Any]], source: str) -> str:
    """A source that nobody expects stands in no night it delivered nothing for: what needs it cannot be verified."""
    return str(sources[source]["state"]) if source in sources else "missing"


def _compare(
    con: duckdb.DuckDBPyConnection,
    which: str,
    assessed: str,
    old: pa.Table,
    old_hi: NDArray[np.uint64],
    old_lo: NDArray[np.uint64],
) -> tuple[pa.Table, pa.Table]:
    """Tonight's leads with the person they name, and the state of every lead of tonight and of the night before.

    old_hi, old_lo: the earlier leads' tokens under tonight's key.
    """
    person_rule = old.column("is_person_rule").to_numpy(zero_copy_only=False).astype(bool)
    cents = _rescale(old.column(next(iter(_MONEY[which]))), pa.decimal128(38, 0))
    insert_arrow(
        con,
        "before",
        pa.table(
            {
                "before": np.arange(len(old)),
                "rule": old.column("rule"),
                "household_id": old.column("household_id"),
                "hi": pa.array(old_hi, mask=~person_rule),
                "lo": pa.array(old_lo, mask=~person_rule),
                "value_cents": cents,
            }
        ),
    )
    con.execute(
        f"""
        create or replace table numbered as
        select *, row_number() over (order by rule, household, record) - 1 as tonight from {assessed}
        """
    )
    con.execute(
        "create or replace table tonight as select tonight, rule, household_id, hi, lo, value_cents from numbered"
    )
    build_table(con, "publish/lead_state")
    states = query_arrow(con, "select tonight, before, state, keeps_value from lead_state")
    fresh = query_arrow(
        con,
        """
        select n.* exclude (record, hi, lo),
            coalesce(n.record, h.record) as record, coalesce(n.hi, h.hi) as hi, coalesce(n.lo, h.lo) as lo
        from numbered as n
        left join head as h on h.household = n.household and n.record is null
        order by tonight
        """,
    )
    return fresh, states


def _previous(home: Path, which: str, before: Manifest | None, ring: KeyRing) -> pa.Table:
    """The leads that were present on the list of the night before, with readable names instead of sealed ones."""
    if before is None:
        table = SCHEMAS[which].empty_table()
        names: list[str | None] = []
    else:
        table = read_published(home, before, _LIST_NAMES[which])
        if which == "discrepancies" and "explained.parquet" in before["files"]:
            apart = read_published(home, before, "explained").select(table.column_names)
            table = pa.concat_tables([table, apart])
        table = table.filter(pc.is_in(table.column("state"), pa.array(_PRESENT)))
        cipher = ring.cipher(before["key_version"])
        contexts = [person or b"" for person in table.column("person").to_pylist()]
        opened = cipher.unseal_column(table.column("name_sealed").to_pylist(), contexts)
        names = [None if name is None else name.decode("utf-8") for name in opened]
        blocks = cipher.open_tokens(_tokens_column(table))
        table = table.append_column("block", pa.array([bytes(block) for block in blocks], pa.binary(16)))
    if "block" not in table.column_names:
        table = table.append_column("block", pa.array([], pa.binary(16)))
    return table.append_column("name", pa.array(names, pa.string()))


def _tokens_column(table: pa.Table) -> NDArray[np.uint8]:
    raw = b"".join(person or bytes(16) for person in table.column("person").to_pylist())
    return np.frombuffer(raw, np.uint8).reshape(-1, 16).copy()


def _retoken(old: pa.Table, cipher: Tokeniser) -> NDArray[np.uint8]:
    """Tokens of the night before under tonight's key."""
    raw = b"".join(old.column("block").to_pylist())
    return (
        cipher.tokens(np.frombuffer(raw, np.uint8).reshape(-1, 16).copy())
        if raw
        else np.zeros((0, 16), np.uint8)
    )


def _shown_columns(
    which: str,
    fresh: pa.Table,
    people: People,
    cipher: Tokeniser,
    rules: dict[str, Rule],
    asked: dict[str, tuple[str, ...]],
    sources: dict[str, dict[str, Any]],
) -> pa.Table:
    """Tonight's leads with the list's columns, readable; texts that depend on the rule alone are looked up once."""
    rule_codes = fresh.column("rule").combine_chunks()
    columns: dict[str, Any] = {
        name: fresh.column(name)
        for name in ("rule", "county_code", "township_code", "household_id", "evidence", "is_person_rule")
    }
    programmes = pa.array(list(PROGRAMMES.values())).take(
        pc.index_in(fresh.column("programme"), pa.array(list(PROGRAMMES)))
    )
    columns["programme"] = programmes
    columns["number"] = open_numbers(fresh, cipher)
    columns["hi"], columns["lo"] = fresh.column("hi"), fresh.column("lo")
    columns["name"] = people.name(fresh.column("record").combine_chunks())
    for name, cents in _MONEY[which].items():
        columns[name] = _as_money(fresh.column(cents))
    if which == "newly_eligible":
        columns["members"] = fresh.column("members").cast(pa.int32())
        columns["next_step"] = _by_rule(rule_codes, {code: rule.next_step for code, rule in rules.items()})
    else:
        columns["clears"] = _by_rule(rule_codes, {code: rule.clears for code, rule in rules.items()})
        codes = load_codes()
        names = {one: contract.title for one, contract in all_contracts().items()} | dict(codes.sources.names)
        columns["sources"] = _by_rule(
            rule_codes,
            {code: "、".join(names.get(one, one) for one in needed) for code, needed in asked.items()},
        )
        dates = {
            code: "；".join(f"{names.get(one, one)} {_date_or_state(codes, sources, one)}" for one in needed)
            for code, needed in asked.items()
        }
        columns["source_dates"] = _by_rule(rule_codes, dates)
    columns["basis"] = _by_rule(rule_codes, {code: rule.basis for code, rule in rules.items()})
    return pa.table(columns)


def _date_or_state(codes: Codes, sources: dict[str, dict[str, Any]], source: str) -> str:
    known = sources[source]["snapshot_date"] if source in sources else None
    return known or codes.source_states.name(_state_of(sources, source))


def _by_rule(rule_codes: pa.Array, texts: dict[str, str]) -> pa.Array:
    keys = pa.array(list(texts))
    return pa.array(list(texts.values()), pa.string()).take(pc.index_in(rule_codes, keys))


def _as_money(cents: pa.ChunkedArray) -> pa.Array:
    """Whole hundredths as decimals with two places."""
    return _rescale(cents.cast(pa.decimal128(38, 0)), _CENTS)


def _rescale(values: pa.ChunkedArray, type_: pa.DataType) -> pa.Array:
    """The same digits under another scale: 123456 hundredths are 1234.56 and back."""
    whole = values.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], values.type)
    return pa.Array.from_buffers(type_, len(whole), whole.buffers(), offset=whole.offset)


def _carried_columns(
    old: pa.Table, hi: NDArray[np.uint64], lo: NDArray[np.uint64], cipher: Tokeniser
) -> pa.Table:
    known = np.asarray(pc.is_valid(old.column("person")))
    table = old.append_column("hi", pa.array(hi, mask=~known)).append_column("lo", pa.array(lo, mask=~known))
    return table.append_column("number", open_numbers(table, cipher))


def _merge(which: str, states: pa.Table, shown: pa.Table, carried: pa.Table, as_of: date) -> pa.Table:
    """One row per lead: tonight's where there is one, otherwise the one carried over."""
    schema = [
        name
        for name in SCHEMAS[which].names
        if name not in ("state", "person", "name_sealed", "lead_no", "first_night")
    ]
    names = [*schema, "number", "name", "hi", "lo"]
    count = len(shown)
    everything = pa.concat_tables([shown.select(names), carried.select(names)], promote_options="permissive")
    tonight, before = states.column("tonight"), states.column("before")
    rows = pc.coalesce(tonight, pc.add(before, count))
    table = everything.take(rows)
    earlier = carried.take(before)
    table = table.append_column("state", states.column("state"))
    table = table.append_column("lead_no", earlier.column("lead_no"))
    table = table.append_column("first_night", pc.fill_null(earlier.column("first_night"), pa.scalar(as_of)))
    value = next(iter(_MONEY[which]))
    kept = pc.if_else(states.column("keeps_value"), earlier.column(value), table.column(value))
    return table.set_column(table.column_names.index(value), value, kept)


def _number(which: str, table: pa.Table, as_of: date) -> pa.Table:
    """Sort into list order and number the new leads of each county (spec section 5)."""
    table = table.sort_by([(name, "ascending") for name in ("county_code", "household_id", "rule", "number")])
    numbers: list[str | None] = table.column("lead_no").to_pylist()
    running: dict[str, int] = {}
    for row, (known, county) in enumerate(zip(numbers, table.column("county_code").to_pylist(), strict=True)):
        if known is None:
            running[county] = running.get(county, 0) + 1
            numbers[row] = f"{county}-{as_of:%Y%m%d}-{_LETTERS[which]}-{running[county]:05d}"
    return table.set_column(table.column_names.index("lead_no"), "lead_no", pa.array(numbers, pa.string()))


def _seal_rows(which: str, table: pa.Table, cipher: Tokeniser) -> pa.Table:
    known = np.asarray(pc.is_valid(table.column("hi")))
    persons = [
        bytes(token) if is_known else None for token, is_known in zip(tokens_of(table), known, strict=True)
    ]
    names = [None if name is None else name.encode("utf-8") for name in table.column("name").to_pylist()]
    sealed = cipher.seal_column(names, [person or b"" for person in persons])
    table = table.append_column("person", pa.array(persons, pa.binary(16)))
    table = table.append_column("name_sealed", pa.array(sealed, pa.binary()))
    return table.select(SCHEMAS[which].names).cast(SCHEMAS[which])


def _name_open_leads(eligible: pa.Table, discrepancies: pa.Table, rules: dict[str, Rule]) -> pa.Table:
    """Add each roster household's open X, D and H leads to the evidence, so that nobody decides past them."""
    is_open = pc.and_(
        pc.is_in(discrepancies.column("state"), pa.array(_PRESENT)),
        pc.match_substring_regex(discrepancies.column("rule"), "^[XDH]"),
    )
    leads: dict[str, set[str]] = {}
    chosen = discrepancies.filter(is_open)
    for household, rule in zip(
        chosen.column("household_id").to_pylist(), chosen.column("rule").to_pylist(), strict=True
    ):
        leads.setdefault(household, set()).add(rule)
    evidence = eligible.column("evidence").to_pylist()
    for row, (household, rule) in enumerate(
        zip(eligible.column("household_id").to_pylist(), eligible.column("rule").to_pylist(), strict=True)
    ):
        told = evidence[row].split("该家庭另有未结线索：")[0]
        if rule.startswith("U") and household in leads:
            told += (
                "该家庭另有未结线索："
                + "、".join(f"{one}{rules[one].name}" for one in sorted(leads[household]))
                + "。"
            )
        evidence[row] = told
    return eligible.set_column(
        eligible.column_names.index("evidence"), "evidence", pa.array(evidence, pa.string())
    )


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
    leads = []
    for which, table in lists.items():
        groups = table.group_by(["county_code", "rule", "state"]).aggregate([([], "count_all")])
        groups = groups.sort_by([(name, "ascending") for name in ("county_code", "rule", "state")])
        for row in groups.to_pylist():
            leads.append(
                {
                    "list": which,
                    **{name: row[name] for name in ("county_code", "rule", "state")},
                    "count": row["count_all"],
                }
            )
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
