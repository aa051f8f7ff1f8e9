"""A second reading by picked lines finds every record of the wanted registers that a whole reading finds."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Column, FileContract
from pipelines.intake.lines import read_lines
from pipelines.intake.picked_lines import MarkedTexts, PickedLines
from tests.flow.long_runs import examples

from .plain_reading import JUDGING

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
