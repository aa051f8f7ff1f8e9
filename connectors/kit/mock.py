"""A feed made up from a contract: synthetic people whose place code no division has, in the contract's own format."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from connectors.contract import Column, Contract, FileContract

Row = dict[str, str]

# GB 11643: weights of the 17 digits, and the check character for each remainder of their weighted sum.
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_NO_PLACE = "990000"  # GB/T 2260 gives no division this code
BEYOND: Final = ""  # in a row of a workbook, what stands after the agreed columns
_SURNAMES, _GIVEN = "测试样例模拟", "甲乙丙丁戊己庚辛壬癸"


def mock_person(number: int) -> tuple[str, str]:
    """A valid identity number and a name for the person with this number (from 0)."""
    born = date(1950, 1, 1) + timedelta(days=number * 97 % 18000)
    seventeen = f"{_NO_PLACE}{born:%Y%m%d}{number % 1000:03d}"
    check = _CHECK[sum(int(digit) * weight for digit, weight in zip(seventeen, _WEIGHTS, strict=True)) % 11]
    surname = _SURNAMES[number % len(_SURNAMES)]
    return seventeen + check, surname + _GIVEN[number // 10 % 10] + _GIVEN[number % 10]


def mock_rows(file: FileContract, count: int, as_of: date, seed: int = 1) -> list[Row]:
    """`count` rows that the contract accepts, of the people 0 … count-1; the same for the same seed."""
    dice = random.Random(f"{seed}/{file.key}")  # noqa: S311  nothing secret: the same feed again
    return [{c.name: _value(c, number, as_of, dice) for c in file.columns} for number in range(count)]


def _value(column: Column, number: int, as_of: date, dice: random.Random) -> str:
    if column.type == "id":
        return mock_person(number)[0]
    if column.type == "name":
        return mock_person(number)[1]
    if column.type == "code":
        return dice.choice(column.values)
    if column.type == "digits":
        return "".join(dice.choice("0123456789") for _ in range(column.length))
    if column.type == "currency":
        return "CNY"
    if column.type == "date":
        return (as_of - timedelta(days=dice.randrange(1, 300))).isoformat()
    if column.type == "month":
        return (as_of - timedelta(days=dice.randrange(40, 200))).strftime("%Y-%m")
    if column.type == "money":
        return f"{dice.randrange(0, 500_000)}.{dice.randrange(100):02d}"
    if column.type == "scope":
        return "*"
    if column.type == "identifier":
        return f"{dice.randrange(10**15, 10**16)}"
    return f"{column.header[:8]}{number}"


def mock_name(pattern: str) -> str:
    """A file name that fits the pattern of a contract."""
    return pattern.replace("*", "mock").replace("?", "1")


def render_file(file: FileContract, rows: Sequence[Row]) -> bytes:
    """The rows in the contract's format and encoding, one record a line where the format has lines."""
    if file.format == "xlsx":
        return _workbook(file, rows)
    records = [{column.header: _typed(column, row[column.name]) for column in file.columns} for row in rows]
    if file.format == "jsonl":
        return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()
    if file.format == "json":
        return json.dumps({file.root: records}, ensure_ascii=False, indent=1).encode()
    lines = [[column.header for column in file.columns]]
    lines += [[row[column.name] for column in file.columns] for row in rows]
    end = "\r\n" if file.format == "pipe" else "\n"
    return "".join(file.separator.join(fields) + end for fields in lines).encode(file.encoding)


def _typed(column: Column, text: str) -> str | float:
    """Money as a JSON number where it is one, so that both spellings are exercised."""
    if column.type == "money" and text.replace(".", "", 1).isdigit():
        return float(Decimal(text))
    return text


def _workbook(file: FileContract, rows: Sequence[Row]) -> bytes:
    """Every other row has its money as numbers and its dates as date cells, as people type them.

    What stands under BEYOND in a row is written after its last column.
    """
    import xlsxwriter  # type: ignore[import-untyped]

    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        sheet, day = book.add_worksheet(file.sheet or None), book.add_format({"num_format": "yyyy-mm-dd"})
        if file.header_row > 1:
            sheet.write_string(0, 0, file.sheet)
        for place, column in enumerate(file.columns):
            sheet.write_string(file.header_row - 1, place, column.header)
            for line, row in enumerate(rows, file.header_row):
                cell = _typed_cell(column, row[column.name]) if line % 2 else row[column.name]
                if isinstance(cell, date):
                    sheet.write_datetime(line, place, cell, day)
                elif isinstance(cell, float):
                    sheet.write_number(line, place, cell)
                else:
                    sheet.write_string(line, place, cell)
        for line, row in enumerate(rows, file.header_row):
            if BEYOND in row:
                sheet.write_string(line, len(file.columns), row[BEYOND])
    return sink.getvalue()


def _typed_cell(column: Column, text: str) -> str | float | date:
    try:
        return date.fromisoformat(text) if column.type == "date" else _typed(column, text)
    except ValueError:
        return text


def first_line(file: FileContract) -> int:
    """Where a file's first record stands, as a quarantine names it."""
    return {"json": 1, "jsonl": 1, "xlsx": file.header_row + 1}.get(file.format, 2)


def write_feed(
    contract: Contract,
    folder: Path,
    files: Sequence[tuple[str, bytes, int]],
    snapshot: date,
    covers: Sequence[str] = (),
) -> None:
    """Write (name, bytes, rows) and the receipt that fits them into `folder`, the feed of one source."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = []
    for name, content, rows in files:
        (folder / name).write_bytes(content)
        listed.append({"name": name, "sha256": hashlib.sha256(content).hexdigest(), "rows": rows})
    receipt: dict[str, Any] = {
        "source": contract.source,
        "snapshot_date": snapshot.isoformat(),
        "files": listed,
    }
    if covers:
        receipt["covers"] = list(covers)
    (folder / "receipt.json").write_text(json.dumps(receipt, ensure_ascii=False), "utf-8")


def write_mock_feed(
    contract: Contract,
    folder: Path,
    as_of: date,
    rows: int = 40,
    seed: int = 1,
    people: Sequence[tuple[str, str]] = (),
) -> None:
    """A whole delivery of one source, made up from its contract.

    people: (identity number, name) of the first rows, instead of people of no place.
    """
    files = []
    for file in contract.files:
        made = mock_rows(file, rows, as_of, seed)
        for row, person in zip(made, people, strict=False):
            row.update(_of_person(file, person))
        files.append((mock_name(file.pattern), render_file(file, made), rows))
    write_feed(contract, folder, files, as_of - timedelta(days=1))


def _of_person(file: FileContract, person: tuple[str, str]) -> Row:
    columns = zip((file.id_column, file.name_column), person, strict=True)
    return {column.name: text for column, text in columns if column is not None}


def read_members(path: Path) -> list[tuple[str, str]]:
    """(identity number, name) of the members of a synthetic roster's members.csv, each once, in order.

    Raises OSError, and ValueError for a file that is no members.csv.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        lines = csv.DictReader(stream)
        if not {"公民身份号码", "姓名", "角色"} <= set(lines.fieldnames or ()):
            raise ValueError("no members.csv of a roster: its header lacks 公民身份号码, 姓名 or 角色")
        found = [(line["公民身份号码"], line["姓名"]) for line in lines if line["角色"] == "成员"]
    return list(dict.fromkeys(found))
