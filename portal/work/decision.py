"""The county's decision. The system never decides: an adverse one needs reasons, a visit, an answer that carries it,
a second person, a served notice, and the time to object; silence carries nothing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from pipelines.beijing import beijing_day
from portal.codes import desk_codes
from portal.desk import Desk
from portal.errors import Refused
from portal.schema import Case, Decision, Lead, Note, Notice, Objection, Visit
from portal.sheet import is_stale
from portal.work.steps import check_stage, enter, leads_of, standing, tell, written_by
from portal.workdays import due_date, objection_end

REASONS_AT_LEAST = 10
NOT_OWN_PROPOSAL = "提出决定的人不能自己复核，请由另一位县级工作人员办理。"
NOT_OWN_DECISION = (
    "异议复查不能由提出或者复核同意原决定的人办理，请由本县第三位工作人员办理；没有的，请管理员增设账号。"
)
_BEFORE_DECISION = {"routed", "assigned", "visiting", "returned"}


def decide(desk: Desk, case: Case) -> str:
    """Propose or, when nobody is worse off, make the county's decision."""
    leads = standing(leads_of(desk, case))
    if leads or case.stage not in _BEFORE_DECISION:
        check_stage(case, "decide")
    codes = desk_codes()
    code = codes.decisions[desk.fields.choice("code", "处理决定", codes.decisions)]
    if case.list not in code.lists:
        raise Refused(f"“{code.name}”不适用于这份清单：这一户没有在领取的待遇可以减少。")
    disposal = desk.fields.choice("disposal", "处置分类", codes.disposals)
    reasons = desk.fields.text("reasons", "理由")
    if len(reasons) < REASONS_AT_LEAST:
        raise Refused(f"理由至少写 {REASONS_AT_LEAST} 个字。")
    _check_answers(desk, case, leads, code.adverse)
    needs_second = code.adverse or case.list == "newly_eligible"
    desk.db.add(
        Decision(
            **written_by(desk, case),
            code=code.code,
            adverse=needs_second,
            disposal=disposal,
            basis=desk.fields.text("basis", "政策依据", limit=500),
            reasons_sealed=desk.vault.seal_text(reasons, "decision.reasons"),
            monthly_effect_fen=desk.fields.optional_money_fen("monthly_effect", "每月金额变化"),
            effective_on=desk.fields.optional_day("effective_on", "执行日期"),
            state="proposed" if needs_second else "final",
        )
    )
    case.disposal = disposal
    if needs_second:
        enter(desk, case, "review")
        tell(desk, case, "proposed", f"拟作决定：{code.name}，待第二人复核")
        return "proposed"
    _close(desk, case, code.code)
    tell(desk, case, "decided", f"决定：{code.name}")
    return "decided"


def _check_answers(desk: Desk, case: Case, leads: list[Lead], adverse: bool) -> None:
    if any(lead.reply_code is None or is_stale(lead) for lead in leads):
        raise Refused("还有线索没有核查反馈，或者反馈之后数据又有变化，请先补充反馈。")
    replies = desk_codes().replies
    answers = [replies[lead.reply_code] for lead in leads if lead.reply_code in replies]
    if (
        answers
        and all(answer.code == "cannot_contact" for answer in answers)
        and (adverse or case.list == "newly_eligible")
    ):
        raise Refused("无法联系不等于情况属实，不能据此作出不利决定；请继续联系或者转有关部门协助。")
    if not adverse:
        return
    if not any(answer.supports_adverse for answer in answers):
        raise Refused("没有一条线索核实为属实，不能作出不利决定。")
    if desk.db.scalars(select(Visit.id).where(Visit.case_id == case.id).limit(1)).first() is None:
        raise Refused("作出不利决定之前，须有两人入户核查的记录。")


def second(desk: Desk, case: Case) -> str:
    """Another county officer confirms an adverse decision or gives it back."""
    check_stage(case, "second")
    decision = latest_decision(desk, case, "proposed")
    if decision.by_id == desk.viewer.user_id:
        raise Refused(NOT_OWN_PROPOSAL)
    answer = desk.fields.choice("answer", "复核意见", {"agree": 1, "return": 1})
    note = desk.fields.text("note", "复核说明", required=answer == "return")
    if answer == "agree":
        # A night may have come between the two: nobody signs what the data no longer say.
        _check_answers(
            desk, case, standing(leads_of(desk, case)), desk_codes().decisions[decision.code].adverse
        )
    decision.second_id, decision.second_at = desk.viewer.user_id, desk.now
    decision.second_note_sealed = desk.vault.seal_text(note, "decision.second") if note else None
    if answer == "return":
        decision.state = "returned"
        enter(desk, case, "returned" if case.list == "newly_eligible" else "replied")
        tell(desk, case, "second_returned", "第二人复核：退回")
        return "second_returned"
    decision.state = "final"
    if desk_codes().decisions[decision.code].adverse:
        enter(desk, case, "decided")
    else:
        _close(desk, case, "not_wanted" if _was_refused(desk, case) else decision.code)
    tell(desk, case, "second_agreed", "第二人复核：同意")
    return "second_agreed"


def serve(desk: Desk, case: Case) -> str:
    """Record that the written notice reached the family; the time to object starts."""
    check_stage(case, "serve")
    decision = latest_decision(desk, case, "final")
    served_on = desk.fields.day("served_on", "送达日期")
    made = max(filter(None, (decision.second_at, _last_recheck(desk, case))), default=None)
    if made is None or not beijing_day(made) <= served_on <= desk.today:
        raise Refused("送达日期须在决定（有异议复查的，在复查结论）之后，且不能晚于今天。")
    until = due_date("objection", served_on)
    desk.db.add(
        Notice(
            **written_by(desk, case),
            decision_id=decision.id,
            served_on=served_on,
            service=desk.fields.choice("service", "送达方式", desk_codes().services),
            objection_until=until,
        )
    )
    enter(desk, case, "notified", due_on=until)
    tell(desk, case, "served", f"{served_on} 送达，异议期至 {until}")
    return "served"


def object_to(desk: Desk, case: Case) -> str:
    """Take the family's objection; possible after closing too, while a decision stands."""
    check_stage(case, "object")
    decision = latest_decision(desk, case, "final")
    raised_on = desk.fields.day("raised_on", "提出日期")
    if not beijing_day(decision.second_at or decision.at) <= raised_on <= desk.today:
        raise Refused("提出日期须在决定之后，且不能晚于今天。")
    grounds = desk.fields.text("grounds", "异议理由")
    desk.db.add(
        Objection(
            **written_by(desk, case),
            raised_on=raised_on,
            grounds_sealed=desk.vault.seal_text(grounds, "objection.grounds"),
            state="open",
        )
    )
    case.closed_on = case.closed_by = case.outcome = None
    enter(desk, case, "objected")
    tell(desk, case, "objected", f"{raised_on} 提出异议")
    return "objected"


def resolve(desk: Desk, case: Case) -> str:
    """The re-check's result, by somebody who neither proposed nor signed the decision.

    The re-check (复查, 民发〔2021〕57号 第十八条) looks at the case anew. No instrument says who does it; that nobody
    judges an objection to what they signed is the desk's own rule.
    """
    check_stage(case, "resolve")
    objection = desk.db.scalars(
        select(Objection).where(Objection.case_id == case.id, Objection.state == "open")
    ).one()
    decision = latest_decision(desk, case, "final")
    if is_own_decision(desk, decision):
        raise Refused(NOT_OWN_DECISION)
    answer = desk.fields.choice("answer", "复查结论", {"upheld": 1, "rejected": 1})
    result = desk.fields.text("result", "复查情况")
    objection.state, objection.resolved_by, objection.resolved_at = answer, desk.viewer.user_id, desk.now
    objection.result_sealed = desk.vault.seal_text(result, "objection.result")
    if answer == "upheld":
        decision.state = "withdrawn"
        for lead in standing(leads_of(desk, case)):
            lead.reply_code = lead.reply_fact = None
        enter(desk, case, "returned")
        tell(desk, case, "upheld", "异议成立，原决定撤销，重新核查")
    else:
        # The answer to the objection is served again, and may be objected to again.
        enter(desk, case, "decided")
        tell(desk, case, "rejected", "异议不成立，须再次书面告知")
    return answer


def close(desk: Desk, case: Case) -> str:
    """Close an adverse case, once the time to object is over."""
    check_stage(case, "close")
    decision = latest_decision(desk, case, "final")
    notice = desk.db.scalars(
        select(Notice).where(Notice.decision_id == decision.id).order_by(Notice.id.desc())
    ).first()
    if notice is None or desk.today <= objection_end(notice.served_on, notice.objection_until):
        raise Refused("异议期限还没有届满，不能办结。")
    _close(desk, case, decision.code)
    tell(desk, case, "closed", "异议期届满，办结")
    return "closed"


def reopen(desk: Desk, case: Case) -> str:
    check_stage(case, "reopen")
    reason = desk.fields.text("reason", "重新办理的原因")
    desk.db.add(
        Note(**written_by(desk, case), body_sealed=desk.vault.seal_text(f"重新办理：{reason}", "note.body"))
    )
    reopen_closed(desk, case)
    tell(desk, case, "reopened", "重新办理")
    return "reopened"


def reopen_closed(desk: Desk, case: Case) -> None:
    """Take a closed case up again: what was decided holds no longer."""
    for decision in desk.db.scalars(
        select(Decision).where(Decision.case_id == case.id, Decision.state == "final")
    ):
        decision.state = "withdrawn"
    case.closed_on = case.closed_by = case.outcome = None
    enter(desk, case, "returned")


def _last_recheck(desk: Desk, case: Case) -> datetime | None:
    return desk.db.scalars(select(func.max(Objection.resolved_at)).where(Objection.case_id == case.id)).one()


def left_to_others(desk: Desk, case: Case) -> dict[str, str]:
    """Steps the case waits for that the viewer may not take in this one, and why; the page says it before the form."""
    wanted = {"review": ("second", "proposed"), "objected": ("resolve", "final")}.get(case.stage)
    if wanted is None:
        return {}
    step, state = wanted
    decision = latest_decision(desk, case, state)
    if step == "second":
        return {step: NOT_OWN_PROPOSAL} if decision.by_id == desk.viewer.user_id else {}
    return {step: NOT_OWN_DECISION} if is_own_decision(desk, decision) else {}


def latest_decision(desk: Desk, case: Case, state: str) -> Decision:
    found = desk.db.scalars(
        select(Decision)
        .where(Decision.case_id == case.id, Decision.state == state)
        .order_by(Decision.id.desc())
    ).first()
    if found is None:
        raise Refused("本案没有相应的决定。")
    return found


def is_own_decision(desk: Desk, decision: Decision) -> bool:
    """Whether the viewer made the decision, as the one who proposed it or as the second person."""
    return desk.viewer.user_id in (decision.by_id, decision.second_id)


def _was_refused(desk: Desk, case: Case) -> bool:
    return any(lead.reply_code == "not_wanted" for lead in leads_of(desk, case))


def _close(desk: Desk, case: Case, outcome: str) -> None:
    case.outcome, case.closed_on, case.closed_by = outcome, desk.today, desk.viewer.user_id
    enter(desk, case, "closed")
