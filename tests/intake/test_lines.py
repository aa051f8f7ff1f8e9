"""A record is one line (specification, section 2): what becomes of every odd one."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest

from connectors.contract import Column, FileContract
from pipelines.errors import SourceHeld
from pipelines.intake import lines as line_files
from pipelines.intake.judged import values_of
from pipelines.intake.lines import read_lines

from .plain_reading import JUDGING

BOM = b"\xef\xbb\xbf"
COLUMNS = tuple(Column(name, name.upper(), "text", optional=True) for name in ("a", "b", "c"))
CSV = FileContract("t", "t.csv", "csv", "utf-8", COLUMNS)
GB_CSV = FileContract("t", "t.csv", "csv", "gb18030", COLUMNS)
PIPES = FileContract("t", "t.txt", "pipe", "gb18030", COLUMNS)
WRONG, BAD = "wrong_column_count", "undecodable_text"

# one line after the header -> its fields, or why it has none
QUOTES = r'''
a,b,c             | a ; b ; c
"a","b","c"       | a ; b ; c
"a,b",c,d         | a,b ; c ; d
"a""b",c,d        | a"b ; c ; d
"""a""",b,c       | "a" ; b ; c
"""",b,c          | " ; b ; c
"","",""          |  ;  ;
,,                |  ;  ;
a"b,c,d           | a"b ; c ; d
a"b",c,d          | a"b" ; c ; d
a,"b"c,d          | wrong_column_count
a,"b" ,d          | wrong_column_count
a, "b",d          | a ;  "b" ; d
a,"b,c            | wrong_column_count
"a,b,c            | wrong_column_count
a,b,"             | wrong_column_count
a,b,"""           | wrong_column_count
a,b,""""          | a ; b ; "
a,b,c""           | a ; b ; c""
a,b               | wrong_column_count
a,b,c,            | wrong_column_count
"a,b,c"           | wrong_column_count
a;b;c             | wrong_column_count
'a,b',c           | 'a ; b' ; c
a\,b,c            | a\ ; b ; c
"a\"",b,c         | wrong_column_count
"a\",b,c          | a\ ; b ; c
#a,b,c            | #a ; b ; c
NULL,NA,nan       | NULL ; NA ; nan
0x1F,1e3,-0       | 0x1F ; 1e3 ; -0
'''


def told(content: bytes, file: FileContract = CSV) -> dict[int, object]:
    """line -> fields or reason."""
    found: dict[int, object] = {}
    for judged in read_lines(io.BytesIO(content), file, "t", JUDGING):
        everything = np.arange(len(judged.lines))
        columns = [values_of(judged, c.name, everything).to_pylist() for c in file.columns]
        for line, *fields in zip(judged.lines.tolist(), *columns, strict=True):
            assert line not in found
            found[line] = fields
        for line, reason in judged.spoiled:
            assert line not in found
            found[line] = reason
    return found


@pytest.mark.parametrize("row", QUOTES.strip().splitlines())
@pytest.mark.parametrize(
    "beside", [b"", b"x,y,z\n", b'"x",y,z\n', b"x\n"], ids=["alone", "plain", "quoted", "odd"]
)
def test_quotes_and_separators(row: str, beside: bytes) -> None:
    line, wanted = row[:18].rstrip(), row[19:].strip()
    found = told(b"A,B,C\n" + beside + line.encode() + b"\n")[2 + beside.count(b"\n")]
    if isinstance(found, list):
        found = [field.strip() for field in found]
    assert found == (wanted if wanted == WRONG else [field.strip() for field in wanted.split(";")])


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        pytest.param(b"A,B,C\n\n1,2,3\n", {3: ["1", "2", "3"]}, id="blank line"),
        pytest.param(b"A,B,C\n  \n\t\n1,2,3\n", {4: ["1", "2", "3"]}, id="lines of white space"),
        pytest.param("A,B,C\n\u3000\u2028\n1,2,3\n".encode(), {3: ["1", "2", "3"]}, id="wide white space"),
        pytest.param(b"\n\r\nA,B,C\n1,2,3\n", {4: ["1", "2", "3"]}, id="blank lines before the header"),
        pytest.param(b"A,B,C\n1,2,3", {2: ["1", "2", "3"]}, id="no last line end"),
        pytest.param(b"A,B,C\r\n1,2,3\r\n", {2: ["1", "2", "3"]}, id="CRLF"),
        pytest.param(b"A,B,C\n1,2,3\r\n4,5,6\n", {2: ["1", "2", "3"], 3: ["4", "5", "6"]}, id="both line ends"),
        pytest.param(b"A,B,C\r\n1,2\r,3\r\n", {2: ["1", "2", "3"]}, id="lone CR is white space"),
        pytest.param(b"A,B,C\n1,2,3\r4,5,6\n", {2: WRONG}, id="CR ends no line"),
        pytest.param(b"A,B,C\n1,\x00,3\n", {2: ["1", "\x00", "3"]}, id="NUL"),
        pytest.param(b"A,B,C\n" + bytes(50), {2: WRONG}, id="NULs to the end"),
        pytest.param(BOM + b"A,B,C\n1,2,3\n", {2: ["1", "2", "3"]}, id="BOM"),
        pytest.param(b"A,B,C\n" + BOM + b"1,2,3\n", {2: ["\ufeff1", "2", "3"]}, id="a BOM inside is text"),
        pytest.param(b"A,B,C\n1,2,\xff\n4,5,6\n", {2: BAD, 3: ["4", "5", "6"]}, id="undecodable"),
        pytest.param(b"A,B,C\n\xff\n", {2: BAD}, id="undecodable before wrong count"),
        pytest.param(b'A,B,C\n1,2,"x\xff\n', {2: BAD}, id="undecodable before open quote"),
        pytest.param(b"A,B,C\n1,2,\xe5\xbc\n", {2: BAD}, id="half a character"),
        pytest.param(b"A,B,C\n1,2,\xed\xa0\x80\n", {2: BAD}, id="half a surrogate pair"),
        pytest.param(b"A,B,C", {}, id="header alone"),
        pytest.param(b'"A","B","C"\n1,2,3\n', {2: ["1", "2", "3"]}, id="quoted header"),
        pytest.param(b" A , B,C \n1,2,3\n", {2: ["1", "2", "3"]}, id="white space in the header"),
    ],
)  # fmt: skip
def test_lines_of_utf8(content: bytes, lines: dict[int, object]) -> None:
    assert told(content) == lines


@pytest.mark.parametrize(
    ("file", "line", "wanted"),
    [
        pytest.param(PIPES, "粅|攟|衸", ["粅", "攟", "衸"], id="second bytes that are bars"),
        pytest.param(PIPES, '"粅|"|"', ['"粅', '"', '"'], id="bars know no quotes"),
        pytest.param(PIPES, "1,2|3,4|5", ["1,2", "3,4", "5"], id="commas between bars"),
        pytest.param(PIPES, "1|2", WRONG, id="too few bars"),
        pytest.param(PIPES, "㐀1|𠮷2|3", ["㐀1", "𠮷2", "3"], id="four bytes, digits among them"),
        pytest.param(GB_CSV, "粅|,攟,衸", ["粅|", "攟", "衸"], id="bars in CSV"),
        pytest.param(GB_CSV, '"㐀,1",𠮷,3', ["㐀,1", "𠮷", "3"], id="quoted four bytes"),
        pytest.param(GB_CSV, '㐀"0,𠮷,3', ['㐀"0', "𠮷", "3"], id="a quote after four bytes"),
    ],
)
def test_lines_of_gb18030(file: FileContract, line: str, wanted: object) -> None:
    header = file.separator.join("ABC")
    assert told(f"{header}\r\n{line}\r\n".encode("gb18030"), file) == {2: wanted}


@pytest.mark.parametrize(
    "raw", [b"\x80", b"\xff", b"\x81", b"\x81\x30", b"\x81\x30\x81", b"\xfe\xfe\xff", b"\x84\x32\xa4\x40"]
)
@pytest.mark.parametrize("file", [GB_CSV, PIPES], ids=["csv", "pipe"])
def test_bytes_that_are_not_gb18030_spoil_their_line_alone(file: FileContract, raw: bytes) -> None:
    separator = file.separator.encode()
    if raw == b"\x81" and separator == b"|":
        raw = b"\x81\x39"  # 0x81 0x7C is a character: decode before splitting
    good = separator.join([b"1", b"2", "张".encode("gb18030")])
    for at in range(3):
        bad = separator.join(raw if place == at else b"1" for place in range(3))
        content = b"\n".join([separator.join([b"A", b"B", b"C"]), good, bad, good, b""])
        assert told(content, file) == {2: ["1", "2", "张"], 3: BAD, 4: ["1", "2", "张"]}


HEADERS = {
    "empty file": b"",
    "blank lines only": b"\n\n\r\n",
    "another name": b"A,B,X\n",
    "another order": b"B,A,C\n",
    "one more": b"A,B,C,D\n",
    "one fewer": b"A,B\n",
    "open quote": b'"A,B,C\n',
    "undecodable": b"A,B,\xff\n",
    "UTF-16": "A,B,C\n1,2,3\n".encode("utf-16"),
    "NULs": bytes(1000),
    "a workbook": b"PK\x03\x04" + bytes(range(256)),
    "no header": b"1,2,3\n4,5,6\n",
}


@pytest.mark.parametrize("content", HEADERS.values(), ids=HEADERS)
def test_another_header_holds_the_source(content: bytes) -> None:
    with pytest.raises(SourceHeld) as held:
        told(content)
    assert held.value.reason == "header_mismatch"


def test_a_message_about_a_header_quotes_nothing_of_the_file() -> None:
    with pytest.raises(SourceHeld) as held:
        told("11010519491231002X,张三丰,1\n".encode())
    assert "110105" not in str(held.value) and "张三丰" not in str(held.value)


def test_a_byte_order_mark_is_no_part_of_gb18030() -> None:
    with pytest.raises(SourceHeld):
        told(BOM + b"A,B,C\n1,2,3\n", GB_CSV)


def test_a_line_of_a_million_columns_is_one_bad_line() -> None:
    wide = b"1" + b",1" * 1_000_000
    assert told(b"A,B,C\n1,2,3\n" + wide + b"\n4,5,6\n") == {2: ["1", "2", "3"], 3: WRONG, 4: ["4", "5", "6"]}
    assert told(b"A,B,C\n" + b'"' * 1_000_001 + b",2,3\n4,5,6\n") == {2: WRONG, 3: ["4", "5", "6"]}


def test_a_field_of_many_megabytes_is_read_whole() -> None:
    long = b"x" * (5 << 20)
    assert told(b"A,B,C\n1," + long + b",3\n")[2] == ["1", long.decode(), "3"]


@pytest.mark.parametrize("file", [CSV, GB_CSV, PIPES], ids=["utf-8", "gb18030", "pipe"])
def test_a_file_in_the_wrong_encoding_is_judged_in_time_that_grows_with_its_size(file: FileContract) -> None:
    """Six megabytes of bad lines: reading on from each of them to the block's end would copy ninety gigabytes."""
    separator = file.separator.encode()
    line = separator.join([b"1", b"x" * 200, b"\xff"]) + b"\n"
    content = separator.join([b"A", b"B", b"C"]) + b"\n" + line * 30_000
    started = time.monotonic()
    found = told(content, file)
    assert len(found) == 30_000 and set(found.values()) == {BAD}
    assert time.monotonic() - started < 12


def test_a_file_that_never_ends_a_line_is_held_and_not_read_into_memory_whole(monkeypatch):
    monkeypatch.setattr(line_files, "BLOCK_BYTES", 64)
    monkeypatch.setattr(line_files, "MOST_RECORD_BYTES", 1000)
    with pytest.raises(SourceHeld, match="record of more than") as held:
        list(read_lines(io.BytesIO(b"A,B,C\n" + b"x" * 5000), CSV, "f", JUDGING))
    assert held.value.reason == "unreadable"
