"""People whose rows are the same are taken over from the night before, and are what reading them again would give.

`read_twice` compares every table of theirs, read and carried over.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest

from pipelines.errors import NightFailed
from tests.oracle.builder import Builder
from tests.oracle.people import wrong_check

from .kept_nights import Nights, assert_same, people_tables

TODAY = date(2026, 6, 30)
TOMORROW = TODAY + timedelta(days=1)
CARRIED = {"roster": "rows", "rural_revitalisation": "all"}
READ = dict.fromkeys(CARRIED, "nothing")


def some_people() -> Builder:
    b = Builder(1, TODAY)
    for programme, status in (("低保", "在保"), ("特困", "在保"), ("低保边缘", "停保")):
        family = b.household(programme, "440103", "城镇", [b.people.new() for _ in range(3)], status=status)
        b.obligor(family, b.people.new())
        b.tax(family.people[0], 1000)
    for eliminated in ("否", "是"):
        b.monitored("440103", "农村", [b.people.new(), b.people.new()], eliminated=eliminated)
    return b


def birthday(b: Builder) -> None:
    b.household(
        "低保", "440103", "城镇", [b.people.new(birth=date(1966, 7, 1)), b.people.new(birth=date(2008, 7, 1))]
    )


def an_authorisation_begins(b: Builder) -> None:
    who = b.people.new()
    b.household("低保", "440103", "城镇", [who], authorised=False)
    b.authorise(who, signed=TOMORROW)


def one_of_two_authorisations_runs_out(b: Builder) -> None:
    who = b.people.new()
    b.household("低保", "440103", "城镇", [who], authorised=False)
    b.authorise(who, "tax;banks", until=TODAY)
    b.authorise(who, "banks")


def an_authorisation_runs_out_in_a_household_that_is_not_looked_at(b: Builder) -> None:
    who, other = b.people.new(), b.people.new()
    b.household("低保", "440103", "城镇", [who, other], status="停保", authorised=False)
    b.authorise(who, until=TODAY)
    b.authorise(other, "tax;banks;securities;insurance;market_regulation")


def a_mistyped_number(b: Builder) -> None:
    who = b.people.new()
    home = b.household("低保", "440103", "城镇", [b.people.new(), who])
    home.member_records[1].cells["公民身份号码"] = wrong_check(who.number, b.rng)


def born_tomorrow(b: Builder) -> None:
    b.household("低保", "440103", "城镇", [b.people.new(), b.people.new(birth=TOMORROW)])


CASES: list[tuple[Callable[[Builder], None], dict[str, str]]] = [
    (birthday, CARRIED),
    (an_authorisation_begins, CARRIED),
    (one_of_two_authorisations_runs_out, CARRIED),
    (an_authorisation_runs_out_in_a_household_that_is_not_looked_at, CARRIED),
    (a_mistyped_number, CARRIED),
    (born_tomorrow, READ),
]


def first_night(folder: Path, builder: Builder) -> Nights:
    nights = Nights(folder, builder)
    nights.read()
    nights.keep()
    return nights


def assert_next_night_is(wanted: dict[str, str], nights: Nights) -> None:
    """The next night is the same read and carried over, and has this of the people's last reading."""
    nights.next_night()
    assert_same(*nights.read_twice())
    assert nights.people_reused == wanted


@pytest.mark.parametrize(("there_is", "wanted"), CASES, ids=[there_is.__name__ for there_is, _ in CASES])
def test_what_a_day_changes_is_made_anew(
    there_is: Callable[[Builder], None], wanted: dict[str, str], tmp_path: Path
) -> None:
    builder = some_people()
    there_is(builder)
    nights = first_night(tmp_path, builder)
    (kept,) = (tmp_path / "home").glob("evidence/*/people")
    before = people_tables(kept)
    assert_next_night_is(wanted, nights)
    if there_is is not a_mistyped_number:
        tonight = people_tables(nights.settings.work / "people")
        assert any(tonight[name] != table for name, table in before.items())


def test_a_month_later_as_on_the_next_day(tmp_path: Path) -> None:
    nights = first_night(tmp_path, some_people())
    nights.day += timedelta(days=29)
    assert_next_night_is(CARRIED, nights)


def test_what_was_carried_over_can_be_carried_over_again(tmp_path: Path) -> None:
    nights = first_night(tmp_path, some_people())
    for _ in range(2):
        assert_next_night_is(CARRIED, nights)
        nights.keep()


def test_a_row_more_in_either_delivery_has_both_read(tmp_path: Path) -> None:
    nights = first_night(tmp_path, some_people())
    b = nights.builder
    for more in (partial(b.household, "低保"), b.monitored):
        more("440103", "城镇", [b.people.new()])
        assert_next_night_is(READ, nights)
        nights.keep()


def test_files_that_are_not_those_of_the_receipt_are_not_taken_for_them(tmp_path: Path) -> None:
    nights = first_night(tmp_path, some_people())
    nights.next_night()
    members = nights.feeds / "roster" / "members.csv"
    members.write_bytes(members.read_bytes().replace("成员".encode(), "户员".encode(), 1))
    with pytest.raises(NightFailed, match="sha256 differs"):
        nights.read()


def test_a_roster_without_its_authorisations_is_no_roster(tmp_path: Path) -> None:
    nights = first_night(tmp_path, some_people())
    nights.next_night()
    receipt = nights.feeds / "roster" / "receipt.json"
    told = json.loads(receipt.read_bytes())
    told["files"] = [one for one in told["files"] if one["name"] != "authorisations.csv"]
    receipt.write_text(json.dumps(told))
    with pytest.raises(NightFailed, match="does not name"):
        nights.read()
