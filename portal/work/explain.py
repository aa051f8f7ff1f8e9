"""A finding explained stays explained: bound to the fact, with who, why and until when."""

from __future__ import annotations

from sqlalchemy import select

from pipelines.suppressions import LIST
from portal.codes import clocks, desk_codes
from portal.desk import Desk
from portal.errors import NotFound, Refused
from portal.schema import Case, Lead, Reply, Suppression
from portal.suppressions import write_out_after_commit
from portal.work.decision import reopen_closed
from portal.work.field import move_when_answered
from portal.work.steps import check_stage, enter, leads_of, tell, written_by
from portal.workdays import due_date


def suppress(desk: Desk, case: Case) -> str:
    """Explain one lead for as long as its fact stays the same, and no longer than the limit."""
    check_stage(case, "suppress")
    if case.list != LIST:
        raise Refused("可能符合条件的线索不能作说明：请登记联系情况。")
    wanted = desk.fields.whole("lead", "线索")
    lead = next((lead for lead in leads_of(desk, case) if lead.id == wanted and lead.present), None)
    if lead is None or lead.suppression_id is not None:
        raise Refused("这条线索不属于本案，或者已消除、已说明。")
    suppressible = {code: reply for code, reply in desk_codes().replies.items() if reply.suppressible}
    code = desk.fields.choice("code", "核查反馈", suppressible)
    reason = desk.fields.text("reason", "说明及依据")
    until = desk.fields.day("until", "有效期至")
    latest = due_date("suppression", desk.today)
    if not desk.today < until <= latest:
        raise Refused(f"有效期须晚于今天，最长 {clocks()['suppression'].amount} 个月（至 {latest}）。")
    kept = _remember(desk, lead, code, reason, until)
    lead.suppression_id, lead.reply_code, lead.reply_fact = kept.id, code, lead.fact
    desk.db.add(Reply(**written_by(desk, case), lead_id=lead.id, code=code, fact=lead.fact, note_sealed=None))
    if case.assignee_id is None:
        case.assignee_id = desk.viewer.user_id
    desk.db.flush()
    move_when_answered(desk, case)
    write_out_after_commit(desk)
    tell(desk, case, "explained", f"{lead.lead_no} 已说明，有效期至 {until}")
    return "explained"


def _remember(desk: Desk, lead: Lead, code: str, reason: str, until: object) -> Suppression:
    kept = Suppression(
        county_code=lead.county_code,
        township_code=lead.township_code,
        list=lead.list,
        rule=lead.rule,
        household_id=lead.household_id,
        person_key=lead.person_key,
        fact=lead.fact,
        reply_code=code,
        reason_sealed=desk.vault.seal_text(reason, "suppression.reason"),
        by_id=desk.viewer.user_id,
        at=desk.now,
        until=until,
    )
    desk.db.add(kept)
    desk.db.flush()
    return kept


def lift(desk: Desk, case: Case) -> str:
    """Take an explanation back: the lead returns to work at once.

    Not while a decision is being signed, told or objected to: the case would leave that road half-way. A case that
    closed against the family is reopened by its own step, with a reason.
    """
    check_stage(case, "lift")
    if case.outcome in desk_codes().decisions and desk_codes().decisions[case.outcome].adverse:
        raise Refused("本案已作出不利决定并办结，请先“重新办理”，再撤销说明。")
    wanted = desk.fields.whole("lead", "线索")
    lead = next((lead for lead in leads_of(desk, case) if lead.id == wanted), None)
    if lead is None or lead.suppression_id is None:
        raise NotFound()
    kept = desk.db.scalars(select(Suppression).where(Suppression.id == lead.suppression_id)).one()
    kept.lifted_at, kept.lifted_by = desk.now, desk.viewer.user_id
    lead.suppression_id = lead.reply_code = lead.reply_fact = None
    if case.stage == "closed":
        reopen_closed(desk, case)
    else:
        enter(desk, case, "returned")
    write_out_after_commit(desk)
    tell(desk, case, "lifted", f"{lead.lead_no} 的说明已撤销")
    return "lifted"
