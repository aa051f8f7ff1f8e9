"""The rules as officers read them: name, sources needed, legal basis, what clears a lead or what to do next."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from policy.errors import PolicyError
from policy.parameters import PROGRAMMES, SOURCES

SHIPPED = Path(__file__).parent / "rules.toml"
LISTS = ("discrepancies", "newly_eligible")
_CODE = re.compile(r"[A-Z][0-9]{2}")


@dataclass(frozen=True)
class Rule:
    """One rule of the specification, section 4.

    person: its leads name one person (a member, or for S01 the obligor), not the household. programmes: the roster
    programmes it judges, empty for households that are on no roster. needs: the sources without which it cannot be
    verified. clears (discrepancies) and next_step (newly eligible) are the last column of the list it belongs to; the
    other one is empty.
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


def load_rules(path: Path | None = None) -> dict[str, Rule]:
    """All rules by code, in the order of the file; the shipped ones when no path is given. Raises PolicyError."""
    file = SHIPPED if path is None else path
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as problem:
        raise _refusal(file, "the file", f"{type(problem).__name__}: {problem}", "TOML in UTF-8") from None
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
    wanted = {one.name for one in fields(Rule)} - {"clears", "next_step"} | {last}
    if set(row) != wanted:
        odd = sorted(set(row) ^ wanted)
        raise _refusal(file, place, f"missing or unknown: {', '.join(odd)}", ", ".join(sorted(wanted)))
    for name in ("code", "name", "explanation", "basis", last):
        if not isinstance(row[name], str) or not row[name].strip():
            raise _refusal(file, place, f"{name} = {row[name]!r}", "a text that is not empty")
    if not _CODE.fullmatch(row["code"]):
        raise _refusal(file, place, f"code = {row['code']!r}", "a letter and two digits")
    if row["list"] not in LISTS:
        raise _refusal(file, place, f"list = {row['list']!r}", " or ".join(LISTS))
    if not isinstance(row["person"], bool):
        raise _refusal(file, place, f"person = {row['person']!r}", "true or false")
    programmes = _read_codes(file, place, row, "programmes", PROGRAMMES)
    return Rule(**{**row, "programmes": programmes, "needs": _read_codes(file, place, row, "needs", SOURCES)})


def _read_codes(
    file: Path, place: str, row: dict[str, object], name: str, known: tuple[str, ...]
) -> tuple[str, ...]:
    codes = row[name]
    if (
        not isinstance(codes, list)
        or any(code not in known for code in codes)
        or len(set(codes)) < len(codes)
    ):
        raise _refusal(file, place, f"{name} = {codes}", "a list of " + ", ".join(known) + ", none twice")
    return tuple(codes)


def _refusal(file: Path, key: str, found: str, wanted: str) -> PolicyError:
    return PolicyError(file=file, key=key, date=None, found=found, wanted=wanted, remedy="correct the file")
