"""Rows that the specification quarantines: one to three bad cells, or a line that is no record."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from .builder import LAYOUT, Builder, Record

BAD_MONEY = (
    "abc",
    "+5",
    "1e3",
    "1,00",
    "12,34.5",
    "1.",
    ".5",
    "１２",
    "--3",
    "1 000",
    "1,0000",
    "￥5",
    "0x1F",
    "NaN",
)
BAD_DATES = (
    "2026-13-01",
    "2026-6-1",
    "20260230",
    "2026.06.01",
    "26-06-01",
    "2026-06-01 00:00",
    "２０２６0601",
    "2026/6",
    "0000-01-01",
)
BAD_MONTHS = ("2026-13", "202600", "2026/05", "2026-5", "20265", "２02605")
BAD_IDS = (
    "12345",
    "99910119700101001Y",
    "9991011970010100X1",
    "999101700101０0Ａ",
    "九九九",
    "9991011970010100111",
    "٩٩٩١٠١٧٠٠١٠١٠٠١",
)
BAD_CODES = ("未知", "X", "是否", "活期;", "正 常", "01x", "7")


def bad_cell(b: Builder, kind: str) -> Any:
    rng = b.rng
    match kind:
        case "id":
            return rng.choice(BAD_IDS) if rng.random() < 0.7 else rng.choice(["", " ", "　"])
        case "money" | "amount":
            return rng.choice(["-0.01", "-1,000.00"] if kind == "money" and rng.random() < 0.4 else BAD_MONEY)
        case "date":
            return rng.choice(BAD_DATES)
        case "month":
            return rng.choice(BAD_MONTHS) if rng.random() < 0.7 else b.month(-1)  # after as-of
        case "currency":
            return rng.choice(["JPY", "cny", "人民币", "cnY"])
        case "scope":
            return rng.choice(["bank", "tax;police", "tax,banks", "全部"])
    return rng.choice(BAD_CODES)


def breakable(b: Builder, record: Record) -> list[tuple[str, str]]:
    """(header, kind) of the cells of a row that have rules."""
    fixed = ("household_id",)  # a row whose household cannot be read would be somebody else's case
    return [
        (c.header, c.kind)
        for c in LAYOUT[record.table]
        if c.kind not in ("text", "carried", "name") and c.key not in fixed
    ]


def break_cells(b: Builder, record: Record) -> None:
    """A row is quarantined with every reason that fits: often more than one."""
    cells = breakable(b, record)
    for header, kind in b.rng.sample(cells, min(len(cells), b.rng.choice([1, 1, 2, 3]))):
        record.cells[header] = bad_cell(b, kind)
    required = [c.header for c in LAYOUT[record.table] if c.kind == "text"]
    if required and b.rng.random() < 0.15:
        record.cells[b.rng.choice(required)] = b.rng.choice(["", " ", "　"])
    future = [c.header for c in LAYOUT[record.table] if c.not_in_future and c.kind == "date"]
    if future and b.rng.random() < 0.3:
        record.cells[b.rng.choice(future)] = (b.as_of + timedelta(days=1)).isoformat()
    record.broken = True


def bad_line(b: Builder, record: Record) -> bytes:
    """A line that stands alone: wrong_column_count, undecodable_text or unparseable_record."""
    rng = b.rng
    cells = ["" if v is None else str(v) for v in record.cells.values()]
    match record.table:
        case "securities":
            whole = json.dumps({k: str(v) for k, v in record.cells.items()}, ensure_ascii=False)
            return rng.choice(
                [
                    whole[:-1].encode(), b"[1, 2]", b'"text"', b"3", b"null", b"{'a': 1}",
                    whole.encode()[:-2] + b'\xff"}', b'{"market_value": NaN, "id_number": "1"}',
                    (whole + " x").encode(),
                ]
            )  # fmt: skip
        case "household_registration":
            line = "|".join(cells)
            return rng.choice(
                [
                    (line + "|").encode("gb18030"),
                    "|".join(cells[1:]).encode("gb18030"),
                    line.encode("gb18030") + b"\xff\xff",
                    line.encode("gb18030") + b"\x81",
                ]
            )
    encoding = "gb18030" if record.table in ("banks", "market_regulation") else "utf-8"
    plain = [c.replace(",", "").replace('"', "") for c in cells]
    line = ",".join(plain)
    return rng.choice(
        [
            (line + ",").encode(encoding),
            ",".join(plain[1:]).encode(encoding),
            (",".join(plain[:-1]) + ',"no end').encode(encoding),  # a quote not closed on its line
            ('"' + line).encode(encoding),
            ('"' + plain[0] + '"x,' + ",".join(plain[1:])).encode(
                encoding
            ),  # goes on after the closing quote
            line.encode(encoding) + b"\xff",
            ",".join(plain[:-1]).encode(encoding) + b",\x81\x20",
        ]
    )


def break_rows(b: Builder, share: float) -> None:
    """Broken copies of rows of every table; members stay whole (their cases place the broken ones)."""
    tables: dict[str, list[Record]] = {}
    for record in b.records:
        if record.raw is None and not record.broken:
            tables.setdefault(record.table, []).append(record)
    for table, records in tables.items():
        for _ in range(max(1 if len(records) < 10 else 2, int(len(records) * share))):
            model = b.rng.choice(records)
            copy = Record(table, model.file, dict(model.cells), quoted=model.quoted)
            by_line = table not in ("insurance", "rural_revitalisation") and b.rng.random() < 0.4
            if by_line:
                copy.raw, copy.broken = bad_line(b, model), True
            elif table in ("households", "members", "rural_revitalisation"):
                # of a household of its own, so that it spoils nobody else's case
                copy.cells[LAYOUT[table][0].header] = f"Z{b.number():05d}"
                break_cells(b, copy)
            else:
                break_cells(b, copy)
            b.records.append(copy)
    # a JSON key that is absent is an empty value; a record that is no object
    insurance = tables.get("insurance", [])
    if insurance:
        b.records.append(
            Record(
                "insurance",
                insurance[0].file,
                raw=b.rng.choice([b"7", b"null", b'["a"]', b'"x"']),
                broken=True,
            )
        )
