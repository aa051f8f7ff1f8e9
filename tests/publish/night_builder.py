"""Small published nights made by hand: the Parquet files of docs/architecture.md and their manifest."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.identity.idnumber import normalise_ids, pack_blocks
from pipelines.lists import seal_inputs, seal_of, to_readable
from pipelines.manifest import publish_night

AS_OF = date(2026, 6, 30)
SOURCES = [
    "roster",
    "tax",
    "market_regulation",
    "banks",
    "securities",
    "insurance",
    "household_registration",
    "rural_revitalisation",
]
_MONEY = pa.decimal128(18, 2)

DISCREPANCY = {
    "lead_no": "440103-20260630-D-00001",
    "state": "new",
    "rule": "A01",
    "county_code": "440103",
    "township_code": "440103001",
    "household_id": "H1",
    "programme": "dibao",
    "id": "440103199001010011",
    "name": "张三",
    "value": "52000.50",
    "line": "31200.00",
    "sources": "银行",
    "source_dates": "2026-06-29",
    "evidence": "存款合计 52000.50 元",
    "basis": "办法第九条",
    "clears": "提供支取凭证",
    "first_night": AS_OF,
    "is_person_rule": False,
}
NEWLY = {
    "lead_no": "440103-20260630-N-00001",
    "state": "continuing",
    "rule": "N01",
    "county_code": "440103",
    "township_code": "440103002",
    "household_id": "M1",
    "id": "44010319850505002X",
    "name": "李四",
    "members": 3,
    "income": "612.33",
    "income_line": "1300.00",
    "assets": "800.00",
    "asset_line": None,
    "evidence": "收入低于标准",
    "basis": "办法第四条",
    "next_step": "联系申请",
    "first_night": AS_OF,
    "is_person_rule": False,
}
QUARANTINE = {
    "source": "banks",
    "file": "105100-1.csv",
    "line": 17,
    "reasons": "money_unparseable;code_unknown",
}


def seal_people(rows, cipher):
    """Rows with id and name as columns person (tokens) and name_sealed."""
    numbers = [row["id"] for row in rows if row["id"]]
    blocks = pack_blocks(normalise_ids(pa.array(numbers, pa.binary()), "utf-8").chars)
    tokens = iter(cipher.tokens(blocks) if numbers else np.empty((0, 16), np.uint8))
    persons = [next(tokens).tobytes() if row["id"] else None for row in rows]
    names = [None if row["name"] is None else row["name"].encode() for row in rows]
    return persons, cipher.seal_column(names, [person or b"" for person in persons])


def _money(values):
    return pa.array([None if value is None else Decimal(value) for value in values], _MONEY)


def leads_table(rows, model, cipher):
    """Rows (dicts over the model row) as the Parquet columns of their list."""
    rows = [model | row for row in rows]
    persons, names = seal_people(rows, cipher)
    columns = {}
    for key in model:
        if key == "id":
            columns["person"] = pa.array(persons, pa.binary())
        elif key == "name":
            columns["name_sealed"] = pa.array(names, pa.binary())
        elif key in ("value", "line", "income", "income_line", "assets", "asset_line"):
            columns[key] = _money([row[key] for row in rows])
        else:
            kind = {"members": pa.int32(), "first_night": pa.date32(), "is_person_rule": pa.bool_()}
            columns[key] = pa.array([row[key] for row in rows], kind.get(key, pa.string()))
    return pa.table(columns)


def quarantine_table(rows):
    schema = pa.schema(
        {"source": pa.string(), "file": pa.string(), "line": pa.int64(), "reasons": pa.string()}
    )
    return pa.Table.from_pylist([QUARANTINE | row for row in rows], schema)


def source_inputs():
    file = {"name": "105100-1.csv", "sha256": "a" * 64, "rows": 3}
    full = {"snapshot_date": "2026-06-29", "covers": None, "files": [file], "unlisted": []}
    return {source: dict(full) for source in SOURCES}


def manifest_of(as_of, run, files, seal, key_version):
    counts = {
        "state": "accepted",
        "reason": None,
        "received": 3,
        "accepted": 2,
        "quarantined": 1,
        "linked": 1,
        "duplicate": 0,
        "unauthorised": 0,
    }
    states = {"new": 1, "continuing": 0, "changed": 0, "cleared": 0, "unverified": 0}
    return {
        "as_of": as_of.isoformat(),
        "run": run,
        "folder": f"{as_of}-{run}",
        "published_at": "2026-07-01T01:00:00+08:00",
        "seal": seal,
        "key_version": key_version,
        "previous": None,
        "files": files,
        "status": {
            "as_of": as_of.isoformat(),
            "complete": True,
            "seal": seal,
            "sources": {source: dict(counts) for source in SOURCES},
            "lists": {"discrepancies": states, "newly_eligible": states | {"withheld": 0}},
            "policy": {"id": "guangdong-2026", "unconfirmed": 0, "gaps": []},
        },
        "inputs": source_inputs(),
        "details": {
            "policy": {"id": "guangdong-2026", "sha256": "b" * 64, "used": [], "unconfirmed": 0, "gaps": []}
        },
    }


def write_night(home, ring, discrepancies=(), newly=(), quarantine=(), as_of=AS_OF, run="1"):
    """The night's files and its manifest, not yet published."""
    cipher = ring.cipher()
    tables = {
        "discrepancies.parquet": leads_table(discrepancies, DISCREPANCY, cipher),
        "newly_eligible.parquet": leads_table(newly, NEWLY, cipher),
        "quarantine.parquet": quarantine_table(quarantine),
    }
    folder = home / "nights" / f"{as_of}-{run}"
    folder.mkdir(parents=True)
    for name, table in tables.items():
        pq.write_table(table, folder / name)
    (folder / "report.html").write_text("<html>", "utf-8")
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
    readable = [to_readable(table, cipher) for table in tables.values()]
    blank = manifest_of(as_of, run, files, "", ring.current)
    seal = seal_of(seal_inputs(blank["status"]["sources"], blank["inputs"]), "b" * 64, *readable)
    return manifest_of(as_of, run, files, seal, ring.current)


def publish(home, ring, **rows):
    """A night published as the publisher does it. Returns its manifest."""
    manifest = write_night(home, ring, **rows)
    publish_night(home, ring, manifest)
    return manifest
