"""One case for each rule about households on the roster, on the wrong side of its edge by as little as
there is.
"""

from __future__ import annotations

from sample_data.departments.banks import add_balance
from sample_data.departments.market_regulation import (
    BUSINESS,
    COMPANY,
    LEGAL,
    OPERATOR,
    add_interest,
)
from sample_data.departments.roster import add_member
from sample_data.departments.tax import add_income
from sample_data.figures import DIBAO, MARGIN, TEKUN
from sample_data.numbers import mistyped, swapped
from sample_data.papers import Papers, each
from sample_data.people import CHILD, DEAD, MOVED, NORMAL, SPOUSE, SUSPECT, UNSIGNED
from sample_data.scenario import Catalogue, household, member, nothing, obligor
from sample_data.stage import Cast

catalogue = Catalogue()
scenario = catalogue.scenario

OTHER_NAME = "示例他人"


@scenario("deceased", "成员三个月前死亡，名册仍在", "roster", member(1, "D01"), members=(2, 5))
def deceased(cast: Cast) -> None:
    cast.registered(cast.member(1), DEAD, 95)


@scenario("moved-away", "成员户籍已迁出，别处没有正常户籍", "roster", member(1, "D02"), members=(2, 5))
def moved_away(cast: Cast) -> None:
    cast.registered(cast.member(1), MOVED, 200)


@scenario(
    "listed-twice",
    "同一儿童同时是两个在保家庭的成员（本户）",
    "roster",
    member(2, "D03"),
    members=3,
    partner="listed-twice-partner",
)
def listed_twice(cast: Cast) -> None:
    share_child(cast)


@scenario(
    "listed-twice-partner",
    "同一儿童同时是两个在保家庭的成员（另一户）",
    "roster",
    member(1, "D03"),
    members=(2, 4),
    is_partner=True,
)
def listed_twice_partner(cast: Cast) -> None:
    lend_child(cast)


def share_child(cast: Cast) -> None:
    """The third member is the second one of the next household."""
    people = cast.world.people
    people.copy_of[cast.member(2)] = cast.world.member(cast.rows + 1, 1)
    people.bare[cast.member(2)] = True
    people.relation[cast.member(2)] = CHILD


def lend_child(cast: Cast) -> None:
    """The second member is a child with neither income nor accounts."""
    people = cast.world.people
    people.bare[cast.member(1)] = True
    people.relation[cast.member(1)] = people.register_relation[cast.member(1)] = CHILD
    cast.age(cast.member(1), 8, 40)
    cast.registered(cast.member(1), NORMAL)


@scenario(
    "income-over",
    "核实收入人均超过核查线一分钱（全家合计）",
    "roster",
    household("I01"),
    programme=DIBAO,
    members=(1, 4),
    needs=("check:dibao",),
)
def income_over(cast: Cast) -> None:
    cast.earn(cast.not_over("check:dibao", cast.figures.window, cast.figures.income_tolerance) + 1)


@scenario(
    "income-untold",
    "核实收入比申报多出的部分刚超过容差",
    "roster",
    household("I02"),
    programme=DIBAO,
    members=(2, 4),
)
def income_untold(cast: Cast) -> None:
    cast.earn(untold_income(cast) + 1)
    cast.tell_income(0)


def untold_income(cast: Cast) -> int:
    """The largest income over the window that may go untold, cents."""
    return int(cast.figures.undeclared_income * 100 * cast.figures.window)


@scenario(
    "assets-over",
    "人均金融资产超过限额一分钱（全家合计）",
    "roster",
    household("A01"),
    programme=MARGIN,
    members=(2, 4),
    needs=("limit:dibao_margin",),
)
def assets_over(cast: Cast) -> None:
    cast.own(cast.not_over("limit:dibao_margin") + 1)


@scenario(
    "assets-untold",
    "核实资产比申报多出的部分刚超过容差",
    "roster",
    household("A02"),
    programme=DIBAO,
    members=(2, 4),
)
def assets_untold(cast: Cast) -> None:
    cast.own(untold_assets(cast) + 1)
    cast.tell_assets(0)


def untold_assets(cast: Cast) -> int:
    return int(cast.figures.undeclared_assets * 100)


@scenario(
    "premium-over",
    "储蓄型保险年缴费刚超过标准线",
    "roster",
    household("P01"),
    programme=DIBAO,
    members=(1, 4),
    needs=("asset_products",),
)
def premium_over(cast: Cast) -> None:
    cast.insure(cast.not_over("premium") + 1)


scenario(
    "legal-representative",
    "户主是存续企业的法定代表人，认缴为零",
    "roster",
    member(0, "B01"),
    programme=DIBAO,
    members=(1, 4),
)(nothing)


@catalogue.papers("legal-representative")
def legal_representative(cast: Cast, papers: Papers) -> None:
    for person in each(cast.member(0)):
        add_interest(papers, person, LEGAL, COMPANY)


scenario("operator", "成员经营存续的个体工商户", "roster", member(0, "B02"), programme=TEKUN)(nothing)


@catalogue.papers("operator")
def operator(cast: Cast, papers: Papers) -> None:
    for person in each(cast.member(0)):
        add_interest(papers, person, OPERATOR, BUSINESS, 30_000_00)


@scenario(
    "spouse-left-out",
    "户口簿上的配偶不在名册",
    "roster",
    household("H01"),
    programme=DIBAO,
    members=(2, 3),
    kin=1,
)
def spouse_left_out(cast: Cast) -> None:
    people = cast.world.people
    cast.registered(cast.member(0), NORMAL)
    cast.registered(cast.kin(0), NORMAL)
    people.register_relation[cast.kin(0)] = SPOUSE


@scenario(
    "obligor-able",
    "法定义务人本人核实收入刚超过赡养能力线",
    "roster",
    obligor(0, "S01"),
    programme=DIBAO,
    obligors=(1, 6),
)
def obligor_able(cast: Cast) -> None:
    cast.world.people.income[cast.obligor(0)] = cast.not_over_each("obligor", cast.figures.window) + 1


@scenario(
    "number-wrong", "名册上的身份号码校验不通过", "roster", member(1, "X01"), programme=DIBAO, members=(2, 4)
)
def number_wrong(cast: Cast) -> None:
    cast.world.people.roster_number[cast.member(1)] = SUSPECT


scenario("name-conflict", "税务、银行记录号码相同而姓名不同", "roster", member(0, "X02"), programme=DIBAO)(
    nothing
)


@catalogue.papers("name-conflict")
def name_conflict(cast: Cast, papers: Papers) -> None:
    for person in each(cast.member(0)):
        add_income(papers, person, "9000.00", name=OTHER_NAME)
        add_balance(papers, person, "800000.00", name=OTHER_NAME)


scenario(
    "mistyped",
    "银行、税务各有一条错一位或两位颠倒的号码，姓名相同",
    "roster",
    member(0, "X03"),
    programme=DIBAO,
)(nothing)


@catalogue.papers("mistyped")
def mistyped_rows(cast: Cast, papers: Papers) -> None:
    for person in each(cast.member(0)):
        number = papers.number(person)
        add_balance(papers, person, "650000.00", id_number=mistyped(number, 4))
        add_income(papers, person, "8800.00", id_number=swapped(number))


@scenario("unsigned", "一名成员没有授权", "roster", member(1, "X04"), programme=DIBAO, members=(2, 4))
def unsigned(cast: Cast) -> None:
    cast.sign(cast.member(1), UNSIGNED)


scenario(
    "member-unreadable", "一名成员的号码少一位，该行被隔离", "roster", household("X05"), programme=DIBAO
)(nothing)


@catalogue.papers("member-unreadable")
def member_unreadable(cast: Cast, papers: Papers) -> None:
    for home in each(cast.rows):
        add_member(papers, home, "id_malformed", id_number="99900120180305123", name="示例小孩")


@scenario(
    "margin-now-dibao",
    "低保边缘家庭收入已低于低保线一分钱",
    "roster",
    household("U01"),
    programme=MARGIN,
    members=(2, 4),
    needs=("entry:dibao", "limit:dibao"),
)
def margin_now_dibao(cast: Cast) -> None:
    earn_below(cast, "entry:dibao")
    cast.own(cast.not_over("limit:dibao"))


def earn_below(cast: Cast, line: str) -> None:
    """As much as there is below a line, in fact and as told."""
    cast.earn(cast.below(line, cast.figures.window))
    cast.tell_income(cast.below(line))


@scenario(
    "margin-with-ill-member",
    "低保边缘家庭有重病成员，收入恰为低保线",
    "roster",
    member(1, "U02"),
    programme=MARGIN,
    members=(2, 4),
    needs=("entry:dibao", "entry:dibao_margin", "limit:dibao_margin"),
)
def margin_with_ill_member(cast: Cast) -> None:
    earn_at(cast, "entry:dibao")
    cast.everybody_well()
    cast.hurt(cast.member(1), ill=True)


def earn_at(cast: Cast, line: str) -> None:
    """The line itself, or the next cent where it has none."""
    cast.earn(cast.below(line, cast.figures.window) + 1)
