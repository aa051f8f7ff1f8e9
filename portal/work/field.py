"""The township's and the county's field work: assign, visit, answer, note, attach."""

from __future__ import annotations

import hashlib

from sqlalchemy import or_, select

from portal.codes import desk_codes
from portal.desk import Desk
from portal.errors import Refused, TooLarge
from portal.schema import Attachment, Case, Lead, Note, Reply, User, Visit
from portal.sheet import is_stale
from portal.work.steps import check_stage, enter, leads_of, standing, tell, written_by

# What may be attached, by its first bytes; the name's ending is not believed.
_MAGIC = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"%PDF-": "application/pdf"}


def colleagues(desk: Desk, case: Case) -> list[User]:
    """Officers a case can be given to: of its county, or of its township."""
    return list(
        desk.db.scalars(
            select(User)
            .where(
                User.active,
                or_(
                    (User.role == "county") & (User.region == case.county_code),
                    (User.role == "township") & (User.region == case.township_code),
                ),
            )
            .order_by(User.role, User.login)
        )
    )


def assign(desk: Desk, case: Case) -> str:
    check_stage(case, "assign")
    wanted = desk.fields.whole("assignee", "承办人")
    officer = next((user for user in colleagues(desk, case) if user.id == wanted), None)
    if officer is None:
        raise Refused("承办人须是本县或该乡镇的在用账号。")
    case.assignee_id = officer.id
    if case.stage == "routed":
        enter(desk, case, "assigned")
    tell(desk, case, "assigned", f"分派给 {officer.display_name}")
    return "assigned"


def seal_investigators(desk: Desk) -> bytes:
    """The names of the two investigators of a visit, sealed; always two (民发〔2021〕57号 第十六条)."""
    first = desk.fields.text("investigator_1", "调查人员一", limit=40)
    second = desk.fields.text("investigator_2", "调查人员二", limit=40)
    if first == second:
        raise Refused("入户核查须有两名不同的调查人员。")
    return desk.vault.seal_text(f"{first}\n{second}", "visit.investigators")


def record_visit(desk: Desk, case: Case) -> str:
    check_stage(case, "visit")
    visited_on = desk.fields.day("visited_on", "入户日期")
    if not case.opened_on <= visited_on <= desk.today:
        raise Refused("入户日期须在本案生成之后，且不能晚于今天。")
    investigators = seal_investigators(desk)
    met = desk.fields.text("met", "被访人", limit=100)
    findings = desk.fields.text("findings", "核查情况")
    desk.db.add(
        Visit(
            **written_by(desk, case),
            visited_on=visited_on,
            investigators_sealed=investigators,
            met_sealed=desk.vault.seal_text(met, "visit.met"),
            findings_sealed=desk.vault.seal_text(findings, "visit.findings"),
        )
    )
    if case.stage not in ("objected", "replied"):
        enter(desk, case, "visiting")
    tell(desk, case, "visited", f"{visited_on} 入户，调查人员 2 人")
    return "visited"


def reply(desk: Desk, case: Case) -> str:
    wanted = desk.fields.whole("lead", "线索")
    lead = next((lead for lead in leads_of(desk, case) if lead.id == wanted), None)
    if lead is None:
        raise Refused("这条线索不属于本案。")
    note = desk.fields.text("note", "反馈说明", required=False)
    answer_lead(desk, case, lead, desk.fields.choice("code", "核查反馈", desk_codes().replies), note)
    return "replied"


def answer_lead(
    desk: Desk, case: Case, lead: Lead, code: str, note: str, download_id: int | None = None
) -> None:
    """Write the field's answer to one lead, from the page or from a returned workbook."""
    check_stage(case, "reply")
    answer = desk_codes().replies[code]
    if case.list not in answer.lists:
        raise Refused(f"“{answer.name}”不适用于这份清单。")
    if not lead.present or lead.suppression_id is not None:
        raise Refused("这条线索已消除或已说明，不需要反馈。")
    if answer.needs_note and not note:
        raise Refused(f"反馈“{answer.name}”须填写说明。")
    lead.reply_code, lead.reply_fact = code, lead.fact
    desk.db.add(
        Reply(
            **written_by(desk, case),
            lead_id=lead.id,
            code=code,
            fact=lead.fact,
            note_sealed=desk.vault.seal_text(note, "reply.note") if note else None,
            download_id=download_id,
        )
    )
    if case.assignee_id is None:
        case.assignee_id = desk.viewer.user_id
    move_when_answered(desk, case)
    tell(desk, case, "answered", f"{lead.lead_no}：{answer.name}")


def move_when_answered(desk: Desk, case: Case) -> None:
    """On to the county's review when every standing lead has an answer to what it says now."""
    if case.stage == "objected":
        return
    open_leads = [
        lead for lead in standing(leads_of(desk, case)) if lead.reply_code is None or is_stale(lead)
    ]
    enter(desk, case, "visiting" if open_leads else "replied")


def send_back(desk: Desk, case: Case) -> str:
    check_stage(case, "send_back")
    reason = desk.fields.text("reason", "退回原因")
    desk.db.add(
        Note(**written_by(desk, case), body_sealed=desk.vault.seal_text(f"退回补核：{reason}", "note.body"))
    )
    enter(desk, case, "returned")
    tell(desk, case, "sent_back", "退回补充核查")
    return "sent_back"


def add_note(desk: Desk, case: Case) -> str:
    body = desk.fields.text("body", "备注")
    desk.db.add(Note(**written_by(desk, case), body_sealed=desk.vault.seal_text(body, "note.body")))
    tell(desk, case, "noted", "添加备注")
    return "noted"


def attach(desk: Desk, case: Case) -> str:
    """Photographs and scans, sealed like everything else that may show a person."""
    upload = desk.fields.file("file", "附件")
    content = upload.file.read(desk.settings.attachment_bytes + 1)
    if len(content) > desk.settings.attachment_bytes:
        raise TooLarge(f"附件最大 {desk.settings.attachment_bytes // 1024 // 1024} MB。")
    media = next((kind for start, kind in _MAGIC.items() if content.startswith(start)), None)
    if media is None:
        raise Refused("附件只接受 JPG、PNG 图片和 PDF。")
    name = (upload.filename or "").replace("\\", "/").rsplit("/", 1)[-1][:120]
    desk.db.add(
        Attachment(
            **written_by(desk, case),
            name_sealed=desk.vault.seal_text(name, "attachment.name"),
            media=media,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            body_sealed=desk.vault.seal_bytes(content, "attachment.body"),
        )
    )
    tell(desk, case, "attached", f"附件 {len(content)} 字节")
    return "attached"
