"""半年核对: who is due for the half-yearly check and the yearly visit, and one household's page."""

from __future__ import annotations

from sqlalchemy import select
from starlette.responses import Response

from portal.coverage import (
    DUES,
    LACKS,
    HouseholdCoverage,
    household_coverage,
    one_household,
    place_coverage,
    source_coverage,
)
from portal.desk import Desk
from portal.dossier import officer_names
from portal.errors import NotFound, Refused
from portal.routing import page
from portal.schema import Case, Visit, YearlyVisit
from portal.scope import COUNTY_DIGITS, TOWNSHIP_DIGITS
from portal.work.field import seal_investigators


@page("GET", "/coverage", may="read_cases")
def show_coverage(desk: Desk) -> Response:
    given = desk.request.query_params
    due = given.get("due", "any") if given.get("due") in DUES else "any"
    above = len(desk.viewer.region) < COUNTY_DIGITS
    county = given.get("county", "")[:COUNTY_DIGITS] if above else ""
    places = place_coverage(desk, county)
    township = given.get("township", "")[:TOWNSHIP_DIGITS]
    at, rows = desk.page_number, desk.settings.page_rows
    found = household_coverage(desk, due, county, township, (at - 1) * rows, rows + 1)
    return desk.render(
        "coverage.html",
        sources=source_coverage(desk),
        places=places,
        dues=DUES,
        lacks=LACKS,
        due=due,
        above=above,
        county=county,
        township=township,
        at=at,
        more=len(found) > rows,
        households=found[:rows],
    )


@page("GET", "/coverage/{household_id:int}", may="read_cases")
def show_household(desk: Desk) -> Response:
    return _show(desk, _find(desk))


@page("POST", "/coverage/{household_id:int}/visit", may="visit")
def record_yearly_visit(desk: Desk) -> Response:
    """A visit without a case."""
    found = _find(desk)
    visited_on = desk.fields.day("visited_on", "入户日期")
    if visited_on > desk.today:
        raise Refused("入户日期不能晚于今天。")
    investigators = seal_investigators(desk)
    findings = desk.fields.text("findings", "核查情况")
    kept = found.household
    desk.db.add(
        YearlyVisit(
            county_code=kept.county_code,
            township_code=kept.township_code,
            household_id=kept.household_id,
            visited_on=visited_on,
            investigators_sealed=investigators,
            findings_sealed=desk.vault.seal_text(findings, "visit.findings"),
            by_id=desk.viewer.user_id,
            at=desk.now,
        )
    )
    desk.record("yearly_visit", household=kept.household_id, county=kept.county_code)
    return desk.redirect(f"/coverage/{kept.id}", done="visited")


def _find(desk: Desk) -> HouseholdCoverage:
    found = one_household(desk, min(desk.request.path_params["household_id"], 2**63 - 1))
    if found is None:
        raise NotFound()
    return found


def _show(desk: Desk, found: HouseholdCoverage) -> Response:
    number = found.household.household_id
    own = (
        select(YearlyVisit).where(YearlyVisit.household_id == number).order_by(YearlyVisit.visited_on.desc())
    )
    in_cases = (
        select(Visit)
        .join(Case, Case.id == Visit.case_id)
        .where(Case.household_id == number)
        .order_by(Visit.visited_on.desc())
    )
    cases = select(Case).where(Case.household_id == number).order_by(Case.id)
    return desk.render(
        "household.html",
        found=found,
        lacks=LACKS,
        names=officer_names(desk),
        own=list(desk.db.scalars(own)),
        in_cases=list(desk.db.scalars(in_cases)),
        cases=list(desk.db.scalars(cases)),
        opened=desk.vault.open_text if desk.may("see_people") else None,
    )
