"""Cases of an officer who goes elsewhere are given back: nothing waits with somebody who cannot see it."""

from __future__ import annotations

from sqlalchemy import select

from portal.desk import Desk
from portal.permissions import may
from portal.schema import Case, Event, User
from portal.scope import Viewer


def give_back_cases(desk: Desk, officer: User) -> int:
    """Take the officer off all open cases that the account, as it now is, cannot work; returns how many.

    They wait for their county to assign them anew, with their stage and time limit as they were. Closed cases keep
    the name of who had them.
    """
    held = select(Case).where(Case.assignee_id == officer.id, Case.stage != "closed")
    left = [case for case in desk.db.scalars(held) if not can_work(officer, case)]
    for case in left:
        _give_back(desk, case, officer)
    return len(left)


def give_back_reopened(desk: Desk, case: Case) -> None:
    """The same for one case that goes on after it was closed: its officer may have gone in between."""
    officer = desk.db.get(User, case.assignee_id) if case.assignee_id else None
    if officer is not None and not can_work(officer, case):
        _give_back(desk, case, officer)


def can_work(officer: User, case: Case) -> bool:
    """Whether the account, as it now is, sees the case and works cases at all."""
    seen = Viewer(officer.id, officer.login, officer.display_name, officer.role, officer.region)
    return officer.active and may(officer.role, "visit") and seen.covers(case.county_code, case.township_code)


def _give_back(desk: Desk, case: Case, officer: User) -> None:
    case.assignee_id, case.touched_at = None, desk.now
    desk.db.add(
        Event(
            case_id=case.id,
            county_code=case.county_code,
            township_code=case.township_code,
            by_id=desk.viewer.user_id,
            at=desk.now,
            kind="unassigned",
            detail=f"承办人{officer.display_name}已调离或者停用，须重新分派",
        )
    )
