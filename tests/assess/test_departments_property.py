"""Vehicles and real estate: what a household may own, on both sides of every edge, and what it does to the property test."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from .worlds import (
    Case,
    Home,
    Member,
    assessed,
    case_test,
    judged,
    row,
    setting,
    sources_of,
    two,
    value_of,
    with_policy,
)

DEPARTMENTS = ("vehicles", "real_estate")


def car(member: int = 0, how: str = "exact", **cells: Any) -> Any:
    return row("vehicles", member, how, **cells)


def home_title(unit: str, member: int = 0, **cells: Any) -> Any:
    return row("real_estate", member, unit_no=unit, **cells)


VAN = {"vehicle_kind": "载货汽车", "use_nature": "货运"}
SHARED = {"ownership": "按份共有", "share_percent": 1}

CASES: dict[str, dict[str, Case]] = {
    "V01": {
        "a private car": (two(car()), 1),
        "a motorcycle": (two(car(vehicle_kind="摩托车", plate_kind="普通摩托车")), None),
        "a motor wheelchair": (two(car(vehicle_kind="残疾人机动轮椅车")), None),
        "an electric bicycle": (two(car(vehicle_kind="电动自行车")), None),
        "a motorcycle and a car": (two(car(vin="w", vehicle_kind="摩托车"), car()), 1),
        "deregistered": (two(car(vehicle_state="注销")), None),
        "scrapped": (two(car(vehicle_state="达到报废标准")), None),
        "not inspected": (two(car(vehicle_state="逾期未检验")), 1),
        "held since today": (two(car(held_since="2026-06-30")), 1),
        "held from tomorrow": (two(car(held_since="2026-07-01")), None),
        "two cars of two members": (two(car(), car(1, vin="w")), 2),
        "one car told twice": (two(car(), car(1)), 1),
        "another's name": (two(car(how="name_conflict")), None),
        "the one small van it lives by": (two(car(**VAN)), None),
        "a taxi": (two(car(use_nature="出租客运")), None),
        "a rented car is no livelihood": (two(car(use_nature="租赁")), 1),
        "a large lorry": (two(car(**VAN, plate_kind="大型汽车")), 1),
        "a van and a car": (two(car(**VAN), car(vin="w")), 2),
        "a van and a motorcycle": (two(car(**VAN), car(vin="w", vehicle_kind="摩托车")), None),
        "two vans": (two(car(**VAN), car(vin="w", **VAN)), 2),
        "a van nobody valued": (two(car(**VAN, assessed_value=None)), None),
        "tekun": (two(car(), programme="特困"), 1),
        "outside the policy's province": (two(car(), county="450103", township="450103001"), None),
    },
    # Foshan's limit is a draft: silent everywhere until a county turns it on.
    "V02": {"a dear van": (two(car(**VAN, assessed_value=999_999), county="440604", township="440604001"), None)},
    "R01": {
        "one home": (two(home_title("a")), None),
        "two homes": (two(home_title("a"), home_title("b", 1)), 2),
        "one home of both": (two(home_title("a"), home_title("a", 1)), None),
        "a mud-brick house besides": (two(home_title("a"), home_title("b", structure="土木")), None),
        "a house of grade B besides": (two(home_title("a"), home_title("b", danger_grade="B级")), 2),
        "a house of grade C besides": (two(home_title("a"), home_title("b", danger_grade="C级")), None),
        "a house of grade D besides": (two(home_title("a"), home_title("b", danger_grade="D级")), None),
        "a historic title": (two(home_title("a"), home_title("b", title_state="历史")), None),
        "sold today": (two(home_title("a"), home_title("b", ended_on="2026-06-30")), None),
        "sold tomorrow": (two(home_title("a"), home_title("b", ended_on="2026-07-01")), 2),
        "registered today": (two(home_title("a"), home_title("b", registered_on="2026-06-30")), 2),
        "registered tomorrow": (two(home_title("a"), home_title("b", registered_on="2026-07-01")), None),
        "a small share of another": (two(home_title("a"), home_title("b", **SHARED)), 2),
        "a shop is no home": (two(home_title("a"), home_title("b", property_use="商业")), None),
        "two homes of unknown size": (two(home_title("a", floor_area=0), home_title("b", floor_area=0)), 2),
        "an unread member": (two(home_title("a"), home_title("b"), quarantined=1), None),
        "dibao margin": (two(home_title("a"), home_title("b"), programme="低保边缘"), 2),
        "rigid expenditure": (two(home_title("a"), home_title("b"), programme="刚性支出"), 2),
    },
    "R02": {
        "a shop": (two(home_title("a", property_use="商业")), 1),
        "an office": (two(home_title("a", property_use="办公")), 1),
        "a parking space and a shop": (
            two(home_title("a", property_use="车位"), home_title("b", 1, property_use="商业")),
            2,
        ),
        "one shop of both": (two(*(home_title("a", place, property_use="商业") for place in (0, 1))), 1),
        "a home": (two(home_title("a")), None),
        "a store room": (two(home_title("a", property_use="仓储")), None),
        "an unread member changes nothing": (two(home_title("a", property_use="商业"), quarantined=1), 1),
        "a historic title": (two(home_title("a", property_use="商业", title_state="历史")), None),
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def leads() -> dict[tuple[str, str], Any]:
    return judged(CASES, *DEPARTMENTS)


test_a_case_has_its_lead_or_none = case_test(CASES)


@pytest.mark.parametrize(("as_of", "expected"), [(date(2025, 12, 31), 1), (date(2026, 1, 1), None)])
def test_the_livelihood_vehicle_is_allowed_from_2026_on(as_of: date, expected: float | None) -> None:
    found = judged({"V01": {"van": (two(car(**VAN)), expected)}}, "vehicles", as_of=as_of)
    assert value_of(found, "V01", "van") == expected


# Seven times 12 × 1282 yuan, the standard of the place.
LIMIT = 7 * 12 * 1282
OWN_FIGURES: dict[str, dict[str, Case]] = {
    "V02": {
        "at the limit": (two(car(**VAN, assessed_value=LIMIT)), None),
        "a cent above": (two(car(**VAN, assessed_value=LIMIT + 0.01)), LIMIT + 0.01),
        "nobody valued it": (two(car(**VAN, assessed_value=None)), None),
        "a private car is V01's": (two(car(assessed_value=LIMIT + 1)), None),
        "the county beside": (two(car(**VAN, assessed_value=LIMIT + 1), county="440104", township="440104001"), None),
    },
    "R01": {
        "a share just below": (
            two(home_title("a"), home_title("b", ownership="按份共有", share_percent=49.99)),
            None,
        ),
        "a share at the line": (two(home_title("a"), home_title("b", ownership="按份共有", share_percent=50)), 2),
        "two members' shares together": (
            two(home_title("a"), *(home_title("b", who, ownership="按份共有", share_percent=25) for who in (0, 1))),
            2,
        ),
        "a share nobody has told": (two(home_title("a"), home_title("b", ownership="按份共有", share_percent=None)), 2),
        "held in common": (two(home_title("a"), home_title("b", ownership="共同共有")), 2),
        "small homes": (two(home_title("a", floor_area=20), home_title("b", floor_area=20)), None),
        "a hand's breadth more": (two(home_title("a", floor_area=20), home_title("b", floor_area=20.01)), 2),
        "small homes, one person": (
            two(home_title("a", floor_area=20), home_title("b", floor_area=20), members=(Member(),)),
            2,
        ),
    },
    "R02": {
        "a share just below": (
            two(home_title("a", property_use="商业", ownership="按份共有", share_percent=32.99)),
            None,
        ),
        "a share at the line": (two(home_title("a", property_use="商业", ownership="按份共有", share_percent=33)), 1),
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def own_policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_policy(
        tmp_path_factory.mktemp("policy"),
        setting("V02", "annual_standards", 7),
        setting("R01", "least_share_percent", 50),
        setting("R01", "small_area_per_person", 20),
        setting("R02", "least_share_percent", 33),
    )


@pytest.fixture(scope="module")
def own_leads(own_policy: Path) -> dict[tuple[str, str], Any]:
    return judged(OWN_FIGURES, *DEPARTMENTS, policy=own_policy)


test_a_county_sets_its_own_figures = case_test(OWN_FIGURES, "own_leads")


def monitored(*rows: Any, **home: Any) -> Home:
    return two(*rows, list="monitored", declared=6000, **home)


def newly(homes: dict[str, Home], sources: dict[str, Any], **told: Any) -> tuple[dict[str, str], int]:
    leads, summary = assessed(homes, sources, **told)
    return {name: rule for rule, name, _ in leads if rule[0] in "NU"}, summary["withheld"]


PROPERTY = {
    "nothing": monitored(),
    "a car": monitored(car()),
    "a motorcycle": monitored(car(vehicle_kind="摩托车")),
    "a van it lives by": monitored(car(**VAN)),
    "one home": monitored(home_title("a")),
    "two homes": monitored(home_title("a"), home_title("b")),
    "a shop": monitored(home_title("a", property_use="商业")),
    "alone, with a car": monitored(car(), members=(Member(age=70),), has_obligor=False),
    "alone": monitored(members=(Member(age=70),), has_obligor=False),
    "margin, with a car": two(car(), programme="低保边缘", declared=100),
    "margin": two(programme="低保边缘", declared=100),
}


def test_what_property_forbids_is_no_new_eligibility_but_looked_at() -> None:
    found, withheld = newly(PROPERTY, sources_of(*DEPARTMENTS))
    assert found == {
        "nothing": "N01",
        "a car": "N06",
        "a motorcycle": "N01",
        "a van it lives by": "N01",
        "one home": "N01",
        "two homes": "N06",
        "a shop": "N06",
        "alone, with a car": "N06",
        "alone": "N05",
        "margin": "U01",
    }
    assert withheld == 0


def test_the_evidence_names_the_property() -> None:
    leads, _ = assessed({"a": PROPERTY["a car"]}, sources_of(*DEPARTMENTS))
    assert "登记有不属于豁免种类的机动车1辆" in leads["N06", "a", None][2]


def test_departments_that_are_not_connected_change_nothing() -> None:
    found, withheld = newly(PROPERTY, sources_of())
    everyone = {name: "N01" for name in PROPERTY if not name.startswith(("alone", "margin"))}
    assert found == {
        **everyone,
        "alone, with a car": "N05",
        "alone": "N05",
        "margin, with a car": "U01",
        "margin": "U01",
    }
    assert withheld == 0


@pytest.mark.parametrize("state", ["held", "missing"])
@pytest.mark.parametrize("department", DEPARTMENTS)
def test_a_connected_department_that_is_held_withholds_everybody(department: str, state: str) -> None:
    found, withheld = newly(PROPERTY, sources_of(*DEPARTMENTS, **{department: state}))
    assert found == {}
    assert withheld == sum(home.list == "monitored" for home in PROPERTY.values())


def test_a_dear_van_is_property_only_where_the_county_has_a_limit(own_policy: Path) -> None:
    homes = {"here": monitored(car(**VAN, assessed_value=LIMIT + 1)),
             "there": monitored(car(**VAN, assessed_value=LIMIT + 1), county="440104", township="440104001")}  # fmt: skip
    assert newly(homes, sources_of("vehicles"), policy=own_policy)[0] == {"here": "N06", "there": "N01"}
