"""The rules as officers read them: name, sources needed, legal basis, what clears a lead or what to do next."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import lru_cache
from pathlib import Path

from policy.errors import PolicyError
from policy.parameters import PROGRAMMES

SHIPPED = Path(__file__).parent / "rules.toml"
LISTS = ("discrepancies", "newly_eligible")
_CODE = re.compile(r"[A-Z][0-9]{2}")
_NAME = re.compile(r"[a-z][a-z0-9_]*|\*")


@dataclass(frozen=True)
class Rule:
    """One rule: of the specification, section 4, or over the other departments (docs/rules.md).

    person: its leads name one person (a member, or for S01 the obligor), not the household. programmes: the roster
    programmes it judges, empty for households that are on no roster. needs: the sources without which it cannot be
    verified; it is judged only in nights that can use all of them, or, when partial, on those that are there.
    connected: sources it asks besides once their feeds are connected, "*" for every one. settings: the names of the
    `rule_setting` entries of the policy it reads, and what auditors see them called; it is silent where one of them
    is absent or off. catalogue: the numbers of the suspicions in docs/rules.md it looks for. clears (discrepancies)
    and next_step (newly eligible) are the last column of the list it belongs to; the other one is empty.
    """

    code: str
    list: str
    name: str
    person: bool
    programmes: tuple[str, ...]
    needs: tuple[str, ...]
    explanation: str
    basis: str
    clears: str = ""
    next_step: str = ""
    partial: bool = False
    connected: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict, hash=False)
    catalogue: tuple[str, ...] = ()


def load_rules(path: Path | None = None) -> dict[str, Rule]:
    """All rules by code, in the order of the file; the shipped ones when no path is given. Raises PolicyError."""
    file = SHIPPED if path is None else path
    try:
        text = file.read_text(encoding="utf-8")
    except (ValueError, OSError) as problem:
        raise _unreadable(file, problem) from None
    return dict(_read_rules(file, text))


@lru_cache(maxsize=4)
def _read_rules(file: Path, text: str) -> dict[str, Rule]:
    """The rules in the text of a file: every stage asks for them, and reading them anew takes it 20 ms."""
    try:
        document = tomllib.loads(text)
    except ValueError as problem:
        raise _unreadable(file, problem) from None
    rows = document.get("rule")
    if set(document) != {"rule"} or not isinstance(rows, list):
        raise _refusal(file, ", ".join(document) or "the file", "something else", "only [[rule]] entries")
    rules: dict[str, Rule] = {}
    for position, row in enumerate(rows, start=1):
        rule = _read_rule(file, position, row)
        if rule.code in rules:
            raise _refusal(file, f"[[rule]] {rule.code}", "the code twice", "every code once")
        rules[rule.code] = rule
    return rules


def _read_rule(file: Path, position: int, row: object) -> Rule:
    place = f"[[rule]] {row.get('code', position)}" if isinstance(row, dict) else f"[[rule]] {position}"
    if not isinstance(row, dict):
        raise _refusal(file, place, "no table", "a table")
    last = "next_step" if row.get("list") == "newly_eligible" else "clears"
    known = {one.name for one in fields(Rule)} - {"clears", "next_step"} | {last}
    wanted = {one.name for one in fields(Rule) if one.default is one.default_factory is MISSING} | {last}
    odd = sorted(set(row) - known | wanted - set(row))
    if odd:
        raise _refusal(file, place, f"missing or unknown: {', '.join(odd)}", ", ".join(sorted(known)))
    for name in ("code", "name", "explanation", "basis", last):
        if not isinstance(row[name], str) or not row[name].strip():
            raise _refusal(file, place, f"{name} = {row[name]!r}", "a text that is not empty")
    if not _CODE.fullmatch(row["code"]):
        raise _refusal(file, place, f"code = {row['code']!r}", "a letter and two digits")
    if row["list"] not in LISTS:
        raise _refusal(file, place, f"list = {row['list']!r}", " or ".join(LISTS))
    for name in ("person", "partial"):
        if not isinstance(row.get(name, False), bool):
            raise _refusal(file, place, f"{name} = {row[name]!r}", "true or false")
    settings = row.get("settings", {})
    if not isinstance(settings, dict) or not all(isinstance(one, str) and one for one in settings.values()):
        raise _refusal(file, place, f"settings = {settings!r}", "a table of names and what they are called")
    lists = {name: _read_names(file, place, row, name) for name in _LISTS_OF_NAMES if name in row}
    odd = sorted(set(lists["programmes"]) - set(PROGRAMMES))
    if odd:
        raise _refusal(file, place, f"programmes: {', '.join(odd)}", ", ".join(PROGRAMMES))
    return Rule(**{**row, **lists})


_LISTS_OF_NAMES = ("programmes", "needs", "connected", "catalogue")


def _read_names(file: Path, place: str, row: dict[str, object], name: str) -> tuple[str, ...]:
    names = row[name]
    shape = re.compile("[EN][0-9]{2}") if name == "catalogue" else _NAME
    if (
        not isinstance(names, list)
        or not all(isinstance(one, str) and shape.fullmatch(one) for one in names)
        or len(set(names)) < len(names)
    ):
        raise _refusal(file, place, f"{name} = {names}", "a list of names, none twice")
    return tuple(names)


def _unreadable(file: Path, problem: Exception) -> PolicyError:
    return _refusal(file, "the file", f"{type(problem).__name__}: {problem}", "TOML in UTF-8")


def _refusal(file: Path, key: str, found: str, wanted: str) -> PolicyError:
    return PolicyError(file=file, key=key, date=None, found=found, wanted=wanted, remedy="correct the file")
