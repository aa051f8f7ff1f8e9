"""Render a night as one self-contained HTML document: no script, no outside address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from pipelines.beijing import beijing_text
from pipelines.report.attention import attention_items
from pipelines.report.gates import gate_rows, summarise_gates
from pipelines.report.leads import LISTS, SHADES, STATES, flow_figures, heat_table, night_rows, state_rows
from pipelines.report.policy_figures import figure_groups
from pipelines.report.sources import (
    COUNTS,
    authorisation_rows,
    freshness_rows,
    input_rows,
    reason_table,
    source_rows,
    unlisted_files,
)
from pipelines.report.suppression import THRESHOLD
from pipelines.report.wording import Wording, shipped_wording

NIGHTS_SHOWN = 14
_TEMPLATES = Path(__file__).parent / "templates"


def render_report(
    manifest: Mapping[str, Any], history: Sequence[Mapping[str, Any]], wording: Wording | None = None
) -> str:
    """The page. history: manifests of other nights, in any order; those not before tonight are left out."""
    words = shipped_wording() if wording is None else wording
    nights = _nights(manifest, history)
    sources = source_rows(manifest, nights, words)
    gates = gate_rows(manifest, words)
    unlisted = unlisted_files(manifest, words)
    return _template().render(
        manifest=manifest,
        status=manifest["status"],
        details=manifest["details"],
        words=words,
        counts=COUNTS,
        states=STATES,
        shades=SHADES,
        threshold=THRESHOLD,
        nights=night_rows(nights, [row.source for row in sources]),
        sources=sources,
        totals={count: sum(row.counts[count] for row in sources) for count in COUNTS},
        freshness=freshness_rows(manifest, words),
        reasons=reason_table(manifest, words),
        authorisation=authorisation_rows(manifest, words),
        inputs=input_rows(manifest, words),
        unlisted=unlisted,
        lists=state_rows(manifest, words),
        list_names=[words.codes.lists.name(which) for which in LISTS],
        flows=flow_figures(nights, words),
        heat=[heat_table(manifest, which, words) for which in LISTS],
        gates_by_stage=[(name, list(rows)) for name, rows in groupby(gates, key=attrgetter("stage_name"))],
        gate_summary=summarise_gates(gates),
        figures=figure_groups(manifest, words),
        items=attention_items(manifest, sources, gates, unlisted, words),
        explained=manifest["details"].get("explained"),
        timings=manifest["details"].get("timings", {}),
    )


def _nights(manifest: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Tonight and the nights before it, oldest first, one per day."""
    by_day = {night["as_of"]: night for night in history if night["as_of"] < manifest["as_of"]}
    earlier = [by_day[day] for day in sorted(by_day)]
    return [*earlier[-(NIGHTS_SHOWN - 1) :], manifest]


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": _count, "share": _share, "day_time": beijing_text}
    return environment.get_template("report.html")


def _count(number: int) -> str:
    return f"{number:,}"


def _share(share: float | None) -> str:
    """A share in per cent, never rounded to nothing or to all."""
    if share is None:
        return "—"
    if 0 < share < 0.0005:
        return "<0.1%"
    return ">99.9%" if 0.9995 <= share < 1 else f"{share:.1%}"
