"""JSON feeds: one object a line, or one array in a file. Values become the text they would have in a CSV field."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, BinaryIO

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray

from connectors.contract import Column, FileContract
from pipelines.errors import SourceHeld
from pipelines.intake.batch import RowBatch
from pipelines.intake.checks import Judging, check_batch
from pipelines.intake.judged import Judged
from pipelines.intake.lines import BLOCK_BYTES, OddRecords, next_block, whole_lines
from pipelines.intake.scan import Scanner

_NEWLINE = 10
_BOM = b"\xef\xbb\xbf"


def read_json_lines(
    stream: BinaryIO, file: FileContract, file_name: str, judging: Judging
) -> Iterator[Judged]:
    """Records of a JSON-lines file, judged; a line that is no JSON object is spoiled (`unparseable_record`)."""
    scanner = Scanner(file, judging, lambda raw: _raw_fields(raw, file))
    odd = OddRecords(lambda raws, lines: check_batch(read_raw_lines(raws, lines, file), file, judging))
    line = 1
    for block in whole_lines(stream):
        if line == 1 and block[:3].tobytes() == _BOM:
            block = block[3:]
        scanned, places, count = scanner.read_lines(block, line)
        if scanned is None:
            raws = block.tobytes().split(b"\n")[:-1]
            count = len(raws)
            yield from odd.add(raws, np.arange(line, line + count))
        else:
            yield scanned
            yield from odd.add(
                [block[begin : end - 1].tobytes() for _, begin, end in places], places[:, 0] + line
            )
        line += count
    yield from odd.judge()


def _raw_fields(raw: bytes, file: FileContract) -> list[str]:
    record = json.loads(raw, parse_float=str, parse_int=str)
    return [plain_text(record.get(column.header)) for column in file.columns]


def read_raw_lines(raws: list[bytes], lines: NDArray[np.int64], file: FileContract) -> RowBatch:
    try:
        records = [orjson.loads(raw) for raw in raws]
        if all(type(record) is dict for record in records):
            return RowBatch(lines, _columns(records, _literals_of(raws), file), "utf-8")
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError):
        pass
    records, kept, numbers = [], [], []
    spoiled: list[tuple[int, str]] = []
    for number, raw in zip(lines.tolist(), raws, strict=True):
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


def read_json_array(
    stream: BinaryIO, file: FileContract, file_name: str, judging: Judging
) -> Iterator[Judged]:
    """Records of the array under the contract's root key, judged, a block at a time.

    Raises SourceHeld (unreadable): what was yielded before is then of no worth.
    """
    scanner = Scanner(file, judging, lambda raw: _raw_fields(raw, file))
    odd = OddRecords(
        lambda raws, places: check_batch(_odd_elements(raws, places, file, file_name), file, judging)
    )
    carried, at = _open_array(stream, file, file_name)
    first, state = 1, 0
    while state == 0:
        block, filled, ended = next_block(stream, carried)
        block[filled] = _NEWLINE
        block = block[:filled]
        moved = True
        while moved and state == 0:
            scanned, places, count, resume, state = scanner.read_array(block, at, first)
            if len(scanned.lines):
                yield scanned
            raws = [block[begin:end].tobytes() for _, begin, end in places]
            yield from odd.add(raws, places[:, 0] + first)
            first += count
            moved, at = resume > at, resume
        if state == 0 and ended:
            raise _no_json(file_name)
        carried, at = block[at:], 0
    if state < 0:
        raise _no_json(file_name)
    yield from odd.judge()
    _close_array(carried.tobytes() + stream.read(), file, file_name)


def _open_array(stream: BinaryIO, file: FileContract, file_name: str) -> tuple[NDArray[np.uint8], int]:
    """The beginning of the file and where in it the elements of the contract's array begin."""
    opening = re.compile(rb'"' + re.escape(json.dumps(file.root)[1:-1].encode()) + rb'"\s*:\s*\[')
    head = stream.read(BLOCK_BYTES).removeprefix(_BOM)
    more = head
    while more:
        for found in opening.finditer(head):
            try:
                before = orjson.loads(head[: found.end()] + b"]}")
            except orjson.JSONDecodeError:
                continue
            if type(before) is dict and before.get(file.root) == []:
                return np.frombuffer(head, np.uint8), found.end()
        more = stream.read(max(BLOCK_BYTES, len(head)))
        head += more
    try:
        orjson.loads(head)
    except orjson.JSONDecodeError:
        raise _no_json(file_name) from None
    raise _no_array(file, file_name)


def _close_array(rest: bytes, file: FileContract, file_name: str) -> None:
    """See that the file goes on behind the array as JSON must, and has the array once."""
    try:
        after = orjson.loads(b'{"":[]' + rest)
    except orjson.JSONDecodeError:
        raise _no_json(file_name) from None
    if file.root in after:
        raise _no_array(file, file_name)


def _no_json(file_name: str) -> SourceHeld:
    return SourceHeld("unreadable", f"{file_name}: not JSON; ask the department to send it again")


def _no_array(file: FileContract, file_name: str) -> SourceHeld:
    return SourceHeld("unreadable", f'{file_name}: wanted an object with one array "{file.root}"')


def _odd_elements(
    raws: list[bytes], places: NDArray[np.int64], file: FileContract, file_name: str
) -> RowBatch:
    records: list[dict[str, Any]] = []
    kept: list[int] = []
    spoiled: list[tuple[int, str]] = []
    for index, (raw, place) in enumerate(zip(raws, places.tolist(), strict=True)):
        try:
            record = orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise _no_json(file_name) from None
        if type(record) is dict and _has_texts(record, _literals_of([raw]), file):
            records.append(record)
            kept.append(index)
        else:
            spoiled.append((place, "unparseable_record"))
    columns = _columns(records, _literals_of([raws[index] for index in kept]), file)
    return RowBatch(places[kept], columns, "utf-8", spoiled)


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
