"""Working days are the State Council's, year by year; a year nobody has announced is not guessed at."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from policy.calendar import load_calendar
from policy.errors import PolicyError

YEAR = '[[year]]\nyear = 2030\nsource = "通知"\noff = ["2030-01-01/2030-01-03"]\non = ["2030-01-05"]\n'


def test_a_year_with_its_notice_is_counted_by_it():
    calendar = load_calendar()
    days = [date(2026, 1, 1) + timedelta(days=at) for at in range(365)]
    # The notice of 2026: 33 days off, of which the make-up days take six weekend days back.
    assert sum(calendar.is_working_day(day) for day in days) == 248
    assert all("国务院办公厅" in source for source in calendar.sources.values())


def test_a_year_without_a_notice_is_told_apart():
    calendar = load_calendar()
    after = date(max(calendar.sources) + 1, 5, 1)
    assert calendar.is_announced(date(2026, 5, 1)) and not calendar.is_announced(after)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (YEAR + YEAR, "the year twice"),
        (YEAR.replace("2030-01-05", "2030-01-07"), "make-up day from Monday to Friday"),
        (YEAR.replace("2030-01-05", "2031-01-05"), "a day of another year"),
        (YEAR.replace("source", "sourse"), "sourse"),
        (YEAR.replace("2030-01-05", "2030-13-05"), "ValueError"),
        ("year = 1", "TypeError"),
    ],
)
def test_a_calendar_that_cannot_be_meant_is_refused(tmp_path, text, told):
    (tmp_path / "calendar.toml").write_text(text, "utf-8")
    with pytest.raises(PolicyError, match=told):
        load_calendar(tmp_path / "calendar.toml")
