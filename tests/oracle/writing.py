"""From rows to files in the sources' exact formats, with receipts that tell the truth (or do not)."""

from __future__ import annotations

import hashlib
import io
import json
import random
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl

from .builder import LAYOUT, Builder, Record

SOURCE_OF = {"households": "roster", "members": "roster", "authorisations": "roster"}
BOM = b"\xef\xbb\xbf"
EMPTY_FILES = {
    "households": "households.csv", "members": "members.csv", "authorisations": "authorisations.csv",
    "tax": "income-1.csv", "market_regulation": "interests-44.csv", "banks": "105100-1.csv",
    "securities": "holdings-1.jsonl", "insurance": "policies-1.json", "household_registration": "persons-4401.txt",
    "rural_revitalisation": "440103.xlsx",
}  # fmt: skip


def _csv_field(text: str, quoted: bool) -> str:
    if quoted or "," in text or text.startswith('"'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _join(lines: list[bytes], end: bytes, rng: random.Random, blank: tuple[bytes, ...]) -> bytes:
    """Blank lines are no records; the last line may go without its end."""
    out: list[bytes] = []
    for at, line in enumerate(lines):
        if at > 0 and rng.random() < 0.03:
            out.append(rng.choice(blank))
        out.append(line)
    return end.join(out) + (end if rng.random() < 0.8 else b"")


def _csv(table: str, records: list[Record], rng: random.Random) -> bytes:
    encoding = "gb18030" if table in ("banks", "market_regulation") else "utf-8"
    headers = [c.header for c in LAYOUT[table]]
    quoted = rng.random() < 0.2
    lines = [",".join(_csv_field(h, quoted) for h in headers).encode(encoding)]
    for record in records:
        cells = [str(record.cells.get(h) or "") for h in headers]
        line = ",".join(_csv_field(c, record.quoted) for c in cells)
        lines.append(record.raw if record.raw is not None else line.encode(encoding))
    bom = BOM if encoding == "utf-8" and rng.random() < 0.3 else b""
    return bom + _join(lines, rng.choice([b"\n", b"\r\n"]), rng, (b"", b"  "))


def _pipes(table: str, records: list[Record], rng: random.Random) -> bytes:
    headers = [c.header for c in LAYOUT[table]]
    lines = ["|".join(headers).encode("gb18030")]
    for record in records:
        line = "|".join(str(record.cells.get(h) or "") for h in headers).encode("gb18030")
        lines.append(record.raw if record.raw is not None else line)
    return _join(lines, b"\r\n", rng, (b"",))


def _json_object(record: Record) -> bytes:
    if record.raw is not None:
        return record.raw
    parts = []
    for key, value in record.cells.items():
        if value == "" and hash_of(record) % 2:
            continue  # an absent key is an empty value
        shown = (
            _json_number(value)
            if isinstance(value, Decimal)
            else json.dumps(value, ensure_ascii=hash_of(record) % 3 == 0)
        )
        parts.append(f'"{key}": {shown}')
    return ("{" + ", ".join(parts) + "}").encode()


def _json_number(value: Decimal) -> str:
    """A JSON number may have an exponent; a text would not be allowed to."""
    return f"{value.normalize():E}" if int(value) % 3 == 1 else f"{value:f}"


def hash_of(record: Record) -> int:
    return sum(str(record.cells).encode())


def _jsonl(table: str, records: list[Record], rng: random.Random) -> bytes:
    bom = BOM if rng.random() < 0.3 else b""
    return bom + _join([_json_object(r) for r in records] or [b""], rng.choice([b"\n", b"\r\n"]), rng, (b"",))


def _json(table: str, records: list[Record], rng: random.Random) -> bytes:
    body = b'{"policies": [' + b",\n".join(_json_object(r) for r in records) + b"]}"
    return (BOM if rng.random() < 0.3 else b"") + body


def _workbook(table: str, records: list[Record], rng: random.Random) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "监测对象"
    if rng.random() < 0.5:  # the sheet is found by its name, not by its place
        book.create_sheet("填表说明", 0 if rng.random() < 0.5 else 1).append(["户编号"])
    sheet.append(["防止返贫监测对象台账"])
    sheet.append([c.header for c in LAYOUT[table]])
    for record in records:
        if rng.random() < 0.05:
            sheet.append([])  # a blank row is no record
        sheet.append([v if v != "" else None for v in record.cells.values()])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


WRITERS = {
    "securities": _jsonl,
    "insurance": _json,
    "household_registration": _pipes,
    "rural_revitalisation": _workbook,
}


def write_file(table: str, records: list[Record], rng: random.Random) -> bytes:
    return WRITERS.get(table, _csv)(table, records, rng)


def write_feeds(
    b: Builder, folder: Path, day: date, faults: dict[str, str], rng: random.Random, covers: Any
) -> None:
    """All sources into `folder`; `faults` names what is wrong with a source (see `_spoil`)."""
    files: dict[str, dict[str, tuple[str, list[Record]]]] = {}
    for table, file in EMPTY_FILES.items():
        files.setdefault(SOURCE_OF.get(table, table), {})[file] = (table, [])
    for record in b.records:
        _, records = files[SOURCE_OF.get(record.table, record.table)].setdefault(
            record.file, (record.table, [])
        )
        records.append(record)
    for source, named in files.items():
        fault = faults.get(source, "")
        if fault == "no_folder":
            continue
        place = folder / source
        place.mkdir(parents=True)
        entries = []
        for name, (table, records) in named.items():
            rng.shuffle(records)
            data = write_file(table, records, rng)
            count = len(records)
            data, stated, digest = _spoil(data, count, fault if not entries else "", table)
            (place / name).write_bytes(data)
            entries.append({"name": name, "sha256": digest, "rows": stated})
        if rng.random() < 0.2:
            (place / "notes-unlisted.csv").write_bytes(b"not named by the receipt, never read\xff")
        receipt = {
            "source": source, "snapshot_date": _snapshot(source, day, fault, rng).isoformat(), "files": entries,
        }  # fmt: skip
        if source == "tax" and covers:
            receipt["covers"] = covers
        if fault != "no_receipt":
            (place / "receipt.json").write_text(json.dumps(receipt, ensure_ascii=False), "utf-8")


def _spoil(data: bytes, rows: int, fault: str, table: str) -> tuple[bytes, int, str]:
    """(bytes, rows of the receipt, sha256 of the receipt)"""
    if fault == "bad_hash":
        return data, rows, hashlib.sha256(data + b"x").hexdigest()
    if fault == "bad_rows":
        rows += 1
    if fault == "bad_header":
        data = _spoil_header(data, table)
    if fault == "unreadable":
        data = b"\x00\x01 no such format"
    return data, rows, hashlib.sha256(data).hexdigest()


def _spoil_header(data: bytes, table: str) -> bytes:
    if table == "rural_revitalisation":
        book = openpyxl.load_workbook(io.BytesIO(data))
        book["监测对象"]["A2"] = "户号码"
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()
    encoding = "utf-8" if table == "tax" else "gb18030"
    return data.replace("姓名".encode(encoding), "名字".encode(encoding), 1)


def _snapshot(source: str, day: date, fault: str, rng: random.Random) -> date:
    """Not later than as-of, not more than max_age_days before it (banks 10, others 45)."""
    oldest = 10 if source == "banks" else 45
    if fault == "too_old":
        return day - timedelta(days=oldest + 1)
    if fault == "too_new":
        return day + timedelta(days=1)
    return day - timedelta(days=rng.choice([0, 1, 2, oldest]))


def faults_for(source: str) -> list[str]:
    found = ["no_folder", "no_receipt", "bad_hash", "bad_rows", "too_old", "too_new"]
    if source not in ("securities", "insurance"):
        found.append("bad_header")
    if source in ("insurance", "rural_revitalisation"):
        found.append("unreadable")
    return found
