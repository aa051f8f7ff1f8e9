"""Section 6: what the policy says at a date. Numbers are exact fractions."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

IDENTITY = {
    "dibao_standard": ("region", "area"),
    "disposable_income": ("region",),
    "minimum_wage": ("region",),
    "income_line": ("programme", "use"),
    "asset_limit": ("programme",),
    "tekun_disability": ("category",),
    "fx": ("currency",),
    "max_age_days": ("source_name",),
}
SCALARS = (
    "income_window_months", "countable_income_items", "income_tolerance", "undeclared_income_tolerance",
    "undeclared_assets_tolerance", "premium_multiple", "capital_threshold", "obligor_multiple", "rigid_share",
    "severe_grades", "severe_grades_intellectual_mental", "asset_products", "register_max_persons",
    "evidence_max_age_days", "max_quarantined_share",
)  # fmt: skip


class NightFailed(Exception):
    """The specification says exit status 1."""


def _exact(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    return Fraction(value) if isinstance(value, int | Decimal) else value


class Policy:
    def __init__(self, path: Path, as_of: date) -> None:
        files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
        self.id: str | None = None
        entries: dict[str, list[dict[str, Any]]] = {}
        for file in files:
            for key, value in tomllib.loads(file.read_text("utf-8"), parse_float=Decimal).items():
                if key == "id":
                    self.id = value
                elif key in IDENTITY or key in SCALARS:
                    entries.setdefault(key, []).extend(value)
                else:
                    raise NightFailed(f"unknown key {key}")
        self.used: dict[str, list[dict[str, Any]]] = {}
        for key in (*IDENTITY, *SCALARS):
            if key not in entries:
                raise NightFailed(f"missing parameter {key}")
            self.used[key] = self._in_force(key, entries[key], as_of)
        self.unconfirmed = sum(e.get("confirmed") is False for es in self.used.values() for e in es)

    @staticmethod
    def _in_force(key: str, entries: list[dict[str, Any]], as_of: date) -> list[dict[str, Any]]:
        groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for entry in entries:
            if not entry.get("source"):
                raise NightFailed(f"{key} without source")
            groups.setdefault(tuple(entry.get(k) for k in IDENTITY.get(key, ())), []).append(entry)
        found = []
        for group in groups.values():
            if len({e["from"] for e in group}) != len(group):
                raise NightFailed(f"{key}: two entries from the same day")
            begun = [e for e in group if e["from"] <= as_of]
            latest = max(begun, key=lambda e: e["from"]) if begun else None
            if latest is None or latest.get("to", as_of) < as_of:
                raise NightFailed(f"{key}: no value at {as_of}")
            found.append(latest)
        return found

    def scalar(self, key: str) -> Any:
        return _exact(self.used[key][0]["value"])

    def _regional(self, key: str, county: str, area: str | None = None) -> Fraction | None:
        fitting = [
            e
            for e in self.used[key]
            if county.startswith(e["region"]) and (area is None or e["area"] == area)
        ]
        return _exact(max(fitting, key=lambda e: len(e["region"]))["value"]) if fitting else None

    def standard(self, county: str, area: str) -> Fraction | None:
        return self._regional("dibao_standard", county, area)

    def income_line(self, programme: str, use: str, county: str, area: str) -> Fraction | None:
        for e in self.used["income_line"]:
            if (e["programme"], e["use"]) == (programme, use):
                basis = {
                    "dibao_standard": self.standard(county, area),
                    "minimum_wage": self._regional("minimum_wage", county),
                    "disposable_income": self._yearly_over_12(county),
                }[e["basis"]]
                return None if basis is None else basis * _exact(e["multiple"])
        return None

    def _yearly_over_12(self, county: str) -> Fraction | None:
        value = self._regional("disposable_income", county)
        return None if value is None else value / 12

    def asset_limit(self, programme: str, county: str, area: str) -> Fraction | None:
        for e in self.used["asset_limit"]:
            if e["programme"] == programme:
                std = self.standard(county, "urban" if e["standard_area"] == "urban" else area)
                return None if std is None else std * _exact(e["months"])
        return None

    def fx(self) -> dict[str, Fraction]:
        return {e["currency"]: _exact(e["value"]) for e in self.used["fx"]}

    def max_age_days(self, source: str) -> int:
        by_name = {e.get("source_name"): e["value"] for e in self.used["max_age_days"]}
        return int(by_name.get(source, by_name[None]))

    def has_gap(self, county: str, area: str) -> bool:
        """No matching region in one of the regional tables."""
        return self.standard(county, area) is None or any(
            self._regional(key, county) is None for key in ("minimum_wage", "disposable_income")
        )
