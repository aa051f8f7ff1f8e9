"""Rows of a query or a page as exactly the bytes of the contract's file.

One wire form for each format, so that the same rows give the same bytes, hash and seal as a delivered file:
csv: `,` between fields, quotes only where needed, LF; pipe: `|`, nothing quoted, CRLF;
jsonl: `{"key": value, …}`, keys in the contract's order, LF; json: `{"root": [`, one object a line, `]}`.
Empty values are empty fields, and absent keys in JSON. A department may state another line end or a byte
order mark (`WireForm`). Workbooks are not rendered: they travel as files.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Literal

from connectors.contract import Contract, FileContract
from connectors.errors import FeedRefused

Row = Sequence[object]
# A line break inside a value would make two records of one; U+FFFD keeps it one, and the value from counting.
_BROKEN = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class WireForm:
    """What a department may choose about its files: CRLF or LF (None: the format's own), and a BOM."""

    line_end: Literal["\n", "\r\n"] | None = None
    mark: bool = False


def parse_wire_form(text: str | None) -> WireForm:
    """From the words `lf`, `crlf` and `bom`. Raises ValueError for any other."""
    words = set((text or "").split())
    if not words <= {"lf", "crlf", "bom"} or {"lf", "crlf"} <= words:
        raise ValueError("a wire form has the words lf or crlf, and bom")
    return WireForm("\r\n" if "crlf" in words else "\n" if "lf" in words else None, "bom" in words)


class NumberText(str):
    """A number as it was written (`1300.10`): unquoted in JSON, the same digits everywhere."""


def contract_file(contract: Contract, name: str) -> FileContract | None:
    """The kind of file that `name` is, None when no pattern of the contract fits."""
    return next((file for file in contract.files if fnmatchcase(name, file.pattern)), None)


def place_columns(file: FileContract, delivered: Sequence[str]) -> tuple[list[str], list[int]]:
    """The header to write, and which delivered column stands at each place.

    A delivered column is known by the contract's header or English name. When exactly the contract's
    columns were delivered they stand in its order; otherwise they stay as delivered, so that the header
    shows what changed.
    """
    headers = {column.name: column.header for column in file.columns} | {
        c.header: c.header for c in file.columns
    }
    found = [headers.get(column, column) for column in delivered]
    wanted = [column.header for column in file.columns]
    if sorted(found) != sorted(wanted):
        return found, list(range(len(found)))
    return wanted, [found.index(header) for header in wanted]


def render_rows(
    source: str,
    file: FileContract,
    delivered: Sequence[str],
    batches: Iterable[Sequence[Row]],
    form: WireForm | None = None,
) -> Iterator[bytes]:
    """The file's bytes in pieces of one batch. Raises FeedRefused for a format that cannot be rendered."""
    header, places = place_columns(file, delivered)
    if file.format in ("csv", "pipe"):
        texts = _render_lines(file, header, places, batches, form or WireForm())
    elif file.format in ("jsonl", "json"):
        texts = _render_objects(file, header, places, batches)
    else:
        raise FeedRefused(
            source,
            found=f"a {file.format} file to be made from rows",
            wanted="csv, pipe, jsonl or json",
            do="let the department deliver workbooks as files (https in bulk, sftp or a folder)",
        )
    return (text.encode(file.encoding, "replace") for text in texts)


def _render_lines(
    file: FileContract, header: list[str], places: list[int], batches: Iterable[Sequence[Row]], form: WireForm
) -> Iterator[str]:
    join = _join_quoted if file.quoted else _join_plain
    line_end = form.line_end or ("\n" if file.quoted else "\r\n")
    names = [_clean(name).replace("|", _BROKEN) for name in header]
    yield ("\ufeff" if form.mark and file.encoding == "utf-8" else "") + join(
        [names], file.separator, line_end
    )
    for batch in batches:
        if batch:
            columns = list(zip(*batch, strict=True))
            texts = [list(map(_field_text, columns[place])) for place in places]
            yield join(zip(*texts, strict=True), file.separator, line_end)


def _join_quoted(rows: Iterable[Sequence[str]], separator: str, line_end: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=line_end).writerows(rows)
    return text.getvalue()


def _join_plain(rows: Iterable[Sequence[str]], separator: str, line_end: str) -> str:
    return "".join(separator.join(row) + line_end for row in rows)


def _render_objects(
    file: FileContract, header: list[str], places: list[int], batches: Iterable[Sequence[Row]]
) -> Iterator[str]:
    keys = [json.dumps(name, ensure_ascii=False) + ": " for name in header]
    is_array = file.format == "json"
    lead, between, closing = ("\n", ",\n", "\n]}\n") if is_array else ("", "\n", "\n")
    if is_array:
        yield "{" + json.dumps(file.root, ensure_ascii=False) + ": ["
    any_row = False
    for batch in batches:
        if batch:
            columns = list(zip(*batch, strict=True))
            members = [
                [_member(key, value) for value in columns[at]] for key, at in zip(keys, places, strict=True)
            ]
            yield lead + between.join(
                "{" + ", ".join(filter(None, row)) + "}" for row in zip(*members, strict=True)
            )
            lead, any_row = between, True
    if is_array or any_row:
        yield closing


def _member(key: str, value: object) -> str:
    if value is None:
        return ""
    if type(value) is str:
        return key + json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return key + ("true" if value else "false")
    if isinstance(value, (NumberText, int, float, Decimal)):
        return key + _value_text(value)
    if isinstance(value, (dict, list)):
        return key + json.dumps(value, ensure_ascii=False)
    return key + json.dumps(_value_text(value), ensure_ascii=False)


def _field_text(value: object) -> str:
    return _clean(value if type(value) is str else _value_text(value))


def _clean(text: str) -> str:
    return text.strip().replace("\r\n", _BROKEN).replace("\n", _BROKEN) if "\n" in text else text


def _value_text(value: object) -> str:
    for kind, text in _TEXTS:
        if isinstance(value, kind):
            return text(value)
    return str(value)


def _stamp_text(value: datetime) -> str:
    """A day that a database keeps as a time stamp is that day; any other time stamp shows its time."""
    whole_day = value.time() == datetime.min.time()
    return value.date().isoformat() if whole_day else value.isoformat(" ")


_TEXTS: tuple[tuple[type | tuple[type, ...], Callable[..., str]], ...] = (
    (type(None), lambda _: ""),
    (str, str),
    (bool, lambda value: "true" if value else "false"),
    (int, str),
    (Decimal, lambda value: format(value, "f")),
    (float, lambda value: format(Decimal(repr(value)), "f")),
    (datetime, _stamp_text),
    (date, date.isoformat),
    ((dict, list), lambda value: json.dumps(value, ensure_ascii=False)),
)
