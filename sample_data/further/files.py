"""One file of a source in the wire form its contract gives, written piece by piece."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import xlsxwriter  # type: ignore[import-untyped]

from connectors.contract import FileContract
from sample_data.drops import QuarantinedRow, TextFile

# The zip inside a workbook has a date; the same bytes need the same one.
_MADE = datetime(2026, 1, 1)

Columns = Mapping[str, Sequence[str]]


class LineFile:
    """A csv, pipe, jsonl or json file in the form `connectors/transports/rendering.py` gives rows."""

    def __init__(self, folder: Path, source: str, contract: FileContract) -> None:
        self.source = source
        self.contract = contract
        self.quarantined: list[QuarantinedRow] = []
        name = contract.pattern.replace("*", "1")
        self._file = TextFile(folder / name, name)
        self._is_json = contract.format in ("json", "jsonl")
        if contract.format == "json":
            self._file.write(f'{{"{contract.root}": ['.encode(), 0, 0)
        elif contract.format == "jsonl":
            self._file.write(b"", 0, 0)
        else:
            header = contract.separator.join(column.header for column in contract.columns)
            self._file.write((header + self._end).encode(contract.encoding), 0, 1)

    @property
    def _end(self) -> str:
        return "\r\n" if self.contract.format == "pipe" else "\n"

    def write(self, columns: Columns, reasons: Sequence[tuple[str, ...]]) -> None:
        """Append rows: texts by the contract's column names; reasons: why each is quarantined, or empty."""
        if not len(reasons):
            return
        for at, why in enumerate(reasons, self._file.lines + 1):
            if why:
                self.quarantined.append(QuarantinedRow(self.source, self._file.name, at, why))
        arrays = [pa.array(columns[column.name], pa.string()) for column in self.contract.columns]
        text = self._objects(arrays) if self._is_json else self._lines(arrays)
        self._file.write(text.encode(self.contract.encoding), len(reasons), len(reasons))

    def _lines(self, arrays: list[pa.Array]) -> str:
        lines = pc.binary_join_element_wise(*arrays, self.contract.separator)
        return "".join(f"{line}{self._end}" for line in lines.to_pylist())

    def _objects(self, arrays: list[pa.Array]) -> str:
        """Absent keys for empty values; no value of the sample needs escaping."""
        parts = []
        for column, array in zip(self.contract.columns, arrays, strict=True):
            said = pc.binary_join_element_wise(pa.scalar(f'"{column.header}": "'), array, pa.scalar('"'), "")
            parts.append(pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), said))
        inner = pc.binary_join_element_wise(*parts, ", ", null_handling="skip").to_pylist()
        if self.contract.format == "jsonl":
            return "".join(f"{{{one}}}\n" for one in inner)
        text = "".join(f",\n{{{one}}}" for one in inner)
        return text if self._file.rows else text[1:]

    def close(self) -> TextFile:
        if self.contract.format == "json":
            self._file.write(b"\n]}\n", 0, 0)
        self._file.close()
        return self._file


class BookFile:
    """A workbook of text cells."""

    def __init__(self, folder: Path, source: str, contract: FileContract) -> None:
        self.source = source
        self.contract = contract
        self.quarantined: list[QuarantinedRow] = []
        self.name = contract.pattern.replace("*", "1")
        self.rows = 0
        self.sha256 = ""
        self._path = folder / self.name
        self._book = xlsxwriter.Workbook(str(self._path), {"constant_memory": True})
        self._book.set_properties({"created": _MADE})
        self._sheet = self._book.add_worksheet(contract.sheet)
        for place, column in enumerate(contract.columns):
            self._sheet.write_string(contract.header_row - 1, place, column.header)

    def write(self, columns: Columns, reasons: Sequence[tuple[str, ...]]) -> None:
        """Append rows, as `LineFile.write`."""
        cells = [columns[column.name] for column in self.contract.columns]
        for row, why in enumerate(reasons):
            line = self.contract.header_row + self.rows
            for place, column in enumerate(cells):
                if column[row]:
                    self._sheet.write_string(line, place, column[row])
            if why:
                self.quarantined.append(QuarantinedRow(self.source, self.name, line + 1, why))
            self.rows += 1

    def close(self) -> BookFile:
        self._book.close()
        self.sha256 = hashlib.sha256(self._path.read_bytes()).hexdigest()
        return self


def open_file(folder: Path, source: str, contract: FileContract) -> LineFile | BookFile:
    folder.mkdir(parents=True, exist_ok=True)
    return (BookFile if contract.format == "xlsx" else LineFile)(folder, source, contract)
