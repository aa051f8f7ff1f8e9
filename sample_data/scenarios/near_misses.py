"""Households that look like a case and are none: moved, stopped, ended, named alike, grown up."""

from __future__ import annotations

import numpy as np

from sample_data.departments.banks import add_balance
from sample_data.departments.household_registration import add_entry
from sample_data.departments.insurance import add_policy
from sample_data.departments.market_regulation import (
    BUSINESS,
    COMPANY,
    COOPERATIVE,
    LEGAL,
    OPERATOR,
    SHAREHOLDER,
    add_interest,
)
from sample_data.departments.roster import add_member
from sample_data.departments.tax import add_income
from sample_data.figures import DIBAO, MARGIN, TEKUN
from sample_data.numbers import mistyped, number_of_nobody
from sample_data.papers import Papers, each
from sample_data.people import CHILD, DEAD, FIRST_DAY, LAST_DAY, MOVED, NORMAL, SPOUSE
from sample_data.scenario import Catalogue, nothing
from sample_data.scenarios.cases import (
    OTHER_NAME,
    earn_at,
    lend_child,
    share_child,
)
from sample_data.scenarios.registers import put_in_register
from sample_data.stage import Cast

catalogue = Catalogue()
scenario = catalogue.scenario
scenario(
    "policies-ended",
    "大额保单昨天到期，另有一份明天才生效",
    "roster",
    programme=DIBAO,
    needs=("asset_products",),
)(nothing)


@catalogue.papers("policies-ended")
def policies_ended(cast: Cast, papers: Papers) -> None:
    product = cast.figures.asset_products[0]
    for person in each(cast.member(0)):
        add_policy(papers, person, product, 90000, 800000, expires_on=papers.day(1).isoformat())
        add_policy(papers, person, product, 90000, 800000, copy=1, effective_on=papers.day(-1).isoformat())


@scenario("moved-and-back", "从外地迁出后在本户正常登记", "roster", members=(2, 5))
def moved_and_back(cast: Cast) -> None:
    cast.registered(cast.member(1), NORMAL)


@catalogue.papers("moved-and-back")
def moved_and_back_rows(cast: Cast, papers: Papers) -> None:
    for person in each(cast.member(1)):
        add_entry(papers, person, 98, "20", "迁出")


scenario("namesake-deceased", "同名的另一个人死亡", "roster")(nothing)


@catalogue.papers("namesake-deceased")
def namesake_deceased(cast: Cast, papers: Papers) -> None:
    for home, person in zip(each(cast.rows), each(cast.member(0)), strict=True):
        add_entry(
            papers, person, 97, "02", "死亡", id_number=number_of_nobody(papers.at(home) * 7, "19510315")
        )


@scenario(
    "stopped", "已停保家庭：死亡、存款、企业都不再核对", "roster", members=(2, 4), active=False, weight=2
)
def stopped(cast: Cast) -> None:
    cast.registered(cast.member(1), DEAD, 60)
    cast.own(900_000_00)
    cast.tell_assets(0)


@catalogue.papers("stopped")
def stopped_rows(cast: Cast, papers: Papers) -> None:
    for home, person in zip(each(cast.rows), each(cast.member(0)), strict=True):
        add_interest(papers, person, LEGAL, COMPANY, 100_000_00)
        add_member(
            papers, home, "required_missing", id_number=number_of_nobody(papers.at(home) * 3 + 1), relation=""
        )


@scenario(
    "moved-household",
    "儿童随迁：原家庭已停保（新家庭）",
    "roster",
    members=3,
    partner="moved-household-partner",
)
def moved_household(cast: Cast) -> None:
    share_child(cast)


@scenario(
    "moved-household-partner",
    "儿童随迁：原家庭已停保（原家庭）",
    "roster",
    members=(2, 4),
    active=False,
    is_partner=True,
)
def moved_household_partner(cast: Cast) -> None:
    lend_child(cast)


scenario(
    "business-ended", "企业已注销、吊销；合作社社员；企业股东认缴为零", "roster", programme=TEKUN, weight=2
)(nothing)


@catalogue.papers("business-ended")
def business_ended(cast: Cast, papers: Papers) -> None:
    for person in each(cast.member(0)):
        add_interest(papers, person, LEGAL, COMPANY, 500_000_00, "注销")
        add_interest(papers, person, SHAREHOLDER, COOPERATIVE, 900_000_00, copy=1)
        add_interest(papers, person, SHAREHOLDER, COMPANY, 0, copy=2)
        add_interest(papers, person, OPERATOR, BUSINESS, 10_000_00, "吊销", copy=3)
        add_interest(papers, person, LEGAL, COOPERATIVE, 10_000_00, copy=4)


@scenario("grown-child", "户口簿上的子女当日满十八岁", "roster", programme=DIBAO, kin=1)
def grown_child(cast: Cast) -> None:
    put_in_register(cast, CHILD)
    cast.age(cast.kin(0), 18)


@scenario(
    "child-of-parents",
    "户主在父母户口簿上为子女，簿上另有未成年弟妹",
    "roster",
    programme=DIBAO,
    members=1,
    kin=1,
)
def child_of_parents(cast: Cast) -> None:
    put_in_register(cast, CHILD)
    cast.age(cast.kin(0), 15)
    cast.world.people.register_relation[cast.member(0)] = CHILD


@scenario(
    "child-is-obligor", "户口簿上的未成年子女在名册上是法定义务人", "roster", programme=DIBAO, obligors=(1, 4)
)
def child_is_obligor(cast: Cast) -> None:
    people, child = cast.world.people, cast.obligor(0)
    cast.registered(cast.member(0), NORMAL)
    cast.registered(child, NORMAL)
    cast.age(child, 17)
    people.register[child], people.register_relation[child], people.income[child] = 0, CHILD, 0


@scenario("spouse-deceased", "户口簿上的配偶已死亡", "roster", programme=DIBAO, kin=1)
def spouse_deceased(cast: Cast) -> None:
    put_in_register(cast, SPOUSE)
    cast.registered(cast.kin(0), DEAD, 900)


@scenario("collective-register", "集体户：同一户号人数超过上限", "roster", programme=DIBAO, members=(1, 2))
def collective_register(cast: Cast) -> None:
    cast.registered(cast.member(0), NORMAL)


@catalogue.papers("collective-register")
def collective_register_rows(cast: Cast, papers: Papers) -> None:
    for home, person in zip(each(cast.rows), each(cast.member(0)), strict=True):
        for one in range(cast.figures.register_most + 1):
            number = number_of_nobody(papers.at(home) * 61 + one, f"2015{one % 12 + 1:02d}11")
            add_entry(papers, person, 0, "20", id_number=number, name="示例集体户员")


@scenario("spouse-moved-out", "户口簿上的配偶已迁出", "roster", programme=DIBAO, kin=1)
def spouse_moved_out(cast: Cast) -> None:
    put_in_register(cast, SPOUSE)
    cast.registered(cast.kin(0), MOVED, 700)


@scenario("obligor-at-line", "法定义务人收入恰为赡养能力线", "roster", programme=DIBAO, obligors=(1, 6))
def obligor_at_line(cast: Cast) -> None:
    cast.world.people.income[cast.obligor(0)] = cast.not_over_each("obligor", cast.figures.window)


scenario("strangers-numbers", "号码错位且姓名不同或看不清，指不到任何人", "roster", programme=DIBAO)(nothing)


@catalogue.papers("strangers-numbers")
def strangers_numbers(cast: Cast, papers: Papers) -> None:
    for person in each(cast.member(0)):
        wrong = mistyped(papers.number(person), 2)
        add_balance(papers, person, "700000.00", id_number=wrong, name=OTHER_NAME)
        add_income(papers, person, "30000.00", id_number=wrong, name="示?")


@scenario("authorisation-last-day", "授权核对当日到期", "roster", programme=DIBAO)
def authorisation_last_day(cast: Cast) -> None:
    cast.everybody_signs(LAST_DAY)


@scenario("authorisation-first-day", "授权核对当日签署", "roster", programme=TEKUN)
def authorisation_first_day(cast: Cast) -> None:
    cast.everybody_signs(FIRST_DAY)


scenario("obligor-row-unreadable", "法定义务人一行被隔离，家庭仍完整", "roster", programme=DIBAO)(nothing)


@catalogue.papers("obligor-row-unreadable")
def obligor_row_unreadable(cast: Cast, papers: Papers) -> None:
    for home in each(cast.rows):
        add_member(
            papers, home, "id_malformed", id_number="9990017010100X", name="示例亲属", role="法定义务人"
        )


scenario("member-repeated", "同一成员另作法定义务人登记，重复的一行被隔离", "roster", programme=DIBAO)(
    nothing
)


@catalogue.papers("member-repeated")
def member_repeated(cast: Cast, papers: Papers) -> None:
    for home, person in zip(each(cast.rows), each(cast.member(0)), strict=True):
        row = {"id_number": papers.number(person), "name": papers.name(person), "role": "法定义务人"}
        add_member(papers, home, "member_repeated", **row)


@scenario(
    "margin-at-dibao-line",
    "低保边缘家庭收入恰为低保线，无重度残疾或重病成员",
    "roster",
    programme=MARGIN,
    needs=("entry:dibao",),
)
def margin_at_dibao_line(cast: Cast) -> None:
    earn_at(cast, "entry:dibao")
    cast.everybody_well()


@scenario(
    "margin-mildly-disabled",
    "低保边缘家庭有轻度肢体残疾成员",
    "roster",
    programme=MARGIN,
    needs=("entry:dibao",),
)
def margin_mildly_disabled(cast: Cast) -> None:
    earn_at(cast, "entry:dibao")
    cast.everybody_well()
    mild = [grade for grade in (4, 3) if grade not in cast.figures.severe_grades]
    if mild:
        cast.hurt(cast.member(0), mild[0], "肢体")


@scenario(
    "margin-at-its-line",
    "低保边缘家庭有重病成员，收入恰为边缘线",
    "roster",
    programme=MARGIN,
    needs=("entry:dibao_margin", "check:dibao_margin"),
)
def margin_at_its_line(cast: Cast) -> None:
    window, figures = cast.figures.window, cast.figures
    over = cast.not_over("check:dibao_margin", window, figures.income_tolerance)
    cast.earn(np.minimum(cast.below("entry:dibao_margin", window) + 1, over))
    cast.hurt(cast.member(0), ill=True)
