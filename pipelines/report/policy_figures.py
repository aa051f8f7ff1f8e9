"""The report's page about the policy: every figure used, its instrument, and whether it is confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pipelines.report.wording import Wording


@dataclass(frozen=True)
class FigureRow:
    holds_for: str
    value: str
    start: str
    source: str
    confirmed: bool


@dataclass(frozen=True)
class FigureGroup:
    key: str
    name: str
    unit: str
    rows: list[FigureRow]


def figure_groups(manifest: Mapping[str, Any], wording: Wording) -> list[FigureGroup]:
    """Figures by parameter, in the order of wording.toml; a parameter unknown there comes last."""
    known = wording.texts["parameters"]
    order = {key: place for place, key in enumerate(known)}
    used = sorted(
        manifest["details"]["policy"]["used"], key=lambda one: (order.get(one["key"], len(order)), one["key"])
    )
    groups = []
    for key, entries in groupby(used, key=lambda one: str(one["key"])):
        told = known.get(key, {"name": key, "unit": ""})
        rows = [_figure_row(entry, wording) for entry in entries]
        groups.append(FigureGroup(key, told["name"], told["unit"], rows))
    return groups


def _figure_row(entry: Mapping[str, Any], wording: Wording) -> FigureRow:
    return FigureRow(
        holds_for=_setting(entry, wording)
        if entry["key"] == "rule_setting"
        else "，".join(
            _identity(name, str(told), wording) for name, told in (entry.get("identity") or {}).items()
        ),
        value=_value(entry, wording),
        start=str(entry["from"]),
        source=str(entry["source"]),
        confirmed=bool(entry["confirmed"]),
    )


def _setting(entry: Mapping[str, Any], wording: Wording) -> str:
    """What a rule over another department reads: the rule, the setting and the place."""
    code, name, region = (str(entry["identity"][key]) for key in ("rule", "name", "region"))
    rule = wording.rules.get(code)
    called = rule.settings.get(name, name) if rule else name
    return f"{code} {wording.rule(code)}：{called}，{_identity('region', region, wording)}"


def _identity(name: str, told: str, wording: Wording) -> str:
    codes = wording.codes
    if name == "region":
        return f"{region_name(told, wording)}（{told}）"
    lists = {
        "area": codes.areas.names,
        "programme": codes.programmes.names,
        "source_name": codes.sources.names,
    }
    return str(lists.get(name, wording.texts["uses"]).get(told, told))


def region_name(region: str, wording: Wording) -> str:
    """A division by the digits a policy gives: province, city, county, or a township inside one."""
    names = wording.codes.divisions.names
    return wording.place(region) if len(region) >= 6 else names.get(region, region)


def _value(entry: Mapping[str, Any], wording: Wording) -> str:
    """A value as told; one made of named parts (`basis=minimum_wage，multiple=1`) in words."""
    value = entry["value"]
    if isinstance(value, (list, tuple)):
        return "、".join(map(str, value))
    return "，".join(_part(part, wording) for part in str(value).split("，"))


def _part(part: str, wording: Wording) -> str:
    name, equals, told = part.partition("=")
    if not equals or name not in wording.texts["fields"]:
        return part
    return f"{wording.text('fields', name)} {wording.text('bases', told)}"
