"""Small published nights, written as the pipeline writes them: the manifest, the lists, tokens and sealed names."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.identity.idnumber import check_character, pack_blocks
from pipelines.identity.keyring import KeyRing
from pipelines.leads import SCHEMAS
from pipelines.manifest import publish_manifest

CENT = Decimal("0.01")
_ROSTER_COLUMNS = ("household_id", "county_code", "township_code", "programme", "area", "disability", "lacks")
_DECLARED = [(name, pa.decimal128(22, 2)) for name in ("declared_income", "declared_assets")]
ROSTER = pa.schema([*((name, pa.string()) for name in _ROSTER_COLUMNS), *_DECLARED])
# As nights wrote it before they told what was declared.
OLD_ROSTER = pa.schema([(name, pa.string()) for name in _ROSTER_COLUMNS])


def number(serial: int, born: int = 19500101) -> str:
    """A valid number of nobody: 990101 is no division."""
    seventeen = f"990101{born}{serial:03d}"
    return seventeen + check_character(seventeen)


def token(ring: KeyRing, id_number: str) -> bytes:
    chars = np.frombuffer(id_number.encode(), np.uint8).reshape(1, 18)
    return ring.cipher().tokens(pack_blocks(chars)).tobytes()


def lead(household: str, rule: str = "A01", **told) -> dict:
    """One row of a list; county and township follow from the household unless told."""
    return {"household": household, "rule": rule, "county": "440103", "town": "001", "state": "new"} | told


def publish(
    home: Path,
    ring: KeyRing,
    as_of: str,
    discrepancies=(),
    newly=(),
    run: str = "r1",
    first: str | None = None,
    roster=None,
    schema=ROSTER,
) -> date:
    """Publish a night with these rows; returns its day. roster: rows of `household`, None for a night without one."""
    folder = home / "nights" / f"{as_of}-{run}"
    folder.mkdir(parents=True)
    files = {}
    tables = {
        "discrepancies": _table(ring, "discrepancies", "D", as_of, first or as_of, discrepancies),
        "newly_eligible": _table(ring, "newly_eligible", "N", as_of, first or as_of, newly),
        "quarantine": pa.table({"source": [], "file": [], "line": pa.array([], pa.int64()), "reasons": []}),
    }
    if roster is not None:
        tables["roster"] = pa.Table.from_pylist(list(roster), schema)
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
        files[f"{name}.parquet"] = hashlib.sha256((folder / f"{name}.parquet").read_bytes()).hexdigest()
    seal = hashlib.sha256("".join(files.values()).encode()).hexdigest()
    status = {
        "as_of": as_of,
        "complete": True,
        "seal": seal,
        "sources": {},
        "lists": {},
        "policy": {"id": "t", "unconfirmed": 0, "gaps": []},
    }
    publish_manifest(
        home,
        {
            "as_of": as_of, "run": run, "folder": folder.name, "published_at": f"{as_of}T20:00:00+00:00", "seal": seal,
            "key_version": ring.current, "previous": None, "files": files, "status": status, "inputs": {},
            "details": {"quarantine_reasons": {}, "freshness": {}, "leads": [], "authorisation": {}, "gates": [], "policy": {}},
        },
    )  # fmt: skip
    return date.fromisoformat(as_of)


def household(number: str, **told) -> dict:
    """One row of the roster beside the lists."""
    county, town = told.pop("county", "440103"), told.pop("town", "001")
    usual = {"programme": "dibao", "area": "urban", "disability": "none", "lacks": ""}
    declared = {
        name: Decimal(told.pop(name, usual)).quantize(CENT)
        for name, usual in (("declared_income", "800"), ("declared_assets", "1000"))
    }
    place = {"household_id": number, "county_code": county, "township_code": county + town}
    return place | usual | declared | told


def _table(ring: KeyRing, which: str, letter: str, as_of: str, first: str, rows) -> pa.Table:
    told = [_row(ring, which, letter, row.get("first", first), at, row) for at, row in enumerate(rows, 1)]
    return pa.Table.from_pylist(told, SCHEMAS[which])


def _row(ring: KeyRing, which: str, letter: str, first: str, at: int, row: dict) -> dict:
    person = token(ring, row["id"]) if row.get("id") else None
    name = row.get("name", "测试甲")
    county = row["county"]

    def amount(key, default):
        value = row.get(key, default)
        return None if value is None else Decimal(str(value)).quantize(CENT)

    common = {
        "lead_no": row.get("no") or f"{county}-{first.replace('-', '')}-{letter}-{at:05d}",
        "state": row["state"],
        "rule": row["rule"],
        "county_code": county,
        "township_code": row.get("township") or county + row["town"],
        "household_id": row["household"],
        "person": person,
        "name_sealed": ring.cipher().seal(name.encode(), person or b"") if name else None,
        "evidence": row.get(
            "evidence", "申报金融资产 1000.00 元；核对到 105100 活期 60000.00 元（2026-06-28）"
        ),
        "basis": row.get("basis", "社会救助暂行办法第九条"),
        "first_night": date.fromisoformat(first),
        "is_person_rule": row["rule"]
        in ("D01", "D02", "D03", "B01", "B02", "S01", "X01", "X02", "X03", "X04", "N03", "U02"),
    }
    if which == "discrepancies":
        return common | {
            "programme": row.get("programme", "dibao"), "value": amount("value", 60000), "line": amount("line", 31200),
            "sources": "banks", "source_dates": "banks 2026-06-28", "clears": "①流水说明款项来历",
        }  # fmt: skip
    return common | {
        "members": row.get("members", 2), "income": amount("value", 600), "income_line": amount("line", 1300),
        "assets": amount("assets", 100), "asset_line": amount("asset_line", 31200), "next_step": "上门告知政策",
    }  # fmt: skip
