"""The one way a moment is told to people: Beijing time, with the zone said beside it or above the column."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")


def beijing_text(moment: datetime | str) -> str:
    """2026-07-01 09:30:00（北京时间）. moment and what is raised: as `beijing_time`."""
    return f"{beijing_time(moment)}（北京时间）"


def beijing_time(moment: datetime | str) -> str:
    """2026-07-01 09:30:00, for a column whose head says the zone.

    moment: an instant, or its ISO text. Raises ValueError without a zone.
    """
    instant = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return f"{instant.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


def beijing_day(moment: datetime) -> date:
    """The day it is in Beijing at that instant."""
    return moment.astimezone(BEIJING).date()
