"""Households whose money is on the right side of each line, by as little as there is."""

from __future__ import annotations

import numpy as np

from sample_data.departments.tax import add_income, months_of
from sample_data.figures import DIBAO, MARGIN
from sample_data.papers import Papers, each
from sample_data.scenario import Catalogue
from sample_data.scenarios.cases import (
    untold_assets,
    untold_income,
)
from sample_data.stage import Cast

catalogue = Catalogue()
scenario = catalogue.scenario


@scenario("income-at-line", "收入恰为核查线", "roster", programme=DIBAO, needs=("check:dibao",))
def income_at_line(cast: Cast) -> None:
    cast.earn(cast.not_over("check:dibao", cast.figures.window, cast.figures.income_tolerance))


@scenario(
    "income-corrected",
    "多报的收入已更正，更正后恰为核查线",
    "roster",
    programme=DIBAO,
    needs=("check:dibao",),
)
def income_corrected(cast: Cast) -> None:
    income_at_line(cast)


@catalogue.papers("income-corrected")
def income_corrected_rows(cast: Cast, papers: Papers) -> None:
    for person in each(cast.member(0)):
        add_income(papers, person, "20000.00", -2)
        month = months_of(papers.world.figures)[-2].replace("-", "")
        add_income(papers, person, "-20,000.00", -1, tax_month=month)


@scenario("income-untold-within", "未申报的收入恰为容差", "roster", programme=DIBAO, members=(2, 4))
def income_untold_within(cast: Cast) -> None:
    cast.earn(untold_income(cast))
    cast.tell_income(0)


@scenario("assets-at-limit", "金融资产恰为限额", "roster", programme=MARGIN, needs=("limit:dibao_margin",))
def assets_at_limit(cast: Cast) -> None:
    cast.own(cast.not_over("limit:dibao_margin"))


@scenario("assets-untold-within", "未申报的资产恰为容差", "roster", programme=DIBAO, members=(1, 4))
def assets_untold_within(cast: Cast) -> None:
    cast.own(np.minimum(untold_assets(cast), cast.not_over("limit:dibao")))
    cast.tell_assets(0)


@scenario("premium-at-line", "储蓄型保险缴费恰为标准线", "roster", programme=DIBAO, needs=("asset_products",))
def premium_at_line(cast: Cast) -> None:
    cast.insure(cast.not_over("premium"))
