"""Workload, rates and the monthly bulletin."""

from __future__ import annotations

from datetime import date

from starlette.responses import Response

from portal.codes import source_names
from portal.desk import Desk
from portal.helped import Span, count_flagged, count_helped
from portal.listing import TITLES
from portal.routing import page
from portal.statistics import (
    AGE_NAMES,
    county_loads,
    decisions_without_second,
    false_lead_rates,
    monthly_bulletin,
    months_with_nights,
    rule_rates,
)


@page("GET", "/statistics", may="read_statistics", long=True)
def show_statistics(desk: Desk) -> Response:
    return desk.render(
        "statistics.html",
        age_names=AGE_NAMES,
        loads={TITLES[name]: county_loads(desk, name) for name in TITLES},
        rules=rule_rates(desk),
        fairness=false_lead_rates(desk),
        helped=count_helped(desk, Span()),
        flagged=count_flagged(desk, Span()),
        unsigned=decisions_without_second(desk),
        months=months_with_nights(desk),
    )


@page("GET", "/statistics/bulletin", may="read_statistics", long=True)
def show_bulletin(desk: Desk) -> Response:
    return desk.render("bulletin.html", bulletin=monthly_bulletin(desk, _month(desk)), sources=source_names())


def _month(desk: Desk) -> date:
    """The month of the address; this one when it tells none, or one that no month follows."""
    try:
        month = date.fromisoformat(f"{desk.request.query_params.get('month', '')}-01")
    except ValueError:
        return desk.today.replace(day=1)
    return month if month.year < date.max.year else desk.today.replace(day=1)
