"""Monitored households that look as if they qualified and do not."""

from __future__ import annotations

import numpy as np

from sample_data.departments.rural_revitalisation import add_monitored
from sample_data.papers import Papers, each
from sample_data.people import SIGNED, UNSIGNED
from sample_data.scenario import Catalogue
from sample_data.scenarios.monitored import DIBAO_LINES, lend_second_member, live_on, repeat_partner
from sample_data.stage import Cast

catalogue = Catalogue()
scenario = catalogue.scenario


@scenario("at-margin-line", "收入恰为边缘线，无刚性支出", "monitored", needs=("entry:dibao_margin",))
def at_margin_line(cast: Cast) -> None:
    live_on(cast, cast.below_each("entry:dibao_margin", 12) + 1)


@scenario(
    "expenditure-too-small",
    "收入恰为边缘线，刚性支出差一分钱到比例",
    "monitored",
    needs=("entry:dibao_margin", "entry:rigid_expenditure"),
)
def expenditure_too_small(cast: Cast) -> None:
    yearly = cast.below_each("entry:dibao_margin", 12) + 1
    live_on(cast, yearly)
    cast.spend(np.maximum(cast.need(yearly * cast.members) - 1, 0))


@scenario("wages-above-line", "申报很低，核实工资恰为边缘线", "monitored", needs=("entry:dibao_margin",))
def wages_above_line(cast: Cast) -> None:
    live_on(cast, np.full(len(cast.rows), 100_00))
    cast.world.households.income[cast.rows] = cast.below("entry:dibao_margin", cast.figures.window) + 1


@scenario("risk-eliminated", "收入很低，风险已消除", "monitored", weight=2)
def risk_eliminated(cast: Cast) -> None:
    live_on(cast, np.full(len(cast.rows), 1_000_00))
    cast.world.households.eliminated[cast.rows] = True


@scenario(
    "on-roster",
    "收入很低，一名成员已在在保家庭",
    "monitored",
    members=(2, 4),
    needs=DIBAO_LINES,
    partner="on-roster-partner",
    weight=2,
)
def on_roster(cast: Cast) -> None:
    live_on(cast, cast.below_each("entry:dibao", 12))
    repeat_partner(cast)


@scenario("on-roster-partner", "在保家庭，其成员也是监测对象", "roster", members=(2, 4), is_partner=True)
def on_roster_partner(cast: Cast) -> None:
    lend_second_member(cast)


@scenario(
    "unsigned-at-margin-line",
    "收入恰为边缘线，尚未授权",
    "monitored",
    needs=("entry:dibao_margin",),
    weight=2,
)
def unsigned_at_margin_line(cast: Cast) -> None:
    live_on(cast, cast.below_each("entry:dibao_margin", 12) + 1)
    cast.everybody_signs(UNSIGNED)


@scenario("member-repeated-monitored", "同一成员登记两次，收入高于各线", "monitored")
def member_repeated(cast: Cast) -> None:
    cast.everybody_signs(SIGNED)


@catalogue.papers("member-repeated-monitored")
def member_repeated_row(cast: Cast, papers: Papers) -> None:
    for home, person in zip(each(cast.rows), each(cast.member(0)), strict=True):
        # The head's own row is the first of the two in the order of their fields, so this one is the other.
        name = papers.name(person)
        add_monitored(
            papers, home, "member_repeated", id_number=papers.number(person), name=name, relation="99"
        )
