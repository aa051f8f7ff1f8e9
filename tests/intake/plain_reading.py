"""The sentences of the specification on line files, read plainly: one line at a time, nothing clever."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from connectors.contract import FileContract
from connectors.registry import all_contracts
from pipelines.intake.checks import Judging
from pipelines.intake.lines import read_lines

JUDGING = Judging(date(2026, 6, 30), frozenset({"CNY", "USD", "HKD"}), frozenset(all_contracts()))

Rows = dict[int, tuple[str, ...] | str]


def fields_of(text: str, separator: str, quoted: bool) -> list[str] | None:
    """A field that begins with a quote ends at the first quote that is not doubled; then a separator or the end."""
    fields, rest = [], text
    while True:
        if quoted and rest.startswith('"'):
            inside, rest = "", rest[1:]
            while not rest.startswith('"') or rest.startswith('""'):
                if not rest:
                    return None
                step = 2 if rest.startswith('""') else 1
                inside, rest = inside + rest[0], rest[step:]
            field, rest = inside, rest[1:]
            if rest and not rest.startswith(separator):
                return None
        else:
            field, found, after = rest.partition(separator)
            rest = found + after
        fields.append(field)
        if not rest:
            return fields
        rest = rest[1:]


def read_plainly(content: bytes, file: FileContract) -> Rows:
    """Line number -> trimmed fields, or the reason why there are none. The header is the first line."""
    rows: Rows = {}
    for number, raw in enumerate(content.split(b"\n"), 1):
        if number == 1:
            continue
        try:
            text = raw.removesuffix(b"\r").decode(file.encoding)
        except UnicodeDecodeError:
            rows[number] = "undecodable_text"
            continue
        if not text.strip():
            continue
        fields = fields_of(text, file.separator, file.quoted)
        if fields is None or len(fields) != len(file.columns):
            rows[number] = "wrong_column_count"
        else:
            rows[number] = tuple(as_compared(field) for field in fields)
    return rows


def read_by_pipeline(content: bytes, file: FileContract) -> Rows:
    """The same from the intake's reader. Fails when a line is told twice."""
    told: list[tuple[int, Any]] = []
    unjudged = tuple(replace(column, type="carried", empty_only_when=None) for column in file.columns)
    for judged in read_lines(io.BytesIO(content), replace(file, columns=unjudged), "file", JUDGING):
        everything = np.arange(len(judged.lines))
        columns = [judged.text(column.name, everything).to_pylist() for column in file.columns]
        for line, *values in zip(judged.lines.tolist(), *columns, strict=True):
            told.append((line, tuple(as_compared(value) for value in values)))
        told += judged.spoiled
    rows = dict(told)
    assert len(rows) == len(told), "a line was told twice"
    return rows


def as_compared(field: str) -> str:
    """Surrounding white space never counts; a carriage return inside a line is white space like any other."""
    return field.replace("\r", " ").strip()


def line_file(source: str) -> FileContract:
    return next(file for file in all_contracts()[source].files if file.format in ("csv", "pipe"))


def header_line(file: FileContract) -> bytes:
    return file.separator.join(column.header for column in file.columns).encode(file.encoding)
