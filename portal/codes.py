"""The desk's words, steps and time limits, read once from portal/codes/*.toml.

Places, sources, programmes, areas and states have their names in policy/codes.toml, for the whole project.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from policy.codes import load_codes

FOLDER = Path(__file__).parent / "codes"
_COUNTY_DIGITS = 6


@dataclass(frozen=True)
class Code:
    """One entry of a code list. Only the flags its list knows are ever set."""

    code: str
    name: str
    clock: str | None = None
    adverse: bool = False
    supports_adverse: bool = False
    suppressible: bool = False
    needs_note: bool = False
    lists: tuple[str, ...] = ("discrepancies", "newly_eligible")


@dataclass(frozen=True)
class Clock:
    code: str
    name: str
    amount: int
    unit: str
    source: str
    confirmed: bool = True


@dataclass(frozen=True)
class Remedy:
    text: str
    source: str


@dataclass(frozen=True)
class RuleFigures:
    """How a rule's value and line are read: labels, unit (money, days, count) and what its fact is."""

    value: str
    unit: str
    line: str | None = None
    fact: str = "value"


CodeList = dict[str, Code]


@dataclass(frozen=True)
class DeskCodes:
    stages: CodeList
    replies: CodeList
    decisions: CodeList
    disposals: CodeList
    outreach: CodeList
    services: CodeList
    departments: CodeList
    remedies: tuple[Remedy, ...]
    allowed: dict[str, frozenset[str]]


@cache
def desk_codes() -> DeskCodes:
    """Raises ValueError for a key nobody knows, so that a misspelt flag is never silently nothing."""
    raw = _read("desk.toml")
    lists = ("stage", "reply", "decision", "disposal", "outreach", "service", "department")
    unknown = set(raw) - {*lists, "remedy", "allowed"}
    if unknown:
        raise ValueError(f"portal/codes/desk.toml: unknown tables {sorted(unknown)}")
    stages, replies, decisions, disposals, outreach, services, departments = (
        _code_list(raw[name]) for name in lists
    )
    allowed = {work: frozenset(entered) for work, entered in raw["allowed"].items()}
    for work, entered in allowed.items():
        if entered - stages.keys():
            raise ValueError(
                f"portal/codes/desk.toml: allowed.{work} names unknown stages {sorted(entered - stages.keys())}"
            )
    remedies = tuple(Remedy(**entry) for entry in raw["remedy"])
    return DeskCodes(
        stages, replies, decisions, disposals, outreach, services, departments, remedies, allowed
    )


@cache
def clocks() -> dict[str, Clock]:
    return {entry["code"]: Clock(**entry) for entry in _read("clocks.toml")["clock"]}


@cache
def rule_figures() -> dict[str, RuleFigures]:
    return {rule: RuleFigures(**entry) for rule, entry in _read("rules.toml").items()}


@cache
def place_names() -> dict[str, str]:
    """Division code to name, counties with their city; a code that is not listed is shown as a number."""
    codes = load_codes()
    return {
        code: codes.place_name(code) if len(code) == _COUNTY_DIGITS else name
        for code, name in codes.divisions.names.items()
    }


@cache
def action_names() -> dict[str, str]:
    """Action of the audit log to what auditors read."""
    return dict(_read("actions.toml")["action"])


@cache
def source_names() -> dict[str, str]:
    """Data source to name, in the order they are shown."""
    return dict(load_codes().sources.names)


def _read(name: str) -> dict[str, Any]:
    with (FOLDER / name).open("rb") as file:
        return tomllib.load(file)


def _code_list(entries: list[dict[str, Any]]) -> CodeList:
    return {entry["code"]: Code(**{**entry, **_tuples(entry)}) for entry in entries}


def _tuples(entry: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {"lists": tuple(entry["lists"])} if "lists" in entry else {}
