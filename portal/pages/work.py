"""The steps of a case, one address each."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response

from portal.desk import Desk
from portal.listing import read_filters
from portal.routing import page
from portal.schema import Case
from portal.work import decision, explain, field, outreach, referral
from portal.work.steps import check_version, find_case

Step = Callable[[Desk, Case], str]

STEPS: dict[str, tuple[str, Step]] = {
    "assign": ("assign", field.assign),
    "visit": ("visit", field.record_visit),
    "reply": ("reply", field.reply),
    "send-back": ("send_back", field.send_back),
    "note": ("note", field.add_note),
    "attach": ("note", field.attach),
    "outreach": ("outreach", outreach.record_outreach),
    "decide": ("decide", decision.decide),
    "second": ("second", decision.second),
    "serve": ("serve", decision.serve),
    "object": ("object", decision.object_to),
    "resolve": ("object", decision.resolve),
    "close": ("close", decision.close),
    "reopen": ("reopen", decision.reopen),
    "suppress": ("suppress", explain.suppress),
    "lift": ("suppress", explain.lift),
    "refer": ("refer", referral.refer),
    "referral-answer": ("refer", referral.answer_referral),
}


def _register(name: str, may: str, step: Step) -> None:
    @page("POST", f"/cases/{{case_id:int}}/{name}", may=may)
    def take_step(desk: Desk) -> Response:
        case = find_case(desk)
        check_version(desk, case)
        done = step(desk, case)
        desk.db.flush()
        # The list the officer came from stays in the address, for the next case.
        query = read_filters(case.list, desk.request.query_params).query()
        return desk.redirect(
            f"/cases/{case.id}?{query}&done={done}" if query else f"/cases/{case.id}?done={done}"
        )


for _name, (_may, _step) in STEPS.items():
    _register(_name, _may, _step)
