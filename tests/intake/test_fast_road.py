"""The fast road says of every record what the general readers say of it: same verdicts, same numbers, same values."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Column, FileContract
from connectors.registry import all_contracts
from pipelines.intake import lines as line_files
from pipelines.intake.checks import check_batch
from pipelines.intake.judged import Judged, values_of
from pipelines.intake.lines import read_block, read_lines
from pipelines.intake.objects import read_json_array, read_json_lines, read_raw_lines
from pipelines.intake.scan import Scanned
from tests.flow.long_runs import examples

from .plain_reading import JUDGING, header_line

FILES = {
    f"{source}/{file.key}": file
    for source, contract in all_contracts().items()
    for file in contract.files
    if file.format in ("csv", "pipe", "jsonl", "json")
}
LINE_FILES = sorted(name for name, file in FILES.items() if file.format in ("csv", "pipe"))
OBJECT_FILES = sorted(set(FILES) - set(LINE_FILES))

NUMBERS = ["999598195804115616", "99925119851217320x", "99925119851217320X", "999415840317019", "999598195804115617",
           "999598195802305610", "999598205804115616", "99959819580411561", "9995981958041156161", " 999598195804115616",
           "99959819580411561６", "99959819580411561:", "9995981958041156/6", "99941584031701９", "", "999415840231019"]  # fmt: skip
AMOUNTS = ["0", "1", "-1", "1.5", "-0.00", "1,234", "1,234.56", "12,34", "1234,567", "0.000001", "0.0000001", "99999999999.999999",
           "100000000000", "007", ".5", "5.", "-", "--1", "1e3", "", " 1", "１", "1,234,567.891", ",123", "1,23", "-1,000"]  # fmt: skip
DATES = [
    "2026-06-29",
    "20260629",
    "2026/6/29",
    "2026-6-29",
    "2026-07-01",
    "2026-02-30",
    "202605",
    "2026-05",
    "",
    " 2026-06-29 ",
]
TEXTS = [
    "甲",
    "a",
    "",
    " ",
    "\u3000",
    "甲\u3000",
    "\u3000甲",
    "㐀",
    "𠮷",
    "粅",
    "é",
    "\u00a0x",
    "x\u2028",
    "a\tb",
    "\t",
    "=1+1",
    "0",
]


def cells(column: Column) -> st.SearchStrategy[str]:
    """Values of a column, good and bad, each of them now and then."""
    if column.type == "id":
        return st.sampled_from(NUMBERS)
    if column.type == "money":
        return st.sampled_from(AMOUNTS)
    if column.type in ("date", "month"):
        return st.sampled_from(DATES)
    if column.type == "code":
        return st.sampled_from([*column.values, "", "无此代码", f" {column.values[0]}"])
    if column.type in ("digits", "currency", "scope"):
        return st.sampled_from(["CNY", "XXX", "*", "tax;banks", "4" * (column.length or 6), "", "12"])
    return st.sampled_from(TEXTS)


def told(batches: Iterable[Judged], file: FileContract) -> dict[int, Any]:
    """Line -> everything the night uses of it."""
    found: dict[int, Any] = {}
    for judged in batches:
        for line, reason in judged.spoiled:
            assert line not in found
            found[line] = reason
        for row, line in enumerate(judged.lines.tolist()):
            assert line not in found
            at = np.array([row])
            mask = int(judged.mask[row])
            record: dict[str, Any] = {"mask": mask}
            if judged.has_ids and judged.formed()[row]:
                record["id"] = (
                    judged.id_blocks(at).tobytes(),
                    judged.id_chars(at).tobytes(),
                    bool(judged.valid[row]),
                )
                record["upgraded"] = bool(judged.upgraded[row])
            for column in file.columns:
                if mask == 0 and column.type != "id":
                    record[column.name] = values_of(judged, column.name, at)[0].as_py()
            found[line] = record
    return found


@st.composite
def fields_of_lines(draw: st.DrawFn) -> tuple[str, bytes, int]:
    name = draw(st.sampled_from(LINE_FILES))
    file = FILES[name]
    rows = draw(st.lists(st.tuples(*map(cells, file.columns)), max_size=12))
    style = draw(st.sampled_from(["plain", "quoted"])) if file.quoted else "plain"

    def written(value: str) -> str:
        quote = style == "quoted" or "," in value or '"' in value
        return '"' + value.replace('"', '""') + '"' if quote and file.quoted else value

    body = [file.separator.join(map(written, row)).encode(file.encoding, "replace") for row in rows]
    end = draw(st.sampled_from([b"\n", b"\r\n"]))
    return (
        name,
        end.join([header_line(file), *body]) + draw(st.sampled_from([b"", end])),
        draw(st.integers(8, 300)),
    )


@settings(max_examples=examples(150), deadline=None)
@given(fields_of_lines())
def test_lines_are_judged_alike_on_both_roads_and_wherever_blocks_end(drawn: tuple[str, bytes, int]) -> None:
    name, content, block_bytes = drawn
    file = FILES[name]
    body = content.split(b"\n", 1)[1] if b"\n" in content else b""
    body += b"" if body.endswith(b"\n") or not body else b"\n"
    lines = np.arange(2, 2 + body.count(b"\n"))
    general = told([check_batch(read_block(body, lines, file), file, JUDGING)], file) if body else {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_files, "BLOCK_BYTES", block_bytes)
        fast = told(read_lines(io.BytesIO(content), file, "f", JUDGING), file)
    assert fast == general


# Whole characters, halves of them, and what only looks like one: surrogates, overlong forms, codes nobody assigned.
PIECES = (
    [b"a", b"\xe7\x94\xb2", b"\xe4\xb8\x80", b"\xef\xbf\xbd", b"\xe0\xa0\x80", b"\xe0\x9f\xbf", b"\xed\x9f\xbf",
     b"\xed\xa0\x80", b"\xc3\xa9", b"\xc0\x80", b"\xf0\xa0\xae\xb7", b"\xe7\x94", b"\xb2", b"\x80", b"\xff", b"\xfe\xfe",
     b"\xb0\xa1", b"\xf7\xfe", b"\x81\x40", b"\x81\x7c", b"\x81\x7f", b"\x81\x30\x81\x30", b"\xd6\xd0\xb9\xfa\xc8\xcb\xc3\xf1"]
)  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("format_", ["csv", "pipe"])
def test_bytes_of_every_kind_are_decoded_alike_on_both_roads(format_: str, encoding: str) -> None:
    file = FileContract(
        "f", "f", format_, encoding, (Column("number", "number", "id"), Column("text", "text", "carried"))
    )
    # The loop looks at 64 bytes together: with 41 to 45 ahead, what follows lies on both sides of a line's 64th.
    ahead = (b"", b"a", b"\xe7\x94\xb2", b"\xd6\xd0", *(b"a" * length for length in range(41, 46)))
    texts = [b"".join(parts) for parts in itertools.product(ahead, PIECES, PIECES)]
    told_alike(file, [NUMBERS[0].encode() + file.separator.encode() + text for text in texts])


def test_quotes_are_undone_alike_on_both_roads_wherever_they_stand_in_a_line() -> None:
    file = FILES["tax/income"]
    written = [
        '"a{}b"',
        '"{}a,b"',
        '"a{}""b"',
        '"{}"""',
        '"a{}"b"',
        '"a{}" ',
        'a{}"',
        '"a{}',
        '"""{}""',
        '{}""',
    ]
    number, payer = NUMBERS[0], "91999999000000000X"
    lines = [
        f"{number},甲,202605,工资薪金,1.50,{payer},{text.format('x' * length)}".encode()
        for text in written
        for length in range(1, 70)
    ]
    told_alike(file, lines)


def test_values_alike_in_their_first_bytes_are_told_apart() -> None:
    codes = (*("4" * length for length in range(1, 34)), *(f"44444444{n}" for n in range(3000)))
    code = Column("code", "code", "code", values=(*codes, ""), optional=True)
    file = FileContract("f", "f", "csv", "utf-8", (Column("number", "number", "id"), code))
    lines = [f"{NUMBERS[0]},{value}".encode() for value in (*codes, "", *codes, "")]
    content = b"\n".join([header_line(file), *lines])
    (judged,) = read_lines(io.BytesIO(content), file, "f", JUDGING)
    assert isinstance(judged, Scanned)
    assert values_of(judged, "code", np.arange(len(lines))).to_pylist() == [*codes, None, *codes, None]


def test_the_separator_as_half_of_a_character_separates_nothing() -> None:
    texts = (Column("one", "one", "carried"), Column("other", "other", "carried"))
    file = FileContract("f", "f", "pipe", "gb18030", (Column("number", "number", "id"), *texts))
    number = NUMBERS[0].encode()
    told_alike(file, [number + rest for rest in (b"|a\x81|b", b"|a\x81|b|c", b"|\x81|\x81||", b"\x81||a|b")])


def test_quoted_texts_and_rare_characters_take_the_fast_road() -> None:
    tax, banks = FILES["tax/income"], FILES["banks/accounts"]
    payers = ['"甲,乙"', '"甲""乙"', '""', '"""甲"""']
    rows = [f"{NUMBERS[0]},甲,202605,工资薪金,1.50,91999999000000000X,{payer}" for payer in payers]
    account = f"{NUMBERS[0]},粅镕,102100,1,{banks.column('account_type').values[0]},CNY,1.50,2026-06-29"
    for file, lines in ((tax, rows), (banks, [account])):
        content = b"\n".join([header_line(file), *(line.encode(file.encoding) for line in lines)])
        (judged,) = read_lines(io.BytesIO(content), file, "f", JUDGING)
        assert isinstance(judged, Scanned) and judged.mask.tolist() == [0] * len(lines)


def told_alike(file: FileContract, lines: list[bytes]) -> None:
    body = b"\n".join(lines) + b"\n"
    general = told([check_batch(read_block(body, np.arange(2, 2 + len(lines)), file), file, JUDGING)], file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            line_files, "BLOCK_BYTES", 1024
        )  # a larger block with so many odd lines is no longer scanned
        fast = told(read_lines(io.BytesIO(header_line(file) + b"\n" + body), file, "f", JUDGING), file)
    assert fast == general


@st.composite
def objects(draw: st.DrawFn) -> tuple[str, list[bytes], int]:
    name = draw(st.sampled_from(OBJECT_FILES))
    file = FILES[name]
    raws = []
    for row in draw(st.lists(st.tuples(*map(cells, file.columns)), max_size=8)):
        record: dict[str, Any] = {
            column.header: value for column, value in zip(file.columns, row, strict=True)
        }
        for column in file.columns:
            change = draw(
                st.sampled_from(["keep"] * 12 + ["drop", "null", "number", "true", "nested", "escape"])
            )
            if change == "drop":
                del record[column.header]
            elif change != "keep":
                literal = draw(
                    st.sampled_from(["1.50", "-0", "12", "0.1", "1e2", "12345678901234567.25", "-0.5"])
                )
                record[column.header] = {"null": None, "true": True, "nested": [1], "escape": 'a"\\'}.get(
                    change, literal
                )
                if change == "number":
                    record[column.header] = f"<{literal}>"
        text = json.dumps(record, ensure_ascii=draw(st.booleans()))
        raws.append(text.replace('"<', "").replace('>"', "").encode())
    spoiled = st.sampled_from(
        [b"{}", b"7", b"null", b'{"a": 1, "a": 2}', b'{"id_number": "1", "id_number": "2"}', b"[1, {}]"]
    )
    raws += draw(st.lists(spoiled, max_size=2))
    return name, draw(st.permutations(raws)), draw(st.integers(8, 500))


@settings(max_examples=examples(150), deadline=None)
@given(objects())
def test_objects_are_judged_alike_on_both_roads_and_wherever_blocks_end(
    drawn: tuple[str, list[bytes], int],
) -> None:
    name, raws, block_bytes = drawn
    file = FILES[name]
    general = told(
        [check_batch(read_raw_lines(raws, np.arange(1, len(raws) + 1), file), file, JUDGING)], file
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_files, "BLOCK_BYTES", block_bytes)
        if file.format == "jsonl":
            fast = told(read_json_lines(io.BytesIO(b"\n".join(raws)), file, "f", JUDGING), file)
        else:
            content = (
                b'{"made": [1], "' + file.root.encode() + b'" :[' + b" ,\n".join(raws) + b'], "more": {}}'
            )
            fast = told(read_json_array(io.BytesIO(content), file, "f", JUDGING), file)
    assert fast == general


@pytest.mark.parametrize("name", sorted(FILES))
def test_good_records_of_every_contract_take_the_fast_road(name: str) -> None:
    file = FILES[name]
    good = {
        "id": NUMBERS[0],
        "money": "1.50",
        "date": "2026-06-29",
        "month": "202605",
        "currency": "CNY",
        "scope": "*",
    }
    row = [good.get(c.type) or (c.values[0] if c.values else "4" * (c.length or 3)) for c in file.columns]
    if file.format in ("csv", "pipe"):
        content = header_line(file) + b"\n" + file.separator.join(row).encode(file.encoding) + b"\n"
        batches = list(read_lines(io.BytesIO(content), file, "f", JUDGING))
    else:
        record = json.dumps({c.header: value for c, value in zip(file.columns, row, strict=True)}).encode(
            "utf-8"
        )
        record = record.decode("unicode_escape").encode() if b"\\u" in record else record
        if file.format == "jsonl":
            batches = list(read_json_lines(io.BytesIO(record), file, "f", JUDGING))
        else:
            whole = b'{"' + file.root.encode() + b'": [' + record + b"]}"
            batches = list(read_json_array(io.BytesIO(whole), file, "f", JUDGING))
    (judged,) = batches
    assert isinstance(judged, Scanned) and judged.mask.tolist() == [0]
