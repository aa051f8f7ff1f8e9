"""Workbooks: one sheet, a title, headers in row 2; a row's line is its row in the sheet, a broken file holds the source."""

from __future__ import annotations

import io
import random
import time as clock
import zipfile
from datetime import date, datetime, time
from typing import Any

import openpyxl
import pytest

from connectors.registry import all_contracts
from pipelines.errors import SourceHeld
from pipelines.intake.batch import reasons_of
from pipelines.intake.checks import Judging
from pipelines.intake.workbook import read_workbook

FILE = all_contracts()["rural_revitalisation"].files[0]
HEADERS = [column.header for column in FILE.columns]
JUDGING = Judging(date(2026, 6, 30), frozenset({"CNY"}), frozenset(all_contracts()))
GOOD: dict[str, Any] = {
    "户编号": "R1", "县区代码": "440103", "乡镇代码": "440103001", "城乡": "农村", "姓名": "甲", "公民身份号码": "99910019800101001X",
    "与户主关系": "01", "监测类型": "x", "风险是否消除": "否", "家庭年人均纯收入": 1234.5, "年刚性支出": 0, "残疾等级": None,
    "残疾类别": None, "重病": "否", "劳动能力": None, "有无法定义务人": "无", "识别日期": date(2024, 5, 1),
}  # fmt: skip


def workbook(
    *rows: list[Any],
    title: list[Any] | None = None,
    sheet: str = FILE.sheet,
    headers: list[Any] | None = None,
) -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    page.append(["防止返贫监测对象"] if title is None else title)
    page.append(HEADERS if headers is None else headers)
    for row in rows:
        page.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def row(**cells: Any) -> list[Any]:
    return list({**GOOD, **cells}.values())


def read(content: bytes) -> dict[int, dict[str, str] | str]:
    """row -> its cells as text, or why it has none."""
    found: dict[int, dict[str, str] | str] = {}
    headers = [column.header for column in FILE.columns]
    for judged in read_workbook(io.BytesIO(content), FILE, "440103.xlsx", JUDGING):
        for place, line in enumerate(judged.lines.tolist()):
            found[line] = dict(zip(headers, judged.raw_fields(place), strict=True))
        found.update(judged.spoiled)
    return found


def reasons(content: bytes) -> dict[int, str]:
    found: dict[int, str] = {}
    for judged in read_workbook(io.BytesIO(content), FILE, "440103.xlsx", JUDGING):
        found.update(zip(judged.lines.tolist(), map(reasons_of, judged.mask.tolist()), strict=True))
        found.update(judged.spoiled)
    return found


def held(content: bytes) -> str:
    with pytest.raises(SourceHeld) as caught:
        read(content)
    return caught.value.reason


CELLS = [
    (12, "12"), (12.0, "12"), (12.5, "12.5"), (-0.01, "-0.01"), (1e15, "1000000000000000"),
    (1e-7, "0.0000001"), (1e20, "100000000000000000000"), (True, "true"), (False, "false"), (None, ""), ("", ""), (" x ", " x "),
    ("007", "007"), ("=1+1", ""), (date(2026, 6, 29), "2026-06-29"), (datetime(2026, 6, 29, 13, 14), "2026-06-29"),
    ("2026/6/9", "2026/6/9"), ("𠮷\u200b", "𠮷\u200b"), ("a\nb", "a\nb"),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "text"), CELLS, ids=[repr(cell) for cell, _ in CELLS])
def test_the_text_of_a_cell(cell: Any, text: str) -> None:
    found = read(workbook(row(识别日期=cell, 姓名="甲")))[3]
    assert isinstance(found, dict) and found["识别日期"] == text


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({}, ""), ({"家庭年人均纯收入": "1,234.50"}, ""), ({"家庭年人均纯收入": "约一千"}, "money_unparseable"),
        ({"家庭年人均纯收入": -1}, "money_negative"), ({"年刚性支出": None}, "required_missing"),
        ({"年刚性支出": date(2026, 1, 1)}, "money_unparseable"), ({"年刚性支出": True}, "money_unparseable"),
        ({"县区代码": 440103}, ""), ({"县区代码": 440103.0}, ""), ({"与户主关系": 1}, "code_unknown"),
        ({"公民身份号码": 999100198001010010}, "id_malformed"), ({"公民身份号码": None}, "id_missing"),
        ({"残疾等级": 1}, ""), ({"残疾等级": 1.0}, ""), ({"残疾等级": "5"}, "code_unknown"), ({"识别日期": time(1, 2)}, ""),
        ({"姓名": None}, ""), ({"户编号": None}, "required_missing"), ({"户编号": 17}, ""),
    ],
    ids=str,
)  # fmt: skip
def test_cells_are_judged_as_their_text(cells: dict[str, Any], reason: str) -> None:
    found = reasons(workbook(row(**cells)))
    if "公民身份号码" in cells and cells["公民身份号码"] is not None:
        assert found[3] in ("", "id_malformed"), (
            "a number cell has lost digits; it may be suspect, never another person's"
        )
    else:
        assert found == {3: reason}


def test_a_row_is_told_by_its_place_in_the_sheet_and_blank_ones_are_none() -> None:
    content = workbook([], row(户编号="A"), [None] * 17, [" ", "\u3000"], row(户编号="B"), [], [])
    assert {line: found["户编号"] for line, found in read(content).items() if isinstance(found, dict)} == {
        4: "A",
        7: "B",
    }


def test_rows_shorter_and_longer_than_the_headers() -> None:
    content = workbook(row()[:5], [*row(), None, " "], [*row(), "x"], [*row(), None, 0])
    found = read(content)
    assert isinstance(found[3], dict) and found[3]["重病"] == ""
    assert isinstance(found[4], dict)
    assert found[5] == found[6] == "wrong_column_count"


def test_headers_may_be_followed_by_empty_cells_and_white_space() -> None:
    assert 3 in read(workbook(row(), headers=[*(f" {h}\u3000" for h in HEADERS), None, " "]))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(workbook(row(), sheet="Sheet1"), id="no such sheet"),
        pytest.param(workbook(row(), headers=HEADERS[:-1]), id="a header short"),
        pytest.param(workbook(row(), headers=[*HEADERS, "备注"]), id="a header more"),
        pytest.param(workbook(row(), headers=["户号", *HEADERS[1:]]), id="another header"),
        pytest.param(workbook(row(), headers=[]), id="no headers"),
        pytest.param(workbook(row(), title=HEADERS, headers=row()), id="headers in row 1"),
        pytest.param(workbook(row(), headers=HEADERS[::-1]), id="another order"),
    ],
)
def test_another_layout_holds_the_source(content: bytes) -> None:
    assert held(content) == "header_mismatch"


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def changed(content: bytes, name: str, edit: Any) -> bytes:
    """A workbook with one part of its archive edited; None leaves it out."""
    parts: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for part in archive.namelist():
            inside = archive.read(part)
            new = edit(inside) if part == name else inside
            if new is not None:
                parts[part] = new
    return zipped(**parts)


SHEET, BOOK = "xl/worksheets/sheet1.xml", "xl/workbook.xml"
GOOD_BOOK = workbook(row(), row(户编号="B"))
BROKEN = {
    "empty": b"",
    "text": b"not a workbook",
    "zip of nothing": zipped(),
    "zip of other things": zipped(a=b"x"),
    "cut in half": GOOD_BOOK[: len(GOOD_BOOK) // 2],
    "no end": GOOD_BOOK[:-30],
    "old xls": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2000),
    "encrypted": bytes.fromhex("d0cf11e0a1b11ae1") + b"E\0n\0c\0r\0y\0p\0t\0e\0d" + bytes(4000),
    "no sheet part": changed(GOOD_BOOK, SHEET, lambda _: None),
    "no workbook part": changed(GOOD_BOOK, BOOK, lambda _: None),
    "sheet cut": changed(GOOD_BOOK, SHEET, lambda raw: raw[: len(raw) // 2]),
    "sheet no XML": changed(GOOD_BOOK, SHEET, lambda _: b"\x00\xff" * 100),
    "workbook no XML": changed(GOOD_BOOK, BOOK, lambda _: b"<"),
    "no such column": changed(GOOD_BOOK, SHEET, lambda raw: raw.replace(b'r="A3"', b'r="3A"')),
    "an open document": zipped(mimetype=b"application/vnd.oasis.opendocument.spreadsheet", content=b"<x/>"),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_workbook_is_held_and_never_raises_anything_else(content: bytes) -> None:
    assert held(content) in ("unreadable", "header_mismatch")


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = changed(
        GOOD_BOOK, SHEET, lambda raw: raw.replace(b"</sheetData>", b" " * (40 << 20) + b"</sheetData>")
    )
    assert len(bomb) < 1 << 20
    assert held(bomb) == "unreadable"


@pytest.mark.parametrize("reference", ["XFD1048576", "XFD100000", "ZZ999999"])
def test_a_lone_cell_far_out_does_not_take_the_memory_of_the_rectangle(reference: str) -> None:
    cell = f'<row r="{reference.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}"><c r="{reference}" t="inlineStr"><is><t>x</t></is></c></row>'
    far = changed(GOOD_BOOK, SHEET, lambda raw: raw.replace(b"</sheetData>", cell.encode() + b"</sheetData>"))
    started = clock.monotonic()
    assert held(far) == "unreadable"
    assert clock.monotonic() - started < 5


def test_a_stray_cell_not_so_far_out_is_one_bad_row() -> None:
    cell = b'<row r="40"><c r="AZ40" t="inlineStr"><is><t>x</t></is></c></row>'
    found = read(changed(GOOD_BOOK, SHEET, lambda raw: raw.replace(b"</sheetData>", cell + b"</sheetData>")))
    assert found.keys() == {3, 4, 40} and found[40] == "wrong_column_count"


def test_damage_anywhere_is_held_or_leaves_rows_to_judge() -> None:
    rng = random.Random(7)
    for _ in range(150):
        content = bytearray(GOOD_BOOK)
        for _ in range(rng.randint(1, 4)):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        try:
            read(bytes(content))
        except SourceHeld as caught:
            assert caught.reason in ("unreadable", "header_mismatch")


def test_a_message_about_a_broken_workbook_quotes_no_cell() -> None:
    for content in BROKEN.values():
        with pytest.raises(SourceHeld) as caught:
            read(content)
        assert "999100" not in str(caught.value) and "甲" not in str(caught.value)
