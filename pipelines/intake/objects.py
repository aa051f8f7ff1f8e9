"""JSON feeds: one object a line, or one array in a file. Values become the text they would have in a CSV field."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any, BinaryIO

import numpy as np
import orjson
import pyarrow as pa

from connectors.contract import Column, FileContract
from pipelines.errors import SourceHeld
from pipelines.intake.batch import RowBatch

_BATCH_RECORDS = 100_000
_BOM = b"\xef\xbb\xbf"


def read_json_lines(stream: BinaryIO, file: FileContract, file_name: str) -> Iterator[RowBatch]:
    """Rows of a JSON-lines file; a line that is no JSON object is spoiled (`unparseable_record`)."""
    carried = b""
    line = 1
    while True:
        chunk = stream.read(16 << 20)
        block = carried + chunk
        if not chunk:
            raws = block.split(b"\n") if block else []
            carried = b""
        else:
            raws = block.split(b"\n")
            carried = raws.pop()
        if raws and line == 1:
            raws[0] = raws[0].removeprefix(_BOM)
        if raws:
            yield _read_raw_lines(raws, line, file)
            line += len(raws)
        if not chunk:
            return


def _read_raw_lines(raws: list[bytes], first_line: int, file: FileContract) -> RowBatch:
    try:
        records = [orjson.loads(raw) for raw in raws]
        if all(type(record) is dict for record in records):
            lines = np.arange(first_line, first_line + len(raws), dtype=np.int64)
            return RowBatch(lines, _columns(records, _literals_of(raws), file), "utf-8")
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError):
        pass
    records, kept, numbers = [], [], []
    spoiled: list[tuple[int, str]] = []
    for number, raw in enumerate(raws, first_line):
        try:
            if not raw.decode("utf-8").strip():
                continue
            record = orjson.loads(raw)
        except UnicodeDecodeError:
            spoiled.append((number, "undecodable_text"))
            continue
        except orjson.JSONDecodeError:
            record = None
        if type(record) is not dict or not _has_texts(record, _literals_of([raw]), file):
            spoiled.append((number, "unparseable_record"))
            continue
        records.append(record)
        kept.append(raw)
        numbers.append(number)
    columns = _columns(records, _literals_of(kept), file)
    return RowBatch(np.array(numbers, dtype=np.int64), columns, "utf-8", spoiled)


def read_json_array(stream: BinaryIO, file: FileContract, file_name: str) -> Iterator[RowBatch]:
    """Rows of the array under the contract's root key. Raises SourceHeld (unreadable)."""
    raw = stream.read().removeprefix(_BOM)
    try:
        whole = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise SourceHeld(
            "unreadable", f"{file_name}: not JSON; ask the department to send it again"
        ) from None
    items = whole.get(file.root) if type(whole) is dict else None
    if type(items) is not list:
        raise SourceHeld("unreadable", f'{file_name}: wanted an object with an array "{file.root}"')
    del whole

    @cache
    def exact() -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = json.loads(raw, parse_float=str, parse_int=str)[file.root]
        except RecursionError:
            raise SourceHeld("unreadable", f"{file_name}: nested too deep to be a list of records") from None
        return found

    for start in range(0, len(items), _BATCH_RECORDS):
        yield _array_batch(items[start : start + _BATCH_RECORDS], start + 1, exact, file)


def _array_batch(
    items: list[Any], first: int, exact: Callable[[], list[dict[str, Any]]], file: FileContract
) -> RowBatch:
    lines = [place for place, item in enumerate(items, first) if type(item) is dict]

    def literal(row: int) -> dict[str, Any]:
        return exact()[lines[row] - 1]

    try:
        columns = _columns([items[line - first] for line in lines], literal, file)
    except orjson.JSONEncodeError:
        lines = [line for line in lines if _has_texts(items[line - first], lambda _: {}, file)]
        columns = _columns([items[line - first] for line in lines], literal, file)
    spoiled = sorted(set(range(first, first + len(items))).difference(lines))
    whole = [(place, "unparseable_record") for place in spoiled]
    return RowBatch(np.array(lines, dtype=np.int64), columns, "utf-8", whole)


# From a row's place to its record, with every number as the text that stands in the file.
Literals = Callable[[int], dict[str, Any]]


def _literals_of(raws: list[bytes]) -> Literals:
    return lambda row: json.loads(raws[row], parse_float=str, parse_int=str)


def _has_texts(record: dict[str, Any], literal: Literals, file: FileContract) -> bool:
    """Whether every value of the contract has a text: one that is nested hundreds deep has none."""
    try:
        for column in file.columns:
            value = record.get(column.header)
            if type(value) in (dict, list):
                orjson.dumps(value)
            elif type(value) is float and column.type != "money":
                literal(0)
    except (orjson.JSONEncodeError, RecursionError):
        return False
    return True


def _columns(records: list[dict[str, Any]], literal: Literals, file: FileContract) -> dict[str, pa.Array]:
    columns = {column.name: [record.get(column.header) for record in records] for column in file.columns}
    _restore_literals(columns, literal, file)
    return {column.name: _text_array(columns[column.name], column) for column in file.columns}


def _restore_literals(columns: dict[str, list[Any]], literal: Literals, file: FileContract) -> None:
    """A number in a text column counts as its text: take the literal, which a float would have changed."""
    for column in file.columns:
        values = columns[column.name]
        if column.type == "money" or float not in set(map(type, values)):
            continue
        for row, value in enumerate(values):
            if type(value) is float:
                values[row] = literal(row)[column.header]


def _text_array(values: list[Any], column: Column) -> pa.Array:
    types = set(map(type, values))
    if not types <= {str}:
        values = [value if type(value) is str else plain_text(value) for value in values]
    few = column.type in ("code", "digits", "currency", "date", "month")
    array = pa.array(values, pa.string()).cast(pa.binary())
    return array.dictionary_encode() if few else array


def plain_text(value: Any) -> str:
    """The text of a JSON or workbook value; numbers in plain decimal notation, null as empty."""
    if value is None:
        return ""
    if value is True or value is False:
        return "true" if value else "false"
    if type(value) is float:
        text = repr(value)
        return text if "e" not in text and "n" not in text else _without_exponent(value)
    if type(value) in (dict, list):
        return orjson.dumps(value).decode()
    return str(value)


def _without_exponent(value: float) -> str:
    return format(Decimal(repr(value)), "f")
