"""The policy in force on one day: which figure holds where, and the lines that follow from it.

All amounts are yuan. Lines are exact fractions per person and month, because totals are compared with
line × persons and nothing may be rounded on the way (specification, section 4).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from policy.errors import PolicyError
from policy.parameters import PARAMETERS, PROGRAMMES, SOURCES
from policy.reader import Entry, read_policy
from policy.rules import Rule, load_rules

SHIPPED = Path(__file__).parent / "guangdong"
USES = ("check", "entry")
Place = tuple[str, str, str]
_COUNTY_DIGITS = 6
_MONTHS_A_YEAR = 12


def load(path: Path | None = None) -> Policy:
    """The policy of a file or folder, the shipped one when no path is given. Raises PolicyError."""
    where = SHIPPED if path is None else path
    policy_id, entries = read_policy(where)
    _refuse_unread_settings(where, entries)
    return Policy(policy_id, entries, where)


def _refuse_unread_settings(path: Path, entries: Iterable[Entry]) -> None:
    """A setting that no rule reads is a slip of the pen: whoever wrote it believes that it holds."""
    read = {(rule.code, name) for rule in load_rules().values() for name in rule.settings}
    for entry in entries:
        if entry.key == "rule_setting" and (entry.identity["rule"], entry.identity["name"]) not in read:
            raise PolicyError(
                file=path / entry.file if path.is_dir() else path,
                key=f"[[rule_setting]] {entry.identity['rule']} {entry.identity['name']}",
                date=f"from {entry.start}",
                found="a setting that no rule reads",
                wanted="one of " + ", ".join(f"{code} {name}" for code, name in sorted(read)),
                remedy="correct the rule or the name, or take it out",
            )


@dataclass(frozen=True)
class Line:
    """An amount per person (income lines: and month) in yuan, and the entries it follows from."""

    value: Fraction
    entries: tuple[Entry, ...]


class Policy:
    """All dated entries of one policy."""

    def __init__(self, policy_id: str, entries: Iterable[Entry], path: Path) -> None:
        self.id = policy_id
        self.path = path
        self.all_entries = tuple(sorted(entries, key=lambda one: (one.key, _identity(one), one.start)))
        self.sha256 = _digest(policy_id, self.all_entries)

    def at(self, as_of: date) -> PolicyAt:
        """What holds on a day. Raises PolicyError when a parameter has no value then."""
        latest = {(one.key, _identity(one)): one for one in self.all_entries if one.start <= as_of}
        in_force: dict[str, list[Entry]] = {key: [] for key in PARAMETERS}
        for entry in latest.values():
            if entry.end is None or entry.end >= as_of:
                in_force[entry.key].append(entry)
        self._refuse_gaps(as_of, in_force)
        return PolicyAt(self, as_of, {key: tuple(found) for key, found in in_force.items()})

    def _refuse_gaps(self, as_of: date, in_force: Mapping[str, list[Entry]]) -> None:
        bases = {"minimum_wage", "disposable_income"}
        used = {entry.fields["basis"] for entry in in_force["income_line"]}
        for key in PARAMETERS:
            if PARAMETERS[key].may_be_absent:
                continue
            if not in_force[key] and (key not in bases or key in used):
                written = any(entry.key == key for entry in self.all_entries)
                self._refuse(
                    key,
                    as_of,
                    "no entry in force on that day" if written else "no entry at all",
                    "at least one",
                )
        ages = in_force["max_age_days"]
        for source in SOURCES:
            if not any(entry.identity.get("source_name", source) == source for entry in ages):
                self._refuse(
                    "max_age_days", as_of, f"no value for {source}", "a general one, or one for every source"
                )

    def _refuse(self, key: str, as_of: date, found: str, wanted: str) -> None:
        raise PolicyError(
            file=self.path,
            key=f"[[{key}]]",
            date=f"as of {as_of}",
            found=found,
            wanted=wanted,
            remedy="add an entry, with its source, that holds on that day",
        )


class PolicyAt:
    """What holds on one day. Every figure handed out is exactly as written in the files."""

    def __init__(self, policy: Policy, as_of: date, in_force: Mapping[str, tuple[Entry, ...]]) -> None:
        self.id = policy.id
        self.sha256 = policy.sha256
        self.as_of = as_of
        self._policy = policy
        self._in_force = in_force
        self._by_region: dict[tuple[str, str | None], dict[str, Entry]] = {}
        self._lines: dict[tuple[str, str, str, str, str], Line | None] = {}
        self._limits: dict[tuple[str, str, str, str], Line | None] = {}
        self._settings: dict[tuple[str, str], dict[str, Entry]] = {}
        for entry in in_force["rule_setting"]:
            by_region = self._settings.setdefault((entry.identity["rule"], entry.identity["name"]), {})
            by_region[entry.identity["region"]] = entry

    def entries(self, key: str) -> tuple[Entry, ...]:
        """The entries of a parameter in force, ordered by identity; a scalar has one."""
        return self._in_force[key]

    def scalar(self, key: str) -> Decimal | int | tuple[str, ...]:
        """The value of a scalar: lists as tuples of text, whole-number parameters as int, all others as Decimal."""
        if not PARAMETERS[key].is_scalar:
            raise KeyError(f"{key} is a table of entries, not a scalar")
        value = self._in_force[key][0].value
        assert value is not None  # the reader refuses a scalar without one
        return value

    def region_entry(self, key: str, code: str, area: str | None = None) -> Entry | None:
        """The entry whose region is the longest prefix of a division code; of that area, where areas are told apart."""
        return _longest(
            entry for entry in self._of_area(key, area) if code.startswith(entry.identity["region"])
        )

    def standard(self, county_code: str, township_code: str, area: str) -> Entry | None:
        """The Dibao standard of a household's place and area, or None when no region matches."""
        return self._local("dibao_standard", county_code, township_code, area)

    def line(self, programme: str, use: str, county_code: str, township_code: str, area: str) -> Line | None:
        """The income line per person and month; None without an entry for the programme or a figure for the place."""
        asked = (programme, use, county_code, township_code, area)
        if asked not in self._lines:  # asked three times a night for each place
            self._lines[asked] = self._income_line(*asked)
        return self._lines[asked]

    def _income_line(
        self, programme: str, use: str, county_code: str, township_code: str, area: str
    ) -> Line | None:
        rule = self._named("income_line", programme=programme, use=use)
        if rule is None:
            return None
        basis = str(rule.fields["basis"])
        base = self._local(basis, county_code, township_code, area if basis == "dibao_standard" else None)
        if base is None:
            return None
        monthly = _exact(base.value) / (_MONTHS_A_YEAR if basis == "disposable_income" else 1)
        return Line(monthly * _exact(rule.fields["multiple"]), (rule, base))

    def asset_limit(self, programme: str, county_code: str, township_code: str, area: str) -> Line | None:
        """The financial assets a person may have: months × standard; None as for `line`."""
        asked = (programme, county_code, township_code, area)
        if asked not in self._limits:
            self._limits[asked] = self._asset_limit(*asked)
        return self._limits[asked]

    def _asset_limit(self, programme: str, county_code: str, township_code: str, area: str) -> Line | None:
        rule = self._named("asset_limit", programme=programme)
        if rule is None:
            return None
        standard_area = "urban" if rule.fields["standard_area"] == "urban" else area
        base = self.standard(county_code, township_code, standard_area)
        if base is None:
            return None
        return Line(_exact(rule.fields["months"]) * _exact(base.value), (rule, base))

    def max_age_days(self, source: str) -> int:
        """How many days before as-of a source's snapshot may lie; its own figure goes before the general one."""
        return int(_exact(self.max_age_entry(source).value))

    def max_age_entry(self, source: str) -> Entry:
        """The entry `max_age_days` comes from.

        A source that only a deployment's own contract knows has the general entry; where every known source has
        its own and there is none, the strictest of them.
        """
        own = self._named("max_age_days", source_name=source)
        found = own or self._named("max_age_days")
        if found is None:
            assert source not in SOURCES  # checked for every known source when the day was chosen
            found = min(self.entries("max_age_days"), key=lambda entry: _exact(entry.value))
        return found

    def currencies(self) -> dict[str, Decimal]:
        """Yuan for one unit, by currency."""
        return {entry.identity["currency"]: Decimal(str(entry.value)) for entry in self.entries("fx")}

    def settings(self, rule: Rule, county_code: str, township_code: str) -> tuple[Entry, ...]:
        """What a rule reads at a place, in the order it names them; none when one of them is absent or off."""
        found = [
            _nearest(self._settings.get((rule.code, name), {}), county_code, township_code)
            for name in rule.settings
        ]
        entries = tuple(entry for entry in found if entry is not None and entry.fields["switch"] == "on")
        return entries if len(entries) == len(rule.settings) else ()

    def silent(self, rules: Iterable[Rule], places: Iterable[Place]) -> dict[str, tuple[str, ...]]:
        """The counties of these places where a rule that reads settings has none of them, or has them off."""
        known = tuple(places)
        found = {
            rule.code: sorted(
                {county for county, township, _ in known if not self.settings(rule, county, township)}
            )
            for rule in rules
            if rule.settings
        }
        return {code: tuple(counties) for code, counties in found.items() if counties}

    def digest(self, rules: Iterable[str]) -> str:
        """The SHA-256 of a night that judged these rules: of rule settings only theirs count.

        A setting of a rule whose departments are not connected decides nothing, so it changes no seal.
        """
        judged = set(rules)
        entries = (
            entry
            for entry in self._policy.all_entries
            if entry.key != "rule_setting" or entry.identity["rule"] in judged
        )
        return _digest(self.id, entries)

    def used(self, places: Iterable[Place], rules: Iterable[Rule] = ()) -> tuple[Entry, ...]:
        """The entries a night over these (county, township, area) uses that judges these rules.

        Of figures by region only those of the places.
        """
        judged = tuple(rules)
        regional = {
            entry
            for place in places
            for entry in (
                *self._regional_entries(place),
                *(entry for rule in judged for entry in self.settings(rule, place[0], place[1])),
            )
        }
        return tuple(
            entry
            for key, found in self._in_force.items()
            for entry in found
            if not PARAMETERS[key].by_region or entry in regional
        )

    def gaps(self, places: Iterable[Place]) -> tuple[str, ...]:
        """The counties of these (county, township, area) that lack a figure some line or limit in force asks for."""
        return tuple(sorted({place[0] for place in places if self._lacks_figure(place)}))

    def _regional_entries(self, place: Place) -> set[Entry]:
        lines = (self.line(programme, use, *place) for programme in PROGRAMMES for use in USES)
        limits = (self.asset_limit(programme, *place) for programme in PROGRAMMES)
        found = {entry for line in (*lines, *limits) if line is not None for entry in line.entries}
        standard = self.standard(*place)
        return found if standard is None else found | {standard}

    def _lacks_figure(self, place: Place) -> bool:
        lines = (
            self.line(rule.identity["programme"], rule.identity["use"], *place)
            for rule in self.entries("income_line")
        )
        limits = (
            self.asset_limit(rule.identity["programme"], *place) for rule in self.entries("asset_limit")
        )
        return self.standard(*place) is None or None in (*lines, *limits)

    def _named(self, key: str, **identity: str) -> Entry | None:
        return next((entry for entry in self._in_force[key] if entry.identity == identity), None)

    def _of_area(self, key: str, area: str | None) -> list[Entry]:
        return [entry for entry in self._in_force[key] if entry.identity.get("area") == area]

    def _local(self, key: str, county_code: str, township_code: str, area: str | None) -> Entry | None:
        if (key, area) not in self._by_region:
            self._by_region[key, area] = {
                entry.identity["region"]: entry for entry in self._of_area(key, area)
            }
        return _nearest(self._by_region[key, area], county_code, township_code)


def _nearest(by_region: Mapping[str, Entry], county_code: str, township_code: str) -> Entry | None:
    """The entry of the longest region a place lies in.

    A region of a county's length or shorter is compared with the county, a longer one with the township.
    """
    townships = (township_code[:end] for end in range(len(township_code), _COUNTY_DIGITS, -1))
    counties = (county_code[:end] for end in range(min(len(county_code), _COUNTY_DIGITS), -1, -1))
    return next((by_region[region] for region in (*townships, *counties) if region in by_region), None)


def _longest(entries: Iterable[Entry]) -> Entry | None:
    return max(entries, key=lambda entry: len(entry.identity["region"]), default=None)


def _exact(value: object) -> Fraction:
    assert isinstance(value, (Decimal, int))
    return Fraction(value)


def _identity(entry: Entry) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(entry.identity.items()))


def _digest(policy_id: str, entries: Iterable[Entry]) -> str:
    """SHA-256 of what the entries say; file names, their order and the way numbers are written do not count."""
    rows = sorted(
        json.dumps(
            [
                entry.key,
                _identity(entry),
                _canonical(entry.value),
                sorted((name, _canonical(value)) for name, value in entry.fields.items()),
                entry.start.isoformat(),
                None if entry.end is None else entry.end.isoformat(),
                entry.source,
                entry.confirmed,
            ],
            ensure_ascii=False,
        )
        for entry in entries
    )
    text = json.dumps([policy_id, rows], ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _canonical(value: Decimal | int | str | tuple[str, ...] | None) -> object:
    if isinstance(value, tuple):
        return sorted(value)
    if isinstance(value, (Decimal, int)):
        return f"{Decimal(value).normalize():f}"
    return value
