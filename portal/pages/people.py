"""一人一档案."""

from __future__ import annotations

from sqlalchemy import or_, select
from starlette.responses import Response

from portal.desk import Desk
from portal.dossier import officer_names, show_leads
from portal.errors import NotFound
from portal.routing import page
from portal.schema import Case, Event, Lead, LeadChange

_SHOWN = 300


@page("GET", "/people/{lead_id:int}", may="see_people")
def show_person(desk: Desk) -> Response:
    """All that the nights and the desk know of one person and the household, as far as the viewer's place goes."""
    wanted = min(desk.request.path_params["lead_id"], 2**63 - 1)
    lead = desk.db.scalars(select(Lead).where(Lead.id == wanted)).one_or_none()
    if lead is None or lead.person is None:
        raise NotFound()
    leads = _leads_about(desk, lead)
    names = officer_names(desk)
    shown = show_leads(desk, leads, [], names)
    cases = {one.case_id for one in leads if one.case_id}
    desk.record("dossier", lead=lead.id, county=lead.county_code)
    return desk.render(
        "person.html",
        person=next(one for one in shown if one.lead.id == lead.id),
        own=[one for one in shown if one.lead.person == lead.person],
        household=[one for one in shown if one.lead.person != lead.person],
        changes=_changes(desk, leads),
        events=[(event, names.get(event.by_id or 0, "系统")) for event in _events(desk, cases)],
        cases=list(desk.db.scalars(select(Case).where(Case.id.in_(cases)).order_by(Case.id))),
    )


def _leads_about(desk: Desk, lead: Lead) -> list[Lead]:
    """Those of the person and of the household, oldest first; of very many the newest, and the one asked for."""
    found = list(
        desk.db.scalars(
            select(Lead)
            .where(or_(Lead.person == lead.person, Lead.household_id == lead.household_id))
            .order_by(Lead.first_night.desc(), Lead.lead_no.desc())
            .limit(_SHOWN)
        )
    )
    return ([] if lead in found else [lead]) + found[::-1]


def _changes(desk: Desk, leads: list[Lead]) -> list[tuple[LeadChange, Lead]]:
    by_id = {lead.id: lead for lead in leads}
    rows = desk.db.scalars(
        select(LeadChange)
        .where(LeadChange.lead_id.in_(by_id))
        .order_by(LeadChange.as_of.desc(), LeadChange.id)
        .limit(_SHOWN)
    )
    return [(row, by_id[row.lead_id]) for row in rows]


def _events(desk: Desk, cases: set[int]) -> list[Event]:
    return list(
        desk.db.scalars(select(Event).where(Event.case_id.in_(cases)).order_by(Event.id.desc()).limit(_SHOWN))
    )
