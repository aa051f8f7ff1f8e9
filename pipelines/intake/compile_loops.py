"""Compile the loops of the fast road ahead of the first night: `python -m pipelines.intake.compile_loops`."""

# mypy: disallow-untyped-calls=False

from __future__ import annotations

import io
import json
from datetime import date

import numpy as np
import pyarrow as pa

from connectors.contract import Column, FileContract
from pipelines.identity.cipher import MASTER_BYTES, Tokeniser
from pipelines.identity.text_hash import hash_texts
from pipelines.intake.asked import AskedPeople
from pipelines.intake.checks import Judging
from pipelines.intake.files import read_records
from pipelines.intake.known_ids import KnownIds
from pipelines.intake.persons import add_up_scopes, number_persons
from pipelines.intake.picked_lines import MarkedTexts, PickedLines
from pipelines.intake.plain_sheet import find_cells
from pipelines.intake.text_digests import TextDigests
from pipelines.latest_rows import part_by_day

_COLUMNS = (Column("id_number", "id_number", "id"), Column("name", "name", "name"))
_NUMBER = "11010119900307123X"  # an example with a wrong check character: nobody's


def compile_loops() -> None:
    """Run each loop on next to nothing, so that it is compiled and kept."""
    cipher = Tokeniser(bytes(MASTER_BYTES))
    judging = Judging(date(2026, 1, 1), frozenset(), frozenset())
    record = json.dumps({"id_number": _NUMBER, "name": "x"})
    for format_, content in (
        ("csv", f"id_number,name\n{_NUMBER},x\n"),
        ("json", f'{{"records": [{record}]}}'),
    ):
        file = FileContract("x", "x", format_, "utf-8", _COLUMNS, root="records")  # type: ignore[arg-type]
        for judged in read_records(io.BytesIO(content.encode()), file, "x", judging):
            for kind in ("name", "text"):
                judged.digests("name", np.arange(len(judged.lines)), TextDigests(kind, cipher))
            judged.digests("name", np.arange(len(judged.lines)), KnownIds(pa.array(["x"]), cipher))
        if format_ == "csv":
            texts = MarkedTexts()
            texts.add(pa.array(["x"]))
            picked = PickedLines(io.BytesIO(content.encode()), file, "name", texts)
            picked.readinto(memoryview(bytearray(1)))
    cipher.digest(pa.array(["x"]), "name")
    hash_texts(pa.array(["x"]), "name", cipher)
    find_cells(np.zeros(64, np.uint8), 0, np.zeros(0, np.int64), np.zeros((0, 0, 2), np.int32))
    nobody, no = np.zeros(0, np.uint64), np.zeros(0, np.int64)
    flags, persons = np.zeros(0, dtype=bool), np.zeros(0, np.int32)
    add_up_scopes(nobody, nobody, nobody).of_persons(number_persons(nobody, nobody))
    account = {
        "record": pa.array([0], pa.int32()),
        "keeper": ["x"],
        "account": [0],
        "day": [date(2026, 1, 1)],
    }
    part_by_day(pa.table(account), "keeper", "account", "day")
    AskedPeople(nobody, nobody, persons, flags, flags, flags, no, persons).find_tokens(
        np.zeros((0, 16), np.uint8)
    )


if __name__ == "__main__":
    compile_loops()
