"""A receipt is believed only when every field of it can mean one thing."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import pytest

from pipelines.errors import SourceHeld
from pipelines.intake.receipts import HashingReader, read_receipt

FILE = {"name": "105100-1.csv", "sha256": "ab" * 32, "rows": 3}
GOOD = {"source": "banks", "snapshot_date": "2026-06-29", "files": [FILE]}
ABSENT = object()


def written(**changes: Any) -> bytes:
    table = {key: value for key, value in {**GOOD, **changes}.items() if value is not ABSENT}
    return json.dumps(table).encode()


def with_file(**changes: Any) -> bytes:
    return written(files=[{key: value for key, value in {**FILE, **changes}.items() if value is not ABSENT}])


MALFORMED = {
    "nothing": b"",
    "no JSON": b"source = banks",
    "cut": written()[:-3],
    "not UTF-8": written(note="x").replace(b'"x"', b'"\xff"'),
    "UTF-16": written().decode().encode("utf-16"),
    "deep": b"[" * 200_000,
    "a list": b"[]",
    "null": b"null",
    "a number of 5000 digits": written(note=1).replace(b": 1}", b": " + b"9" * 5000 + b"}"),
    "no source": written(source=ABSENT),
    "another source": written(source="tax"),
    "half a pair as source": written(source="\ud800"),
    "no day": written(snapshot_date=ABSENT),
    "no such day": written(snapshot_date="2026-02-30"),
    "day with time": written(snapshot_date="2026-06-29T00:00:00"),
    "number as day": written(snapshot_date=20260629),
    "null as day": written(snapshot_date=None),
    "no files": written(files=ABSENT),
    "files an object": written(files={"a": 1}),
    "a file that is text": written(files=["105100-1.csv"]),
    "no name": with_file(name=ABSENT),
    "number as name": with_file(name=1),
    "empty name": with_file(name=""),
    "parent": with_file(name=".."),
    "this folder": with_file(name="."),
    "path": with_file(name="../banks/105100-1.csv"),
    "absolute path": with_file(name="/etc/passwd"),
    "backslash": with_file(name="..\\105100-1.csv"),
    "NUL in the name": with_file(name="105100-1\0.csv"),
    "line break in the name": with_file(name="105100-1\n.csv"),
    "half a pair in the name": with_file(name="\ud800-1.csv"),
    "text that runs backwards": with_file(name="105100-\u202e1.csv"),
    "a file twice": written(files=[FILE, {**FILE, "rows": 4}]),
    "no sha256": with_file(sha256=ABSENT),
    "short sha256": with_file(sha256="ab" * 31),
    "no hexadecimal": with_file(sha256="zz" * 32),
    "full-width sha256": with_file(sha256="ａ" * 64),
    "list as sha256": with_file(sha256=["ab" * 32]),
    "no rows": with_file(rows=ABSENT),
    "negative rows": with_file(rows=-1),
    "text as rows": with_file(rows="3"),
    "half a row": with_file(rows=3.5),
    "true as rows": with_file(rows=True),
    "rows beyond 64 bits": with_file(rows=10**30),
    "null as rows": with_file(rows=None),
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_receipt_is_unreadable(raw: bytes) -> None:
    with pytest.raises(SourceHeld) as held:
        read_receipt(raw, "banks")
    assert held.value.reason == "unreadable"
    str(held.value).encode("utf-8")  # can be written and shown


def test_a_receipt_as_agreed() -> None:
    receipt = read_receipt(b"\xef\xbb\xbf" + written(note="more keys are no harm"), "banks")
    assert (receipt.snapshot_date, receipt.covers) == (date(2026, 6, 29), None)
    assert [(file.name, file.sha256, file.rows) for file in receipt.files] == [("105100-1.csv", "ab" * 32, 3)]
    assert read_receipt(with_file(sha256="AB" * 32), "banks").files[0].sha256 == "ab" * 32
    assert read_receipt(written(files=[]), "banks").files == ()


COVERS = {
    '["2025-12", "2026-05"]': (date(2025, 12, 1), date(2026, 5, 1)),
    '["2026-05", "2026-05"]': (date(2026, 5, 1), date(2026, 5, 1)),
    "null": None, "[]": None, '"2025-12"': None, '["2025-12"]': None, '["2025-12", "2026-13"]': None,
    '["2025-12", null]': None, '["2025-12", 202605]': None, '["2025-12", "2026-5"]': None,
    '["2025-12-01", "2026-05-31"]': None, '["2025-12", "2026-05", "2026-06"]': None, '{"from": "2025-12"}': None,
}  # fmt: skip


@pytest.mark.parametrize("text", COVERS)
def test_covered_months_are_two_months_or_nothing(text: str) -> None:
    assert read_receipt(written(covers=json.loads(text)), "banks").covers == COVERS[text]


def test_what_is_hashed_is_what_was_read_and_all_of_it() -> None:
    import hashlib

    content = bytes(range(256)) * 9000
    reader = HashingReader(io.BytesIO(content))
    assert reader.read(10) + reader.read(1 << 20) == content[: 10 + (1 << 20)]
    assert reader.finish() == hashlib.sha256(content).hexdigest()
