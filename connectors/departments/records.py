"""A delivered file as columns and rows, for the departments that answer by rows instead of files."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from typing import Any

from connectors.contract import FileContract
from connectors.transports.rendering import NumberText, parse_wire_form, render_rows

Rows = list[list[Any]]


def read_records(content: bytes, file: FileContract) -> tuple[list[str], Rows]:
    """Header and rows.

    Lines that are no record of the header's width are left out: a table cannot hold them.
    """
    text = content.decode(file.encoding, "replace").removeprefix("\ufeff")
    if file.format in ("csv", "pipe"):
        return _read_lines(text, file)
    return _read_objects(text, file)


def wire_form_of(content: bytes, file: FileContract) -> str:
    """The words that make the rendered file end its lines, and begin, as this one does."""
    if file.format not in ("csv", "pipe"):
        return ""
    line_end = "crlf" if content[: content.find(b"\n")].endswith(b"\r") else "lf"
    return f"{line_end} bom" if content.startswith(b"\xef\xbb\xbf") else line_end


def _read_lines(text: str, file: FileContract) -> tuple[list[str], Rows]:
    lines = [line.removesuffix("\r") for line in text.split("\n") if line.strip()]
    if file.quoted:
        header, *rows = csv.reader(lines, delimiter=file.separator)
    else:
        header, *rows = (line.split(file.separator) for line in lines)
    return header, [row for row in rows if len(row) == len(header)]


def _read_objects(text: str, file: FileContract) -> tuple[list[str], Rows]:
    def parse(one: str) -> Any:
        return json.loads(one, parse_float=NumberText, parse_int=NumberText)

    if file.format == "json":
        records = parse(text)[file.root]
    else:
        records = [parse(line) for line in text.split("\n") if line.strip()]
    known = [column.header for column in file.columns]
    strange = sorted({key for record in records for key in record} - set(known))
    present = [key for key in known if any(key in record for record in records)] if strange else known
    header = present + strange
    return header, [[record.get(key) for key in header] for record in records]


def keep_people(content: bytes, file: FileContract, numbers: Sequence[str]) -> tuple[bytes, int]:
    """The file with only the rows of these ID numbers, and how many they are."""
    header, rows = read_records(content, file)
    column = file.id_column
    wanted = set(numbers)
    place = header.index(column.header) if column is not None and column.header in header else None
    kept = [row for row in rows if place is not None and row[place] in wanted]
    form = parse_wire_form(wire_form_of(content, file))
    return b"".join(render_rows("departments", file, header, [kept], form)), len(kept)


def write_json_value(value: Any) -> str:
    """A value as JSON, numbers exactly as they were delivered."""
    if isinstance(value, NumberText):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
