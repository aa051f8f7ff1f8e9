"""What a list shows of a lead's case stands on the lead, kept there by the database itself

A list is then read, ordered and counted from one index of one table. Triggers keep it true whoever writes: an officer,
a night, or a restored backup. Whatever rebuilds one of the two tables on SQLite has to make its triggers again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NO_DUE = "'9999-12-31'"
# Every lead that has a case is on exactly one view (portal.listing).
_VIEW = (
    "CASE WHEN NEW.case_id IS NULL THEN '' "
    "WHEN NEW.suppression_id IS NOT NULL AND NEW.present THEN 'suppressed' "
    "WHEN (SELECT stage FROM cases WHERE id = NEW.case_id) = 'closed' THEN 'closed' "
    "WHEN NOT NEW.present THEN 'cleared' ELSE 'open' END"
)
_SHOWN = {
    "view": _VIEW,
    "stage": "(SELECT stage FROM cases WHERE id = NEW.case_id)",
    "due_by": f"coalesce((SELECT due_on FROM cases WHERE id = NEW.case_id), {_NO_DUE})",
    "assignee_id": "(SELECT assignee_id FROM cases WHERE id = NEW.case_id)",
}
_LEAD_CHANGES = "UPDATE OF case_id, suppression_id, present ON leads"
_CASE_CHANGES = "UPDATE OF stage, due_on, assignee_id ON cases"
# Said as a change of the leads, so that how a lead is shown is worked out in one place.
_TELL_LEADS = "UPDATE leads SET case_id = case_id WHERE case_id = NEW.id"
_LIST_ORDER = ("list", "county_code", "view", "due_by", "case_id", "lead_no")
# Filters, counts and the ids of a page are answered from the same index, without reading the leads.
_ALSO_ASKED = ("rule", "state", "township_code", "stage", "assignee_id", "household_id", "id")


def upgrade() -> None:
    op.add_column("leads", sa.Column("view", sa.String(10), nullable=False, server_default=""))
    op.add_column("leads", sa.Column("stage", sa.String(12), nullable=True))
    op.add_column("leads", sa.Column("due_by", sa.Date(), nullable=False, server_default=sa.text(_NO_DUE)))
    op.add_column("leads", sa.Column("assignee_id", sa.BigInteger(), nullable=True))
    for statement in _triggers(op.get_bind().dialect.name):
        op.execute(statement)
    op.execute("UPDATE leads SET case_id = case_id")
    op.create_index("ix_leads_list_order", "leads", [*_LIST_ORDER, *_ALSO_ASKED])
    given = sa.text("assignee_id IS NOT NULL")
    op.create_index(
        "ix_leads_own", "leads", ["assignee_id", "list"], sqlite_where=given, postgresql_where=given
    )
    op.drop_index("ix_leads_list_place", table_name="leads")
    op.drop_index("ix_cases_list_order", table_name="cases")
    # Without knowing how the rows are spread, SQLite reads a page by county and not by its fifty ids.
    op.execute("ANALYZE leads")


def downgrade() -> None:
    op.create_index(
        "ix_cases_list_order", "cases", ["list", "county_code", sa.text(f"coalesce(due_on, {_NO_DUE})"), "id"]
    )
    op.create_index("ix_leads_list_place", "leads", ["list", "county_code", "present"])
    for name in ("ix_leads_own", "ix_leads_list_order"):
        op.drop_index(name, table_name="leads")
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for name, table in (("show_case", "cases"), ("show_lead", "leads"), ("show_new_lead", "leads")):
        op.execute(f"DROP TRIGGER {name} ON {table}" if on_postgresql else f"DROP TRIGGER {name}")
    if on_postgresql:
        op.execute("DROP FUNCTION show_lead(), show_case()")
    for name in _SHOWN:
        op.drop_column("leads", name)


def _triggers(dialect: str) -> list[str]:
    return _postgresql_triggers() if dialect == "postgresql" else _sqlite_triggers()


def _sqlite_triggers() -> list[str]:
    show = ", ".join(f"{name} = {told}" for name, told in _SHOWN.items())
    body = f"BEGIN UPDATE leads SET {show} WHERE id = NEW.id; END"
    return [
        f"CREATE TRIGGER show_new_lead AFTER INSERT ON leads WHEN NEW.case_id IS NOT NULL {body}",
        f"CREATE TRIGGER show_lead AFTER {_LEAD_CHANGES} {body}",
        f"CREATE TRIGGER show_case AFTER {_CASE_CHANGES} BEGIN {_TELL_LEADS}; END",
    ]


def _postgresql_triggers() -> list[str]:
    show = " ".join(f"NEW.{name} := {told};" for name, told in _SHOWN.items())
    return [
        f"CREATE FUNCTION show_lead() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {show} RETURN NEW; END $$",
        "CREATE FUNCTION show_case() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {_TELL_LEADS}; RETURN NULL; END $$",
        "CREATE TRIGGER show_new_lead BEFORE INSERT ON leads FOR EACH ROW "
        "WHEN (NEW.case_id IS NOT NULL) EXECUTE FUNCTION show_lead()",
        f"CREATE TRIGGER show_lead BEFORE {_LEAD_CHANGES} FOR EACH ROW EXECUTE FUNCTION show_lead()",
        f"CREATE TRIGGER show_case AFTER {_CASE_CHANGES} FOR EACH ROW "
        "WHEN ((OLD.stage, OLD.due_on, OLD.assignee_id) IS DISTINCT FROM (NEW.stage, NEW.due_on, NEW.assignee_id)) "
        "EXECUTE FUNCTION show_case()",
    ]
