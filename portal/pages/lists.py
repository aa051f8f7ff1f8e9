"""The two lists, the search, and the next case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import or_, select
from starlette.responses import Response

from portal.codes import desk_codes
from portal.desk import Desk
from portal.errors import NotFound
from portal.listing import (
    SLUGS,
    Filters,
    choices,
    count,
    next_case_id,
    read_filters,
    search_text,
    span_of,
)
from portal.permissions import ROLES
from portal.remembered import remembered
from portal.routing import page
from portal.schema import Case, Lead, User
from portal.scope import COUNTY_DIGITS, officers_criterion
from portal.sheet import COLUMNS, place_name, read_page, rule_title, show_rows
from portal.work.steps import find_case


@page("GET", "/lists/{slug}", may="read_cases")
def show_list(desk: Desk) -> Response:
    filters = filters_of(desk)
    counts = count(desk.db, filters, desk.viewer, desk.today)
    found, fit = counts.views[filters.view], desk.settings.page_rows
    pages = max(1, -(-found // fit))
    at = min(desk.page_number, pages)
    span = span_of((at - 1) * fit, fit, found)
    leads = read_page(desk.db, filters, desk.viewer, desk.today, span)
    rows = show_rows(leads, filters.list, desk.vault, desk.today, people=desk.may("see_people"))
    return desk.render(
        "list.html",
        filters=filters,
        counts=counts.views,
        households=counts.households,
        query=filters.query(),
        columns=COLUMNS[filters.list],
        rows=rows,
        rules=_named(desk, filters, Lead.rule, rule_title),
        townships=_named(desk, filters, Lead.township_code, str),
        counties=_named(desk, filters, Lead.county_code, place_name)
        if len(desk.viewer.region) < COUNTY_DIGITS
        else [],
        assignees=assignees(desk, filters),
        stages=[(code, stage.name) for code, stage in desk_codes().stages.items()],
        at=at,
        pages=pages,
    )


@page("POST", "/lists/{slug}/search", may="read_cases", reads=True)
def search(desk: Desk) -> Response:
    """A typed number or name never stands in an address: the answer is a list's address with its keyed code."""
    filters = filters_of(desk)
    return desk.redirect(
        Filters(filters.list).address(view="all", q=search_text(desk.fields.raw("typed")[:80], desk.vault))
    )


@page("GET", "/lists/{slug}/next/{case_id:int}", may="read_cases")
def show_next(desk: Desk) -> Response:
    filters = filters_of(desk)
    following = next_case_id(desk.db, filters, desk.viewer, desk.today, find_case(desk))
    if following is None:
        return desk.redirect(filters.address())
    return desk.redirect(f"/cases/{following}?{filters.query()}")


def filters_of(desk: Desk) -> Filters:
    slug = desk.request.path_params["slug"]
    if slug not in SLUGS:
        raise NotFound()
    return read_filters(SLUGS[slug], desk.request.query_params)


def _named(desk: Desk, filters: Filters, column: Any, name: Callable[[str], str]) -> list[tuple[str, str]]:
    """The choices of a filter with their names."""
    return [(code, name(code)) for code in choices(desk.db, filters.list, column, desk.viewer)]


def assignees(desk: Desk, filters: Filters) -> list[tuple[str, str]]:
    """The choices of the assignee filter: me, nobody, and the officers of the own place by name.

    Above the county there are thousands: those of one county are offered once it is chosen. Whoever is switched off
    is offered while cases are still with them.
    """
    offered = [("me", "我"), ("none", "未分派")]
    if len(desk.viewer.region) >= COUNTY_DIGITS or filters.county:
        asked = ("officers", desk.viewer.region, filters.county)
        offered += remembered(desk.db, asked, lambda: _officers(desk, filters.county))
    if filters.assignee and filters.assignee not in dict(offered):
        offered.append((filters.assignee, "其他人员"))
    return offered


def _officers(desk: Desk, county: str) -> list[tuple[str, str]]:
    with_cases = select(Case.id).where(Case.assignee_id == User.id, Case.stage != "closed").exists()
    found = select(User.id, User.display_name, User.role).where(
        officers_criterion(User, desk.viewer, county), or_(User.active, with_cases)
    )
    officers = desk.db.execute(found.order_by(User.role, User.region, User.login))
    return [(str(row.id), f"{row.display_name}（{ROLES[row.role]}）") for row in officers]
