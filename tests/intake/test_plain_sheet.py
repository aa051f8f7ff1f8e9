"""The fast road through a plain sheet reads exactly what the general road reads, and is the one common writers' books go."""

from __future__ import annotations

import io
import random
import re
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from connectors.registry import all_contracts
from pipelines.errors import SourceHeld
from pipelines.intake.checks import Judging
from pipelines.intake.plain_sheet import PlainSheet, read_plain_sheet
from pipelines.intake.workbook import read_workbook

FILE = all_contracts()["rural_revitalisation"].files[0]
HEADERS = [column.header for column in FILE.columns]
JUDGING = Judging(date(2026, 6, 30), frozenset({"CNY"}), frozenset(all_contracts()))
SHEET = "xl/worksheets/sheet1.xml"
ROW: list[Any] = [
    "R1", "440103", "440103001", "农村", "甲", "99910019800101001X", "01", "x", "否", 1234.5, 0, None, None, "否", None,
    "无", date(2024, 5, 1),
]  # fmt: skip
ODD_CELLS: list[Any] = [
    "", " ", "\u3000", " x ", "a\nb", "a&b", "<b>", "_x000D_", "𠮷\u200b", 1, 1.5, 1e-7, 1e20, True,
    date(2024, 1, 2), datetime(2024, 1, 2, 3, 4), "01", "2026-01-01",
]  # fmt: skip
Edit = Callable[[bytes], bytes]


def with_inline_texts(rows: list[list[Any]]) -> bytes:
    return by_xlsxwriter(rows, constant_memory=True)


def with_shared_texts(rows: list[list[Any]]) -> bytes:
    return by_xlsxwriter(rows, constant_memory=False)


def by_xlsxwriter(rows: list[list[Any]], constant_memory: bool) -> bytes:
    out = io.BytesIO()
    options = {
        "in_memory": not constant_memory,
        "constant_memory": constant_memory,
        "default_date_format": "yyyy-mm-dd",
    }
    with xlsxwriter.Workbook(out, options) as book:
        page = book.add_worksheet(FILE.sheet)
        for number, row in enumerate([["t"], HEADERS, *rows]):
            page.write_row(number, 0, row)
    return out.getvalue()


def by_openpyxl(rows: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    book.create_sheet("说明").append(["another sheet"])
    page = book.worksheets[0]
    page.title = FILE.sheet
    for row in [["t"], HEADERS, *rows]:
        page.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


WRITERS = [with_inline_texts, with_shared_texts, by_openpyxl]


def edited(content: bytes, edit: Edit) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(out, "w") as new:
        for part in archive.namelist():
            inside = archive.read(part)
            new.writestr(part, edit(inside) if part == SHEET else inside)
    return out.getvalue()


def on_the_general_road(content: bytes) -> bytes:
    """The same sheet with a comment in it, which means nothing and is not plain."""
    return edited(content, lambda sheet: sheet.replace(b"<sheetData>", b"<sheetData><!-- -->", 1))


def plain_sheet(content: bytes) -> PlainSheet | None:
    def texts(small: bytes) -> list[list[str]]:
        rows = CalamineWorkbook.from_filelike(io.BytesIO(small)).get_sheet_by_name(FILE.sheet).to_python()
        return [list(map(str, row)) for row in rows]

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return read_plain_sheet(archive, len(HEADERS), texts)


def read(content: bytes) -> Any:
    """All that is read of a workbook, or why it is held."""
    try:
        return [
            (
                judged.lines.tolist(),
                judged.mask.tolist(),
                judged.spoiled,
                [judged.raw_fields(row) for row in range(len(judged.lines))],
            )
            for judged in read_workbook(io.BytesIO(content), FILE, "440103.xlsx", JUDGING)
        ]
    except SourceHeld as held:
        return held.reason


@pytest.mark.parametrize("write", WRITERS)
def test_what_common_writers_make_is_plain(write: Callable[[list[list[Any]]], bytes]) -> None:
    content = write([ROW, [], [*ROW[:4], " x ", *ROW[5:]]])
    sheet = plain_sheet(content)
    assert sheet is not None and sheet.lines.tolist()[:2] == [1, 2]
    assert plain_sheet(on_the_general_road(content)) is None
    [(lines, masks, spoiled, fields)] = read(content)
    assert (lines, masks, spoiled) == ([3, 5], [0, 0], [])
    assert fields[0][9:11] == ["1234.5", "0"] and fields[0][-1] == "2024-05-01" and fields[1][4] == " x "


@pytest.mark.parametrize("write", WRITERS)
def test_every_kind_of_cell_means_the_same_on_both_roads(write: Callable[..., bytes]) -> None:
    rows = [row for cell in ODD_CELLS for row in ([*ROW[:4], cell, *ROW[5:]], [cell] * 17, [*ROW[:16], cell])]
    content = write(rows)
    assert plain_sheet(content) is not None
    assert read(content) == read(on_the_general_road(content))


@pytest.mark.parametrize(
    "part", ["xl/sheets/sheet1.xml", "xl/Worksheets/sheet1.xml", "xl/worksheets/Sheet1.XML"]
)
def test_the_sheet_wanted_is_read_wherever_it_lies(part: str) -> None:
    """A part may have any name; another sheet, with the same headers and more rows, does not stand for it."""
    book = openpyxl.load_workbook(io.BytesIO(by_openpyxl([ROW])))
    other = book["说明"]
    other.delete_rows(1)
    for row in [["t"], HEADERS, *[["OLD", *ROW[1:]]] * 20]:
        other.append(row)
    out, moved = io.BytesIO(), io.BytesIO()
    book.save(out)
    with zipfile.ZipFile(out) as archive, zipfile.ZipFile(moved, "w") as new:
        for name in archive.namelist():
            inside = archive.read(name).replace(f"/{SHEET}".encode(), f"/{part}".encode())
            new.writestr(part if name == SHEET else name, inside)
    [(_, _, _, fields)] = read(moved.getvalue())
    assert [row[0] for row in fields] == ["R1"]


def test_blank_rows_and_rows_that_are_none_make_nothing_large() -> None:
    """Formatted rows without a value stand in many a sheet; what looks like a row behind the last one is none."""
    content = by_openpyxl([ROW])
    blank = b"".join(b'<row r="%d" ht="15"/>' % row for row in range(5, 20_000))
    blank += b"".join(b'<row r="%d"><c r="A%d" s="0"/></row>' % (row, row) for row in range(20_000, 30_000))
    with_blank = edited(content, lambda sheet: sheet.replace(b"</sheetData>", blank + b"</sheetData>"))
    found = plain_sheet(with_blank)
    assert (
        found is not None and len(found.lines) == 3 + 29_995 and found.rows_with_texts().tolist() == [0, 1, 2]
    )
    looked_at = []
    found.row = lambda row: looked_at.append(row) or []  # type: ignore[method-assign, assignment, func-returns-value]
    assert len(found.rows_with_texts()) + len(looked_at) <= 3
    many = edited(content, lambda sheet: sheet + b"<!--" + b"<row " * (1 << 21) + b"-->")
    tracemalloc.start()
    assert read(many) == read(content)
    (_, most), most_rows = tracemalloc.get_traced_memory(), 1 << 20
    tracemalloc.stop()
    assert most < 1.5 * most_rows * len(HEADERS) * 8


def into(place: bytes, text: bytes) -> Edit:
    return lambda sheet: sheet.replace(place, text, 1)


THIRD = b'<c r="E3" t="inlineStr"><is><t>\xe7\x94\xb2</t></is></c>'
SHEETS: dict[str, tuple[bool, Edit]] = {
    "style before type": (True, into(b'<c r="E3" t', b'<c r="E3" s="0" t')),
    "an empty cell": (True, into(THIRD, b'<c r="E3" s="1"></c>')),
    "an empty cell that is short": (True, into(THIRD, b'<c r="E3"/>')),
    "an empty cell beyond the table": (
        True,
        into(b"</row></sheetData>", b'<c r="Z3" s="1"/></row></sheetData>'),
    ),
    "space kept": (True, into(THIRD, THIRD.replace(b"<t>", b'<t xml:space="preserve"> '))),
    "entities": (True, into(b"\xe7\x94\xb2", b"&#x7532;&lt;&amp;")),
    "a date with a time": (True, into(b"45413", b"45413.75")),
    "a time": (True, into(b"45413", b"0.75")),
    "an error": (True, into(THIRD, b'<c r="E3" t="e"><v>#N/A</v></c>')),
    "a truth": (True, into(THIRD, b'<c r="E3" t="b"><v>1</v></c>')),
    "a text of a formula": (True, into(THIRD, b'<c r="E3" t="str"><v>x y</v></c>')),
    "an escaped line end": (True, into(b"\xe7\x94\xb2", b"x_x000D_")),
    "more told of a row": (True, into(b'<row r="3"', b'<row r="3" spans="1:17" ht="14.25"')),
    "a row of nothing": (True, into(b"</sheetData>", b'<row r="9"/></sheetData>')),
    "no declaration": (True, lambda sheet: sheet.split(b"?>", 1)[1]),
    "a formula": (False, into(b"<v>1234.5", b"<f>1+1</f><v>1234.5")),
    "rich text": (False, into(THIRD, b'<c r="E3"><is><r><t>a</t></r><r><t>b</t></r></is></c>')),
    "no places": (False, lambda sheet: re.sub(rb'(<c|<row) r="\w+"', rb"\1", sheet)),
    "a cell told twice": (False, into(THIRD, THIRD + THIRD)),
    "cells out of order": (False, into(THIRD, b'<c r="Q3"><v>7</v></c>' + THIRD)),
    "rows out of order": (False, into(b'<row r="1">', b'<row r="4"/><row r="1">')),
    "a cell in another row": (False, into(b'r="E3"', b'r="E4"')),
    "a type told twice": (False, into(b'r="E3" t="inlineStr"', b'r="E3" t="inlineStr" t="n"')),
    "no such type": (
        False,
        into(b'r="E3" t="inlineStr"><is><t>\xe7\x94\xb2</t></is>', b'r="E3" t="zz"><v>1</v>'),
    ),
    "a tag in a tag": (False, into(b'<row r="3"', b'<row r="3" x="><c r=\'A3\'/>"')),
    "line ends": (False, lambda sheet: sheet.replace(b"<row", b"\n<row")),
    "another encoding": (False, into(b'"UTF-8"', b'"GBK"')),
    "no such bytes": (False, into(b"\xe7\x94\xb2", b"\xff")),
    "a mark before it": (False, lambda sheet: b"\xef\xbb\xbf" + sheet),
    "a prefix": (
        False,
        lambda sheet: re.sub(rb"<(/?)(\w)", rb"<\1x:\2", sheet).replace(b"xmlns=", b"xmlns:x="),
    ),
    "a text beyond the table": (
        False,
        into(b"</row></sheetData>", b'<c r="R3"><v>1</v></c></row></sheetData>'),
    ),
    "cut off behind the rows": (False, lambda sheet: sheet[: sheet.index(b"</sheetData>") + 30]),
    "cut off": (False, lambda sheet: sheet[: sheet.index(b'<c r="F3"') + 8]),
}


@pytest.mark.parametrize(("is_plain", "edit"), SHEETS.values(), ids=SHEETS)
def test_a_sheet_means_the_same_on_both_roads(is_plain: bool, edit: Edit) -> None:
    before = with_inline_texts([ROW])
    content = edited(before, edit)
    assert content != before
    assert read(content) == read(on_the_general_road(content))
    try:
        sheet = plain_sheet(content)
    except BaseException as error:
        assert not isinstance(error, KeyboardInterrupt) and not is_plain
    else:
        assert (sheet is not None) == is_plain


def test_the_wanted_sheet_may_be_the_smaller_one() -> None:
    book = openpyxl.load_workbook(io.BytesIO(by_openpyxl([ROW])))
    for _ in range(50):
        book["说明"].append(ROW)
    out = io.BytesIO()
    book.save(out)
    [(lines, *_)] = read(out.getvalue())
    assert lines == [3]


def test_a_sheet_of_another_name_stays_a_mismatch() -> None:
    content = with_inline_texts([ROW])
    renamed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(renamed, "w") as new:
        for part in archive.namelist():
            new.writestr(part, archive.read(part).replace(FILE.sheet.encode(), b"Sheet1"))
    assert read(renamed.getvalue()) == "header_mismatch"


def test_random_damage_means_the_same_on_both_roads() -> None:
    rng = random.Random(5)
    pieces = [
        b"&amp;", b"&", b"<![CDATA[x]]>", b"<!-- -->", b' s="1"', b' t="s"', b' t="n"', b' r="A3"', b"\r\n", b" ", b"_x0041_",
        b"</c>", b"</row>", b'<row r="9">', b"<c/>", b'<c r="R3"/>', b"</sheetData>", b"<sheetData>", b">", b"<", b'"', b"'",
        b"/", b"\xff", b"\x00", b"45000.5", b"0.5", b"<v>1</v>", b"<f>1</f>", b"",
    ]  # fmt: skip
    for turn in range(90):
        cells = [[rng.choice([cell, cell, cell, "=1+1", *ODD_CELLS]) for cell in ROW] for _ in range(3)]
        content = WRITERS[turn % 3](cells)

        def damaged(sheet: bytes) -> bytes:
            begin = sheet.index(b"<sheetData>")
            for _ in range(rng.choice([0, 1, 1, 2])):
                tags = [
                    found.span() for found in re.finditer(rb"<[^>]*>|[^<>]+", sheet) if found.start() > begin
                ]
                first, last = rng.choice(tags)
                at = rng.choice([first, last, rng.randint(first, last)])
                sheet = sheet[:at] + rng.choice(pieces) + sheet[rng.choice([at, last]) :]
            return sheet

        broken = edited(content, damaged)
        assert read(broken) == read(on_the_general_road(broken)), f"turn {turn}"
