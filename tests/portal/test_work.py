"""A case from its first night to its end: the system never decides, and nothing adverse is one person's doing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from pipelines.suppressions import read_suppressions
from portal.schema import Decision, Reply, Suppression
from portal.scope import open_machine_session
from portal.suppressions import export
from tests.portal.cases import KEEP, STOP, VISIT, answer_all, case_of, leads_of, served_stop
from tests.portal.desks import refusal
from tests.portal.nights import lead, number, publish

H2 = dict(id=number(3), name="王五", town="002", first="2026-06-30", no="440103-20260630-D-00003")


def day(desk):
    return desk.clock.at.date()


def test_a_case_in_the_familys_favour_is_closed_by_one_person(loaded, county):
    case_id = answer_all(loaded, county, "H2", "exempt")
    county.done(case_id, "decide", KEEP)
    case = case_of(loaded, "H2")
    assert (case.stage, case.outcome, case.due_on) == ("closed", "maintain", None)


def test_the_township_answers_and_the_county_decides(loaded, county):
    case = case_of(loaded, "H2")
    field = loaded.officer("town2", "township", "440103002")
    officers = county.get(f"/cases/{case.id}").text
    assert "官员town2" in officers
    with open_machine_session(loaded.engine) as db:
        from portal.schema import User

        wanted = db.scalars(select(User.id).where(User.login == "town2")).one()
    county.done(case.id, "assign", {"assignee": wanted})
    assert "assignee=me" in field.get("/").text
    field.done(case.id, "visit", VISIT)
    answer_all(loaded, field, "H2")
    assert case_of(loaded, "H2").stage == "replied"
    assert field.work(case.id, "decide", KEEP).status_code == 403
    county.done(case.id, "send-back", {"reason": "请补流水"})
    assert case_of(loaded, "H2").stage == "returned"


def test_a_case_cannot_be_given_to_an_officer_of_another_place(loaded, county):
    loaded.officer("far", "county", "440104")
    with open_machine_session(loaded.engine) as db:
        from portal.schema import User

        far = db.scalars(select(User.id).where(User.login == "far")).one()
    assert county.work(case_of(loaded, "H2").id, "assign", {"assignee": far}).status_code == 422


@pytest.mark.parametrize(
    ("answer", "visited", "changes", "why"),
    [
        ("not_true", True, {}, "没有一条线索核实为属实"),
        ("cannot_contact", True, {}, "无法联系不等于情况属实"),
        ("confirmed", False, {}, "两人入户核查"),
        ("confirmed", True, {"reasons": "超标"}, "理由至少写"),
        ("confirmed", True, {"basis": ""}, "政策依据"),
        ("confirmed", True, {"disposal": "x"}, "处置分类"),
    ],
)
def test_an_adverse_decision_needs_an_answer_a_visit_and_reasons(
    loaded, county, answer, visited, changes, why
):
    case_id = answer_all(loaded, county, "H2", answer)
    if visited:
        county.done(case_id, "visit", VISIT)
    refused = county.work(case_id, "decide", STOP | changes)
    assert refused.status_code == 422 and why in refused.text, refusal(refused)
    assert case_of(loaded, "H2").stage == "replied"


def test_silence_decides_nothing(loaded, county):
    """Whatever time passes, no case moves by itself."""
    before = case_of(loaded, "H2").stage
    loaded.clock.forward(days=1000)
    loaded.load(
        publish(loaded.home, loaded.ring, "2029-01-01", [lead("H2", "I01", state="continuing", **H2)])
    )
    county.sign_in()
    assert case_of(loaded, "H2").stage == before
    assert "已超期" in county.get(f"/cases/{case_of(loaded, 'H2').id}").text


def test_an_unanswered_lead_stops_every_decision(loaded, county):
    case = case_of(loaded, "H1")
    county.done(case.id, "reply", {"lead": leads_of(loaded, "H1")[0].id, "code": "confirmed", "note": ""})
    assert county.work(case.id, "decide", STOP).status_code == 422


def test_two_investigators_are_two_persons(loaded, county):
    case_id = case_of(loaded, "H2").id
    for changes in (
        {"investigator_2": "甲"},
        {"investigator_2": ""},
        {"visited_on": "2026-07-02"},
        {"visited_on": "2026-06-01"},
    ):
        assert county.work(case_id, "visit", VISIT | changes).status_code == 422


def test_an_adverse_decision_takes_another_person_a_notice_and_time(loaded, county, second):
    case_id = answer_all(loaded, county, "H2")
    county.done(case_id, "visit", VISIT)
    county.done(case_id, "decide", STOP)
    assert case_of(loaded, "H2").stage == "review"
    assert "提出决定的人不能自己复核" in county.get(f"/cases/{case_id}").text
    assert "提出决定的人不能自己复核" in county.work(case_id, "second", {"answer": "agree"}).text
    assert county.get(f"/cases/{case_id}/notice").status_code == 422
    second.done(case_id, "second", {"answer": "agree", "note": "材料齐全"})
    assert case_of(loaded, "H2").stage == "decided"
    letter = county.get(f"/cases/{case_id}/notice").text
    for words in ("王五", "停发", "存款确属本人", "行政复议", "六十日", "行政诉讼", "六个月", "10个工作日内"):
        assert words in letter
    assert county.work(case_id, "close").status_code == 422
    county.done(case_id, "serve", {"served_on": "2026-07-01", "service": "in_person"})
    # Ten working days from Wednesday 1 July.
    assert case_of(loaded, "H2").due_on.isoformat() == "2026-07-15"
    assert "异议期限还没有届满" in county.work(case_id, "close").text
    loaded.clock.forward(days=14)
    county.sign_in()
    assert "异议期限还没有届满" in county.work(case_id, "close").text
    loaded.clock.forward(days=1)
    county.sign_in()
    county.done(case_id, "close")
    assert (case_of(loaded, "H2").stage, case_of(loaded, "H2").outcome) == ("closed", "stop")


def test_the_second_person_may_give_it_back(loaded, county, second):
    case_id = answer_all(loaded, county, "H2")
    county.done(case_id, "visit", VISIT)
    county.done(case_id, "decide", STOP)
    assert second.work(case_id, "second", {"answer": "return"}).status_code == 422
    second.done(case_id, "second", {"answer": "return", "note": "缺流水"})
    assert case_of(loaded, "H2").stage == "replied"


@pytest.fixture
def third(loaded):
    return loaded.officer("xian3", "county", "440103")


def test_an_upheld_objection_undoes_the_decision(loaded, county, second, third):
    case_id = served_stop(loaded, county, second)
    county.done(case_id, "object", {"raised_on": "2026-07-01", "grounds": "是亲戚的钱"})
    assert county.work(case_id, "close").status_code == 422
    third.done(case_id, "resolve", {"answer": "upheld", "result": "代存，有协议"})
    assert case_of(loaded, "H2").stage == "returned"
    assert leads_of(loaded, "H2")[0].reply_code is None
    with open_machine_session(loaded.engine) as db:
        assert db.scalars(select(Decision.state)).all() == ["withdrawn"]


def test_who_proposed_or_signed_a_decision_does_not_judge_the_objection_to_it(loaded, county, second, third):
    case_id = served_stop(loaded, county, second)
    county.done(case_id, "object", {"raised_on": "2026-07-01", "grounds": "不服"})
    for officer in (county, second):
        refused = officer.work(case_id, "resolve", {"answer": "rejected", "result": "维持"})
        assert refused.status_code == 422 and "提出或者复核同意原决定的人" in refused.text
        # Said on the page, where the form would be.
        page = officer.get(f"/cases/{case_id}").text
        assert "提出或者复核同意原决定的人" in page and "异议复查结论" not in page
    assert case_of(loaded, "H2").stage == "objected"
    assert "异议复查结论" in third.get(f"/cases/{case_id}").text


def test_a_rejected_objection_is_served_again_and_may_be_raised_again(loaded, county, second, third):
    case_id = served_stop(loaded, county, second)
    county.done(case_id, "object", {"raised_on": "2026-07-01", "grounds": "不服"})
    third.done(case_id, "resolve", {"answer": "rejected", "result": "流水显示本人使用"})
    assert case_of(loaded, "H2").stage == "decided"
    county.done(case_id, "serve", {"served_on": "2026-07-01", "service": "post"})
    county.done(case_id, "object", {"raised_on": "2026-07-01", "grounds": "仍不服"})
    assert case_of(loaded, "H2").stage == "objected"


def test_a_closed_case_can_be_reopened_and_objected_to(loaded, county, second):
    case_id = served_stop(loaded, county, second)
    loaded.clock.forward(days=20)
    county.sign_in()
    county.done(case_id, "close")
    county.done(case_id, "object", {"raised_on": "2026-07-20", "grounds": "刚刚知道"})
    assert (case_of(loaded, "H2").stage, case_of(loaded, "H2").outcome) == ("objected", None)
    other = answer_all(loaded, county, "H1", "not_true")
    county.done(other, "decide", KEEP)
    county.done(other, "reopen", {"reason": "新线索"})
    assert case_of(loaded, "H1").stage == "returned"


def test_an_explanation_holds_while_the_fact_does_and_no_longer(loaded, county):
    case_id = case_of(loaded, "H2").id
    explained = {
        "lead": leads_of(loaded, "H2")[0].id,
        "code": "exempt",
        "reason": "救灾补助",
        "until": "2027-06-30",
    }
    assert county.work(case_id, "suppress", explained | {"until": "2027-07-02"}).status_code == 422
    assert county.work(case_id, "suppress", explained | {"code": "confirmed"}).status_code == 422
    county.done(case_id, "suppress", explained)
    county.done(case_id, "decide", KEEP)
    for night in ("2026-07-01", "2026-12-31"):
        loaded.load(publish(loaded.home, loaded.ring, night, [lead("H2", "I01", state="continuing", **H2)]))
        assert "D-00003" not in county.get("/lists/discrepancies").text
        assert "D-00003" in county.get("/lists/discrepancies?view=suppressed").text
    loaded.load(
        publish(
            loaded.home, loaded.ring, "2027-01-01", [lead("H2", "I01", state="changed", value=60001, **H2)]
        )
    )
    assert "D-00003" in county.get("/lists/discrepancies").text
    assert (case_of(loaded, "H2").round, case_of(loaded, "H2").stage) == (2, "routed")


def test_an_explanation_ends_on_its_day(loaded, county):
    case_id = case_of(loaded, "H2").id
    county.done(
        case_id,
        "suppress",
        {"lead": leads_of(loaded, "H2")[0].id, "code": "exempt", "reason": "r", "until": "2026-08-01"},
    )
    loaded.load(
        publish(loaded.home, loaded.ring, "2026-08-01", [lead("H2", "I01", state="continuing", **H2)])
    )
    assert leads_of(loaded, "H2")[0].suppression_id is not None
    loaded.load(
        publish(loaded.home, loaded.ring, "2026-08-02", [lead("H2", "I01", state="continuing", **H2)])
    )
    assert leads_of(loaded, "H2")[0].suppression_id is None


def test_an_explained_lead_that_went_and_came_back_is_still_explained(loaded, county):
    case_id = case_of(loaded, "H2").id
    county.done(
        case_id,
        "suppress",
        {"lead": leads_of(loaded, "H2")[0].id, "code": "not_true", "reason": "r", "until": "2027-01-01"},
    )
    loaded.load(publish(loaded.home, loaded.ring, "2026-07-01", [lead("H2", "I01", state="cleared", **H2)]))
    loaded.load(
        publish(
            loaded.home, loaded.ring, "2026-07-02", [lead("H2", "I01", id=number(3), name="王五", town="002")]
        )
    )
    back = leads_of(loaded, "H2")[-1]
    assert (back.lead_no, back.suppression_id is not None) == ("440103-20260702-D-00001", True)


def test_explanations_are_written_out_sealed_for_the_night(loaded, county):
    kept = {
        "lead": leads_of(loaded, "H2")[0].id,
        "code": "exempt",
        "reason": "救灾补助",
        "until": "2027-06-30",
    }
    county.done(case_of(loaded, "H2").id, "suppress", kept)
    # Written when it was explained, and again by every load.
    assert len(read_suppressions(loaded.home, loaded.ring).entries) == 1
    assert export(loaded.home, loaded.engine, loaded.ring, day(loaded)) == 1
    sealed = (loaded.home / "suppressions.sealed").read_bytes()
    for plain in (
        "救灾补助",
        '"H2"',
        "household_id",
        "6000000",
    ):  # long enough not to stand in a cipher by chance
        assert plain.encode() not in sealed
    told = read_suppressions(loaded.home, loaded.ring).entries[0]
    assert (told["household_id"], told["rule"], told["fact"], told["by"]) == ("H2", "I01", "6000000", "xian1")
    county.done(case_of(loaded, "H2").id, "lift", {"lead": kept["lead"]})
    assert read_suppressions(loaded.home, loaded.ring).entries == ()
    assert export(loaded.home, loaded.engine, loaded.ring, day(loaded)) == 0
    assert case_of(loaded, "H2").stage == "returned"


def test_a_family_that_may_qualify_is_helped_to_apply(loaded, county):
    case_id = case_of(loaded, "C1").id
    for code in ("contacted", "signed", "applied"):
        county.done(case_id, "outreach", {"code": code, "contacted_on": "2026-07-01", "note": ""})
    assert (case_of(loaded, "C1").stage, case_of(loaded, "C1").outcome) == ("closed", "applied")
    assert "<b>1</b> 户（<b>2</b> 人）已提出申请" in county.get("/statistics").text


def test_a_family_that_does_not_want_to_is_confirmed_by_a_second_person(loaded, county, second):
    case_id = case_of(loaded, "C1").id
    refusal_ = {"code": "not_wanted", "contacted_on": "2026-07-01"}
    assert county.work(case_id, "outreach", refusal_).status_code == 422
    county.done(case_id, "outreach", refusal_ | {"note": "本人签字不愿申请，已告知可随时申请"})
    assert case_of(loaded, "C1").stage == "review"
    assert county.work(case_id, "second", {"answer": "agree"}).status_code == 422
    second.done(case_id, "second", {"answer": "agree"})
    assert case_of(loaded, "C1").outcome == "not_wanted"


def test_a_family_nobody_reached_is_not_written_off(loaded, county):
    case_id = answer_all(loaded, county, "C1", "cannot_contact")
    assert "无法联系" in county.work(case_id, "decide", KEEP | {"code": "no_action"}).text


def test_a_referral_keeps_both_times(loaded, county):
    case_id = case_of(loaded, "H2").id
    county.done(case_id, "refer", {"department": "tax", "need": "请核对三月申报"})
    loaded.clock.forward(minutes=5)
    page = county.get(f"/cases/{case_id}").text
    assert "应于 2026-07-15 前答复" in page
    county.done(case_id, "referral-answer", {"referral": 1, "answer": "系单位误报，已更正"})
    assert "答复（2026-07-01 10:05）" in county.get(f"/cases/{case_id}").text
    again = county.work(case_id, "referral-answer", {"referral": 1, "answer": "改口"})
    assert again.status_code == 422 and "已登记答复" in again.text
    assert "改口" not in county.get(f"/cases/{case_id}").text


def test_two_officers_on_one_case_cannot_overwrite_each_other(loaded, county, second):
    """Both saw the same page; the second to send is told, and what the first wrote stands."""
    case = case_of(loaded, "H2")
    form = {"version": case.version, "lead": leads_of(loaded, "H2")[0].id, "note": ""}
    first = county.send(f"/cases/{case.id}/reply", form | {"code": "confirmed"})
    late = second.send(f"/cases/{case.id}/reply", form | {"code": "not_true"})
    assert (first.status_code, late.status_code) == (303, 409)
    assert leads_of(loaded, "H2")[0].reply_code == "confirmed"


def test_at_the_same_moment_only_one_of_many_gets_through(loaded, county):
    case = case_of(loaded, "H2")
    form = {
        "csrf": county.csrf(),
        "version": case.version,
        "lead": leads_of(loaded, "H2")[0].id,
        "code": "confirmed",
        "note": "",
    }
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: county.web.post(f"/cases/{case.id}/reply", data=form).status_code, range(8))
        )
    assert sorted(answers) == [303] + [409] * 7
    with open_machine_session(loaded.engine) as db:
        assert db.scalars(select(func.count(Reply.id))).one() == 1


def test_a_step_that_is_refused_leaves_nothing_behind(loaded, county):
    case_id = case_of(loaded, "H2").id
    county.work(case_id, "suppress", {"lead": 10**17, "code": "exempt", "reason": "r", "until": "2027-01-01"})
    with open_machine_session(loaded.engine) as db:
        assert db.scalars(select(func.count(Suppression.id))).one() == 0


def test_the_next_case_follows_the_lists_order_and_filters(loaded, county):
    first, other = case_of(loaded, "H1").id, case_of(loaded, "H2").id
    assert county.get(f"/lists/discrepancies/next/{first}").headers["location"].startswith(f"/cases/{other}")
    assert county.get(f"/lists/discrepancies/next/{other}").headers["location"] == "/lists/discrepancies"
    assert (
        county.get(f"/lists/discrepancies/next/{first}?rule=D01").headers["location"]
        == "/lists/discrepancies?rule=D01"
    )


def test_opened_numbers_are_one_at_a_time_counted_and_logged(loaded, county):
    case_id = case_of(loaded, "H1").id
    ids = [found.id for found in leads_of(loaded, "H1")]
    assert number(1) not in county.get(f"/cases/{case_id}").text
    shown = county.send(f"/cases/{case_id}/reveal", {"lead": ids[0]}).text
    assert number(1) in shown and number(2) not in shown
    last = list(loaded.office.journal.log.entries())[-1]
    assert (last.action, last.actor, last.detail["lead"]) == ("desk.reveal", "xian1", ids[0])
    assert number(1) not in str(last)
    assert number(1) not in county.get(f"/cases/{case_id}").text


def test_every_lead_is_on_exactly_one_view(loaded, county):
    answer_all(loaded, county, "H2", "not_true")
    county.done(case_of(loaded, "H2").id, "decide", KEEP)
    first = leads_of(loaded, "H1")[0]
    county.done(
        case_of(loaded, "H1").id,
        "suppress",
        {"lead": first.id, "code": "exempt", "reason": "r", "until": "2027-01-01"},
    )
    seen = [no for view in ("open", "suppressed", "cleared", "closed")
            for no in set(__import__("re").findall(r"440103-\d+-D-\d+", county.get(f"/lists/discrepancies?view={view}").text))]  # fmt: skip
    assert len(seen) == len(set(seen)) == 3


def test_what_was_written_in_a_refused_form_is_not_lost(loaded, county):
    case_id = case_of(loaded, "H2").id
    refused = county.work(case_id, "note", {"body": "户主说：<b>钱是借来的</b>" * 500})
    assert refused.status_code == 422 and "户主说：&lt;b&gt;钱是借来的" in refused.text
    assert f'href="/cases/{case_id}"' in refused.text
    stale = county.send(f"/cases/{case_id}/note", {"version": 0, "body": "下午三点再去一次"})
    assert stale.status_code == 409 and "下午三点再去一次" in stale.text
    password = county.send("/account/password", {"old": "不对的旧口令口令", "new": "新的口令新的口令"})
    assert "口令口令" not in password.text


@pytest.mark.parametrize(
    ("rules", "addressed"), [(("D01", "I01"), "张三（家庭编号"), (("D01",), "＿＿＿＿＿＿（家庭编号")]
)
def test_the_notice_is_addressed_to_the_head_and_never_to_who_died(desk, rules, addressed):
    names = {"D01": "李四", "I01": "张三"}
    rows = [
        lead("H1", rule, id=number(at), name=names[rule], no=f"440103-20260630-D-{at:05d}")
        for at, rule in enumerate(rules, 1)
    ]
    desk.load(publish(desk.home, desk.ring, "2026-06-30", rows))
    first, other = (desk.officer(login, "county", "440103") for login in ("xian1", "xian2"))
    case_id = answer_all(desk, first, "H1", "deceased")
    first.done(case_id, "visit", VISIT)
    first.done(case_id, "decide", STOP | {"code": "decrease"})
    other.done(case_id, "second", {"answer": "agree"})
    assert addressed in first.get(f"/cases/{case_id}/notice").text


def test_the_notice_names_no_day_before_it_is_served(loaded, county, second):
    case_id = answer_all(loaded, county, "H2")
    county.done(case_id, "visit", VISIT)
    county.done(case_id, "decide", STOP)
    second.done(case_id, "second", {"answer": "agree"})
    assert "自收到本告知书之日起10个工作日内" in county.get(f"/cases/{case_id}/notice").text
    county.done(case_id, "serve", {"served_on": "2026-07-01", "service": "in_person"})
    assert "在2026-07-15以前（含当日）" in county.get(f"/cases/{case_id}/notice").text
