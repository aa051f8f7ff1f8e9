"""The shipped policy: every county judged on every day, every figure with its source, doubts marked."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from policy import load
from policy.codes import load_codes
from policy.parameters import AREAS, PARAMETERS, PROGRAMMES

DAYS = [
    date(2024, 1, 1),
    date(2024, 12, 31),
    date(2025, 6, 30),
    date(2025, 12, 31),
    date(2026, 6, 30),
    date(2026, 11, 30),
]
POLICY = load()
PLACES = [(county, county + "001", area) for county in load_codes().counties() for area in AREAS]


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_every_county_has_every_line_on_every_day(day):
    at = POLICY.at(day)
    assert len(PLACES) == 124 * 2
    assert at.gaps(PLACES) == ()
    for place in PLACES:
        assert all(at.line(programme, use, *place) for programme in PROGRAMMES for use in ("check", "entry"))
        assert all(at.asset_limit(programme, *place) for programme in PROGRAMMES)


def test_the_policy_can_be_asked_for_any_day_since_2022():
    for days in range(0, 5 * 365, 11):
        assert POLICY.at(date(2022, 1, 1) + timedelta(days)).id == "guangdong-2026"


def test_every_entry_has_a_source_and_every_doubt_a_reason():
    assert all(len(entry.source) >= 6 for entry in POLICY.all_entries if entry.key != "fx")
    unsure = ("未查到", "未核对", "未给出", "本系统", "未查明", "推得")
    for entry in POLICY.all_entries:
        if not entry.confirmed:
            assert any(word in entry.source for word in unsure), (entry.key, entry.source)


def test_the_unconfirmed_figures_of_a_day_are_counted():
    at = POLICY.at(date(2026, 6, 30))
    unconfirmed = [entry for entry in at.used(PLACES) if not entry.confirmed]
    by_key = {key: sum(entry.key == key for entry in unconfirmed) for key in PARAMETERS}
    assert {key: n for key, n in by_key.items() if n} == {
        "dibao_standard": 58,
        "disposable_income": 1,
        "asset_limit": 2,
        "fx": 7,
        "max_age_days": 3,
        "countable_income_items": 1,
        "income_tolerance": 1,
        "undeclared_income_tolerance": 1,
        "undeclared_assets_tolerance": 1,
        "premium_multiple": 1,
        "capital_threshold": 1,
        "obligor_multiple": 1,
        "asset_products": 1,
        "register_max_persons": 1,
        "evidence_max_age_days": 1,
        "max_quarantined_share": 1,
    }


@pytest.mark.parametrize(
    ("county", "area", "day", "value", "confirmed"),
    [
        ("440103", "urban", "2023-06-30", 1238, True),
        ("440103", "rural", "2024-06-30", 1282, True),
        ("440103", "urban", "2026-06-30", 1282, False),  # 2025 and 2026 not found
        ("440305", "urban", "2025-12-31", 1535, True),
        ("440507", "rural", "2025-06-30", 817, True),
        ("440507", "rural", "2024-06-30", 645, False),
        ("441402", "urban", "2025-06-30", 862, True),
        ("441402", "rural", "2025-06-30", 664, False),  # published as "not below"
        ("440703", "rural", "2024-06-30", 932, False),  # Jiangmen is class three …
        ("440781", "rural", "2024-06-30", 645, False),  # … but Taishan, Kaiping and Enping are class four
        ("440783", "urban", "2024-06-30", 860, False),
        ("440785", "urban", "2024-06-30", 860, False),
        ("440784", "urban", "2024-06-30", 932, False),
        ("441202", "urban", "2024-06-30", 932, False),  # Zhaoqing is class three, its counties are not
        ("441223", "rural", "2024-06-30", 645, False),
        ("441900", "urban", "2024-06-30", 1073, False),
        ("445381", "rural", "2022-12-31", 551, False),
        ("445381", "rural", "2023-01-01", 600, False),
    ],
)
def test_the_standards_are_those_published(county, area, day, value, confirmed):
    entry = POLICY.at(date.fromisoformat(day)).standard(county, county + "001", area)
    assert (entry.value, entry.confirmed) == (value, confirmed)


def test_the_check_line_of_dibao_became_the_minimum_wage_in_2026():
    home = ("440103", "440103001", "urban")
    assert POLICY.at(date(2025, 12, 31)).line("dibao", "check", *home).value == 1282
    assert POLICY.at(date(2026, 1, 1)).line("dibao", "check", *home).value == 2500
    assert POLICY.at(date(2026, 9, 1)).line("dibao", "check", *home).value == 2680
    assert POLICY.at(date(2026, 1, 1)).line("dibao", "entry", *home).value == 1282
    meizhou = ("441402", "441402001", "rural")
    assert POLICY.at(date(2026, 8, 31)).line("dibao", "check", *meizhou).value == 1750


def test_the_lines_and_limits_are_guangdongs():
    at = POLICY.at(date(2026, 6, 30))
    taishan = ("440781", "440781100", "rural")
    assert at.line("dibao_margin", "entry", *taishan).value == Decimal("967.5")
    assert at.line("tekun", "entry", *taishan).value == 645
    assert at.line("rigid_expenditure", "entry", *taishan).value * 12 == 51474
    assert at.asset_limit("dibao", *taishan).value == 24 * 645
    assert at.asset_limit("dibao_margin", *taishan).value == 24 * 860
    assert at.asset_limit("rigid_expenditure", *taishan).value == 24 * 860
    assert {e.identity["category"]: e.fields["max_grade"] for e in at.entries("tekun_disability")} == {
        "智力": 3,
        "精神": 3,
        "肢体": 2,
        "视力": 1,
    }
    assert at.scalar("severe_grades") == ("1", "2")
    assert at.scalar("severe_grades_intellectual_mental") == ("3", "4")
    assert at.scalar("income_window_months") == 6


def test_eight_currencies_can_be_counted():
    assert set(POLICY.at(date(2026, 6, 30)).currencies()) >= {
        "CNY",
        "HKD",
        "MOP",
        "USD",
        "EUR",
        "JPY",
        "GBP",
        "TWD",
    }
