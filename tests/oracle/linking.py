"""Section 3, second half: households, records, and which rows reach whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from .identity import IdNumber, is_readable, one_step_apart
from .reading import Row, Source

FIVE = ("tax", "market_regulation", "banks", "securities", "insurance")
SIX = (*FIVE, "household_registration")


@dataclass
class Person:
    """An accepted member or obligor row of one household; a record of the specification."""

    id: IdNumber
    name: str
    name_key: str
    relation: str
    role: str  # 成员 | 法定义务人
    disability_grade: str | None
    disability_category: str | None
    severe_illness: bool
    exact: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # source -> distinct evidence
    conflicts: set[str] = field(default_factory=set)  # sources
    repaired: int = 0

    def evidence(self, source: str) -> list[dict[str, Any]]:
        return self.exact.get(source, [])


@dataclass
class Household:
    household_id: str
    county: str
    township: str
    area: str
    programme: str  # Chinese word; "" for a monitored household
    head: dict[str, Any]  # the values of its households.csv row, or of its head's row
    members: list[Person]
    obligors: list[Person]
    broken_rows: int  # quarantined member rows

    @property
    def n(self) -> int:
        return len(self.members)

    @property
    def incomplete(self) -> bool:
        return self.broken_rows > 0


def _person(row: Row) -> Person:
    v = row.values
    return Person(
        v["id"], v["name"], v["name_key"], v["relation"], v.get("role", "成员"), v["disability_grade"],
        v["disability_category"], v["severe_illness"] == "是",
    )  # fmt: skip


def broken_member_rows(rows: list[Row]) -> dict[str, int]:
    """Per household: quarantined member rows (role unreadable included) other than member_repeated."""
    found: dict[str, int] = {}
    for row in rows:
        household_id = row.values.get("household_id")
        if not household_id or not row.reasons - {"member_repeated"}:
            continue
        if "role" in row.values and row.values["role"] == "法定义务人":
            continue
        found[household_id] = found.get(household_id, 0) + 1
    return found


def roster_households(roster: Source) -> list[Household]:
    """Every accepted household, stopped ones too."""
    members = [r for r in roster.rows if r.file == "members.csv"]
    broken = broken_member_rows(members)
    found = []
    for row in roster.accepted("programme"):
        v = row.values
        people = [
            _person(m) for m in members if not m.reasons and m.values["household_id"] == v["household_id"]
        ]
        found.append(
            Household(
                v["household_id"], v["county_code"], v["township_code"],
                {"城镇": "urban", "农村": "rural"}[v["area"]], v["programme"], v,
                [p for p in people if p.role == "成员"], [p for p in people if p.role == "法定义务人"],
                broken.get(v["household_id"], 0),
            )
        )  # fmt: skip
    return found


def monitored_households(rural: Source) -> list[Household]:
    """Every household with exactly one accepted head row."""
    if rural.held:
        return []
    broken = broken_member_rows(rural.rows)
    accepted = rural.accepted()
    found = []
    for row in accepted:
        v = row.values
        if v["relation"] != "01":
            continue
        people = [_person(m) for m in accepted if m.values["household_id"] == v["household_id"]]
        found.append(
            Household(
                v["household_id"], v["county_code"], v["township_code"],
                {"城镇": "urban", "农村": "rural"}[v["area"]], "", v, people, [],
                broken.get(v["household_id"], 0),
            )
        )  # fmt: skip
    return found


def candidates(monitored: list[Household], active: list[Household]) -> list[Household]:
    on_roster = {p.id.text for h in active for p in h.members if p.id.valid}
    return [
        h
        for h in monitored
        if h.head["risk_eliminated"] == "否"
        and not any(p.id.valid and p.id.text in on_roster for p in h.members)
    ]


# --- authorisation --------------------------------------------------------------------------------------------------


class Authorisations:
    def __init__(self, roster: Source, as_of: date) -> None:
        self._scopes: dict[str, set[str]] = {}
        for row in roster.accepted("scope"):
            v = row.values
            if v["signed_on"] <= as_of and (v["valid_until"] is None or as_of <= v["valid_until"]):
                scope = set(FIVE) if v["scope"] == "*" else set(v["scope"].split(";"))
                self._scopes.setdefault(v["id"].text, set()).update(scope)

    def allows(self, person: str, source: str) -> bool:
        return source not in FIVE or source in self._scopes.get(person, set())

    def lacking(self, person: str) -> list[str]:
        return [s for s in FIVE if not self.allows(person, s)]


# --- rows and records -----------------------------------------------------------------------------------------------


def compare(row: Row, person: Person) -> str | None:
    """exact | name_conflict | None; a repaired row needs all records, see `repaired_person`."""
    number: IdNumber = row.values["id"]
    if not (number.valid and person.id.valid and number.text == person.id.text):
        return None
    both_readable = is_readable(row.values["name_key"]) and is_readable(person.name_key)
    if not both_readable:
        return None if number.was_15 else "exact"
    return "exact" if row.values["name_key"] == person.name_key else "name_conflict"


def repaired_person(row: Row, records: list[Person]) -> str | None:
    """The one valid ID number that the suspect row may mean."""
    number: IdNumber = row.values["id"]
    if number.valid or not is_readable(row.values["name_key"]):
        return None
    near = {
        p.id.text
        for p in records
        if p.id.valid and p.name_key == row.values["name_key"] and one_step_apart(p.id.text, number.text)
    }
    return near.pop() if len(near) == 1 else None


def evidence_key(row: Row) -> tuple[Any, ...]:
    """Person and every column but the name."""
    left_out = ("name", "name_key", "readable_role", "id")
    return (row.values["id"].text, *(v for k, v in row.values.items() if k not in left_out))


@dataclass
class Linked:
    linked: int = 0
    duplicate: int = 0
    unauthorised: int = 0


def link(source: Source, records: list[Person], authorisations: Authorisations) -> Linked:
    """Hang the rows of one source on the records they reach; return the counts."""
    counts, distinct = Linked(), set()
    for row in source.accepted():
        reached = [(p, compare(row, p)) for p in records]
        exact = [p for p, way in reached if way == "exact"]
        conflict = [p for p, way in reached if way == "name_conflict"]
        near = repaired_person(row, records)
        repaired = [p for p in records if p.id.text == near and p.name_key == row.values["name_key"]]
        if not (exact or conflict or repaired):
            continue
        if not authorisations.allows(near or row.values["id"].text, source.name):
            counts.unauthorised += 1
            continue
        for person in conflict:
            person.conflicts.add(source.name)
        for person in repaired:
            person.repaired += 1
        for person in exact:
            evidence = person.exact.setdefault(source.name, [])
            if evidence_key(row) not in [e["key"] for e in evidence]:
                evidence.append({**row.values, "key": evidence_key(row)})
        if exact:
            counts.linked += 1
            distinct.add(evidence_key(row))
    counts.duplicate = counts.linked - len(distinct)
    return counts


def registers(source: Source) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in source.accepted():
        found.setdefault(row.values["register_no"], []).append(row.values)
    return found
