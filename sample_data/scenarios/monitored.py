"""Monitored households that may qualify: one case for each newly-eligible rule first, then other ways to
them.
"""

from __future__ import annotations

import numpy as np

from sample_data.cells import Ints
from sample_data.departments.market_regulation import COMPANY, LEGAL, add_interest
from sample_data.departments.rural_revitalisation import add_monitored
from sample_data.papers import Papers, each
from sample_data.people import DEAD, NORMAL, SIGNED, SIGNED_EACH, UNSIGNED
from sample_data.scenario import Catalogue, household, member
from sample_data.stage import Cast

catalogue = Catalogue()
scenario = catalogue.scenario

DIBAO_LINES = ("entry:dibao", "limit:dibao")
MARGIN_LINES = ("entry:dibao", "entry:dibao_margin", "limit:dibao_margin")


def live_on(cast: Cast, yearly_each: Ints) -> None:
    """Told income per person and year; nothing else is found, everybody has signed, and no assets to speak
    of.
    """
    cast.everybody_signs(SIGNED)
    cast.tell_yearly(yearly_each)
    cast.world.households.income[cast.rows] = 0
    cast.world.households.assets[cast.rows] = 0
    cast.spend(0)


def _below_dibao(cast: Cast) -> Ints:
    return cast.below_each("entry:dibao", 12)


def _between(cast: Cast) -> Ints:
    """The Dibao line exactly: no longer Dibao, and below the margin line."""
    return cast.below_each("entry:dibao", 12) + 1


@scenario(
    "new-dibao",
    "申报收入低于低保线一分钱",
    "monitored",
    household("N01"),
    members=(2, 5),
    needs=DIBAO_LINES,
    weight=3,
)
def new_dibao(cast: Cast) -> None:
    live_on(cast, _below_dibao(cast))


@scenario(
    "new-margin-with-ill-member",
    "收入恰为低保线，有重病成员",
    "monitored",
    household("N02"),
    member(1, "N03"),
    members=(2, 5),
    needs=MARGIN_LINES,
    weight=2,
)
def new_margin_with_ill_member(cast: Cast) -> None:
    live_on(cast, _between(cast))
    cast.everybody_well()
    cast.hurt(cast.member(1), ill=True)
    cast.registered(cast.member(1), NORMAL)


@scenario(
    "new-rigid",
    "收入恰为边缘线，刚性支出恰到比例",
    "monitored",
    household("N04"),
    members=(2, 5),
    needs=("entry:dibao_margin", "entry:rigid_expenditure", "limit:rigid_expenditure"),
    weight=2,
)
def new_rigid(cast: Cast) -> None:
    yearly = cast.below_each("entry:dibao_margin", 12) + 1
    live_on(cast, yearly)
    cast.spend(np.maximum(cast.need(yearly * cast.members), 1))


@scenario(
    "new-tekun",
    "独居老人当日满六十岁，无法定义务人，收入低于特困线",
    "monitored",
    household("N05"),
    members=1,
    needs=("entry:tekun", "limit:tekun"),
    weight=2,
)
def new_tekun(cast: Cast) -> None:
    live_on(cast, cast.below_each("entry:tekun", 12))
    cast.age(cast.member(0), 60)
    cast.world.households.has_obligor[cast.rows] = False


@scenario(
    "new-with-assets",
    "收入符合，金融资产超过限额",
    "monitored",
    household("N06"),
    members=(2, 4),
    needs=(*MARGIN_LINES, "limit:dibao"),
)
def new_with_assets(cast: Cast) -> None:
    live_on(cast, _between(cast))
    most = [
        cast.not_over(f"limit:{one}")
        for one in ("dibao", "dibao_margin", "rigid_expenditure")
        if cast.figures.knows(f"limit:{one}")
    ]
    cast.own(np.maximum.reduce(most) + 1)


@scenario(
    "unsigned-below-margin",
    "收入低于边缘线一分钱，尚未授权",
    "monitored",
    household("N00"),
    needs=("entry:dibao_margin",),
    weight=6,
)
def unsigned_below_margin(cast: Cast) -> None:
    live_on(cast, cast.below_each("entry:dibao_margin", 12))
    cast.everybody_signs(UNSIGNED)


@scenario(
    "member-number-missing",
    "一名成员没有号码，整户暂不判断",
    "monitored",
    members=(2, 4),
    withheld=True,
    needs=DIBAO_LINES,
)
def member_number_missing(cast: Cast) -> None:
    live_on(cast, _below_dibao(cast))


@catalogue.papers("member-number-missing")
def member_number_missing_row(cast: Cast, papers: Papers) -> None:
    for home in each(cast.rows):
        add_monitored(papers, home, "id_missing", name="示例幼儿")


@scenario(
    "new-margin", "收入低于边缘线一分钱", "monitored", household("N02"), members=(2, 5), needs=MARGIN_LINES
)
def new_margin(cast: Cast) -> None:
    live_on(cast, cast.below_each("entry:dibao_margin", 12))
    cast.everybody_well()


@scenario(
    "new-dibao-by-wages",
    "申报更低，核实工资低于低保线一分钱",
    "monitored",
    household("N01"),
    members=(1, 4),
    needs=DIBAO_LINES,
)
def new_dibao_by_wages(cast: Cast) -> None:
    live_on(cast, np.zeros(len(cast.rows), np.int64))
    cast.world.households.income[cast.rows] = cast.below("entry:dibao", cast.figures.window)


@scenario(
    "new-dibao-at-limit",
    "收入低，金融资产恰为限额",
    "monitored",
    household("N01"),
    members=(2, 4),
    needs=DIBAO_LINES,
)
def new_dibao_at_limit(cast: Cast) -> None:
    live_on(cast, _below_dibao(cast))
    cast.own(cast.not_over("limit:dibao"))


@scenario(
    "new-tekun-child",
    "独居儿童差一天满十六岁，无法定义务人",
    "monitored",
    household("N05"),
    members=1,
    needs=("entry:tekun", "limit:tekun"),
)
def new_tekun_child(cast: Cast) -> None:
    new_tekun(cast)
    cast.age(cast.member(0), 16, -1)


@scenario(
    "new-tekun-disabled",
    "独居残疾成年人，无法定义务人",
    "monitored",
    household("N05"),
    members=1,
    needs=("entry:tekun", "limit:tekun", "tekun_disability"),
)
def new_tekun_disabled(cast: Cast) -> None:
    new_tekun(cast)
    cast.age(cast.member(0), 45)
    category, grade = sorted(cast.figures.tekun_disability.items())[0]
    cast.hurt(cast.member(0), grade, category)


@scenario(
    "nearly-sixty",
    "独居老人差一天满六十岁，按低保",
    "monitored",
    household("N01"),
    members=1,
    needs=DIBAO_LINES,
)
def nearly_sixty(cast: Cast) -> None:
    live_on(cast, _below_dibao(cast))
    cast.age(cast.member(0), 60, -1)
    cast.everybody_well()
    cast.world.households.has_obligor[cast.rows] = False


@scenario(
    "new-with-company",
    "收入符合，成员名下有企业",
    "monitored",
    household("N06"),
    members=(2, 4),
    needs=DIBAO_LINES,
)
def new_with_company(cast: Cast) -> None:
    live_on(cast, _below_dibao(cast))
    cast.everybody_signs(SIGNED_EACH)


@catalogue.papers("new-with-company")
def new_with_company_row(cast: Cast, papers: Papers) -> None:
    for person in each(cast.member(0)):
        add_interest(papers, person, LEGAL, COMPANY)


@scenario(
    "unsigned-with-expenditure",
    "收入恰为边缘线，刚性支出到比例，尚未授权",
    "monitored",
    household("N00"),
    members=(1, 4),
    needs=("entry:dibao_margin", "entry:rigid_expenditure"),
    weight=2,
)
def unsigned_with_expenditure(cast: Cast) -> None:
    new_rigid(cast)
    cast.sign(cast.member(0), UNSIGNED)


@scenario(
    "ill-member-deceased",
    "收入恰为低保线，重病成员已死亡",
    "monitored",
    household("N02"),
    members=(2, 4),
    needs=MARGIN_LINES,
)
def ill_member_deceased(cast: Cast) -> None:
    new_margin_with_ill_member(cast)
    cast.registered(cast.member(1), DEAD, 15)


@scenario(
    "on-stopped-roster",
    "成员曾在名册，该户已停保",
    "monitored",
    household("N01"),
    members=2,
    needs=DIBAO_LINES,
    partner="stopped-roster-partner",
)
def on_stopped_roster(cast: Cast) -> None:
    live_on(cast, _below_dibao(cast))
    repeat_partner(cast)


@scenario(
    "stopped-roster-partner",
    "已停保的名册家庭，其成员现为监测对象",
    "roster",
    members=(2, 4),
    active=False,
    is_partner=True,
)
def stopped_roster_partner(cast: Cast) -> None:
    lend_second_member(cast)


def repeat_partner(cast: Cast) -> None:
    """The second member is the second one of the household before, who has neither income nor accounts."""
    people = cast.world.people
    people.copy_of[cast.member(1)] = cast.world.member(cast.rows - 1, 1)
    people.bare[cast.member(1)] = True


def lend_second_member(cast: Cast) -> None:
    people = cast.world.people
    people.bare[cast.member(1)] = True
    cast.sign(cast.member(1), SIGNED)
