"""The first page: both lists side by side, and what waits for the officer."""

from __future__ import annotations

from sqlalchemy import func, select
from starlette.responses import Response

from portal.desk import Desk
from portal.listing import TITLES, Filters, count, count_waiting
from portal.routing import page
from portal.schema import Case, Night


@page("GET", "/", may="own_account")
def show_home(desk: Desk) -> Response:
    if not desk.may("read_cases"):
        return desk.redirect("/users" if desk.may("keep_users") else "/statistics")
    last = desk.db.scalars(select(Night).order_by(Night.as_of.desc()).limit(1)).one_or_none()
    return desk.render(
        "home.html", lists=[_summary(desk, name) for name in TITLES], last=last, mine=_mine(desk)
    )


def _summary(desk: Desk, name: str) -> dict[str, object]:
    counts = count(desk.db, Filters(name), desk.viewer, desk.today)
    return {
        "filters": Filters(name),
        "title": TITLES[name],
        "counts": counts.views,
        "households": counts.households,
        **count_waiting(desk.db, name, desk.viewer, desk.today),
    }


def _mine(desk: Desk) -> list[tuple[str, str, int]]:
    """Own cases by list and stage."""
    rows = desk.db.execute(
        select(Case.list, Case.stage, func.count(Case.id))
        .where(Case.assignee_id == desk.viewer.user_id, Case.stage != "closed")
        .group_by(Case.list, Case.stage)
        .order_by(Case.list, Case.stage)
    )
    return [(row[0], row[1], row[2]) for row in rows]
