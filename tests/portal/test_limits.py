"""Limits that reach into a year without a holiday notice are marked, and counted anew when the notice comes."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

import portal.workdays
from policy.calendar import WorkCalendar, load_calendar
from tests.portal.cases import STOP, VISIT, answer_all, case_of
from tests.portal.nights import lead, number, publish

NOTE = "2027年放假安排尚未公布"


@pytest.fixture
def announced(monkeypatch):
    """A notice of 2027 that gives the first three weeks of January off; in force when the test says so."""

    def announce():
        shipped = load_calendar()
        off = {date(2027, 1, day) for day in range(1, 22)}
        later = WorkCalendar(shipped.off | off, shipped.on, {**shipped.sources, 2027: "（测试）"})
        monkeypatch.setattr(portal.workdays, "work_calendar", lambda: later)

    shipped = load_calendar()
    until = {year: source for year, source in shipped.sources.items() if year < 2027}
    monkeypatch.setattr(
        portal.workdays, "work_calendar", lambda: WorkCalendar(shipped.off, shipped.on, until)
    )
    return announce


def test_a_limit_in_an_unannounced_year_is_marked_and_counted_anew(desk, announced):
    desk.clock.at = datetime(2026, 12, 31, 2, tzinfo=UTC)
    desk.load(publish(desk.home, desk.ring, "2026-12-30", [lead("H1", id=number(1))]))
    county = desk.officer("xian1", "county", "440103")
    page = f"/cases/{case_of(desk, 'H1').id}"
    before = case_of(desk, "H1").due_on
    assert (
        before.year == 2027
        and NOTE in county.get(page).text
        and NOTE in county.get("/lists/discrepancies").text
    )
    announced()
    desk.load(
        publish(
            desk.home,
            desk.ring,
            "2026-12-31",
            [lead("H1", id=number(1), first="2026-12-30", state="continuing")],
        )
    )
    assert case_of(desk, "H1").due_on == date(2027, 1, 26) > before
    assert NOTE not in county.get(page).text


def test_holidays_announced_later_lengthen_the_time_to_object(desk, announced):
    desk.clock.at = datetime(2026, 12, 31, 2, tzinfo=UTC)
    desk.load(publish(desk.home, desk.ring, "2026-12-30", [lead("H2", "I01", id=number(3), town="002")]))
    first, second = desk.officer("xian1", "county", "440103"), desk.officer("xian2", "county", "440103")
    case_id = served_stop_on(desk, first, second, "2026-12-31")
    assert case_of(desk, "H2").due_on == date(2027, 1, 14)
    announced()
    desk.clock.at = datetime(2027, 1, 15, 2, tzinfo=UTC)
    first.sign_in()
    refused = first.work(case_id, "close")
    assert refused.status_code == 422 and "异议期限还没有届满" in refused.text
    desk.load(
        publish(
            desk.home,
            desk.ring,
            "2026-12-31",
            [lead("H2", "I01", id=number(3), town="002", first="2026-12-30", state="continuing")],
        )
    )
    assert case_of(desk, "H2").due_on == date(2027, 2, 4)
    desk.clock.at = datetime(2027, 2, 5, 2, tzinfo=UTC)
    first.sign_in()
    first.done(case_id, "close")


def served_stop_on(desk, officer, second, day):
    case_id = answer_all(desk, officer, "H2")
    officer.done(case_id, "visit", VISIT | {"visited_on": day})
    officer.done(case_id, "decide", STOP)
    second.done(case_id, "second", {"answer": "agree"})
    officer.done(case_id, "serve", {"served_on": day, "service": "in_person"})
    return case_id
