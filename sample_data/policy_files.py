"""The dated figures of a policy, read from its files (specification, section 6) without the code that is to
be tested.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).parent.parent / "policy" / "guangdong"
_IDENTITY = ("region", "area", "programme", "use", "category", "currency", "source_name", "rule", "name")
# Names of the settings a rule is silent without, by its code; the texts of the rules are the program's own.
_RULES = SHIPPED.parent / "rules.toml"

Entry = dict[str, Any]


class PolicyFiles:
    """What holds on a day: for each parameter and identity the entry that began last, unless it has ended.

    A policy that lacks what is asked for raises ValueError; the nightly check refuses it with a better
    message.
    """

    def __init__(self, path: Path, as_of: date) -> None:
        self.as_of = as_of
        self.path = path
        entries: dict[str, list[Entry]] = {}
        for file in sorted(path.glob("*.toml")) if path.is_dir() else [path]:
            for key, rows in tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal).items():
                if isinstance(rows, list):
                    entries.setdefault(key, []).extend(rows)
        self._in_force = {key: self._latest(rows) for key, rows in entries.items()}

    def _latest(self, rows: list[Entry]) -> list[Entry]:
        latest: dict[tuple[str | None, ...], Entry] = {}
        for entry in sorted(rows, key=lambda one: str(one["from"])):
            if entry["from"] <= self.as_of:
                latest[tuple(entry.get(name) for name in _IDENTITY)] = entry
        return [entry for entry in latest.values() if entry.get("to", self.as_of) >= self.as_of]

    def in_force(self, key: str) -> list[Entry]:
        return self._in_force.get(key, [])

    def value(self, key: str) -> Any:
        """The value of a scalar, a list or a number."""
        found = self.in_force(key)
        if not found:
            raise ValueError(f"policy {self.path}: found no {key} as of {self.as_of}; want one entry")
        return found[0]["value"]

    def rules_off(self, counties: Iterable[str]) -> frozenset[str]:
        """Codes of the rules that one of these counties has not turned on: a setting of theirs is absent or off."""
        rules = tomllib.loads(_RULES.read_text(encoding="utf-8"))["rule"]
        wanted = {rule["code"]: tuple(rule.get("settings", ())) for rule in rules}
        places = set(counties)
        return frozenset(
            code
            for code, names in wanted.items()
            if not all(self._is_on(code, name, county) for name in names for county in places)
        )

    def _is_on(self, rule: str, name: str, county: str) -> bool:
        of_rule = (one for one in self.in_force("rule_setting") if (one["rule"], one["name"]) == (rule, name))
        found = _nearest(of_rule, county)
        return found is not None and found["switch"] == "on"

    def local(self, key: str, county: str, area: str | None = None) -> Fraction | None:
        """Yuan where a county is."""
        found = _nearest((one for one in self.in_force(key) if one.get("area") == area), county)
        return None if found is None else Fraction(found["value"])

    def income_line(self, programme: str, use: str, county: str, area: str) -> Fraction | None:
        """Yuan per person and month."""
        for rule in self.in_force("income_line"):
            if (rule["programme"], rule["use"]) == (programme, use):
                basis = rule["basis"]
                base = self.local(basis, county, area if basis == "dibao_standard" else None)
                months = 12 if basis == "disposable_income" else 1
                return None if base is None else base * Fraction(rule["multiple"]) / months
        return None

    def asset_limit(self, programme: str, county: str, area: str) -> Fraction | None:
        """Yuan per person."""
        for rule in self.in_force("asset_limit"):
            if rule["programme"] == programme:
                base = self.local(
                    "dibao_standard", county, "urban" if rule["standard_area"] == "urban" else area
                )
                return None if base is None else base * Fraction(rule["months"])
        return None

    def max_age_days(self, source: str) -> int:
        """A source's own figure goes before the general one."""
        ages = {entry.get("source_name"): int(entry["value"]) for entry in self.in_force("max_age_days")}
        return ages[source] if source in ages else ages[None]


def _nearest(entries: Iterable[Entry], county: str) -> Entry | None:
    """The entry with the longest region that begins a county's code."""
    near = (entry for entry in entries if county.startswith(entry["region"]))
    return max(near, key=lambda entry: len(entry["region"]), default=None)
