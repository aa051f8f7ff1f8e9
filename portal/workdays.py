"""Time limits in working days, calendar days and months."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from functools import cache

from policy.calendar import WorkCalendar, load_calendar
from portal.codes import clocks

_WEEKS_AHEAD = timedelta(days=45)


@cache
def work_calendar() -> WorkCalendar:
    return load_calendar()


def calendar_note(day: date | None) -> str:
    """What to say beside a limit that ends on `day`; empty where the year's notice is known."""
    if day is None or work_calendar().is_announced(day):
        return ""
    return f"{day.year}年放假安排尚未公布，暂按周一至周五计算，公布后重算"


def coming_calendar_note(today: date) -> str:
    """The same for limits that begin today and may end within the next weeks."""
    return calendar_note(today) or calendar_note(today + _WEEKS_AHEAD)


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


def objection_end(served_on: date, told: date) -> date:
    """The last day to object to a decision; told: the day that was told when the notice was served.

    A holiday announced since then lengthens the family's time, and nothing shortens it.
    """
    return max(told, due_date("objection", served_on))
