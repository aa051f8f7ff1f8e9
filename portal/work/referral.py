"""分类转办: what another department has to do or to correct, with both time stamps."""

from __future__ import annotations

from sqlalchemy import select

from portal.codes import desk_codes
from portal.desk import Desk
from portal.errors import NotFound, Refused
from portal.schema import Case, Referral
from portal.work.steps import tell, written_by
from portal.workdays import due_date


def refer(desk: Desk, case: Case) -> str:
    department = desk.fields.choice("department", "转办部门", desk_codes().departments)
    need = desk.fields.text("need", "转办事项")
    desk.db.add(
        Referral(
            **written_by(desk, case),
            department=department,
            need_sealed=desk.vault.seal_text(need, "referral.need"),
            due_on=due_date("referral", desk.today),
        )
    )
    tell(desk, case, "referred", f"转办：{desk_codes().departments[department].name}")
    return "referred"


def answer_referral(desk: Desk, case: Case) -> str:
    wanted = desk.fields.whole("referral", "转办")
    found = desk.db.scalars(
        select(Referral).where(Referral.id == wanted, Referral.case_id == case.id)
    ).one_or_none()
    if found is None:
        raise NotFound()
    if found.answered_at is not None:
        raise Refused("这次转办已登记答复；部门另有答复的，请写在备注里，或者重新转办。")
    found.answered_at = desk.now
    found.answer_sealed = desk.vault.seal_text(desk.fields.text("answer", "部门答复"), "referral.answer")
    tell(desk, case, "referral_answered", f"{desk_codes().departments[found.department].name}已答复")
    return "referral_answered"
