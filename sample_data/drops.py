"""A source's folder of files as a department leaves it: rows in bulk, odd lines between them, a true
receipt.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from connectors.contract import FileContract
from sample_data.cells import Cells, Ints, squeezed


@dataclass(frozen=True)
class OddLine:
    """Bytes that stand after the rows of the household at a position.

    records: how many records they are (0 for a blank line); reasons: why each is quarantined, empty when it
    is accepted.
    """

    at: int
    line: bytes
    records: int = 1
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class OddRow:
    """As OddLine, for a county's workbook: values by the contract's column names."""

    at: int
    county: str
    values: Mapping[str, object]
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class QuarantinedRow:
    source: str
    file: str
    line: int
    reasons: tuple[str, ...]


class OddLines:
    """Odd lines of a stretch of households, by source and file, in the order they were added."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], list[OddLine]] = defaultdict(list)
        self._rows: dict[int, list[OddRow]] = defaultdict(list)

    def add(self, source: str, file: str, odd: OddLine) -> None:
        self._lines[source, file].append(odd)

    def add_row(self, odd: OddRow) -> None:
        self._rows[odd.at].append(odd)

    def take_rows(self, at: int) -> list[OddRow]:
        """The workbook rows of one position; they are handed out once."""
        return self._rows.pop(at, [])

    def take(self, source: str, file: str) -> list[OddLine]:
        """The lines of one file by position; they are handed out once."""
        return sorted(self._lines.pop((source, file), []), key=lambda odd: odd.at)

    def left(self) -> list[tuple[str, str]]:
        """Files nobody took the lines of."""
        return sorted(
            [
                *self._lines,
                *(("rural_revitalisation", row.county) for rows in self._rows.values() for row in rows),
            ]
        )


class Finished(Protocol):
    """A file that can be named in a receipt."""

    @property
    def name(self) -> str: ...

    @property
    def rows(self) -> int: ...

    @property
    def sha256(self) -> str: ...


@dataclass
class TextFile:
    """One file of lines. rows and lines count what has been written, headers not in rows but in lines."""

    path: Path
    name: str
    rows: int = 0
    lines: int = 0
    separator: bytes = b""
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)
    _file: BinaryIO | None = None

    def write(self, text: bytes, records: int, lines: int) -> None:
        if self._file is None:
            self._file = self.path.open("wb")
        self._hash.update(text)
        self._file.write(text)
        self.rows += records
        self.lines += lines

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


class TextDrop:
    """The text files of a source, written household by household.

    `contract` gives header, separator and encoding. A JSON file is one array: rows begin with a separator,
    which the first of a file loses; its lines are positions in the array.
    """

    def __init__(self, folder: Path, source: str) -> None:
        self.folder = folder
        self.source = source
        self.quarantined: list[QuarantinedRow] = []
        self._files: dict[str, TextFile] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def open(self, name: str, contract: FileContract, newline: str = "\n", mark: bool = False) -> None:
        """Begin a file with the header its contract wants; mark: with a byte order mark."""
        file = self._files[name] = TextFile(self.folder / name, name)
        if contract.format == "json":
            file.write(f'{{"{contract.root}": ['.encode(), 0, 0)
            file.separator = b","
        elif contract.format == "jsonl":
            file.write(b"", 0, 0)
        else:
            header = contract.separator.join(column.header for column in contract.columns) + newline
            file.write((b"\xef\xbb\xbf" if mark else b"") + header.encode(contract.encoding), 0, 1)

    def write(self, name: str, cells: Cells, at: Ints, odd: Sequence[OddLine]) -> None:
        """Append rows; at: ascending position of the household each belongs to; odd: lines to put between
        them.
        """
        file = self._files[name]
        text = squeezed(cells)
        if odd:
            text = self._with_odd_lines(file, text, cells, at, odd)
            lines = len(cells) + len(odd)
        else:
            lines = len(cells)
        if file.separator and file.rows == 0:
            text = text.removeprefix(file.separator)
        file.write(text, len(cells) + sum(one.records for one in odd), lines)

    def _with_odd_lines(
        self, file: TextFile, text: bytes, cells: Cells, at: Ints, odd: Sequence[OddLine]
    ) -> bytes:
        ends = np.r_[0, np.cumsum(np.count_nonzero(cells, axis=1))]
        rows = np.searchsorted(at, [one.at for one in odd], side="right")
        pieces, done = [], 0
        for count, (one, row) in enumerate(zip(odd, rows.tolist(), strict=True)):
            if one.reasons:
                line = file.lines + row + count + 1
                self.quarantined.append(QuarantinedRow(self.source, file.name, line, one.reasons))
            end = int(ends[row])
            pieces += [text[done:end], one.line]
            done = end
        return b"".join([*pieces, text[done:]])

    def close(self) -> list[TextFile]:
        """End the files that hold an array, close all; files in the order they were opened."""
        for file in self._files.values():
            if file.separator:
                file.write(b"\n]}\n", 0, 0)
            file.close()
        return list(self._files.values())


def write_receipt(
    folder: Path,
    source: str,
    snapshot: date,
    files: Iterable[Finished],
    covers: tuple[str, str] | None = None,
) -> int:
    """Write receipt.json; returns the number of records it promises."""
    named = [{"name": file.name, "sha256": file.sha256, "rows": file.rows} for file in files]
    receipt: dict[str, object] = {"source": source, "snapshot_date": snapshot.isoformat()}
    if covers is not None:
        receipt["covers"] = list(covers)
    receipt["files"] = named
    text = json.dumps(receipt, ensure_ascii=False, indent=1) + "\n"
    (folder / "receipt.json").write_bytes(text.encode())
    return sum(int(str(one["rows"])) for one in named)
