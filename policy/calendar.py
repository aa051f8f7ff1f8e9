"""Working days of the State Council's yearly notices, make-up days (调休) included."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from policy.errors import PolicyError

SHIPPED = Path(__file__).parent / "calendar.toml"
_KEYS = {"year", "source", "off", "on"}
_SATURDAY = 5


@dataclass(frozen=True)
class WorkCalendar:
    """off: days without work; on: weekend days that are worked; sources: the notice of each year that has one."""

    off: frozenset[date]
    on: frozenset[date]
    sources: Mapping[int, str]

    def is_announced(self, day: date) -> bool:
        """Whether the notice of that day's year is known; otherwise Monday to Friday is all that can be counted."""
        return day.year in self.sources

    def is_working_day(self, day: date) -> bool:
        if day in self.on:
            return True
        return day.weekday() < _SATURDAY and day not in self.off


def load_calendar(path: Path | None = None) -> WorkCalendar:
    """The shipped calendar when no path is given.

    Raises PolicyError for unknown keys, a year told twice, a day of another year, a make-up day on a working day.
    """
    file = SHIPPED if path is None else path
    try:
        years = tomllib.loads(file.read_text(encoding="utf-8"))["year"]
        off, on, sources = set[date](), set[date](), dict[int, str]()
        for entry in years:
            _check_entry(file, entry, sources)
            sources[entry["year"]] = entry["source"]
            off |= _days_of(file, entry, "off")
            on |= _days_of(file, entry, "on")
    except (ValueError, OSError, KeyError, TypeError) as problem:
        raise _refusal(
            file, None, type(problem).__name__, "[[year]] entries with year, source, off and on"
        ) from None
    weekdays = sorted(day for day in on if day.weekday() < _SATURDAY)
    if weekdays:
        raise _refusal(file, weekdays[0], "a make-up day from Monday to Friday", "a Saturday or Sunday")
    return WorkCalendar(frozenset(off), frozenset(on), sources)


def _check_entry(file: Path, entry: Mapping[str, Any], known: Mapping[int, str]) -> None:
    if set(entry) != _KEYS or not str(entry["source"]).strip():
        raise _refusal(file, entry.get("year"), ", ".join(sorted(entry)), ", ".join(sorted(_KEYS)))
    if entry["year"] in known:
        raise _refusal(file, entry["year"], "the year twice", "one notice a year")


def _days_of(file: Path, entry: Mapping[str, Any], key: str) -> set[date]:
    """`2026-10-01/2026-10-07` are seven days."""
    found = set()
    for span in entry[key]:
        first, _, last = span.partition("/")
        start, end = date.fromisoformat(first), date.fromisoformat(last or first)
        found |= {start + timedelta(days=offset) for offset in range((end - start).days + 1)}
    for day in sorted(found):
        if day.year != entry["year"]:
            raise _refusal(file, day, "a day of another year", f"days of {entry['year']}")
    return found


def _refusal(file: Path, when: object, found: str, wanted: str) -> PolicyError:
    return PolicyError(
        file=file, key="year", date=when, found=found, wanted=wanted, remedy="correct it by the year's notice"
    )
