"""Which entry holds on which day, in which place."""

from datetime import date
from fractions import Fraction

import pytest

from tests.policy.writing import COMPLETE, loaded


def standard(region, area, value, start, end=""):
    until = f"to = {end}\n" if end else ""
    return f'\n[[dibao_standard]]\nregion = "{region}"\narea = "{area}"\nvalue = {value}\nfrom = {start}\n{until}source = "s"\n'


def urban(policy, day, county="440103", township="440103001"):
    entry = policy.at(date.fromisoformat(day)).standard(county, township, "urban")
    return None if entry is None else int(entry.value)


@pytest.mark.parametrize(
    ("day", "value"),
    [
        ("2025-12-31", 1300),  # the day before the next one begins
        ("2026-01-01", 1350),
        ("2026-01-02", 1350),
        ("2026-03-30", 1350),
        ("2026-03-31", 1350),  # its last day is included
        ("2026-04-01", None),  # what lapsed does not fall back to what it followed
        ("2026-06-30", None),
        ("2026-07-01", 1400),
        ("2099-01-01", 1400),
    ],
)
def test_an_entry_holds_until_the_next_one_or_its_last_day(tmp_path, day, value):
    text = standard("4401", "urban", 1400, "2026-07-01") + standard(
        "4401", "urban", 1350, "2026-01-01", "2026-03-31"
    )
    assert urban(loaded(tmp_path, COMPLETE + text), day) == value


def test_the_next_entry_takes_over_before_the_last_day_of_the_one_before(tmp_path):
    text = COMPLETE.replace("value = 1300\n", "value = 1300\nto = 2027-12-31\n")
    policy = loaded(tmp_path, text + standard("4401", "urban", 1350, "2026-01-01"))
    assert [urban(policy, day) for day in ("2025-12-31", "2026-01-01")] == [1300, 1350]


def test_an_entry_of_one_day_holds_that_day(tmp_path):
    policy = loaded(tmp_path, COMPLETE + standard("4402", "urban", 900, "2026-01-01", "2026-01-01"))
    days = ("2025-12-31", "2026-01-01", "2026-01-02")
    assert [urban(policy, day, "440203", "440203001") for day in days] == [None, 900, None]


@pytest.mark.parametrize(
    ("county", "township", "value"),
    [
        ("440103", "440103001", 1310),  # the county goes before its city
        ("440103", "440103002", 1320),  # the township goes before its county
        ("440104", "440104001", 1300),
        ("440203", "440203001", 800),  # only the province
        (
            "440203",
            "440103002",
            1320,
        ),  # a township is looked up by its own code, wherever the household is registered
        ("450103", "450103001", None),
    ],
)
def test_the_longest_region_wins(tmp_path, county, township, value):
    regions = {"44": 800, "440103": 1310, "440103002": 1320, "44010": 1299}
    text = COMPLETE + "".join(standard(region, "urban", v, "2025-01-01") for region, v in regions.items())
    text = text.replace('region = "44010"', 'region = "44019"')
    assert urban(loaded(tmp_path, text), "2025-06-30", county, township) == value


def test_the_longest_region_wins_for_each_area_alone(tmp_path):
    at = loaded(tmp_path, COMPLETE + standard("440103", "urban", 1310, "2025-01-01")).at(date(2025, 6, 30))
    assert at.standard("440103", "440103001", "urban").value == 1310
    assert at.standard("440103", "440103001", "rural").identity["region"] == "4401"
    assert at.region_entry("dibao_standard", "440103", "urban").value == 1310
    assert at.region_entry("dibao_standard", "4401", "urban").value == 1300
    assert at.region_entry("minimum_wage", "440103").value == 2500
    assert at.region_entry("minimum_wage", "45") is None


def test_a_source_has_its_own_age_limit_before_the_general_one(tmp_path):
    own = '\n[[max_age_days]]\nsource_name = "banks"\nvalue = 10\nfrom = 2026-01-01\nto = 2026-06-30\nsource = "s"\n'
    policy = loaded(tmp_path, COMPLETE + own)
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 7, 1)]
    assert [policy.at(day).max_age_days("banks") for day in days] == [45, 10, 45]
    assert policy.at(days[1]).max_age_days("tax") == 45
    assert policy.at(days[1]).max_age_days("housing_fund") == 45  # known to a deployment's own contract alone


def test_lines_are_exact(tmp_path):
    at = loaded(tmp_path, COMPLETE).at(date(2025, 6, 30))
    home = ("440103", "440103001")
    monthly = at.line("rigid_expenditure", "entry", *home, "urban")
    assert monthly.value == Fraction(50000, 12) and monthly.value * 12 * 7 == 50000 * 7
    assert at.line("dibao_margin", "entry", *home, "rural").value == Fraction("1500.75")
    assert at.line("dibao", "check", *home, "rural").value == 2500
    assert [entry.key for entry in at.line("dibao", "check", *home, "urban").entries] == [
        "income_line",
        "minimum_wage",
    ]


def test_an_asset_limit_goes_by_the_own_area_or_by_the_urban_one(tmp_path):
    at = loaded(tmp_path, COMPLETE).at(date(2025, 6, 30))
    home = ("440103", "440103001")
    assert at.asset_limit("dibao", *home, "rural").value == Fraction("24012")
    assert at.asset_limit("dibao_margin", *home, "rural").value == 24 * 1300


def test_what_the_policy_does_not_say_has_no_line(tmp_path):
    at = loaded(tmp_path, COMPLETE).at(date(2025, 6, 30))
    assert at.line("tekun", "entry", "440103", "440103001", "urban") is None  # no such programme
    assert at.line("dibao_margin", "check", "440103", "440103001", "urban") is None  # no such use
    assert at.line("dibao_margin", "entry", "440203", "440203001", "urban") is None  # no standard there
    assert at.line("dibao", "check", "440203", "440203001", "urban").value == 2500  # its basis is there
    assert at.asset_limit("tekun", "440103", "440103001", "urban") is None
    assert at.asset_limit("dibao", "440203", "440203001", "urban") is None


def test_a_county_without_a_figure_is_a_gap(tmp_path):
    at = loaded(tmp_path, COMPLETE).at(date(2025, 6, 30))
    known, unknown = ("440103", "440103001", "urban"), ("440203", "440203001", "urban")
    assert at.gaps([known, unknown, unknown]) == ("440203",)
    assert at.gaps([known]) == ()


def test_a_night_uses_the_figures_of_its_places(tmp_path):
    at = loaded(tmp_path, COMPLETE + standard("4402", "urban", 900, "2025-01-01")).at(date(2025, 6, 30))

    def used(*places):
        return [e.identity["region"] for e in at.used(places) if e.key == "dibao_standard"]

    assert used(("440203", "440203001", "urban")) == ["4402"]
    assert used(("440103", "440103001", "rural")) == [
        "4401",
        "4401",
    ]  # its own, and the urban one for the margin's assets
    assert used() == []
    assert {e.key for e in at.used([])} >= {"rigid_share", "fx", "income_line", "max_age_days"}
