"""A published night of many leads in one county, drawn from a seed, for measuring the desk. Nobody in it exists."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.identity.idnumber import check_character, pack_blocks
from pipelines.identity.keyring import KeyRing
from pipelines.leads import SCHEMAS
from pipelines.manifest import publish_manifest

COUNTY, AS_OF = "440103", date(2026, 6, 30)
_TOWNSHIPS = 20
_SURNAMES = "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚桂英"
_RULES = {
    "discrepancies": ("A01", "I01", "A02", "I02", "D01", "X04", "P01", "B01", "H01"),
    "newly_eligible": ("N01", "N02", "N06", "U01", "N03"),
}
_PERSON_RULES = {"D01", "X04", "B01", "N03"}
# Leads of one household stand together, one to four of them.
_LEADS_PER_HOUSEHOLD = (1, 1, 1, 2, 2, 3, 4)


def publish_county(home: Path, ring: KeyRing, leads: int, seed: int = 7) -> date:
    """Publish a night with `leads` discrepancies and a tenth as many newly eligible; returns its day."""
    draw = np.random.default_rng(seed)
    folder = home / "nights" / f"{AS_OF}-bench"
    folder.mkdir(parents=True)
    tables = {name: schema.empty_table() for name, schema in SCHEMAS.items()} | {
        "discrepancies": _table(ring, "discrepancies", leads, draw),
        "newly_eligible": _table(ring, "newly_eligible", max(1, leads // 10), draw),
    }
    files = {}
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
        files[f"{name}.parquet"] = hashlib.sha256((folder / f"{name}.parquet").read_bytes()).hexdigest()
    _publish(home, ring, folder.name, files)
    return AS_OF


def _publish(home: Path, ring: KeyRing, folder: str, files: dict[str, str]) -> None:
    seal = hashlib.sha256("".join(files.values()).encode()).hexdigest()
    policy: dict[str, Any] = {"id": "bench", "unconfirmed": 0, "gaps": []}
    status = {
        "as_of": str(AS_OF),
        "complete": True,
        "seal": seal,
        "sources": {},
        "lists": {},
        "policy": policy,
    }
    details: dict[str, Any] = {
        "quarantine_reasons": {},
        "freshness": {},
        "leads": [],
        "authorisation": {},
        "gates": [],
        "policy": {},
    }
    manifest: Any = {
        "as_of": str(AS_OF),
        "run": "bench",
        "folder": folder,
        "published_at": f"{AS_OF}T20:00:00+00:00",
        "seal": seal,
        "key_version": ring.current,
        "previous": None,
        "files": files,
        "status": status,
        "inputs": {},
        "details": details,
    }
    publish_manifest(home, manifest)


def _table(ring: KeyRing, which: str, leads: int, draw: np.random.Generator) -> pa.Table:
    persons = _persons(ring, leads, draw)
    letter = "D" if which == "discrepancies" else "N"
    rows, household, left = [], 0, 0
    for at in range(leads):
        if not left:
            household, left = household + 1, int(draw.choice(_LEADS_PER_HOUSEHOLD))
            town, begun = f"{COUNTY}{household % _TOWNSHIPS:03d}", household
        rule = _RULES[which][(begun + left) % len(_RULES[which])]
        rows.append(
            _row(
                ring,
                which,
                f"{letter}-{at + 1:05d}",
                rule,
                f"{letter}{household:07d}",
                town,
                persons[at],
                draw,
            )
        )
        left -= 1
    return pa.Table.from_pylist(rows, SCHEMAS[which])


def _persons(ring: KeyRing, count: int, draw: np.random.Generator) -> list[bytes]:
    """Tokens of made-up numbers; 990101 is no division."""
    numbers = []
    for serial in range(count):
        born = date.fromordinal(
            int(draw.integers(date(1935, 1, 1).toordinal(), date(2020, 1, 1).toordinal()))
        )
        seventeen = f"990101{born:%Y%m%d}{serial % 1000:03d}"
        numbers.append(seventeen + check_character(seventeen))
    chars = np.frombuffer("".join(numbers).encode(), np.uint8).reshape(-1, 18)
    return [row.tobytes() for row in ring.cipher().tokens(pack_blocks(chars))]


def _row(
    ring: KeyRing,
    which: str,
    number: str,
    rule: str,
    household: str,
    town: str,
    person: bytes,
    draw: np.random.Generator,
) -> dict[str, Any]:
    name = _SURNAMES[draw.integers(20)] + _GIVEN[draw.integers(24)] + _GIVEN[draw.integers(24)]
    value = Decimal(int(draw.integers(1, 20_000_000))) / 100
    common = {
        "lead_no": f"{COUNTY}-{AS_OF:%Y%m%d}-{number}",
        "state": "new",
        "rule": rule,
        "county_code": COUNTY,
        "township_code": town,
        "household_id": household,
        "person": person,
        "name_sealed": ring.cipher().seal(name.encode(), person),
        "first_night": AS_OF,
        "is_person_rule": rule in _PERSON_RULES,
        "evidence": f"申报金融资产 1000.00 元；核对到 105100 活期 {value} 元（2026-06-28）",
        "basis": "社会救助暂行办法第九条",
    }
    if which == "discrepancies":
        return common | {
            "programme": "dibao",
            "value": value.quantize(Decimal("0.01")),
            "line": Decimal("31200.00"),
            "sources": "banks",
            "source_dates": "banks 2026-06-28",
            "clears": "①流水说明款项来历",
        }
    return common | {
        "members": int(draw.integers(1, 6)),
        "income": Decimal("600.00"),
        "income_line": Decimal("1300.00"),
        "assets": Decimal("100.00"),
        "asset_line": Decimal("31200.00"),
        "next_step": "上门告知政策",
    }
