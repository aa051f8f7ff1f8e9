"""半年核对: every household of the roster is counted, with or without a lead, and who is overdue is told."""

from __future__ import annotations

from datetime import UTC, date, datetime

from bs4 import BeautifulSoup
from sqlalchemy import select

from portal.coverage import _last_day_over
from portal.schema import Household, YearlyVisit
from portal.scope import open_machine_session
from portal.workdays import add_months
from tests.portal.cases import VISIT, case_of
from tests.portal.nights import household, lead, number, publish

YEARLY = {
    "visited_on": "2026-07-01",
    "investigator_1": "甲",
    "investigator_2": "乙",
    "findings": "老人身体尚好",
}


def load(desk, night, roster, rows=()):
    desk.load(publish(desk.home, desk.ring, night, rows, roster=roster))


def at(desk, year, month, day, *officers):
    """Another day: everybody signs in anew."""
    desk.clock.at = datetime(year, month, day, 2, tzinfo=UTC)
    for officer in officers:
        officer.sign_in()


def kept(desk, number_):
    with open_machine_session(desk.engine) as db:
        return db.scalars(select(Household).where(Household.household_id == number_)).one()


def totals(officer, query=""):
    page = BeautifulSoup(officer.get(f"/coverage{query}").text, "html.parser")
    return [int(cell.text) for cell in page.find("th", string="合计").parent.find_all("td")]


def named(officer, query):
    page = BeautifulSoup(officer.get(f"/coverage{query}").text, "html.parser")
    return [cell.text for cell in page.select("a[href^='/coverage/']")]


def test_every_household_counts_and_a_partial_check_is_none(desk):
    county = desk.officer("xian1", "county", "440103")
    roster = [
        household("H1"),
        household("H2", town="002", lacks="authorisation"),
        household("H3", lacks="incomplete"),
    ]
    load(desk, "2026-01-10", roster, [lead("H1", id=number(1))])
    load(desk, "2026-06-30", [household("H1"), *roster[1:], household("F1", county="440104")])
    assert totals(county) == [3, 0, 2, 0, 3]
    at(desk, 2026, 7, 11, county)
    assert totals(county) == [3, 2, 2, 0, 3]  # H2 and H3 stand six months without a whole check
    assert named(county, "?due=check") == ["H2", "H3"]
    assert named(county, "?due=partial") == ["H2", "H3"]
    assert "有成员缺少有效授权" in county.get("/coverage?due=check").text
    load(desk, "2026-07-11", [household("H1"), household("H2", town="002"), roster[2]])
    assert (named(county, "?due=check"), kept(desk, "H2").checked_night) == (["H3"], date(2026, 7, 11))
    assert totals(desk.officer("sheng", "province", "44")) == [3, 1, 1, 0, 3]  # F1 has left the roster


def test_above_the_county_the_counties_are_told_and_the_townships_of_one(desk):
    roster = [household("H1"), household("H2", town="002", lacks="authorisation")]
    load(desk, "2026-06-30", [*roster, household("F1", county="440104"), household("G1", county="440203")])
    city, county = desk.officer("shi", "city", "4401"), desk.officer("xian1", "county", "440103")

    def places(officer, query=""):
        page = BeautifulSoup(officer.get(f"/coverage{query}").text, "html.parser")
        return [row.th.text for row in page.find("table").select("tbody tr")][:-1]

    assert places(city) == ["广州市荔湾区", "广州市越秀区"]
    assert totals(city) == [3, 0, 1, 0, 3]
    assert places(city, "?county=440103") == places(county) == ["440103001", "440103002"]
    assert totals(city, "?county=440103") == [2, 0, 1, 0, 2]
    assert named(city, "?due=all") == ["F1", "H1", "H2"]
    assert named(city, "?due=all&county=440103") == ["H1", "H2"]
    assert named(city, "?due=all&county=440103&township=440103002") == ["H2"]
    # A foreign county is an empty one, and below it the word means nothing.
    assert "这个县区没有在保家庭" in city.get("/coverage?due=all&county=440203").text
    assert named(city, "?due=all&county=440203") == []
    assert named(county, "?due=all&county=440104") == ["H1", "H2"]


def test_a_household_without_a_lead_is_visited_and_so_is_one_with_a_case(desk):
    load(desk, "2026-06-30", [household("H1"), household("H2"), household("H3")], [lead("H1", id=number(1))])
    county = desk.officer("xian1", "county", "440103")
    county.done(case_of(desk, "H1").id, "visit", VISIT)
    path = f"/coverage/{kept(desk, 'H2').id}"
    assert county.send(f"{path}/visit", YEARLY | {"investigator_2": "甲"}).status_code == 422
    assert county.send(f"{path}/visit", YEARLY | {"visited_on": "2026-07-02"}).status_code == 422
    assert county.send(f"{path}/visit", YEARLY).status_code == 303
    page = county.get(path).text
    assert "老人身体尚好" in page and "调查人员：甲、乙" in page
    assert totals(county) == [3, 0, 0, 0, 1]
    at(desk, 2027, 7, 1, county)
    assert named(county, "?due=visit") == ["H3"]
    at(desk, 2027, 7, 2, county)
    assert sorted(named(county, "?due=visit")) == ["H1", "H2", "H3"]


def test_findings_of_a_visit_are_sealed_and_kept_from_those_above(desk):
    load(desk, "2026-06-30", [household("H2")])
    county = desk.officer("xian1", "county", "440103")
    path = f"/coverage/{kept(desk, 'H2').id}"
    county.send(f"{path}/visit", YEARLY)
    with open_machine_session(desk.engine) as db:
        assert "尚好".encode() not in db.scalars(select(YearlyVisit)).one().findings_sealed
    above = desk.officer("sheng", "province", "44")
    assert "2026-07-01" in above.get(path).text and "尚好" not in above.get(path).text
    assert above.send(f"{path}/visit", YEARLY).status_code == 403


def test_a_household_that_moves_takes_its_visits_along(desk):
    load(desk, "2026-06-30", [household("H2")])
    old = desk.officer("xian1", "county", "440103")
    path = f"/coverage/{kept(desk, 'H2').id}"
    old.send(f"{path}/visit", YEARLY)
    load(desk, "2026-07-01", [household("H2", county="440104")])
    new = desk.officer("yue", "county", "440104")
    assert "老人身体尚好" in new.get(path).text and old.get(path).status_code == 404
    assert totals(new) == [1, 0, 0, 0, 0]


def test_a_household_that_leaves_and_returns_keeps_its_history(desk):
    load(desk, "2026-06-28", [household("H1"), household("H2")])
    load(desk, "2026-06-29", [household("H2")])
    assert (kept(desk, "H1").on_roster, kept(desk, "H1").last_night) == (False, date(2026, 6, 28))
    load(desk, "2026-06-30", [household("H1"), household("H2")])
    back = kept(desk, "H1")
    assert (back.on_roster, back.first_night, back.checked_night) == (
        True,
        date(2026, 6, 28),
        date(2026, 6, 30),
    )


def test_a_list_longer_than_a_page_is_shown_page_by_page(desk):
    load(desk, "2026-06-30", [household(f"H{at:03d}") for at in range(60)])
    county = desk.officer("xian1", "county", "440103")
    first, second = named(county, "?due=all"), named(county, "?due=all&page=2")
    assert (len(first), len(second), len({*first, *second})) == (50, 10, 60)
    assert named(county, "?due=all&township=440103002") == []
    assert county.get("/coverage?due=x&township=%00&page=-1").status_code == 200


def test_a_limit_of_months_is_over_for_exactly_the_days_whose_limit_has_passed():
    for today in (
        date(2026, 2, 28),
        date(2026, 3, 1),
        date(2026, 8, 31),
        date(2028, 2, 29),
        date(2026, 12, 31),
    ):
        for months in (6, 12):
            last = _last_day_over(today, months)
            after = last.fromordinal(last.toordinal() + 1)
            assert add_months(last, months) < today <= add_months(after, months)


def test_false_leads_are_told_by_area_and_disability(desk):
    from tests.portal.cases import answer_all

    rows = [lead(f"H{at}", "A01", id=number(at), no=f"440103-20260630-D-{at:05d}") for at in range(1, 21)]
    roster = [household(f"H{at}", area="rural" if at > 10 else "urban", disability="severe" if at % 2 else "none")
              for at in range(1, 21)]  # fmt: skip
    load(desk, "2026-06-30", roster, rows)
    county = desk.officer("xian1", "county", "440103")
    for at_ in range(1, 21):
        answer_all(desk, county, f"H{at_}", "not_true" if at_ <= 5 else "confirmed")
    page = BeautifulSoup(desk.officer("sheng", "province", "44").get("/statistics").text, "html.parser")
    told = {row.th.text: [cell.text for cell in row.find_all("td")] for row in page.select(".pair tbody tr")}
    assert told["城镇"] == ["50.0%", "23.7% – 76.3%"] and told["农村"][0] == "0.0%"
    assert told["有一级或二级残疾成员"][0] == "30.0%" and told["没有残疾成员"][0] == "20.0%"
    assert "未载明" not in told
