"""The planted truths: every rule, every reason, and most households quiet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from policy import load
from sample_data.build import write_province
from sample_data.figures import AREAS, PROGRAMME_CODES, read_figures
from sample_data.scenarios import all_scenarios

Truth = Callable[[str], list[dict[str, str]]]
AS_OF = date(2026, 6, 30)

RULES = {
    "discrepancies": {
        "D01", "D02", "D03", "I01", "I02", "A01", "A02", "P01", "B01", "B02", "H01", "S01", "X01", "X02", "X03",
        "X04", "X05",
    },
    "newly_eligible": {"N00", "N01", "N02", "N03", "N04", "N05", "N06", "U01", "U02"},
}  # fmt: skip
REASONS = {
    "wrong_column_count", "undecodable_text", "unparseable_record", "id_missing", "id_malformed", "required_missing",
    "money_unparseable", "money_negative", "date_unparseable", "date_in_future", "code_unknown", "currency_unknown",
    "household_head_missing", "household_repeated", "member_repeated", "household_unknown",
}  # fmt: skip


@pytest.mark.parametrize("list_name", RULES)
def test_every_rule_is_planted(truth: Truth, list_name: str) -> None:
    assert {lead["rule"] for lead in truth("leads") if lead["list"] == list_name} == RULES[list_name]


def test_every_reason_for_quarantine_is_there(truth: Truth) -> None:
    assert {reason for row in truth("quarantine") for reason in row["reasons"].split(";")} == REASONS


def test_small_provinces_have_every_rule_too(tmp_path: Path) -> None:
    write_province(tmp_path, 150)
    leads = (tmp_path / "truth" / "leads.csv").read_text(encoding="utf-8")
    assert all(f",{rule}," in leads for rules in RULES.values() for rule in rules)


def test_all_scenarios_are_played_in_a_larger_one(tmp_path: Path) -> None:
    write_province(tmp_path, 1_200, strangers=0.0)
    rows = (tmp_path / "truth" / "scenarios.csv").read_text(encoding="utf-8").splitlines()[1:]
    played = {row.split(",")[0]: int(row.split(",")[3]) for row in rows}
    assert set(played) == set(all_scenarios())
    assert min(played.values()) >= 1


def test_most_households_are_quiet_and_no_household_is_both(truth: Truth) -> None:
    quiet = {row["household_id"] for row in truth("quiet_households")}
    busy = {row["household_id"] for row in truth("leads")} | {
        row["household_id"] for row in truth("withheld")
    }
    assert not quiet & busy
    assert 0.1 < len(busy) / len(quiet | busy) < 0.2


def test_leads_are_planted_once_and_are_new(truth: Truth) -> None:
    leads = Counter(
        (row["list"], row["rule"], row["household_id"], row["id_number"]) for row in truth("leads")
    )
    assert set(leads.values()) == {1}
    assert {row["state"] for row in truth("leads")} == {"new"}


def test_no_source_has_so_many_bad_rows_that_it_would_be_held(truth: Truth, tmp_path: Path) -> None:
    most = float(str(load(None).at(AS_OF).scalar("max_quarantined_share")))
    write_province(tmp_path, 100)
    village = (tmp_path / "truth" / "sources.csv").read_text().splitlines()[1:]
    shares = [int(row.split(",")[3]) / int(row.split(",")[1]) for row in village]
    shares += [int(row["quarantined"]) / int(row["received"]) for row in truth("sources")]
    assert max(shares) <= most * 0.9


def test_quarantined_rows_are_found_at_their_lines(province: Path, truth: Truth) -> None:
    bad = [row for row in truth("quarantine") if row["file"] == "authorisations.csv"]
    lines = (province / "roster" / "authorisations.csv").read_text(encoding="utf-8").split("\n")
    found = {row["reasons"]: lines[int(row["line"]) - 1] for row in bad}
    assert "tax;police" in found["code_unknown"]
    assert "2025年3月1日" in found["date_unparseable"]


def test_figures_are_those_the_policy_gives() -> None:
    """The sample reads the policy's files by itself; both must say the same."""
    for as_of in (AS_OF, date(2025, 3, 1), date(2026, 9, 2)):
        figures, policy = read_figures(as_of), load(None).at(as_of)
        for at, place in enumerate(figures.places):
            town = place.county + "001"
            assert place.area in AREAS
            for programme in PROGRAMME_CODES:
                for use in ("check", "entry"):
                    line = policy.line(programme, use, place.county, town, place.area)
                    assert figures.lines[f"{use}:{programme}"].yuan[at] == (line.value if line else None)
                limit = policy.asset_limit(programme, place.county, town, place.area)
                assert figures.lines[f"limit:{programme}"].yuan[at] == (limit.value if limit else None)
        assert figures.window == policy.scalar("income_window_months")
        assert figures.countable == policy.scalar("countable_income_items")
        assert figures.fx == policy.currencies()
        assert figures.max_age_days == {
            source: policy.max_age_days(source) for source in figures.max_age_days
        }
