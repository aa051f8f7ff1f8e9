"""Working days of the State Council's calendar, make-up days (调休) included."""

from __future__ import annotations

import calendar
import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from portal.codes import FOLDER, clocks


@dataclass(frozen=True)
class WorkCalendar:
    off: frozenset[date]
    on: frozenset[date]
    sources: dict[int, str]

    def is_working_day(self, day: date) -> bool:
        if day in self.on:
            return True
        return day.weekday() < calendar.SATURDAY and day not in self.off


@cache
def work_calendar() -> WorkCalendar:
    with (FOLDER / "calendar.toml").open("rb") as file:
        years = tomllib.load(file)["year"]
    off = {day for year in years for span in year["off"] for day in _days(span)}
    on = {date.fromisoformat(day) for year in years for day in year["on"]}
    return WorkCalendar(frozenset(off), frozenset(on), {year["year"]: year["source"] for year in years})


def add_working_days(start: date, amount: int) -> date:
    """The last day of a limit of `amount` working days; the day of the event itself is not counted."""
    day, left = start, amount
    while left > 0:
        day += timedelta(days=1)
        left -= work_calendar().is_working_day(day)
    return day


def add_months(start: date, amount: int) -> date:
    """The same day `amount` months later, or the last of that month."""
    months = start.month - 1 + amount
    year, month = start.year + months // 12, months % 12 + 1
    return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))


def due_date(clock: str, start: date) -> date:
    """When the time limit `clock` (portal/codes/clocks.toml) that starts on `start` ends."""
    limit = clocks()[clock]
    if limit.unit == "working":
        return add_working_days(start, limit.amount)
    if limit.unit == "calendar":
        return start + timedelta(days=limit.amount)
    if limit.unit == "months":
        return add_months(start, limit.amount)
    raise ValueError(
        f"portal/codes/clocks.toml: {clock} has unit {limit.unit!r}; wanted working, calendar or months"
    )


def _days(span: str) -> list[date]:
    first, _, last = span.partition("/")
    start, end = date.fromisoformat(first), date.fromisoformat(last or first)
    return [start + timedelta(days=offset) for offset in range((end - start).days + 1)]
