"""More planted cases about what households earn and own: other programmes, other ways to a lead."""

from __future__ import annotations

import numpy as np

from sample_data.departments.banks import TYPES, add_balance
from sample_data.departments.insurance import add_policy
from sample_data.departments.securities import add_holding
from sample_data.departments.tax import add_income
from sample_data.figures import DIBAO, MARGIN, RIGID, TEKUN
from sample_data.names import UNREADABLE
from sample_data.papers import Papers, each
from sample_data.scenario import Catalogue, household
from sample_data.scenarios.cases import untold_assets, untold_income
from sample_data.stage import Cast

catalogue = Catalogue()
scenario = catalogue.scenario


def earn_over(cast: Cast, programme: str) -> None:
    cast.earn(cast.not_over(f"check:{programme}", cast.figures.window, cast.figures.income_tolerance) + 1)


@scenario(
    "income-over-tekun",
    "特困人员收入超过核查线一分钱",
    "roster",
    household("I01"),
    programme=TEKUN,
    needs=("check:tekun",),
)
def income_over_tekun(cast: Cast) -> None:
    earn_over(cast, "tekun")


@scenario(
    "income-over-margin",
    "低保边缘家庭收入超过核查线一分钱",
    "roster",
    household("I01"),
    programme=MARGIN,
    needs=("check:dibao_margin",),
)
def income_over_margin(cast: Cast) -> None:
    earn_over(cast, "dibao_margin")


@scenario(
    "income-over-rigid",
    "刚性支出困难家庭收入超过核查线一分钱",
    "roster",
    household("I01"),
    programme=RIGID,
    needs=("check:rigid_expenditure",),
)
def income_over_rigid(cast: Cast) -> None:
    earn_over(cast, "rigid_expenditure")


@scenario(
    "wages-hidden",
    "工资远超核查线，申报为零",
    "roster",
    household("I01"),
    household("I02"),
    programme=DIBAO,
    members=(1, 3),
    needs=("check:dibao",),
    weight=3,
)
def wages_hidden(cast: Cast) -> None:
    more = np.floor(cast.share("more") * 4000_00).astype(np.int64) * cast.figures.window
    cast.earn(cast.not_over("check:dibao", cast.figures.window) + untold_income(cast) + more + 100)
    cast.tell_income(0)


@scenario(
    "income-under-unreadable-name",
    "收入记录的姓名看不清，号码一致",
    "roster",
    household("I01"),
    programme=DIBAO,
    members=1,
    needs=("check:dibao",),
)
def income_under_unreadable_name(cast: Cast) -> None:
    earn_over(cast, "dibao")
    cast.write_names(cast.member(0), UNREADABLE)


@scenario(
    "correction-below-zero",
    "一名成员只有负的更正，按零计，不抵他人收入",
    "roster",
    household("I01"),
    programme=DIBAO,
    members=2,
    needs=("check:dibao",),
)
def correction_below_zero(cast: Cast) -> None:
    earn_over(cast, "dibao")
    cast.age(cast.member(1), 17)


@catalogue.papers("correction-below-zero")
def correction_below_zero_rows(cast: Cast, papers: Papers) -> None:
    for person in each(cast.member(1)):
        add_income(papers, person, "-800.00")


@scenario(
    "assets-over-dibao",
    "低保家庭金融资产超过限额一分钱",
    "roster",
    household("A01"),
    programme=DIBAO,
    needs=("limit:dibao",),
)
def assets_over_dibao(cast: Cast) -> None:
    cast.own(cast.not_over("limit:dibao") + 1)


@scenario(
    "assets-over-tekun",
    "特困人员金融资产超过限额一分钱",
    "roster",
    household("A01"),
    programme=TEKUN,
    needs=("limit:tekun",),
)
def assets_over_tekun(cast: Cast) -> None:
    cast.own(cast.not_over("limit:tekun") + 1)


@scenario(
    "assets-over-rigid",
    "刚性支出困难家庭金融资产超过限额一分钱",
    "roster",
    household("A01"),
    programme=RIGID,
    needs=("limit:rigid_expenditure",),
)
def assets_over_rigid(cast: Cast) -> None:
    cast.own(cast.not_over("limit:rigid_expenditure") + 1)


@scenario(
    "savings-hidden",
    "存款远超限额，申报为零",
    "roster",
    household("A01"),
    household("A02"),
    programme=DIBAO,
    needs=("limit:dibao",),
    weight=3,
)
def savings_hidden(cast: Cast) -> None:
    more = np.floor(cast.share("more") * 200_000_00).astype(np.int64)
    cast.own(cast.not_over("limit:dibao") + untold_assets(cast) + more + 100)
    cast.tell_assets(0)


def _at_limit(cast: Cast) -> None:
    """Everything as much as allowed; the papers bring the cent that is too much."""
    cast.own(cast.not_over("limit:dibao"))


@scenario(
    "cent-under-old-number",
    "多出的一分钱记在15位旧号码名下",
    "roster",
    household("A01"),
    programme=DIBAO,
    members=(1, 3),
    needs=("limit:dibao",),
)
def at_limit_and_old(cast: Cast) -> None:
    _at_limit(cast)
    cast.age(cast.member(0), 70)


@catalogue.papers("cent-under-old-number")
def cent_under_old_number(cast: Cast, papers: Papers) -> None:
    for person in each(cast.member(0)):
        number = papers.number(person)
        add_balance(papers, person, "0.01", id_number=number[:6] + number[8:17])


scenario(
    "cent-in-hong-kong-dollars",
    "多出的钱是港币",
    "roster",
    household("A01"),
    programme=DIBAO,
    needs=("limit:dibao",),
)(_at_limit)


@catalogue.papers("cent-in-hong-kong-dollars")
def cent_in_hong_kong_dollars(cast: Cast, papers: Papers) -> None:
    currency = "HKD" if "HKD" in cast.figures.fx else sorted(cast.figures.fx)[0]
    for person in each(cast.member(0)):
        add_balance(papers, person, "1.00", currency=currency)


scenario(
    "cent-at-broker",
    "多出的一分钱是证券账户的现金",
    "roster",
    household("A01"),
    programme=DIBAO,
    needs=("limit:dibao",),
)(_at_limit)


@catalogue.papers("cent-at-broker")
def cent_at_broker(cast: Cast, papers: Papers) -> None:
    for person in each(cast.member(0)):
        add_holding(papers, person, 0, 0.01)


scenario(
    "cent-in-policy",
    "多出的一分钱是保单现金价值，核对当日生效",
    "roster",
    household("A01"),
    programme=DIBAO,
    needs=("limit:dibao", "asset_products"),
)(_at_limit)


@catalogue.papers("cent-in-policy")
def cent_in_policy(cast: Cast, papers: Papers) -> None:
    for person in each(cast.member(0)):
        day = papers.day().isoformat()
        add_policy(
            papers, person, cast.figures.asset_products[0], 0, "0.01", effective_on=day, expires_on=day
        )


scenario(
    "cent-of-second-type",
    "同一账号另有理财一分钱",
    "roster",
    household("A01"),
    programme=DIBAO,
    needs=("limit:dibao",),
)(_at_limit)


@catalogue.papers("cent-of-second-type")
def cent_of_second_type(cast: Cast, papers: Papers) -> None:
    for person in each(cast.member(0)):
        add_balance(papers, person, "0.00")
        add_balance(papers, person, "0.01", account_type=TYPES[2])
