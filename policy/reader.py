"""Read policy files into dated entries, and refuse whatever the specification does not name."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

from policy.errors import PolicyError
from policy.parameters import PARAMETERS, Check, Parameter, Value

_DATED = ("from", "to", "source", "confirmed")


@dataclass(frozen=True)
class Entry:
    """One dated figure of a policy.

    key: the parameter; identity: its identifying fields, e.g. {"region": "4401", "area": "urban"}; value: None where
    the parameter has no `value`; fields: everything else it says, e.g. {"basis": "dibao_standard", "multiple": 1.5};
    start: the first day it holds; end: the `to` of the file, that day included, or None; file: the name of the file.
    """

    key: str
    identity: Mapping[str, str] = field(hash=False)
    value: Decimal | int | tuple[str, ...] | None
    fields: Mapping[str, Decimal | int | str] = field(hash=False)
    start: date
    end: date | None
    source: str
    confirmed: bool
    file: str


@dataclass(frozen=True)
class _Place:
    """Where an entry stands, for messages."""

    path: Path
    key: str
    position: int
    start: object

    def refuse(self, found: str, wanted: str, remedy: str) -> NoReturn:
        raise PolicyError(
            file=self.path,
            key=f"[[{self.key}]] entry {self.position}",
            date=None if self.start is None else f"from {self.start}",
            found=found,
            wanted=wanted,
            remedy=remedy,
        )


def read_policy(path: Path) -> tuple[str, tuple[Entry, ...]]:
    """The id and all entries of a policy file, or of all *.toml files directly in a folder read as one.

    Raises PolicyError.
    """
    policy_id: str | None = None
    entries: list[Entry] = []
    for file in _files(path):
        document = _parse(file)
        if "id" in document:
            policy_id = _read_id(file, document.pop("id"), policy_id)
        for key, rows in document.items():
            entries.extend(_read_parameter(file, key, rows))
    if policy_id is None:
        raise PolicyError(
            file=path,
            key="id",
            date=None,
            found="none",
            wanted='one id = "…" at the top of a file',
            remedy="give the policy a name",
        )
    _refuse_twins(path, entries)
    return policy_id, tuple(entries)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(one for one in path.glob("*.toml") if one.is_file())
        if files:
            return files
    elif path.is_file():
        return [path]
    raise PolicyError(
        file=path,
        key="*.toml",
        date=None,
        found="no policy file",
        wanted="a TOML file, or a folder with *.toml files directly in it",
        remedy="check --policy",
    )


def _parse(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8"), parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError, OSError) as problem:
        raise PolicyError(
            file=file,
            key="the file",
            date=None,
            found=f"{type(problem).__name__}: {problem}",
            wanted="TOML in UTF-8 without a byte order mark",
            remedy="correct the file",
        ) from None


def _read_id(file: Path, raw: object, earlier: str | None) -> str:
    if not isinstance(raw, str) or not raw.strip():
        found, wanted, remedy = repr(raw), "a text that is not empty", "give the policy a name"
    elif earlier is not None:
        found, wanted, remedy = (
            f"a second id, {raw!r}, besides {earlier!r}",
            "one",
            "keep it in one file only",
        )
    else:
        return raw.strip()
    raise PolicyError(file=file, key="id", date=None, found=found, wanted=wanted, remedy=remedy)


def _read_parameter(file: Path, key: str, rows: object) -> list[Entry]:
    tables = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    place = _Place(file, key, 1, tables[0].get("from") if tables else None)
    parameter = PARAMETERS.get(key)
    if parameter is None:
        place.refuse(
            "an unknown parameter", "one of " + ", ".join(PARAMETERS), "correct the name or take it out"
        )
    if not isinstance(rows, list) or len(tables) < len(rows):
        place.refuse(
            "a single value or table", f"an array of dated entries, [[{key}]]", "use double brackets"
        )
    return [
        _read_entry(_Place(file, key, position, row.get("from")), parameter, row)
        for position, row in enumerate(tables, start=1)
    ]


def _read_entry(place: _Place, parameter: Parameter, row: dict[str, object]) -> Entry:
    known = {*parameter.identity, *parameter.fields, *_DATED, *(("value",) if parameter.value else ())}
    unknown = sorted(set(row) - known)
    if unknown:
        place.refuse(
            "unknown key " + ", ".join(unknown),
            "only " + ", ".join(sorted(known)),
            "correct the name or take it out",
        )
    needed = known - {"to", "confirmed"} - parameter.identity_optional
    missing = sorted(needed - set(row))
    if missing:
        place.refuse("no " + ", ".join(missing), "all of " + ", ".join(sorted(needed)), "add what is missing")
    start, end = _read_date(place, row, "from"), _read_date(place, row, "to") if "to" in row else None
    if end is not None and end < start:
        place.refuse(
            f"to {end}, before from", "a last day that is not before the first", "correct one of the dates"
        )
    identity = {
        name: _checked(place, name, check, row[name])
        for name, check in parameter.identity.items()
        if name in row
    }
    fields = {name: _checked(place, name, check, row[name]) for name, check in parameter.fields.items()}
    value = _checked(place, "value", parameter.value, row["value"]) if parameter.value else None
    return Entry(
        key=parameter.key,
        identity={name: str(one) for name, one in identity.items()},
        value=None if value is None or isinstance(value, str) else value,
        fields={name: one for name, one in fields.items() if not isinstance(one, tuple)},
        start=start,
        end=end,
        source=_read_source(place, row["source"]),
        confirmed=_read_confirmed(place, row.get("confirmed", True)),
        file=place.path.name,
    )


def _checked(place: _Place, name: str, check: Check, raw: object) -> Value:
    try:
        return check(raw)
    except ValueError as wanted:
        place.refuse(f"{name} = {_shown(raw)}", f"{name}: {wanted}", f"correct {name}")


def _read_date(place: _Place, row: dict[str, object], name: str) -> date:
    raw = row[name]
    if type(raw) is not date:  # a TOML date-time is a date too, for Python
        place.refuse(
            f"{name} = {_shown(raw)}", f"{name}: a TOML date such as 2026-01-01, no quotes", f"correct {name}"
        )
    return raw


def _read_source(place: _Place, raw: object) -> str:
    if not isinstance(raw, str) or not raw.strip():
        place.refuse(
            f"source = {_shown(raw)}", "the instrument and article the figure comes from", "name the source"
        )
    return raw.strip()


def _read_confirmed(place: _Place, raw: object) -> bool:
    if not isinstance(raw, bool):
        place.refuse(f"confirmed = {_shown(raw)}", "confirmed: true or false", "correct confirmed")
    return raw


def _shown(raw: object) -> str:
    text = repr(raw) if isinstance(raw, str) else str(raw)
    return text if len(text) <= 60 else text[:60] + "…"


def _refuse_twins(path: Path, entries: list[Entry]) -> None:
    seen: dict[object, Entry] = {}
    for entry in entries:
        twin = seen.setdefault((entry.key, tuple(sorted(entry.identity.items())), entry.start), entry)
        if twin is not entry:
            who = " ".join(entry.identity.values()) or "the parameter"
            raise PolicyError(
                file=path,
                key=f"[[{entry.key}]] {who}",
                date=f"from {entry.start}",
                found=f"two entries, in {twin.file} and {entry.file}",
                wanted="one for each identity and date",
                remedy="take one of them out",
            )
