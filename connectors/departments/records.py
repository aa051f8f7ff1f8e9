"""A delivered file as columns and rows, for the departments that answer by rows instead of files."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from connectors.contract import FileContract
from connectors.transports.rendering import NumberText, parse_wire_form, render_rows

Rows = list[list[Any]]
# What a numeric column gives back digit for digit; it would lose the sign of -0.
_PLAIN_NUMBER = re.compile(r"(?!-0(\.0*)?$)-?[0-9]+(\.[0-9]+)?")


def read_records(content: bytes, file: FileContract) -> tuple[list[str], Rows]:
    """Header and rows.

    What is no record of the header's width, undecodable or unparseable, is left out: a table cannot hold it.
    """
    if file.format in ("csv", "pipe"):
        return _read_lines(content, file)
    return _read_objects(content, file)


def wire_form_of(content: bytes, file: FileContract) -> str:
    """The words that make the rendered file end its lines, and begin, as this one does."""
    if file.format not in ("csv", "pipe"):
        return ""
    line_end = "crlf" if content[: content.find(b"\n")].endswith(b"\r") else "lf"
    return f"{line_end} bom" if content.startswith(b"\xef\xbb\xbf") else line_end


def _read_lines(content: bytes, file: FileContract) -> tuple[list[str], Rows]:
    records = [record for line in _decoded_lines(content, file.encoding) if (record := _split(line, file))]
    header, *rows = records or [[column.header for column in file.columns]]
    return header, [row for row in rows if len(row) == len(header)]


def _split(line: str, file: FileContract) -> list[str] | None:
    if not file.quoted:
        return line.split(file.separator)
    try:
        return next(csv.reader([line], delimiter=file.separator, strict=True))
    except csv.Error:
        return None


def _read_objects(content: bytes, file: FileContract) -> tuple[list[str], Rows]:
    if file.format == "json":
        found = _parse(content.decode(file.encoding, "replace").removeprefix("\ufeff"))
        values = found.get(file.root, []) if isinstance(found, dict) else []
    else:
        values = [_parse(line) for line in _decoded_lines(content, file.encoding)]
    records = [value for value in values if isinstance(value, dict)]
    known = [column.header for column in file.columns]
    strange = sorted({key for record in records for key in record} - set(known))
    present = [key for key in known if any(key in record for record in records)] if strange else known
    header = present + strange
    return header, [[record.get(key) for key in header] for record in records]


def _decoded_lines(content: bytes, encoding: str) -> list[str]:
    lines = []
    for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        with contextlib.suppress(UnicodeDecodeError):
            lines.append(line.removesuffix(b"\r").decode(encoding))
    return [line for line in lines if line.strip()]


def _parse(text: str) -> Any:
    """A JSON value, numbers as written; None for what is no JSON."""
    try:
        return json.loads(text, parse_float=NumberText, parse_int=NumberText)
    except (ValueError, RecursionError):
        return None


def as_stored(rows: Rows) -> tuple[Rows, list[str]]:
    """The rows as a database keeps them, and its type for each column.

    A column that JSON delivers as plain numbers is numeric, every other one text.
    """
    columns, kinds = [], []
    for values in zip(*rows, strict=True):
        numeric = any(isinstance(value, NumberText) for value in values) and all(
            map(_is_plain_number, values)
        )
        columns.append(list(values) if numeric else [_as_text(value) for value in values])
        kinds.append("numeric" if numeric else "text")
    return [list(row) for row in zip(*columns, strict=True)], kinds


def _is_plain_number(value: Any) -> bool:
    return value is None or (isinstance(value, NumberText) and _PLAIN_NUMBER.fullmatch(value) is not None)


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    text = str(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def keep_people(content: bytes, file: FileContract, numbers: Sequence[str]) -> tuple[bytes, int]:
    """The file with only the rows of these ID numbers, and how many they are."""
    header, rows = read_records(content, file)
    column = file.id_column
    wanted = set(map(_plain_number, numbers))
    place = header.index(column.header) if column is not None and column.header in header else None
    kept = [row for row in rows if place is not None and _plain_number(row[place]) in wanted]
    form = parse_wire_form(wire_form_of(content, file))
    return b"".join(render_rows("departments", file, header, [kept], form)), len(kept)


def hash_rows(source: str, file: FileContract, header: list[str], rows: Rows, form: str) -> str:
    """The hash a department states for rows: of the bytes that the county will make of them."""
    digest = hashlib.sha256()
    for piece in render_rows(source, file, header, [rows], parse_wire_form(form)):
        digest.update(piece)
    return digest.hexdigest()


def _plain_number(value: Any) -> str:
    return "".join(unicodedata.normalize("NFKC", str(value)).split()).upper()


def write_json_value(value: Any) -> str:
    """A value as JSON, numbers exactly as they were delivered."""
    if isinstance(value, NumberText):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
