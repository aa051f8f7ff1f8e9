"""More planted cases about who belongs to a household, what was signed, and several at once."""

from __future__ import annotations

import numpy as np

from sample_data.departments.household_registration import add_entry
from sample_data.departments.market_regulation import (
    BUSINESS,
    COMPANY,
    LEGAL,
    OPERATOR,
    SHAREHOLDER,
    add_interest,
)
from sample_data.departments.roster import add_member
from sample_data.figures import DIBAO, MARGIN, RIGID, TEKUN
from sample_data.numbers import number_of_nobody
from sample_data.papers import Papers, each
from sample_data.people import DEAD, EXPIRED, NOT_SECURITIES, NOT_YET, UNSIGNED
from sample_data.scenario import Catalogue, household, member, nothing, obligor
from sample_data.scenarios.cases import OTHER_NAME, earn_at, earn_below
from sample_data.scenarios.money import earn_over, savings_hidden, wages_hidden
from sample_data.stage import Cast

catalogue = Catalogue()
scenario = catalogue.scenario
scenario("shares-at-threshold", "两家企业的认缴合计恰到标准", "roster", member(0, "B01"), programme=DIBAO)(
    nothing
)


@catalogue.papers("shares-at-threshold")
def shares_at_threshold(cast: Cast, papers: Papers) -> None:
    capital = max(-(-int(cast.figures.capital_threshold * 100) // 1), 1)
    for person in each(cast.member(0)):
        add_interest(papers, person, SHAREHOLDER, COMPANY, capital - capital // 2)
        add_interest(papers, person, SHAREHOLDER, COMPANY, capital // 2, copy=1)


@scenario(
    "obligor-able-tekun",
    "特困人员的法定义务人收入超过赡养能力线",
    "roster",
    obligor(0, "S01"),
    programme=TEKUN,
    obligors=(1, 4),
    weight=2,
)
def obligor_able_tekun(cast: Cast) -> None:
    more = np.floor(cast.share("more") * 6000_00).astype(np.int64) * cast.figures.window
    cast.world.people.income[cast.obligor(0)] = cast.not_over_each("obligor", cast.figures.window) + 1 + more


scenario("name-conflict-in-register", "户籍姓名与名册不同", "roster", member(0, "X02"), members=1)(
    lambda cast: cast.unregistered(cast.member(0))
)


@catalogue.papers("name-conflict-in-register")
def name_conflict_in_register(cast: Cast, papers: Papers) -> None:
    for person in each(cast.member(0)):
        add_entry(papers, person, 0, "02", name=OTHER_NAME)


@scenario(
    "authorisation-expired", "授权昨天到期", "roster", member(0, "X04"), programme=DIBAO, members=(1, 3)
)
def authorisation_expired(cast: Cast) -> None:
    cast.sign(cast.member(0), EXPIRED)


@scenario("authorisation-not-yet", "授权明天才签署", "roster", member(0, "X04"), programme=RIGID)
def authorisation_not_yet(cast: Cast) -> None:
    cast.sign(cast.member(0), NOT_YET)


@scenario("authorisation-without-securities", "授权不含证券", "roster", member(0, "X04"), programme=MARGIN)
def authorisation_without_securities(cast: Cast) -> None:
    cast.sign(cast.member(0), NOT_SECURITIES)


@scenario(
    "obligor-unsigned",
    "低保家庭的法定义务人没有税务授权",
    "roster",
    obligor(0, "X04"),
    programme=DIBAO,
    obligors=(1, 6),
)
def obligor_unsigned(cast: Cast) -> None:
    cast.sign(cast.obligor(0), UNSIGNED)


@scenario(
    "unsigned-and-poorer",
    "低保边缘家庭收入低于低保线，但一名成员未授权，不作新增提示",
    "roster",
    member(0, "X04"),
    programme=MARGIN,
    members=(2, 4),
    needs=("entry:dibao",),
)
def unsigned_and_poorer(cast: Cast) -> None:
    earn_below(cast, "entry:dibao")
    cast.sign(cast.member(0), UNSIGNED)


@scenario(
    "incomplete-with-income",
    "成员不完整，超标收入不提示",
    "roster",
    household("X05"),
    programme=DIBAO,
    members=(1, 3),
    needs=("check:dibao",),
)
def incomplete_with_income(cast: Cast) -> None:
    earn_over(cast, "dibao")


@catalogue.papers("incomplete-with-income")
def incomplete_with_income_rows(cast: Cast, papers: Papers) -> None:
    for home in each(cast.rows):
        add_member(papers, home, "id_missing", name="示例老人", relation="51")
        add_member(
            papers,
            home,
            "code_unknown",
            id_number=number_of_nobody(papers.at(home) * 3),
            name="示例同住人",
            role="同住人",
        )


@scenario(
    "rigid-now-dibao",
    "刚性支出困难家庭收入已低于低保线",
    "roster",
    household("U01"),
    programme=RIGID,
    needs=("entry:dibao", "limit:dibao"),
)
def rigid_now_dibao(cast: Cast) -> None:
    earn_below(cast, "entry:dibao")
    cast.own(cast.not_over("limit:dibao") // 2)


@scenario(
    "margin-with-two-severe",
    "低保边缘家庭两名重度残疾成员",
    "roster",
    member(0, "U02"),
    member(1, "U02"),
    programme=MARGIN,
    members=(2, 4),
    needs=("entry:dibao", "entry:dibao_margin", "severe_grades"),
)
def margin_with_two_severe(cast: Cast) -> None:
    earn_at(cast, "entry:dibao")
    cast.everybody_well()
    cast.hurt(cast.member(0), max(cast.figures.severe_grades), "肢体")
    cast.hurt(cast.member(1), max(cast.figures.severe_grades), "视力")


@scenario(
    "margin-with-mental-disability",
    "低保边缘家庭有精神残疾成员",
    "roster",
    member(0, "U02"),
    programme=MARGIN,
    needs=("entry:dibao", "entry:dibao_margin", "severe_grades_mind"),
)
def margin_with_mental_disability(cast: Cast) -> None:
    earn_at(cast, "entry:dibao")
    cast.everybody_well()
    cast.hurt(cast.member(0), max(cast.figures.severe_grades_mind), "精神")


@scenario(
    "severe-but-deceased",
    "低保边缘家庭的重病成员已死亡，只提示死亡",
    "roster",
    member(1, "D01"),
    programme=MARGIN,
    members=(2, 4),
    needs=("entry:dibao", "entry:dibao_margin"),
)
def severe_but_deceased(cast: Cast) -> None:
    earn_at(cast, "entry:dibao")
    cast.everybody_well()
    cast.hurt(cast.member(1), ill=True)
    cast.registered(cast.member(1), DEAD, 20)


@scenario(
    "much-at-once",
    "死亡未停、企业、经营、资产、收入同时存在",
    "roster",
    member(1, "D01"),
    member(0, "B01"),
    member(0, "B02"),
    household("A01"),
    household("A02"),
    household("I01"),
    household("I02"),
    programme=DIBAO,
    members=(2, 3),
    needs=("limit:dibao", "check:dibao"),
)
def much_at_once(cast: Cast) -> None:
    wages_hidden(cast)
    savings_hidden(cast)
    cast.age(cast.member(1), 12)
    cast.registered(cast.member(1), DEAD, 40)


@catalogue.papers("much-at-once")
def much_at_once_rows(cast: Cast, papers: Papers) -> None:
    for person in each(cast.member(0)):
        add_interest(papers, person, LEGAL, COMPANY, 500_000_00)
        add_interest(papers, person, OPERATOR, BUSINESS, 10_000_00, copy=1)
