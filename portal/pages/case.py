"""One case: all leads of a household on one list, what was done, and what can be done now."""

from __future__ import annotations

from sqlalchemy import select
from starlette.responses import Response

from portal.codes import desk_codes
from portal.desk import Desk
from portal.dossier import open_file
from portal.errors import NotFound
from portal.listing import read_filters
from portal.permissions import may
from portal.rates import check_reveals
from portal.routing import page
from portal.schema import Case, Lead, Reveal
from portal.work.decision import left_to_others
from portal.work.field import colleagues
from portal.work.steps import find_case, leads_of, standing
from portal.workdays import due_date

# The permission each step needs, in the order the page offers them.
WORK_NEEDS = {
    "assign": "assign",
    "visit": "visit",
    "outreach": "outreach",
    "reply": "reply",
    "suppress": "suppress",
    "lift": "suppress",
    "send_back": "send_back",
    "decide": "decide",
    "second": "second",
    "serve": "serve",
    "resolve": "object",
    "close": "close",
    "object": "object",
    "reopen": "reopen",
}


@page("GET", "/cases/{case_id:int}", may="read_cases")
def show_case(desk: Desk) -> Response:
    return render_case(desk, find_case(desk))


@page("POST", "/cases/{case_id:int}/reveal", may="reveal")
def reveal(desk: Desk) -> Response:
    """One number, opened for one officer, told to the audit log before it is shown."""
    case = find_case(desk)
    wanted = desk.fields.whole("lead", "线索")
    lead = next((lead for lead in leads_of(desk, case) if lead.id == wanted and lead.person), None)
    if lead is None:
        raise NotFound()
    check_reveals(desk.db, desk.viewer.user_id, desk.now, desk.settings)
    place = {"county_code": lead.county_code, "township_code": lead.township_code}
    desk.db.add(Reveal(user_id=desk.viewer.user_id, lead_id=lead.id, at=desk.now, **place))
    desk.record("reveal", case=case.id, lead=lead.id, county=lead.county_code)
    return render_case(desk, case, opened={lead.id: desk.vault.numbers([lead.person])[0] or ""})


def render_case(desk: Desk, case: Case, opened: dict[int, str] | None = None) -> Response:
    leads = leads_of(desk, case)
    return desk.render(
        "case.html",
        file=open_file(desk, case, leads),
        filters=read_filters(case.list, desk.request.query_params),
        opened=opened or {},
        can=possible_steps(desk, case, leads),
        left_to_others=left_to_others(desk, case),
        colleagues=colleagues(desk, case) if desk.may("assign") else [],
        related=_related(desk, case),
        latest_until=due_date("suppression", desk.today),
    )


def possible_steps(desk: Desk, case: Case, leads: list[Lead]) -> set[str]:
    """Steps that the stage and the viewer's role allow; whether a form is acceptable is the step's own matter."""
    allowed = desk_codes().allowed
    steps = {
        work
        for work, need in WORK_NEEDS.items()
        if case.stage in allowed[work] and may(desk.viewer.role, need)
    }
    if (
        not standing(leads)
        and case.stage in ("routed", "assigned", "visiting", "returned")
        and desk.may("decide")
    ):
        steps.add("decide")
    if case.list != "newly_eligible":
        steps.discard("outreach")
    if case.stage == "closed" and case.outcome not in {
        c for c, code in desk_codes().decisions.items() if code.adverse
    }:
        steps.discard("object")
    return steps


def _related(desk: Desk, case: Case) -> list[Case]:
    """Other cases of the household: the other list, and earlier rounds."""
    return list(
        desk.db.scalars(
            select(Case)
            .where(Case.household_id == case.household_id, Case.id != case.id)
            .order_by(Case.id.desc())
            .limit(20)
        )
    )
