"""Whatever becomes of the people from night to night: rows carried over and rows read anew are the same evidence."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.flow.long_runs import IS_LONG
from tests.oracle.builder import Builder, Family, Record
from tests.oracle.identity import read_id
from tests.oracle.people import Someone, wrong_check
from tests.oracle.world import build

from .kept_nights import DEPARTMENTS, Nights, assert_same

SEEDS = range(24) if IS_LONG else (8,)
NIGHTS = 4
NUMBER, NAME, HOUSEHOLD = "公民身份号码", "姓名", "家庭编号"


class Small:
    """A world of few people, each there for one thing that may become of them."""

    def __init__(self) -> None:
        self.b = b = Builder(1, date(2026, 6, 30))
        self.wei, self.wife = b.people.new(name="甲某"), b.people.new(name="乙某")
        self.home = self.family(self.wei, self.wife)
        self.neighbours = self.family(b.people.new(name="丙某"))
        for record in (b.bank, b.tax, b.security, b.policy):
            record(self.wei, 1000)
        b.bank(self.wife, 500)
        b.tax(self.wife, 700, number=wrong_check(self.wife.number, b.rng))
        b.registered(self.wei, "HK1", "01")
        b.registered(b.people.new(), "HK1", "20")
        # somebody of the same name lives in a register of which a member is head under another name
        b.registered(self.wife, "HK2", "01", name="旧名")
        b.registered(b.people.new(), "HK2", "20")
        self.silent = b.people.new(name="丁某")  # has signed nothing, and has money
        self.family(self.silent, authorised=False)
        b.bank(self.silent, 9000)
        b.tax(b.people.new(), 12345)
        self.one = b.people.new(name="双某")
        wrong = wrong_check(self.one.number, b.rng)
        other = b.people.twin(self.one, wrong)
        assert other is not None
        self.twin = self.family(other)
        self.family(self.one)
        known = b.people.new(name="己某")  # as two more in other households
        self.family(known)
        self.other_names = [self.family(Someone(known.number, name)) for name in ("庚某", "丙某")]
        for name in ("庚某", "丙某"):
            b.policy(known, 80, number=wrong_check(known.number, b.rng), name=name)
        b.security(self.one, 777, number=wrong, name="双某")

    def family(self, *people: Someone, authorised: bool = True) -> Family:
        family = self.b.household("低保", "440103", "城镇", list(people), authorised=authorised)
        for one, record in zip(people, family.member_records, strict=True):
            record.cells.update({NUMBER: one.number, NAME: one.name})
        return family

    def authorisations(self, who: Someone) -> list[Record]:
        return [r for r in self.b.records if r.table == "authorisations" and read(r) == who.number]


def read(record: Record) -> str:
    found = read_id(str(record.cells[NUMBER]), date(2026, 6, 30))
    return found.text if found else ""


ALL = dict.fromkeys(DEPARTMENTS, "all")
ROWS = dict.fromkeys(DEPARTMENTS, "rows")
SIGNED_ANEW = {**ROWS, "household_registration": "all"}


def nothing(small: Small) -> None:
    pass


def an_authorisation_runs_out(small: Small) -> None:
    for record in small.authorisations(small.wei):
        record.cells["有效期至"] = "2026-06-30"


def somebody_signs(small: Small) -> None:
    small.b.authorise(small.silent, signed=date(2026, 7, 1))


def a_member_leaves(small: Small) -> None:
    drop(small.b, small.home.member_records[:1])


def somebody_without_authorisation_leaves(small: Small) -> None:
    drop(small.b, [r for r in good(small.b, "members") if read(r) == small.silent.number])


def one_of_two_that_a_row_may_be_about_leaves(small: Small) -> None:
    drop(small.b, small.twin.member_records)


def a_member_is_renamed(small: Small) -> None:
    small.home.member_records[1].cells[NAME] = "新名"


def a_name_becomes_unreadable(small: Small) -> None:
    small.home.member_records[1].cells[NAME] = ""


def a_member_stands_elsewhere_under_another_name(small: Small) -> None:
    small.b.member(small.neighbours, small.wife, number=small.wife.number, name="旧名")


def a_member_stands_elsewhere_under_no_name(small: Small) -> None:
    small.b.member(small.neighbours, small.wife, number=small.wife.number, name="乙*")


def a_second_name_is_dropped(small: Small) -> None:
    drop(small.b, small.other_names[0].member_records)


def a_second_name_is_dropped_that_somebody_else_bears(small: Small) -> None:
    drop(small.b, small.other_names[1].member_records)


def an_obligor_comes(small: Small) -> None:
    (stranger,) = [r for r in good(small.b, "tax") if r.cells["收入额"].replace(",", "").startswith("12345")]
    who = Someone(read(stranger), str(stranger.cells[NAME]))
    small.b.obligor(small.home, who, number=who.number, name=who.name)


CASES: list[tuple[Callable[[Small], None], dict[str, str]]] = [
    (nothing, ALL),
    (an_authorisation_runs_out, ALL),
    (somebody_signs, SIGNED_ANEW),
    (a_member_leaves, {**ALL, "securities": "rows"}),  # the row about either of two
    (somebody_without_authorisation_leaves, {**ALL, "banks": "rows", "securities": "rows"}),
    (one_of_two_that_a_row_may_be_about_leaves, {**ALL, "securities": "rows"}),
    (a_member_is_renamed, ROWS),
    (a_name_becomes_unreadable, ROWS),
    (a_member_stands_elsewhere_under_another_name, ROWS),
    (a_member_stands_elsewhere_under_no_name, ROWS),
    (a_second_name_is_dropped, ROWS),
    (a_second_name_is_dropped_that_somebody_else_bears, ROWS),
    (an_obligor_comes, {**ALL, "tax": "rows"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Small, Nights]:
    small = Small()
    nights = Nights(tmp_path_factory.mktemp("small"), small.b)
    nights.read()
    nights.keep()
    return small, nights


@pytest.mark.parametrize(("change", "wanted"), CASES, ids=[change.__name__ for change, _ in CASES])
def test_a_delivery_is_read_again_only_for_what_is_not_known_of_it(
    change: Callable[[Small], None],
    wanted: dict[str, str],
    first_night: tuple[Small, Nights],
    tmp_path: Path,
) -> None:
    small, nights = deepcopy(first_night)
    nights.copy_to(tmp_path / "copy")
    change(small)
    nights.next_night()
    carried, whole = nights.read_twice()
    assert carried.reused == wanted
    assert_same(carried, whole)


def test_rows_of_a_day_that_has_come_are_found_among_those_of_people_who_stay(tmp_path: Path) -> None:
    small = Small()
    tomorrow = date(2026, 7, 1)
    small.b.bank(small.wei, 4444, day=tomorrow)
    small.b.bank(small.silent, 4445, day=tomorrow)
    small.b.bank(small.wei, 4446, day=date(2026, 7, 3))
    small.b.registered(small.b.people.new(), "HK1", "20", day=tomorrow)
    small.b.registered(small.b.people.new(birth=tomorrow), "HK1", "20")
    nights = Nights(tmp_path, small.b)
    before = nights.read()
    nights.keep()
    nights.next_night()
    carried, whole = nights.read_twice()
    assert carried.reused == {**ALL, "banks": "rows", "household_registration": "rows"}
    assert_same(carried, whole)
    assert carried.rows["banks"].num_rows == before.rows["banks"].num_rows + 1
    assert carried.results["banks"]["unauthorised"] == before.results["banks"]["unauthorised"] + 1
    assert len(carried.registers) == len(before.registers) + 1


def test_a_number_of_somebody_born_tonight_is_valid_on_both_sides(tmp_path: Path) -> None:
    small = Small()
    child = small.b.people.new(birth=date(2026, 7, 1))
    small.family(child)
    small.b.policy(child, 4444)
    nights = Nights(tmp_path, small.b)
    before = nights.read()
    nights.keep()
    nights.next_night()
    carried, whole = nights.read_twice()
    assert carried.reused == ROWS
    assert_same(carried, whole)
    assert carried.rows["insurance"].num_rows == before.rows["insurance"].num_rows + 1


# --- random worlds


def good(b: Builder, *tables: str) -> list[Record]:
    return [r for r in b.records if r.table in tables and r.raw is None and not r.broken]


def drop(b: Builder, records: list[Record]) -> None:
    gone = {id(record) for record in records}
    b.records = [record for record in b.records if id(record) not in gone]


def some(rng: random.Random, records: list[Record], most: int) -> list[Record]:
    return rng.sample(records, min(len(records), rng.randint(1, most)))


def withdraw(b: Builder, rng: random.Random, day: date) -> None:
    """Authorisations withdrawn, run out, or narrowed."""
    for record in some(rng, good(b, "authorisations"), 6):
        way = rng.randrange(3)
        if way == 0:
            drop(b, [record])
        elif way == 1:
            record.cells["有效期至"] = (day - timedelta(days=1)).isoformat()
        else:
            record.cells["授权范围"] = rng.choice(["tax", "banks;insurance", "securities"])


def leave(b: Builder, rng: random.Random, day: date) -> None:
    """Members and whole households that are looked at no more."""
    drop(b, some(rng, good(b, "members"), 4))
    for record in some(rng, good(b, "households"), 2):
        record.cells["状态"] = "停保"
    if rng.random() < 0.3:
        drop(b, some(rng, good(b, "rural_revitalisation"), 2))


def authorise(b: Builder, rng: random.Random, day: date) -> None:
    for record in some(rng, good(b, "members", "rural_revitalisation"), 5):
        b.authorise(Someone(str(record.cells[NUMBER]).strip(), ""), number=str(record.cells[NUMBER]))


def come(b: Builder, rng: random.Random, day: date) -> None:
    """Strangers of the feeds enter the roster, with or without an authorisation, as members or obligors."""
    families = [one for one in b.families if one.programme and one.record in b.records]
    for record in some(rng, good(b, "tax", "banks", "household_registration"), 4):
        who = Someone(str(record.cells[NUMBER]), str(record.cells[NAME] or "某"))
        b.member(rng.choice(families), who, number=who.number, name=who.name,
                 role=rng.choice(["成员", "成员", "法定义务人"]))  # fmt: skip
        if rng.random() < 0.7:
            b.authorise(who, number=who.number)


def rename(b: Builder, rng: random.Random, day: date) -> None:
    for record in some(rng, good(b, "members"), 4):
        record.cells[NAME] = rng.choice(["改" + str(record.cells[NAME]), "", "某*"])


def become_known_by_another_name(b: Builder, rng: random.Random, day: date) -> None:
    families = [one for one in b.families if one.programme and one.record in b.records]
    for record in some(rng, good(b, "members"), 3):
        again = Record("members", record.file, dict(record.cells))
        again.cells.update({HOUSEHOLD: rng.choice(families).household_id, NAME: rng.choice(["又名甲", ""])})
        b.records.append(again)


LESS = (withdraw, leave)
MORE = (authorise, come, rename, become_known_by_another_name)


@pytest.mark.parametrize("seed", SEEDS)
def test_carried_evidence_is_what_a_whole_reading_gives(seed: int, tmp_path: Path) -> None:
    rng = random.Random(f"people {seed}")
    nights = Nights(tmp_path, build(seed))
    seen: Counter[str] = Counter()
    nights.read()
    for _ in range(NIGHTS):
        nights.keep()
        for change in rng.sample(LESS, rng.randint(0, 2)) + rng.sample(MORE, rng.choice([0, 0, 1, 2])):
            change(nights.builder, rng, nights.day + timedelta(days=1))
        nights.next_night()
        carried, whole = nights.read_twice()
        assert_same(carried, whole)
        seen.update(carried.reused.values())
    assert seen["all"] + seen["rows"] > seen["nothing"], f"too little was carried over: {seen}"
