"""Values of a database or a page as the bytes of the contract's file."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from connectors.registry import all_contracts
from connectors.transports.rendering import NumberText, WireForm, parse_wire_form, render_rows

TAX = all_contracts()["tax"].files[0]
HEADERS = [column.header for column in TAX.columns]


def tax_line(*cells, delivered=HEADERS, form=None):
    row = [*cells, *[""] * (len(delivered) - len(cells))]
    header, line = b"".join(render_rows("tax", TAX, delivered, [[row]], form)).decode().split("\n", 1)
    return header, line.removesuffix("\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("甲", "甲"),
        (Decimal("1300.10"), "1300.10"),
        (Decimal("1E+3"), "1000"),
        (0.1, "0.1"),
        (1e16, "10000000000000000"),
        (7, "7"),
        (date(2026, 6, 9), "2026-06-09"),
        (datetime(2026, 6, 9), "2026-06-09"),
        (datetime(2026, 6, 9, 1, 2), "2026-06-09 01:02:00"),
        (NumberText("1300.10"), "1300.10"),
        ("a,b", '"a,b"'),
        ('a"b', '"a""b"'),
        (" left as it is ", " left as it is "),
        ("ends\n", "ends"),
    ],
)
def test_a_value_is_written_as_a_department_would(value, text):
    assert tax_line(value)[1] == text + "," * 6


def test_a_line_break_inside_a_value_cannot_make_a_second_record():
    _, line = tax_line("x\n440103197001010017,甲,202605,工资薪金,9999.00,,")
    assert "\n" not in line
    assert "\ufffd" in line


def test_columns_may_come_in_any_order_under_header_or_english_name():
    names = [column.name for column in TAX.columns]
    values = list("1234567")
    assert tax_line(*values, delivered=names) == (",".join(HEADERS), "1,2,3,4,5,6,7")
    assert tax_line(*values[::-1], delivered=HEADERS[::-1]) == (",".join(HEADERS), "1,2,3,4,5,6,7")


@pytest.mark.parametrize("changed", [[*HEADERS[:-1], "新列"], HEADERS[:-1], [*HEADERS, "新列"]])
def test_other_columns_than_agreed_show_in_the_header(changed):
    assert tax_line(delivered=changed)[0] == ",".join(changed)


def test_line_end_and_mark_are_the_departments_choice():
    pieces = b"".join(render_rows("tax", TAX, HEADERS, [], WireForm("\r\n", mark=True)))
    assert pieces == b"\xef\xbb\xbf" + ",".join(HEADERS).encode() + b"\r\n"
    assert parse_wire_form("crlf bom") == WireForm("\r\n", mark=True)
    assert parse_wire_form(None) == parse_wire_form("") == WireForm()
    for bad in ("cr", "lf crlf", "utf-16"):
        with pytest.raises(ValueError, match="wire form"):
            parse_wire_form(bad)


def test_json_keeps_numbers_as_written_and_leaves_absent_keys_out():
    file = all_contracts()["securities"].files[0]
    keys = [column.header for column in file.columns]
    row = ["1", None, "S1", "00", NumberText("1300.10"), Decimal("-0.50"), "CNY", "2026-06-28"]
    line = b"".join(render_rows("securities", file, keys, [[row], []])).decode()
    assert line == (
        '{"id_number": "1", "broker_code": "S1", "account_no": "00", "market_value": 1300.10, '
        '"cash_balance": -0.50, "currency": "CNY", "as_of": "2026-06-28"}\n'
    )


def test_an_empty_delivery_is_an_empty_file_of_its_format():
    for source, content in (("securities", b""), ("insurance", b'{"policies": [\n]}\n')):
        file = all_contracts()[source].files[0]
        assert b"".join(render_rows(source, file, [c.header for c in file.columns], [])) == content
