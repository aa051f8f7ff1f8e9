"""Papers to print and files to open: the visit form, the notice, attachments."""

from __future__ import annotations

from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import undefer
from starlette.responses import Response

from portal.codes import clocks, desk_codes
from portal.desk import Desk
from portal.dossier import open_file
from portal.errors import NotFound
from portal.routing import page
from portal.schema import Attachment, Notice
from portal.work.decision import latest_decision
from portal.work.steps import find_case, leads_of


@page("GET", "/cases/{case_id:int}/visit-form", may="visit")
def show_visit_form(desk: Desk) -> Response:
    """入户核查表: what to ask, and room to write; numbers stay covered on paper too."""
    case = find_case(desk)
    desk.record("printed", paper="visit_form", case=case.id)
    return desk.render("visit_form.html", file=open_file(desk, case, leads_of(desk, case)))


@page("GET", "/cases/{case_id:int}/notice", may="serve")
def show_notice(desk: Desk) -> Response:
    """The written notice with reasons and remedies."""
    case = find_case(desk)
    decision = latest_decision(desk, case, "final")
    file = open_file(desk, case, leads_of(desk, case))
    served = desk.db.scalars(
        select(Notice).where(Notice.decision_id == decision.id).order_by(Notice.id.desc())
    ).first()
    # Before it is served nobody knows the day; a day printed too early would shorten the family's time.
    time = (
        f"在{served.objection_until}以前（含当日）"
        if served
        else f"自收到本告知书之日起{clocks()['objection'].amount}个工作日内"
    )
    desk.record("printed", paper="notice", case=case.id)
    return desk.render(
        "notice.html",
        file=file,
        decision=next(shown for shown in file.decisions if shown["id"] == decision.id),
        decision_code=desk_codes().decisions[decision.code],
        office=desk.settings.office,
        remedies=[
            {
                "text": remedy.text.format(office=desk.settings.office, objection_time=time),
                "source": remedy.source,
            }
            for remedy in desk_codes().remedies
        ],
    )


@page("GET", "/cases/{case_id:int}/attachments/{attachment_id:int}", may="see_people")
def open_attachment(desk: Desk) -> Response:
    """Always as a download, never shown inside the desk's own pages."""
    case = find_case(desk)
    wanted = min(desk.request.path_params["attachment_id"], 2**63 - 1)
    kept = desk.db.scalars(
        select(Attachment)
        .where(Attachment.id == wanted, Attachment.case_id == case.id)
        .options(undefer(Attachment.body_sealed))
    ).one_or_none()
    if kept is None:
        raise NotFound()
    desk.record("attachment_opened", case=case.id, attachment=kept.id)
    name = desk.vault.open_text(kept.name_sealed, "attachment.name")
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "content-security-policy": "default-src 'none'; sandbox",
    }
    return Response(
        desk.vault.open_bytes(kept.body_sealed, "attachment.body"), media_type=kept.media, headers=headers
    )
