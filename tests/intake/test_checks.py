"""Every reason a row is quarantined for, column type by column type, on both sides of each grammar."""

from __future__ import annotations

import io
from datetime import date

import numpy as np
import pytest

from connectors.contract import Column, FileContract
from pipelines.intake.batch import reasons_of
from pipelines.intake.checks import Judging
from pipelines.intake.judged import values_of
from pipelines.intake.lines import read_lines

AS_OF = date(2026, 6, 30)
JUDGING = Judging(AS_OF, frozenset({"CNY", "USD"}), frozenset({"banks", "tax"}))
OK = ""


def reasons_in(content: bytes, file: FileContract) -> list[str]:
    """The reasons against each line, in the order of the lines."""
    found: dict[int, str] = {}
    for judged in read_lines(io.BytesIO(content), file, "t", JUDGING):
        found.update(zip(judged.lines.tolist(), map(reasons_of, judged.mask.tolist()), strict=True))
        found.update(judged.spoiled)
    return [found[line] for line in sorted(found)]


def judged(column: Column, *cells: str, encoding: str = "utf-8") -> list[str]:
    """The reasons against each cell, in a file of that column between two others."""
    columns = (Column("edge", "EDGE", "carried"), column, Column("last", "LAST", "carried"))
    file = FileContract("t", "t.txt", "pipe", encoding, columns)  # type: ignore[arg-type]
    lines = ["|".join(c.header for c in columns), *(f"x|{cell}|y" for cell in cells)]
    return reasons_in("\n".join(lines).encode(encoding), file)


def parsed(column: Column, cell: str, encoding: str = "utf-8") -> object:
    """What a cell means; None when its row is not accepted."""
    file = FileContract("t", "t.txt", "pipe", encoding, (column, Column("x", "X", "carried")))  # type: ignore[arg-type]
    content = f"{column.header}|X\n{cell}|\n".encode(encoding)
    (judged,) = (one for one in read_lines(io.BytesIO(content), file, "t", JUDGING) if len(one.lines))
    return None if judged.mask[0] else values_of(judged, column.name, np.array([0]))[0].as_py()


MONEY = Column("m", "M", "money")
# cell -> millionths of a yuan, None when it is no money
AMOUNTS = {
    "0": 0, "1": 1_000_000, "007": 7_000_000, "1.5": 1_500_000, "1.50": 1_500_000, "0.01": 10_000, "-1.5": -1_500_000, "-0": 0,
    "-0.00": 0, "12.3456": 12_345_600, "0.000001": 1, "0.0000004": 0, "1,234": 1_234_000_000, "1,234,567.89": 1_234_567_890_000,
    "-1,234.5": -1_234_500_000, "999,999": 999_999_000_000, " 1 ": 1_000_000, "\u30001.5\u00a0": 1_500_000,
    "999999999999": 999_999_999_999_000_000, "99999999999999999999999999999999999999999999": 10**18,
    "-99999999999999999999999999999999999999999999": -(10**18), "123456789012.345678": 123_456_789_012_345_678,
    "+1": None, "--1": None, "1-": None, "(1)": None, "1e3": None, "1E3": None, ".5": None, "5.": None, "-.5": None, "-": None, ".": None,
    "1.2.3": None, "1 234": None, "1,23": None, "1,2345": None, "12,34,567": None, ",123": None, "1234,567": None, "1,234,": None,
    "1,,234": None, "1.234,5": None, "0,5": None, "￥1": None, "1元": None, "１２": None, "1．5": None, "−1": None, "٣": None, "0x10": None,
    "NaN": None, "inf": None, "true": None, "1_000": None, "一": None, "1\x00": None, "'1": None, "=1": None, "1\u200b": None,
}  # fmt: skip


@pytest.mark.parametrize("cell", AMOUNTS)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_money(cell: str, encoding: str) -> None:
    assert judged(MONEY, cell, encoding=encoding) == [
        OK if AMOUNTS[cell] is not None else "money_unparseable"
    ]
    if AMOUNTS[cell] is not None:
        assert parsed(MONEY, cell, encoding) == AMOUNTS[cell]


def test_all_amounts_of_one_column_are_judged_as_each_alone() -> None:
    assert judged(MONEY, *AMOUNTS) == [
        OK if wanted is not None else "money_unparseable" for wanted in AMOUNTS.values()
    ]


NOT_NEGATIVE = Column("m", "M", "money", not_negative=True)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("0", OK), ("-0", OK), ("-0.00", OK), ("-0.000,000", "money_unparseable"), ("-0.000001", "money_negative"),
     ("-1", "money_negative"), ("-1,000.5", "money_negative"), ("--1", "money_unparseable"), ("-10", "money_negative")],
)  # fmt: skip
def test_money_that_must_not_be_negative(cell: str, reason: str) -> None:
    assert judged(NOT_NEGATIVE, cell) == [reason]


DATE = Column("d", "D", "date")
DATES = {
    "2026-06-29": date(2026, 6, 29), "20260629": date(2026, 6, 29), "2026/06/29": date(2026, 6, 29), "2026/6/9": date(2026, 6, 9),
    "2026/12/1": date(2026, 12, 1), " 2026-06-29 ": date(2026, 6, 29), "2024-02-29": date(2024, 2, 29), "0001-01-01": date(1, 1, 1),
    "9999-12-31": date(9999, 12, 31), "2026-6-29": None, "2026-06-9": None, "2026629": None, "260629": None, "2026/06-29": None,
    "2026-06/29": None, "2026.06.29": None, "29/06/2026": None, "2026/006/29": None, "2026/6/": None, "2026-06-31": None,
    "2026-02-29": None, "2026-13-01": None, "2026-00-10": None, "2026-06-00": None, "0000-01-01": None, "00000000": None, "2026-06": None,
    "2026": None, "46202": None, "2026-06-29T00:00:00": None, "2026-06-29 00:00": None, "２０２６-06-29": None, "2026-W26-1": None,
    "2026年6月29日": None, "+2026-06-29": None, "-2026-06-29": None, "12026-06-29": None, "2026- 6-29": None, "2026-06-29\x00": None,
    "١٢٣٤-05-06": None,
}  # fmt: skip


@pytest.mark.parametrize("cell", DATES)
def test_dates(cell: str) -> None:
    assert judged(DATE, cell) == [OK if DATES[cell] else "date_unparseable"]
    if DATES[cell]:
        assert parsed(DATE, cell) == DATES[cell]


MONTH = Column("d", "D", "month")
MONTHS = {
    "202605": date(2026, 5, 1), "2026-05": date(2026, 5, 1), " 2026-12": date(2026, 12, 1), "2026-5": None, "2026/05": None,
    "20265": None, "2026-13": None, "202600": None, "2026-05-01": None, "20260501": None, "05-2026": None, "2026--05": None,
    "000001": None, "２０２６０５": None, "2026 05": None,
}  # fmt: skip


@pytest.mark.parametrize("cell", MONTHS)
def test_months(cell: str) -> None:
    assert judged(MONTH, cell) == [OK if MONTHS[cell] else "date_unparseable"]
    if MONTHS[cell]:
        assert parsed(MONTH, cell) == MONTHS[cell]


@pytest.mark.parametrize(
    ("kind", "cell", "reason"),
    [("date", "2026-06-30", OK), ("date", "2026-07-01", "date_in_future"), ("date", "9999-12-31", "date_in_future"),
     ("month", "2026-06", OK), ("month", "202607", "date_in_future"), ("month", "2025-12", OK)],
)  # fmt: skip
def test_dates_that_must_not_lie_ahead(kind: str, cell: str, reason: str) -> None:
    assert judged(Column("d", "D", kind, not_future=True), cell) == [reason]  # type: ignore[arg-type]
    assert judged(Column("d", "D", kind), cell) == [OK]  # type: ignore[arg-type]


CODE = Column("c", "C", "code", values=("活期", "定期"))
TWO = Column("c", "C", "digits", length=2)
SIX = Column("c", "C", "digits", length=6)
CURRENCY = Column("c", "C", "currency")
SCOPE = Column("c", "C", "scope")
TEXT = Column("c", "C", "text")
ID = Column("c", "C", "id")
CARRIED = Column("c", "C", "carried")
NAME = Column("c", "C", "name", optional=True)


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        (CODE, "活期", OK), (CODE, " 活期\u3000", OK), (CODE, "活 期", "code_unknown"), (CODE, "理财", "code_unknown"),
        (CODE, "活期定期", "code_unknown"), (CODE, "活", "code_unknown"), (CODE, "活期\u200b", "code_unknown"),
        (CODE, "", "required_missing"), (CODE, "\u3000", "required_missing"),
        (TWO, "01", OK), (TWO, "99", OK), (TWO, "1", "code_unknown"), (TWO, "001", "code_unknown"), (TWO, "０１", "code_unknown"),
        (TWO, "1a", "code_unknown"), (TWO, "-1", "code_unknown"), (TWO, "", "required_missing"),
        (SIX, "440103", OK), (SIX, "44010", "code_unknown"), (SIX, "440103001", "code_unknown"), (SIX, "４４０１０３", "code_unknown"),
        (CURRENCY, "CNY", OK), (CURRENCY, "cny", "currency_unknown"), (CURRENCY, "RMB", "currency_unknown"),
        (CURRENCY, "EUR", "currency_unknown"), (CURRENCY, "", "required_missing"),
        (SCOPE, "*", OK), (SCOPE, "banks", OK), (SCOPE, "banks;tax", OK), (SCOPE, "tax;banks;tax", OK), (SCOPE, "water", "code_unknown"),
        (SCOPE, "banks;water", "code_unknown"), (SCOPE, "banks,tax", "code_unknown"), (SCOPE, "BANKS", "code_unknown"),
        (SCOPE, "", "required_missing"), (SCOPE, "all", "code_unknown"),
        (TEXT, "x", OK), (TEXT, "\u200b", OK), (TEXT, "", "required_missing"), (TEXT, " \t\u3000\u00a0\u2028", "required_missing"),
        (CARRIED, "", OK), (CARRIED, "\x00=1+1", OK), (NAME, "", OK), (NAME, "\ufffd", OK),
        (ID, "99910019800101001X", OK), (ID, "999100198001010010", OK), (ID, "", "id_missing"), (ID, " \u3000", "id_missing"),
        (ID, "9991001980010100", "id_malformed"), (ID, "99910019800101001Y", "id_malformed"), (ID, "9991001980010100１x", OK),
        (ID, "X9910019800101001X", "id_malformed"), (ID, "99910019800101001X1", "id_malformed"), (ID, "999100800101001", OK),
        (ID, "9.9910019800101E+17", "id_malformed"), (ID, "'99910019800101001X", "id_malformed"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_codes_texts_and_numbers(column: Column, cell: str, reason: str, encoding: str) -> None:
    assert judged(column, cell, encoding=encoding) == [reason]


@pytest.mark.parametrize("kind", ["money", "date", "month", "digits", "currency", "scope", "text", "id"])
def test_what_may_be_empty_is_accepted_empty(kind: str) -> None:
    column = Column("c", "C", kind, optional=True, length=2)  # type: ignore[arg-type]
    assert judged(column, "", " ") == [OK, OK]


def test_a_date_that_may_be_empty_only_beside_one_code() -> None:
    status = Column("s", "S", "code", values=("正常", "死亡"))
    day = Column("d", "D", "date", empty_only_when=("s", "正常"))
    file = FileContract("t", "t.csv", "csv", "utf-8", (status, day))
    lines = {
        "正常,": OK, "正常,2026-01-01": OK, "死亡,2026-01-01": OK, "死亡,": "required_missing", "死亡, ": "required_missing",
        "迁出,": "required_missing;code_unknown", "\u3000,": "required_missing", "死亡,x": "date_unparseable", "正常,x": "date_unparseable",
        " 正常 ,": OK,
    }  # fmt: skip
    content = "\n".join(["S,D", *lines]).encode()
    assert reasons_in(content, file) == list(lines.values())


def test_a_row_tells_every_reason_that_fits_in_the_order_of_the_specification() -> None:
    columns = (
        CODE, Column("i", "I", "id"), Column("m", "M", "money"), Column("n", "N", "money", not_negative=True),
        Column("d", "D", "date"), Column("e", "E", "date", not_future=True), Column("u", "U", "currency"), Column("t", "T", "text"),
    )  # fmt: skip
    file = FileContract("t", "t.csv", "csv", "utf-8", columns)
    content = b"C,I,M,N,D,E,U,T\n?,?,?,-1,?,2027-01-01,?,\n"
    assert reasons_in(content, file) == [
        "id_malformed;required_missing;money_unparseable;money_negative;date_unparseable;date_in_future;code_unknown;currency_unknown"
    ]
