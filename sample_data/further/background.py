"""What the further departments know about households nothing happens to, and about strangers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sample_data.cells import Bools, Ints, Keys, days_of, digits_of, joined, money_of, squeezed, texts_of
from sample_data.figures import DIBAO
from sample_data.households import household_cells
from sample_data.names import cells_of_names
from sample_data.people import CATEGORIES, MEMBER, STRANGER, ages_of
from sample_data.world import World

Texts = list[str]
_PAYMENTS = 3


@dataclass
class Rows:
    """Rows of one source: a person each, and texts by the contract's column names; a lone text holds for all."""

    source: str
    people: Ints
    columns: dict[str, Texts | str]


class Bulk:
    """Draws and texts for chosen people of a stretch. quiet: by household, whether nothing happens to it."""

    def __init__(self, world: World, quiet: Bools) -> None:
        self.world = world
        people = world.people
        self.age = ages_of(people, world.figures)
        self.stranger = people.role == STRANGER
        self.member = (people.role == MEMBER) & quiet[people.home]
        self.head = self.member & (people.position == 0)

    def some(self, question: str, among: Bools, share: float) -> Ints:
        """Rows of people: that share of them."""
        drawn = self.world.dice.chance(f"further.{question}", self.world.people.keys, share)
        return np.flatnonzero(among & drawn)

    def keys(self, people: Ints) -> Keys:
        return self.world.people.keys[people]

    def pick(self, question: str, people: Ints, words: Sequence[str]) -> Texts:
        which = self.world.dice.below(f"further.{question}", self.keys(people), len(words))
        return [words[at] for at in which.tolist()]

    def money(self, question: str, people: Ints, least: int, span: int) -> Texts:
        """Amounts of whole yuan, from least on."""
        drawn = self.world.dice.below(f"further.{question}", self.keys(people), span)
        return lines_of(money_of((least + drawn) * 100))

    def day(self, question: str, people: Ints, least: int, span: int) -> Texts:
        """Dates so many days before as-of, negative: after it."""
        drawn = self.world.dice.below(f"further.{question}", self.keys(people), span)
        return lines_of(days_of(self.world.figures.as_of.toordinal() - least - drawn))

    def serial(self, people: Ints, copy: int = 0, prefix: str = "0000") -> Texts:
        numbers = lines_of(digits_of(self.keys(people).astype(np.int64) * 4 + copy, 14))
        return [prefix + number for number in numbers]

    def month(self, months_ago: int) -> str:
        return self.world.figures.month(months_ago)


def lines_of(cells: np.ndarray) -> Texts:
    """Each row's text (ASCII)."""
    return squeezed(joined([cells, b"\n"], len(cells))).decode("ascii").split("\n")[:-1]


def people_texts(world: World, people: Ints) -> tuple[Texts, Texts]:
    """Numbers and names."""
    names = world.people.names.take(people)
    plain = np.zeros(len(people), np.int64)
    cells = cells_of_names(names, plain, world.dice, world.people.keys[people], "utf-8")
    written = squeezed(joined([*cells, b"\n"], len(people))).decode("utf-8").split("\n")[:-1]
    return lines_of(world.people.numbers[people]), written


def draw_background(world: World, quiet: Bools) -> Iterator[Rows]:
    """Rows of every source, about people nothing is planted for."""
    bulk = Bulk(world, quiet)
    for draw in _DRAWS:
        yield from draw(bulk)


def _cremation(bulk: Bulk) -> Iterator[Rows]:
    dead = bulk.some("cremated", bulk.stranger & (bulk.age > 60), 0.05)
    yield Rows(
        "cremation",
        dead,
        {
            "certificate_no": bulk.serial(dead),
            "died_on": bulk.day("cremated.on", dead, 4, 300),
            "cremated_on": bulk.day("cremated.on", dead, 1, 300),
            "funeral_home": "示例殡仪馆",
        },
    )


def _vehicles(bulk: Bulk) -> Iterator[Rows]:
    cars = bulk.some("car", bulk.stranger, 0.25)
    bikes = bulk.some("bike", bulk.member & (bulk.age > 20), 0.08)
    for people, plate, kind, displacement in (
        (cars, "小型汽车", "载客汽车", "1498"),
        (bikes, "普通摩托车", "摩托车", "124"),
    ):
        yield Rows(
            "vehicles",
            people,
            {
                "plate_no": [f"粤Z{one[-6:]}" for one in bulk.serial(people)],
                "plate_kind": plate,
                "vin": bulk.serial(people, prefix="ZZZ"),
                "vehicle_kind": kind,
                "use_nature": "非营运",
                "energy": "汽油",
                "displacement": displacement,
                "first_registered_on": bulk.day("car.new", people, 2500, 1500),
                "held_since": bulk.day("car.since", people, 100, 2000),
                "vehicle_state": bulk.pick(
                    "car.state", people, ("正常", "正常", "正常", "逾期未检验", "抵押")
                ),
                "operating_permit": "无",
                "assessed_value": "",
            },
        )


def _real_estate(bulk: Bulk) -> Iterator[Rows]:
    world = bulk.world
    for people, uses in (
        (bulk.some("home", bulk.head, 0.6), ("住宅",)),
        (bulk.some("estate", bulk.stranger, 0.4), ("住宅", "住宅", "商业", "车位")),
    ):
        counties = [
            world.figures.places[at].county
            for at in world.households.place[world.people.home[people]].tolist()
        ]
        yield Rows(
            "real_estate",
            people,
            {
                "unit_no": [f"440000{one}W00000000" for one in bulk.serial(people)],
                "certificate_no": [f"粤（2015）示例不动产权第{one}号" for one in bulk.serial(people)],
                "property_use": bulk.pick("estate.use", people, uses),
                "floor_area": bulk.money("estate.area", people, 30, 90),
                "ownership": "单独所有",
                "share_percent": "",
                "structure": bulk.pick("estate.structure", people, ("钢混", "混合", "砖木", "土木")),
                "danger_grade": "",
                "place_code": counties,
                "registered_on": bulk.day("estate.on", people, 400, 7000),
                "title_state": "现势",
                "ended_on": "",
                "restriction": bulk.pick("estate.restriction", people, ("无", "无", "无", "抵押")),
            },
        )


def _social_insurance(bulk: Bulk) -> Iterator[Rows]:
    workers = bulk.some("insured", bulk.stranger, 0.4)
    common = {"payer_name": "示例单位", "basic_part": "", "entry_kind": "缴费"}
    yield Rows(
        "social_insurance",
        workers,
        {
            **common,
            "scheme": "企业职工基本养老保险",
            "insured_as": "单位职工",
            "insured_month": bulk.month(1),
            "contribution_base": bulk.money("insured.base", workers, 4800, 9000),
            "amount": bulk.money("insured.amount", workers, 380, 700),
        },
    )
    residents = bulk.some("resident", bulk.member & (bulk.age >= 18) & (bulk.age < 60), 0.3)
    yield Rows(
        "social_insurance",
        residents,
        {
            **common,
            "scheme": "城乡居民基本养老保险",
            "insured_as": "城乡居民",
            "insured_month": bulk.month(3),
            "contribution_base": "",
            "amount": "180.00",
            "payer_name": "",
        },
    )
    old = bulk.some("pension", bulk.member & (bulk.age >= 61), 0.8)
    for months_ago in range(1, bulk.world.figures.window + 1):
        yield Rows(
            "social_insurance",
            old,
            {
                "scheme": "城乡居民基本养老保险",
                "entry_kind": "待遇",
                "insured_as": "城乡居民",
                "insured_month": bulk.month(months_ago),
                "payer_name": "",
                "contribution_base": "",
                "amount": "250.00",
                "basic_part": "250.00",
            },
        )


def _housing_fund(bulk: Bulk) -> Iterator[Rows]:
    for people, state, base in (
        (bulk.some("fund", bulk.stranger, 0.3), "正常", "6200.00"),
        (bulk.some("fund.old", bulk.member & (bulk.age >= 30), 0.02), "封存", "0.00"),
    ):
        yield Rows(
            "housing_fund",
            people,
            {
                "account_no": bulk.serial(people),
                "employer_name": "示例单位",
                "account_state": state,
                "deposit_base": base,
                "monthly_deposit": "0.00" if base == "0.00" else "620.00",
                "balance": bulk.money("fund.balance", people, 10, 400),
                "last_paid_month": bulk.month(1 if state == "正常" else 40),
                "balance_date": bulk.day("fund.on", people, 1, 1),
            },
        )


def _fiscal_payroll(bulk: Bulk) -> Iterator[Rows]:
    for people, posts in (
        (bulk.some("fiscal", bulk.stranger, 0.05), ("公务员", "事业编制人员", "离退休人员")),
        (bulk.some("fiscal.post", bulk.member & (bulk.age >= 30) & (bulk.age < 60), 0.02), ("公益性岗位",)),
    ):
        yield Rows(
            "fiscal_payroll",
            people,
            {
                "employer_name": "示例单位",
                "post_kind": bulk.pick("fiscal.kind", people, posts),
                "pay_month": bulk.month(1),
                "gross_pay": bulk.money("fiscal.pay", people, 2500, 4000),
            },
        )


def _disability_certificates(bulk: Bulk) -> Iterator[Rows]:
    """Members as the roster has them, and a few strangers."""
    people = bulk.world.people
    for told in (
        np.flatnonzero(bulk.member & (people.grade > 0)),
        bulk.some("certified", bulk.stranger & (people.grade > 0), 0.5),
    ):
        yield Rows(
            "disability_certificates",
            told,
            {
                "certificate_no": bulk.serial(told),
                "category": [CATEGORIES[at] for at in people.category[told].tolist()],
                "grade": [str(grade) for grade in people.grade[told].tolist()],
                "issued_on": bulk.day("certified.on", told, 200, 1500),
                "valid_until": bulk.day("certified.until", told, -3000, 1500),
                "certificate_state": "有效",
                "cancelled_on": "",
            },
        )


def _medical_expenditure(bulk: Bulk) -> Iterator[Rows]:
    dibao = (bulk.world.households.programme == DIBAO)[bulk.world.people.home]
    for people in (bulk.some("treated", bulk.stranger, 0.3), bulk.some("treated", bulk.member & dibao, 0.2)):
        yield Rows(
            "medical_expenditure",
            people,
            {
                "settlement_no": bulk.serial(people),
                "visit_kind": bulk.pick("treated.where", people, ("门诊", "门诊慢特病", "住院", "药店")),
                "settled_on": bulk.day("treated.on", people, 5, 340),
                "total_cost": bulk.money("treated.cost", people, 900, 100),
                "fund_paid": "700.00",
                "critical_paid": "0.00",
                "aid_paid": "100.00",
                "self_paid": bulk.money("treated.self", people, 20, 80),
                "severe_illness": "否",
            },
        )


def _detention(bulk: Bulk) -> Iterator[Rows]:
    for people, ended in (
        (bulk.some("detained", bulk.stranger, 0.02), False),
        (bulk.some("detained", bulk.member & (bulk.age > 30), 0.01), True),
    ):
        yield Rows(
            "detention",
            people,
            {
                "custody_no": bulk.serial(people),
                "custody_kind": bulk.pick("detained.kind", people, ("服刑", "强制隔离戒毒")),
                "entered_on": bulk.day("detained.in", people, 2000, 900),
                "due_on": bulk.day("detained.due", people, 400 if ended else -900, 300),
                "left_on": bulk.day("detained.due", people, 400, 300) if ended else "",
                "left_how": "假释" if ended else "",
            },
        )


def _marriage(bulk: Bulk) -> Iterator[Rows]:
    """Couples who both stand on the roster, married long ago; and strangers."""
    people = bulk.world.people
    wife = np.flatnonzero(bulk.member & (people.position == 1) & np.isin(people.relation, (11, 12)))
    strangers = bulk.some("married", bulk.stranger, 0.1)
    heads = bulk.world.member(people.home[wife])
    for told, key in ((heads, wife), (wife, wife), (strangers, strangers)):
        yield Rows(
            "marriage",
            told,
            {
                "certificate_no": bulk.serial(key, prefix="J999002-"),
                "registration_kind": "结婚",
                "registered_on": bulk.day("married.on", key, 2000, 4000),
                "office": "示例婚姻登记处",
            },
        )


def _education(bulk: Bulk) -> Iterator[Rows]:
    for people, stages in (
        (bulk.some("pupil", bulk.member & (bulk.age >= 7) & (bulk.age < 12), 0.95), ("小学",)),
        (bulk.some("pupil", bulk.member & (bulk.age >= 12) & (bulk.age < 15), 0.95), ("初中",)),
        (
            bulk.some("pupil", bulk.member & (bulk.age >= 15) & (bulk.age < 18), 0.9),
            ("普通高中", "中等职业学校"),
        ),
        (bulk.some("student", bulk.stranger & (bulk.age < 23), 0.6), ("专科", "本科")),
    ):
        yield Rows(
            "education",
            people,
            {
                "student_no": bulk.serial(people, prefix="G0000"),
                "stage": bulk.pick("pupil.stage", people, stages),
                "study_form": "全日制",
                "enrolment_state": "在读",
                "enrolled_on": bulk.day("pupil.since", people, 300, 3) if people.size else [],
                "graduates_on": bulk.day("pupil.until", people, -800, 3) if people.size else [],
                "left_on": "",
                "school_kind": "公办",
                "annual_fee": "",
                "aided": bulk.pick("pupil.aided", people, ("是", "否")),
            },
        )


def _benefit_payments(bulk: Bulk) -> Iterator[Rows]:
    """The last months' benefit of every quiet household to its head's account."""
    world = bulk.world
    heads = np.flatnonzero(bulk.head)
    homes = world.people.home[heads]
    names = ("低保", "特困", "低保边缘", "刚性支出")
    common: dict[str, Texts | str] = {
        "paid_household": texts_of(household_cells(world.households, world.figures)[homes]),
        "programme": [names[at] for at in world.households.programme[homes].tolist()],
        "account_no": bulk.serial(heads),
        "keeper_agreement": "无",
        "payment_state": "成功",
    }
    for months_ago in range(1, _PAYMENTS + 1):
        month = bulk.month(months_ago)
        row = {"party": "受助人", "benefit_month": month, "paid_on": f"{month}-10"}
        amounts = bulk.money("benefit", heads, 200, 1800)
        yield Rows("benefit_payments", heads, {**common, **row, "amount": amounts})
    row = {"party": "账户持有人", "benefit_month": bulk.month(1), "paid_on": f"{bulk.month(1)}-10"}
    yield Rows("benefit_payments", heads, {**common, **row, "amount": "0.00"})


def _close_relatives(bulk: Bulk) -> Iterator[Rows]:
    for people, filed in (
        (bulk.some("relative", bulk.stranger, 0.02), False),
        (bulk.some("relative", bulk.member, 0.01), True),
    ):
        yield Rows(
            "close_relatives",
            people,
            {
                "staff_no": bulk.serial(people, prefix="YG"),
                "staff_kind": bulk.pick("relative.staff", people, ("社会救助经办人员", "村居委会成员")),
                "staff_unit": "示例街道办事处",
                "kinship": bulk.pick("relative.kin", people, ("父母", "子女", "兄弟姐妹")),
                "known_on": bulk.day("relative.on", people, 200, 500),
                "filed_on": bulk.day("relative.on", people, 190, 500) if filed else "",
                "filing_no": bulk.serial(people, prefix="BA") if filed else "",
                "ended_on": "",
            },
        )


def _credit_commitments(bulk: Bulk) -> Iterator[Rows]:
    heads = bulk.some("committed", bulk.head, 0.9)
    yield Rows(
        "credit_commitments",
        heads,
        {
            "document_no": bulk.serial(heads),
            "entry_kind": "守信承诺",
            "made_on": bulk.day("committed.on", heads, 100, 900),
            "valid_until": "",
            "entry_state": "有效",
            "repaired_on": "",
        },
    )


_DRAWS: tuple[Callable[[Bulk], Iterator[Rows]], ...] = (
    _cremation,
    _vehicles,
    _real_estate,
    _social_insurance,
    _housing_fund,
    _fiscal_payroll,
    _disability_certificates,
    _medical_expenditure,
    _detention,
    _marriage,
    _education,
    _benefit_payments,
    _close_relatives,
    _credit_commitments,
)
