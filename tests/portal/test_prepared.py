"""What is put together once shows what the same statement shows in the same session, whoever asks and in whatever order."""

from __future__ import annotations

import itertools
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import bindparam, column, create_engine, select, table, text
from sqlalchemy.exc import DBAPIError

from portal.listing import Filters, matching, span_of
from portal.prepared import Prepared
from portal.schema import Case, DeskSession, Household, Lead, Night, User
from portal.scope import Viewer, open_machine_session, open_session
from portal.sheet import read_leads, read_page
from tests.portal.cases import case_of
from tests.portal.conftest import load_sample
from tests.portal.desks import serve_desk, statements
from tests.portal.postgres import fresh_database, serve_postgres

ON_POSTGRESQL = pytest.mark.parametrize("loaded", ["postgresql"], indirect=True)
REGIONS = ["440103", "440104", "440103001", "440103002", "4401", "4402", "44", "", "44x"]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def loaded(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    if request.param == "sqlite":
        with serve_desk(folder) as desk:
            load_sample(desk)
            yield desk
        return
    with serve_postgres() as server, serve_desk(folder, database=fresh_database(server, "desk")) as desk:
        load_sample(desk)
        yield desk


def viewer_of(region):
    return Viewer(1, "x", "x", "county", region)


def rows_of(columns):
    return list(zip(*columns.values(), strict=True))


WHOLE = select(Lead.id, Lead.lead_no, Lead.due_by, Lead.person, Lead.is_person_rule, Case.touched_at)
STATEMENTS = {
    "joined": WHOLE.join(Case, Case.id == Lead.case_id).where(Lead.rule == bindparam("rule")).order_by(Lead.id),
    "within": select(Lead.id).where(Lead.case_id.in_(select(Case.id).where(Case.list == "discrepancies")), Lead.rule == bindparam("rule")).order_by(Lead.id),
    "roster": select(Household.household_id).where(bindparam("rule") != "").order_by(Household.household_id),
}  # fmt: skip


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_place_is_shown_its_own_and_nothing_else(loaded, name):
    """Each place after each other one: what was compiled for one county must not answer another."""
    statement, prepared = STATEMENTS[name], Prepared(STATEMENTS[name])
    shown = {}
    for region, rule in itertools.product([*REGIONS, *reversed(REGIONS)], ("A01", "D01", "N01")):
        with open_session(loaded.engine, viewer_of(region)) as db:
            shown[region] = rows_of(prepared.columns(db, {"rule": rule}))
            assert shown[region] == [tuple(row) for row in db.execute(statement, {"rule": rule})]
    with open_machine_session(loaded.engine) as db:
        everything = rows_of(prepared.columns(db, {"rule": "A01"}))
    with open_session(loaded.engine, viewer_of("440103")) as db:
        assert 0 < len(rows_of(prepared.columns(db, {"rule": "A01"}))) < len(everything)
    with open_session(loaded.engine, viewer_of("")) as db:
        assert rows_of(prepared.columns(db, {"rule": "A01"})) == []


def test_a_value_that_is_not_given_is_asked_for(loaded):
    with open_session(loaded.engine, viewer_of("440103")) as db, pytest.raises(KeyError):
        Prepared(STATEMENTS["joined"]).columns(db, {})


def test_values_are_what_they_are_in_the_tables(loaded):
    """Days, instants, bytes and truths; SQLite keeps the first two as text."""
    county = loaded.officer("xian1", "county", "440103")
    county.get("/lists/discrepancies")
    asked = Prepared(
        select(DeskSession.seen_at, User.active, Night.as_of).where(
            User.id == DeskSession.user_id,
            DeskSession.seen_at > bindparam("after"),
            Night.as_of == bindparam("night"),
        )
    )
    now = loaded.clock()
    with open_machine_session(loaded.engine) as db:
        night = date(2026, 6, 30)
        told = rows_of(asked.columns(db, {"after": now - timedelta(hours=1), "night": night}))
        assert told[0] == (now.astimezone(UTC), True, night) and isinstance(told[0][0], datetime)
        assert rows_of(asked.columns(db, {"after": now + timedelta(hours=1), "night": night})) == []
        with pytest.raises(Exception, match="time zone"):
            asked.columns(db, {"after": datetime(2026, 7, 1), "night": night})


def test_what_a_session_wrote_is_seen_by_its_own_prepared_questions(loaded):
    case = case_of(loaded, "H1").id
    asked = Prepared(select(Case.stage).where(Case.id == bindparam("id")))
    with open_machine_session(loaded.engine, writes=True) as db:
        db.get_one(Case, case).stage = "assigned"
        assert asked.columns(db, {"id": case}) == {"stage": ("assigned",)}
        db.rollback()
        assert asked.columns(db, {"id": case}) == {"stage": ("routed",)}


@pytest.mark.parametrize("rule", ["", "A01"])
@pytest.mark.parametrize("due", ["", "overdue", "week"])
@pytest.mark.parametrize("assignee", ["", "me", "none", "3"])
def test_a_list_is_read_under_the_conditions_it_is_counted_under(loaded, rule, due, assignee):
    today = date(2026, 7, 20)
    for view, q in itertools.product(
        ("open", "all"), ("", "H1", "440103-20260630-d-00001", "number:00", "number:zz", "name:00")
    ):
        filters = Filters("discrepancies", view=view, rule=rule, due=due, assignee=assignee, q=q)
        for region in ("440103", "440104", "44"):
            viewer = viewer_of(region)
            with open_session(loaded.engine, viewer) as db:
                wanted = sorted(db.scalars(matching(filters, viewer, today, Lead.id)))
                read = read_leads(db, filters, viewer, today)["id"]
                paged = read_page(db, filters, viewer, today, span_of(0, 50, len(wanted)))["id"]
                assert sorted(read) == wanted and list(read) == list(paged), (filters, region)


def test_a_statement_is_put_together_once_for_a_place(loaded):
    """The second officer of a county makes no work for SQLAlchemy but to hand the words over."""
    viewer = viewer_of("440103")
    with statements(loaded) as seen:
        for _ in range(2):
            with open_session(loaded.engine, viewer) as db:
                read_page(db, Filters("discrepancies"), viewer, date(2026, 7, 1), span_of(0, 50, 3))
    first, second = [statement for statement in seen if "leads" in statement]
    assert first is second


def test_a_question_that_fails_tells_the_statement_and_no_value(loaded):
    """As any other question of SQLAlchemy's does; the pages tell by the kind of error what to answer."""
    asked = Prepared(
        select(column("of_nobody")).select_from(table("nowhere")).where(column("x") == bindparam("told"))
    )
    with open_session(loaded.engine, viewer_of("440103")) as db:
        with pytest.raises(DBAPIError, match="nowhere") as failed:
            asked.columns(db, {"told": "110101199003070012"})
        assert "110101199003070012" not in str(failed.value) and not failed.value.connection_invalidated
        db.rollback()
        assert rows_of(Prepared(WHOLE).columns(db, {}))


@ON_POSTGRESQL
def test_a_connection_that_broke_is_used_by_nobody_any_more(loaded):
    """The server was started again between two questions of a page: that page fails, the next one does not."""
    asked = Prepared(select(Case.id))
    with open_session(loaded.engine, viewer_of("440103")) as db:
        own = db.execute(text("select pg_backend_pid()")).scalar_one()
        with open_machine_session(loaded.engine) as other:
            other.execute(text("select pg_terminate_backend(:own, 5000)"), {"own": own})
        with pytest.raises(DBAPIError) as failed:
            asked.columns(db, {})
        assert failed.value.connection_invalidated
    with open_session(loaded.engine, viewer_of("440103")) as db:
        assert asked.columns(db, {})["id"]


@ON_POSTGRESQL
def test_postgresql_plans_the_first_and_the_last_page_once(loaded):
    """What is read again and again is prepared there, and stays so when a page is done."""
    viewer, filters = viewer_of("440103"), Filters("discrepancies")
    for first in (0, 150):
        for _ in range(20):
            with open_session(loaded.engine, viewer) as db:
                assert read_page(db, filters, viewer, date(2026, 7, 1), span_of(first, 50, 200))["id"]
    with open_session(loaded.engine, viewer) as db:
        known = text(
            "select generic_plans, custom_plans from pg_prepared_statements where statement like 'SELECT leads.id, %LIMIT 50%'"
        )
        plans = db.execute(known).all()
    assert len(plans) == 2 and all(once > 5 >= anew for once, anew in plans), plans


@ON_POSTGRESQL
def test_a_change_of_the_tables_under_what_is_prepared_is_met_once(loaded):
    """As when a newer desk has migrated the database while this one runs."""
    question = text("select place, word from changing where place = :place")

    def ask():
        with open_session(loaded.engine, viewer_of("440103")) as db:
            return db.execute(question, {"place": 1}).all()

    with loaded.engine.begin() as db:
        db.execute(text("create table changing (place integer, word text)"))
        db.execute(text("insert into changing values (1, 'one')"))
    for _ in range(8):
        ask()
    with create_engine(
        loaded.engine.url
    ).begin() as db:  # the driver forgets what it prepared when it alters itself
        db.execute(text("alter table changing alter column word type varchar(40)"))
    answers = []
    for _ in range(3):
        with suppress(DBAPIError):
            answers.append(ask())
    assert answers == [[(1, "one")]] * len(answers) and len(answers) >= 2
