"""JSON feeds: an absent key is an empty value, a number or boolean in a text column is its text, a line is a record."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import numpy as np
import pytest

from connectors.registry import all_contracts
from pipelines.errors import SourceHeld
from pipelines.intake.batch import reasons_of
from pipelines.intake.checks import Judging
from pipelines.intake.judged import values_of
from pipelines.intake.objects import read_json_array, read_json_lines

HOLDINGS = all_contracts()["securities"].files[0]
POLICIES = all_contracts()["insurance"].files[0]
JUDGING = Judging(date(2026, 6, 30), frozenset({"CNY"}), frozenset(all_contracts()))
HOLDING = {
    "id_number": "99910019800101001X", "name": "甲", "broker_code": "1", "account_no": "2", "market_value": 1,
    "cash_balance": 0, "currency": "CNY", "as_of": "2026-06-01",
}  # fmt: skip
POLICY = {
    "policy_no": "1", "insurer_code": "2", "holder_id_number": "99910019800101001X", "product_type": "年金",
    "annual_premium": 1, "cash_value": 2, "effective_on": "2026-01-01", "status": "有效",
}  # fmt: skip


def line(**cells: Any) -> bytes:
    """A holding; a value of bytes stands in the line as it is."""
    parts = {
        key: value if isinstance(value, bytes) else json.dumps(value).encode()
        for key, value in {**HOLDING, **cells}.items()
    }
    return b"{" + b", ".join(f'"{key}": '.encode() + value for key, value in parts.items()) + b"}"


def told(batches: Any, column: str) -> dict[int, str]:
    """line -> the column's text (trimmed; money in millionths), or the reasons against the row in brackets."""
    found: dict[int, str] = {}
    for judged in batches:
        for row, (number, mask) in enumerate(zip(judged.lines.tolist(), judged.mask.tolist(), strict=True)):
            value = (
                values_of(judged, column, np.array([row]))[0].as_py() if not mask else f"[{reasons_of(mask)}]"
            )
            found[number] = str(value)
        for number, reason in judged.spoiled:
            assert number not in found
            found[number] = f"[{reason}]"
    return found


def lines_told(content: bytes, column: str = "account_no") -> dict[int, str]:
    return told(read_json_lines(io.BytesIO(content), HOLDINGS, "h.jsonl", JUDGING), column)


def array_told(*items: bytes, column: str = "policy_no") -> dict[int, str]:
    content = b'{"policies": [' + b", ".join(items) + b"]}"
    return told(read_json_array(io.BytesIO(content), POLICIES, "p.json", JUDGING), column)


def policy(**cells: Any) -> bytes:
    parts = {
        key: value if isinstance(value, bytes) else json.dumps(value).encode()
        for key, value in {**POLICY, **cells}.items()
    }
    return b"{" + b", ".join(f'"{key}": '.encode() + value for key, value in parts.items()) + b"}"


# what stands after "account_no": in the line -> the text it counts as
TEXTS = {
    b'"6222"': "6222",
    b'" 6222 "': " 6222 ",
    b"6222": "6222",
    b"6222.50": "6222.50",
    b"1e5": "1e5",
    b"0.10": "0.10",
    b"123456789012345678901234567890": "123456789012345678901234567890",
    b"9007199254740993": "9007199254740993",
    b"18446744073709551616": "18446744073709551616",
    b"-7": "-7",
    b"true": "true",
    b"false": "false",
    b'"\\u0041\\n"': "A\n",
    b'"\\u0000"': "\0",
    b'["a", 1]': '["a",1]',
    b'{"a": null}': '{"a":null}',
    b"null": "[required_missing]",
    b'""': "[required_missing]",
    b'" \\u3000 "': "[required_missing]",
}


@pytest.mark.parametrize("beside", [b"", b"\nnot json"], ids=["alone", "beside a bad line"])
@pytest.mark.parametrize("literal", TEXTS)
def test_the_text_of_a_value(literal: bytes, beside: bytes) -> None:
    assert lines_told(line(account_no=literal) + beside)[1] == TEXTS[literal].strip()
    assert array_told(policy(policy_no=literal))[1] == TEXTS[literal].strip()


AMOUNTS = {
    b"1": "1000000", b"1.5": "1500000", b"0.1": "100000", b"1e3": "1000000000", b"1E-7": "0", b"1e22": str(10**18),
    b'"1,234.50"': "1234500000", b'"1e3"': "[money_unparseable]", b'"+1"': "[money_unparseable]", b"true": "[money_unparseable]",
    b"-0.01": "[money_negative]", b"-0.0": "0", b"-0": "0", b"123456789012.25": "123456789012250000", b"0.10": "100000", b"[1]": "[money_unparseable]", b'"NaN"': "[money_unparseable]",
    b"null": "[required_missing]",
}  # fmt: skip


@pytest.mark.parametrize("literal", AMOUNTS)
def test_the_amount_of_a_value(literal: bytes) -> None:
    assert lines_told(line(market_value=literal), "market_value") == {1: AMOUNTS[literal]}


NO_RECORDS = [
    b"{", b"}", b"[]", b'"text"', b"1", b"null", b"true", b"{'a': 1}", b'{"a": 1,}', b'{"a": NaN}', b'{"a": 1e999}',
    b'{"a": "\x01"}', b'{"a": "\\ud800"}', b'{"a": 01}', b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000,
    line() + line(), line() + b",", b"{}{}",
]  # fmt: skip


@pytest.mark.parametrize("raw", NO_RECORDS, ids=range(len(NO_RECORDS)))
def test_a_line_that_is_no_object_is_unparseable_and_spoils_nothing_else(raw: bytes) -> None:
    found = lines_told(b"\n".join([line(account_no="1"), raw, line(account_no="3"), b""]))
    assert found == {1: "1", 2: "[unparseable_record]", 3: "3"}


@pytest.mark.parametrize("depth", [254, 255, 300, 900, 1000, 1020, 1100, 50_000])
def test_values_nested_deep_never_stop_the_reading(depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    for cells in ({"account_no": deep}, {"other": deep}, {"account_no": b"2.50", "other": deep}):
        found = lines_told(b"\n".join([line(account_no="1"), line(**cells), line(account_no="3")]))
        assert found.keys() == {1, 2, 3} and found[1] == "1" and found[3] == "3"
        alone = lines_told(line(**cells))
        assert alone[1] == found[2], "a row's fate depends on the rows beside it"


def test_blank_lines_marks_and_line_ends_of_json_lines() -> None:
    content = (
        b"\xef\xbb\xbf"
        + line(account_no="1")
        + b"\r\n\r\n \t\n"
        + "\u3000".encode()
        + b"\n"
        + line(account_no="5")
    )
    assert lines_told(content) == {1: "1", 5: "5"}
    assert lines_told(b"") == lines_told(b"\n") == lines_told(b"\xef\xbb\xbf") == {}
    assert lines_told(line() + b"\n\xff\n" + line()) == {1: "2", 2: "[undecodable_text]", 3: "2"}
    assert lines_told(line() + b"\n\xef\xbb\xbf" + line()) == {1: "2", 2: "[unparseable_record]"}
    assert lines_told("\n".join(["", "{}"]).encode("utf-16"))[1] == "[undecodable_text]"


def test_an_object_without_any_key_is_a_row_with_every_value_missing() -> None:
    assert lines_told(b"{}") == {1: "[id_missing;required_missing]"}


def test_lines_are_read_alike_wherever_blocks_end() -> None:
    class Slow(io.BytesIO):
        def readinto(self, target: Any) -> int:
            return super().readinto(target[:3])

    content = b"\xef\xbb\xbf" + b"\r\n".join([line(account_no="张"), b"", b"bad", line(account_no="4")])
    found = told(read_json_lines(Slow(content), HOLDINGS, "h.jsonl", JUDGING), "account_no")
    assert found == lines_told(content) == {1: "张", 3: "[unparseable_record]", 4: "4"}


def test_places_in_an_array_count_from_one_and_what_is_no_object_is_unparseable() -> None:
    found = array_told(policy(policy_no="1"), b"7", b"null", policy(policy_no="4"), b"[]", b'"x"')
    bad = "[unparseable_record]"
    assert found == {1: "1", 2: bad, 3: bad, 4: "4", 5: bad, 6: bad}


def test_a_deep_value_in_an_array_spoils_its_record_alone_and_numbers_keep_their_places() -> None:
    deep = b"[" * 300 + b"]" * 300
    found = array_told(policy(policy_no=b"1.10"), policy(policy_no=deep), b"0", policy(policy_no=b"4.40"))
    assert found == {1: "1.10", 2: "[unparseable_record]", 3: "[unparseable_record]", 4: "4.40"}


UNREADABLE = {
    "empty": b"",
    "not JSON": b"policy_no,insurer_code",
    "cut": b'{"policies": [' + policy()[:-5],
    "no list": b'{"policies": {}}',
    "other key": b'{"policy": []}',
    "an array": b"[]",
    "deep": b"[" * 1_000_000,
    "not UTF-8": '{"policies": ["张"]}'.encode("gb18030"),
    "UTF-16": '{"policies": []}'.encode("utf-16"),
    "NULs": bytes(100),
    "two documents": b'{"policies": []}{"policies": []}',
    "text after": b'{"policies": []} x',
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_is_no_such_document_is_unreadable(content: bytes) -> None:
    with pytest.raises(SourceHeld) as held:
        list(read_json_array(io.BytesIO(content), POLICIES, "p.json", JUDGING))
    assert held.value.reason == "unreadable"


def test_a_mark_may_stand_before_the_document() -> None:
    content = b'\xef\xbb\xbf {"policies": []} \n'
    assert list(read_json_array(io.BytesIO(content), POLICIES, "p.json", JUDGING)) == []
