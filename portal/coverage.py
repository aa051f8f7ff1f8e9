"""半年核对: which source was last compared when, and which families are due for their yearly visit.

Only families that ever had a lead are known here; the roster itself stays with the pipeline.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from portal.codes import clocks
from portal.desk import Desk
from portal.schema import Case, Night, Visit
from portal.workdays import add_months

SOURCES = {
    "roster": "救助名册",
    "tax": "税务",
    "market_regulation": "市场监管",
    "banks": "银行",
    "securities": "证券",
    "insurance": "保险",
    "household_registration": "公安户籍",
    "rural_revitalisation": "乡村振兴",
}


@dataclass(frozen=True)
class SourceCoverage:
    """last: the latest loaded night that accepted the source, None if none did."""

    name: str
    last: date | None
    due: date | None


@dataclass(frozen=True)
class VisitCoverage:
    """last_visit: None when the desk knows of none; then the year runs from the family's first case."""

    household_id: str
    township_code: str
    case_id: int
    last_visit: date | None
    due: date


def source_coverage(desk: Desk) -> list[SourceCoverage]:
    accepted: dict[str, date] = {}
    for night in desk.db.scalars(select(Night).order_by(Night.as_of)):
        for source, told in json.loads(night.manifest)["status"]["sources"].items():
            if told["state"] == "accepted":
                accepted[source] = night.as_of
    months = clocks()["data_check"].amount
    return [
        SourceCoverage(
            name, accepted.get(source), add_months(accepted[source], months) if source in accepted else None
        )
        for source, name in SOURCES.items()
    ]


def visit_coverage(desk: Desk) -> list[VisitCoverage]:
    """Families on the roster with a case, longest overdue first."""
    rows = desk.db.execute(
        select(
            Case.household_id,
            func.max(Case.township_code),
            func.max(Case.id),
            func.max(Visit.visited_on),
            func.min(Case.opened_on),
        )
        .outerjoin(Visit, Visit.case_id == Case.id)
        .where(Case.list == "discrepancies")
        .group_by(Case.household_id)
    )
    months = clocks()["home_visit"].amount
    found = [
        VisitCoverage(household, township, case_id, last, add_months(last or first, months))
        for household, township, case_id, last, first in rows
    ]
    return sorted(found, key=lambda one: (one.due, one.household_id))
