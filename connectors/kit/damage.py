"""Every way a row can be wrong that a contract's columns allow, each with the reason it must be quarantined for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from connectors.contract import Column, ColumnType, FileContract
from connectors.kit.mock import BEYOND, Row, first_line, mock_rows, render_file


@dataclass(frozen=True)
class Damage:
    """A file with one bad record. line: where it stands; reason: what it must be quarantined for."""

    what: str
    reason: str
    content: bytes
    rows: int
    line: int


def damages(file: FileContract, as_of: date, rows: int = 40) -> Iterator[Damage]:
    """All damages that the file's format and columns know; each spoils one record of `rows`."""
    for what, reason, spoil in _cells(file, as_of):
        made = mock_rows(file, rows, as_of)
        spoil(made[rows // 2])
        yield Damage(what, reason, render_file(file, made), rows, first_line(file) + rows // 2)
    yield from _records(file, as_of, rows)


def _cells(file: FileContract, as_of: date) -> Iterator[tuple[str, str, Callable[[Row], None]]]:
    def put(column: Column, text: str) -> Callable[[Row], None]:
        return lambda row: row.update({column.name: text})

    later = as_of + timedelta(days=40)
    found: dict[ColumnType, Column] = {}
    for column in file.columns:
        found.setdefault(column.type, column)
    if "id" in found:
        yield "identity number empty", "id_missing", put(found["id"], "")
        yield "identity number of 12 digits", "id_malformed", put(found["id"], "990000195001")
    required = [c for c in file.columns if not c.optional and not c.empty_only_when]
    needed = next((c for c in required if c.type not in ("id", "name", "carried")), None)
    if needed is not None:
        yield f"column {needed.name} empty", "required_missing", put(needed, " ")
    if "money" in found:
        yield (
            f"column {found['money'].name} with an exponent",
            "money_unparseable",
            put(found["money"], "1e5"),
        )
    below = next((c for c in file.columns if c.type == "money" and c.not_negative), None)
    if below is not None:
        yield f"column {below.name} below zero", "money_negative", put(below, "-0.01")
    for kind in ("date", "month"):
        if kind in found:
            yield f"column {found[kind].name} no {kind}", "date_unparseable", put(found[kind], "2026-13-01")
    future = next((c for c in file.columns if c.not_future), None)
    if future is not None:
        text = later.isoformat() if future.type == "date" else later.strftime("%Y-%m")
        yield f"column {future.name} after the as-of date", "date_in_future", put(future, text)
    for kind in ("code", "digits"):
        if kind in found:
            yield f"column {found[kind].name} outside its list", "code_unknown", put(found[kind], "不详")
    if "currency" in found:
        yield (
            f"column {found['currency'].name} without a rate",
            "currency_unknown",
            put(found["currency"], "ZZZ"),
        )


def _records(file: FileContract, as_of: date, rows: int) -> Iterator[Damage]:
    lines = render_file(file, mock_rows(file, rows, as_of)).split(b"\n")
    at = first_line(file) - 1 + rows // 2

    def spoiled(what: str, reason: str, line: bytes) -> Damage:
        return Damage(what, reason, b"\n".join([*lines[:at], line, *lines[at + 1 :]]), rows, at + 1)

    if file.format in ("csv", "pipe"):
        separator = file.separator.encode()
        yield spoiled("a field too many", "wrong_column_count", separator + lines[at])
        yield spoiled("bytes of no character", "undecodable_text", b"\xff" + lines[at])
    if file.format == "csv":
        yield spoiled("a quote that does not close", "wrong_column_count", b'"' + lines[at])
    if file.format == "jsonl":
        yield spoiled("a line that is no JSON", "unparseable_record", lines[at][:-2])
        yield spoiled("bytes of no character", "undecodable_text", b"\xff" + lines[at])
    if file.format == "xlsx":
        made = mock_rows(file, rows, as_of)
        made[rows // 2][BEYOND] = "多"
        yield Damage("a field too many", "wrong_column_count", render_file(file, made), rows, at + 1)
    if file.format == "json":
        records = json.loads(render_file(file, mock_rows(file, rows, as_of)))
        records[file.root][rows // 2] = ["no", "object"]
        content = json.dumps(records, ensure_ascii=False).encode()
        yield Damage("a record that is no object", "unparseable_record", content, rows, 1 + rows // 2)
