"""What a department has promised to deliver: `contract.toml`, read strictly into frozen values.

A contract is untrusted input: unknown keys, unknown types and names that could leave the feed's folder are
refused, nothing in it is interpolated or executed.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

ColumnType = Literal[
    "id",
    "name",
    "text",
    "identifier",
    "code",
    "digits",
    "currency",
    "date",
    "month",
    "money",
    "scope",
    "carried",
]
FileFormat = Literal["csv", "pipe", "jsonl", "json", "xlsx"]
Encoding = Literal["utf-8", "gb18030"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_PATTERN = re.compile(r"[A-Za-z0-9_\-*?\[\]]+\.(csv|txt|jsonl|json|xlsx)")
_FORBIDDEN_IN_HEADER = re.compile(r"[\r\n\"|,\x00]")


class ContractError(Exception):
    """A contract.toml that cannot be used; the message names the file, the key and what was wanted."""


@dataclass(frozen=True)
class Column:
    """One column of a file.

    name: the English name used in tables; header: as the department writes it (JSON key, CSV header).
    optional: may be empty. carried: never looked at (spec section 2, `~`).
    values: the closed list of a code; length: number of ASCII digits of a `digits` column (or a list of lengths).
    not_negative: money below zero quarantines; not_future: a date after the as-of date quarantines.
    empty_only_when: {other column: value}: the column may be empty only in rows with that code.
    """

    name: str
    header: str
    type: ColumnType
    means: str = ""
    unit: str = ""
    optional: bool = False
    not_negative: bool = False
    not_future: bool = False
    length: int = 0
    values: tuple[str, ...] = ()
    empty_only_when: tuple[str, str] | None = None
    sensitivity: str = "internal"


@dataclass(frozen=True)
class FileContract:
    """One kind of file of a source: its name pattern, wire format and columns in order.

    root: the key of the array in a JSON file; sheet/header_row: where a workbook keeps its table (rows from 1).
    """

    key: str
    pattern: str
    format: FileFormat
    encoding: Encoding
    columns: tuple[Column, ...]
    root: str = ""
    sheet: str = ""
    header_row: int = 1

    @property
    def separator(self) -> str:
        return "|" if self.format == "pipe" else ","

    @property
    def quoted(self) -> bool:
        return self.format == "csv"

    @property
    def id_column(self) -> Column | None:
        return next((column for column in self.columns if column.type == "id"), None)

    @property
    def name_column(self) -> Column | None:
        return next((column for column in self.columns if column.type == "name"), None)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True)
class Contract:
    """A source: who owns it, on what legal basis, how often, and its files.

    role: `people` (the roster and the monitored households, who is asked about) or `evidence` (what departments
    know about them). expected: absent feeds of an expected source are reported as missing.
    authorisation: rows count only for people with a valid authorisation for this source.
    """

    source: str
    title: str
    owner: str
    legal_basis: str
    cadence: str
    role: Literal["people", "evidence"]
    authorisation: bool
    expected: bool
    retain_days: int
    files: tuple[FileContract, ...]
    path: Path

    def file(self, key: str) -> FileContract:
        return next(file for file in self.files if file.key == key)


def _take(table: dict[str, Any], cls: type, where: str, **ready: Any) -> Any:
    """Build the frozen dataclass `cls` from a TOML table; unknown and missing keys raise ContractError."""
    known = {field.name: field for field in fields(cls)}
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise ContractError(f"{where}: unknown key {unknown[0]!r}; known keys: {', '.join(sorted(known))}")
    missing = sorted(
        name for name, f in known.items() if name not in table and name not in ready and f.default is MISSING
    )
    if missing:
        raise ContractError(f"{where}: key {missing[0]!r} is missing")
    return cls(**{**table, **ready})


def _read_column(table: dict[str, Any], where: str) -> Column:
    where = f"{where}, column {table.get('name', '?')}"
    ready: dict[str, Any] = {}
    if "values" in table:
        ready["values"] = tuple(table["values"])
    if "empty_only_when" in table:
        pairs = list(table["empty_only_when"].items())
        if len(pairs) != 1:
            raise ContractError(f"{where}: empty_only_when wants one column and one value")
        ready["empty_only_when"] = pairs[0]
    column: Column = _take({k: v for k, v in table.items() if k not in ready}, Column, where, **ready)
    if column.type not in get_args(ColumnType):
        raise ContractError(
            f"{where}: unknown type {column.type!r}; known: {', '.join(get_args(ColumnType))}"
        )
    if not _NAME.fullmatch(column.name):
        raise ContractError(f"{where}: a name is lower-case letters, digits and _ (63 at most)")
    if not column.header or _FORBIDDEN_IN_HEADER.search(column.header):
        raise ContractError(f"{where}: a header is not empty and has no comma, bar, quote or line break")
    if column.type == "code" and not column.values:
        raise ContractError(f"{where}: a code needs its closed list of values")
    if column.type == "digits" and column.length < 1:
        raise ContractError(f"{where}: digits need their length")
    return column


def _read_file(table: dict[str, Any], where: str) -> FileContract:
    where = f"{where}, file {table.get('key', '?')}"
    columns = tuple(_read_column(column, where) for column in table.get("column", ()))
    plain = {key: value for key, value in table.items() if key != "column"}
    file: FileContract = _take(plain, FileContract, where, columns=columns)
    if file.format not in get_args(FileFormat) or file.encoding not in get_args(Encoding):
        raise ContractError(f"{where}: format {file.format!r} / encoding {file.encoding!r} is not known")
    if not _PATTERN.fullmatch(file.pattern):
        raise ContractError(f"{where}: pattern {file.pattern!r} must be a plain file name with * or ?")
    for what, values in (("name", [c.name for c in columns]), ("header", [c.header for c in columns])):
        if len(set(values)) != len(values):
            raise ContractError(f"{where}: a column {what} stands twice")
    if sum(column.type == "id" for column in columns) > 1:
        raise ContractError(f"{where}: more than one column of type id")
    return file


def read_contract(path: Path) -> Contract:
    """Read one contract.toml. Raises ContractError naming the file and the key."""
    where = f"{path.parent.name}/{path.name}"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ContractError(f"{where}: cannot be read as TOML ({type(error).__name__})") from None
    files = tuple(_read_file(file, where) for file in table.get("file", ()))
    plain = {key: value for key, value in table.items() if key != "file"}
    contract: Contract = _take(plain, Contract, where, files=files, path=path)
    if contract.source != path.parent.name or not _NAME.fullmatch(contract.source):
        raise ContractError(f"{where}: source {contract.source!r} must be the name of its folder")
    if contract.role not in ("people", "evidence"):
        raise ContractError(f"{where}: role is people or evidence")
    if not files:
        raise ContractError(f"{where}: no [[file]]")
    if contract.role == "evidence" and any(file.id_column is None for file in files):
        raise ContractError(f"{where}: every file of an evidence source needs a column of type id")
    return contract
