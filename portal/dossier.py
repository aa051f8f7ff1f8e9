"""Everything written on one case, opened for reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from portal.codes import desk_codes
from portal.desk import Desk
from portal.incoming import NAME_PLACE
from portal.schema import (
    Attachment,
    Case,
    Decision,
    Event,
    Household,
    Lead,
    Note,
    Notice,
    Objection,
    Outreach,
    Referral,
    Reply,
    Suppression,
    User,
    Visit,
)
from portal.sealing import masked_name, masked_number
from portal.sheet import RULES, is_stale


@dataclass(frozen=True)
class ShownLead:
    """A lead with its person opened as far as the viewer may see."""

    lead: Lead
    name: str
    number: str
    replies: list[dict[str, Any]]
    suppression: dict[str, Any] | None
    stale: bool

    @property
    def explanation(self) -> str:
        rule = RULES.get(self.lead.rule)
        return rule.explanation if rule else ""


@dataclass(frozen=True)
class CaseFile:
    """A case as its page shows it: every list oldest first. household: None of a family that is on no roster."""

    case: Case
    household: Household | None
    leads: list[ShownLead]
    assignee: str
    visits: list[dict[str, Any]]
    outreach: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    notices: list[dict[str, Any]]
    objections: list[dict[str, Any]]
    referrals: list[dict[str, Any]]
    notes: list[dict[str, Any]]
    attachments: list[dict[str, Any]]
    events: list[dict[str, Any]]


def open_file(desk: Desk, case: Case, leads: list[Lead]) -> CaseFile:
    names = officer_names(desk)
    records = {table: _records(desk, case, table, names) for table in _SEALED}
    return CaseFile(
        case=case,
        household=household_of(desk, case),
        leads=show_leads(desk, leads, records[Reply], names),
        assignee=names.get(case.assignee_id or 0, ""),
        visits=records[Visit],
        outreach=records[Outreach],
        decisions=records[Decision],
        notices=records[Notice],
        objections=records[Objection],
        referrals=records[Referral],
        notes=records[Note],
        attachments=records[Attachment],
        events=records[Event],
    )


def household_of(desk: Desk, case: Case) -> Household | None:
    """The household's row of the roster, on which stands what it declared."""
    return desk.db.scalars(select(Household).where(Household.household_id == case.household_id)).one_or_none()


def show_leads(
    desk: Desk, leads: list[Lead], replies: list[dict[str, Any]], names: dict[int, str]
) -> list[ShownLead]:
    numbers = desk.vault.numbers([lead.person for lead in leads])
    explained = _suppressions(desk, leads, names)
    shown = []
    for lead, number in zip(leads, numbers, strict=True):
        name = desk.vault.open_text(lead.name_sealed, NAME_PLACE)
        shown.append(
            ShownLead(
                lead=lead,
                name=name if desk.may("see_people") else masked_name(name),
                number=masked_number(number),
                replies=[reply for reply in replies if reply["lead_id"] == lead.id],
                suppression=explained.get(lead.suppression_id or 0),
                stale=is_stale(lead),
            )
        )
    return shown


def officer_names(desk: Desk) -> dict[int, str]:
    return {row.id: row.display_name for row in desk.db.execute(select(User.id, User.display_name))}


# Which sealed columns each record has, and under which place each was sealed.
_SEALED: dict[Any, dict[str, str]] = {
    Visit: {
        "investigators": "visit.investigators",
        "met": "visit.met",
        "findings": "visit.findings",
    },
    Outreach: {"note": "outreach.note"},
    Reply: {"note": "reply.note"},
    Decision: {"reasons": "decision.reasons", "second_note": "decision.second"},
    Notice: {},
    Objection: {"grounds": "objection.grounds", "result": "objection.result"},
    Referral: {"need": "referral.need", "answer": "referral.answer"},
    Note: {"body": "note.body"},
    Attachment: {"name": "attachment.name"},
    Event: {},
}


def _records(desk: Desk, case: Case, table: Any, names: dict[int, str]) -> list[dict[str, Any]]:
    rows = desk.db.scalars(select(table).where(table.case_id == case.id).order_by(table.id)).all()
    return [_record(desk, row, _SEALED[table], names) for row in rows]


def _record(desk: Desk, row: Any, sealed: dict[str, str], names: dict[int, str]) -> dict[str, Any]:
    plain = {
        column.key: getattr(row, column.key)
        for column in row.__mapper__.column_attrs
        if not column.key.endswith("_sealed")
    }
    people = desk.may("see_people")
    # Whoever does not see people does not read free text either: it may name them.
    opened = {
        name: desk.vault.open_text(getattr(row, f"{name}_sealed"), place) if people else "（不予显示）"
        for name, place in sealed.items()
    }
    officers = {"by": names.get(row.by_id, "系统"), "second": names.get(plain.get("second_id") or 0, "")}
    return plain | opened | officers


def _suppressions(desk: Desk, leads: list[Lead], names: dict[int, str]) -> dict[int, dict[str, Any]]:
    wanted = [lead.suppression_id for lead in leads if lead.suppression_id]
    rows = desk.db.scalars(select(Suppression).where(Suppression.id.in_(wanted)))
    return {
        row.id: {
            "by": names.get(row.by_id, ""),
            "at": row.at,
            "until": row.until,
            "code": desk_codes().replies[row.reply_code].name,
            "reason": desk.vault.open_text(row.reason_sealed, "suppression.reason")
            if desk.may("see_people")
            else "（不予显示）",
        }
        for row in rows
    }
