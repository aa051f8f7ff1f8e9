"""A second reading by picked lines finds every record of the wanted registers that a whole reading finds."""

from __future__ import annotations

import io
import re
import string
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Column, FileContract
from pipelines.identity.idnumber import is_valid, real_days
from pipelines.intake.lines import read_lines
from pipelines.intake.picked_lines import MarkedTexts, PickedLines
from tests.flow.long_runs import examples

from .plain_reading import JUDGING

AS_OF = JUDGING.as_of

# 0x7C, the separator of pipes, is the second byte of 唡; 丂 ends with 0x40.
CELLS = st.sampled_from(["r1", "r2", "r 3", "r1 ", "户1", "唡", "丂", "", '"r1"', '"r1', "r1\r", "x" * 40])
FILES = {
    (format_, encoding, place): FileContract("x", "x", format_, encoding, tuple(columns))
    for format_, encoding in (("csv", "utf-8"), ("csv", "gb18030"), ("pipe", "gb18030"))
    for place, columns in enumerate(
        [
            [Column("register", "register", "carried"), Column("other", "other", "carried")],
            [Column("other", "other", "carried"), Column("register", "register", "carried")],
        ]
    )
}


def registers(stream: Any, file: FileContract) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for judged in read_lines(stream, file, "file", JUDGING):
        rows = np.arange(len(judged.lines))
        texts = [judged.text(name, rows).to_pylist() for name in ("register", "other")]
        found += zip(*texts, strict=True)
    return found


@settings(max_examples=examples(150), deadline=None)
@given(
    st.sampled_from(list(FILES)), st.lists(st.lists(CELLS, min_size=1, max_size=3), max_size=12), st.data()
)
def test_nothing_wanted_is_left_out(
    which: tuple[str, str, int], rows: list[list[str]], data: st.DataObject
) -> None:
    file = FILES[which]
    header = file.separator.join(column.header for column in file.columns)
    lines = data.draw(st.sampled_from(["", "\n", " \n"])) + "\n".join(
        [header, *map(file.separator.join, rows)]
    )
    content = lines.encode(file.encoding)
    every = registers(io.BytesIO(content), file)
    wanted = data.draw(st.sets(st.sampled_from([register for register, _ in every]))) if every else set()
    texts = MarkedTexts()
    texts.add(pa.array(sorted(wanted), pa.string()))
    picked = registers(PickedLines(io.BytesIO(content), file, "register", texts), file)
    assert sorted(one for one in picked if one[0] in wanted) == sorted(
        one for one in every if one[0] in wanted
    )


def test_what_is_surely_not_wanted_is_left_out() -> None:
    file = FILES["pipe", "gb18030", 0]
    content = b"register|other\nr1|a\nr2|b\nr1|c\n"
    texts = MarkedTexts()
    texts.add(pa.array(["r1"]))
    assert registers(PickedLines(io.BytesIO(content), file, "register", texts), file) == [
        ("r1", "a"),
        ("r1", "c"),
    ]


SOUGHT = "999598195804115616", "99925119851217320X"
OTHERS = "999340196512194016", "99946419740822102X"


def test_the_examples_are_valid_numbers() -> None:
    assert all(
        is_valid(np.frombuffer(one.encode(), np.uint8).reshape(1, 18), AS_OF)[0] for one in SOUGHT + OTHERS
    )


@pytest.mark.parametrize("column", [0, 1])
def test_lines_of_sought_and_of_invalid_numbers_are_left(column: int) -> None:
    columns = [Column("number", "number", "carried"), Column("other", "other", "carried")]
    file = FileContract("x", "x", "csv", "utf-8", tuple(columns[:: 1 if column == 0 else -1]))
    left = [
        *SOUGHT, SOUGHT[1].lower(), f" {OTHERS[0]}", f'"{OTHERS[0]}"', "", "999340651219401", OTHERS[0][:17],
        "999340196512194014", "999340196502304015", "999340203012194012", "９" + OTHERS[0][1:], OTHERS[0].replace("3", "O"),
    ]  # fmt: skip
    cells = [*left, *OTHERS, OTHERS[1].lower()]
    lines = [",".join([cell, "x"][:: 1 if column == 0 else -1]) for cell in cells]
    content = "\n".join([",".join(one.header for one in file.columns), *lines, ""]).encode()
    numbers = MarkedTexts()
    numbers.add_numbers(np.frombuffer("".join(SOUGHT).encode(), np.uint8).reshape(-1, 18))
    picked = read_all(PickedLines(io.BytesIO(content), file, "number", numbers, real_days(AS_OF)))
    assert picked.decode().splitlines()[1:] == lines[: len(left)]


def read_all(stream: PickedLines) -> bytes:
    room, found = memoryview(bytearray(64)), io.BytesIO()
    while got := stream.readinto(room):
        found.write(room[:got])
    return found.getvalue()


NUMBERS = FileContract(
    "x", "x", "csv", "utf-8", (Column("number", "number", "carried"), Column("other", "other", "carried"))
)


@settings(max_examples=examples(300), deadline=None)
@given(
    st.sampled_from(OTHERS),
    st.lists(st.tuples(st.integers(0, 17), st.sampled_from(string.printable[:94] + "X/:é")), max_size=2),
)
def test_a_number_is_passed_over_only_when_it_is_valid(number: str, changes: list[tuple[int, str]]) -> None:
    for place, character in changes:
        number = number[:place] + character + number[place + 1 :]
    content = f"number,other\n{number},x\n".encode()
    picked = read_all(PickedLines(io.BytesIO(content), NUMBERS, "number", MarkedTexts(), real_days(AS_OF)))
    is_formed = re.fullmatch("[0-9]{17}[0-9Xx]", number) is not None
    chars = np.frombuffer(number.upper().encode()[:18], np.uint8).reshape(1, 18)
    assert (picked != content) == (is_formed and bool(is_valid(chars, AS_OF)[0]))


@settings(max_examples=examples(50), deadline=None)
@given(st.integers(0, 40), st.data())
def test_lines_told_by_number_are_left_and_their_new_places_known(count: int, data: st.DataObject) -> None:
    wanted = sorted(data.draw(st.sets(st.integers(2, count + 1)))) if count else []
    others = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    cells = [(SOUGHT[0] if others[row] else OTHERS[0]) + f",{row + 2}" for row in range(count)]
    content = "\n".join(["number,other", *cells, ""]).encode()
    numbers = MarkedTexts()
    numbers.add_numbers(np.frombuffer(SOUGHT[0].encode(), np.uint8).reshape(-1, 18))
    stream = PickedLines(
        io.BytesIO(content), NUMBERS, "number", numbers, real_days(AS_OF), np.array(wanted, np.int64)
    )
    left = read_all(stream).decode().splitlines()
    assert left[1:] == [cell for row, cell in enumerate(cells, 2) if others[row - 2] or row in wanted]
    assert [left[place - 1] for place in stream.picked_as] == [cells[line - 2] for line in wanted]
