"""Small code lists, for showing a code as a word on lists, pages and reports."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from policy.errors import PolicyError

SHIPPED = Path(__file__).parent / "codes.toml"
_CITY_DIGITS = 4
_COUNTY_DIGITS = 6


@dataclass(frozen=True)
class CodeList:
    """Names by code, in the order of the file. `source` is where the list comes from."""

    source: str
    names: Mapping[str, str]

    def name(self, code: str) -> str:
        """The name of a code; the code itself when the list does not know it."""
        return self.names.get(code, code)


@dataclass(frozen=True)
class Codes:
    """All code lists. divisions: GB/T 2260, provinces by 2 digits, cities by 4, counties by 6."""

    programmes: CodeList
    areas: CodeList
    roles: CodeList
    lists: CodeList
    states: CodeList
    sources: CodeList
    source_states: CodeList
    held_reasons: CodeList
    quarantine_reasons: CodeList
    relations: CodeList
    divisions: CodeList

    def place_name(self, code: str) -> str:
        """City and county of a county or township code, e.g. 广州市荔湾区; the code itself when it is not known."""
        city = self.divisions.names.get(code[:_CITY_DIGITS])
        county = self.divisions.names.get(code[:_COUNTY_DIGITS])
        if city is None or county is None:
            return code
        return city if city == county else city + county

    def counties(self) -> tuple[str, ...]:
        """Every county code, and the codes of the cities that have no counties."""
        return tuple(code for code in self.divisions.names if len(code) == _COUNTY_DIGITS)


def load_codes(path: Path | None = None) -> Codes:
    """The code lists; the shipped ones when no path is given. Raises PolicyError."""
    file = SHIPPED if path is None else path
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as problem:
        raise _refusal(file, "the file", f"{type(problem).__name__}: {problem}", "TOML in UTF-8") from None
    wanted = [one.name for one in fields(Codes)]
    if set(document) != set(wanted):
        odd = sorted(set(document) ^ set(wanted))
        raise _refusal(file, ", ".join(odd), "a list missing or unknown", ", ".join(wanted))
    return Codes(**{key: _read_list(file, key, document[key]) for key in wanted})


def _read_list(file: Path, key: str, table: object) -> CodeList:
    if not isinstance(table, dict) or set(table) != {"source", "names"}:
        raise _refusal(file, f"[{key}]", "other keys", "source and names")
    names, source = table["names"], table["source"]
    texts = [source, *names.values()] if isinstance(names, dict) else [None]
    if len(texts) < 2 or any(not isinstance(text, str) or not text.strip() for text in texts):
        raise _refusal(file, f"[{key}]", "an empty list, or a text that is none", "a source and named codes")
    return CodeList(source, names)


def _refusal(file: Path, key: str, found: str, wanted: str) -> PolicyError:
    return PolicyError(file=file, key=key, date=None, found=found, wanted=wanted, remedy="correct the file")
