"""Right rows of each further source, in words a case changes where it matters."""

from __future__ import annotations

from sample_data.further.case import Teller, yuan


def cremate(told: Teller, days_ago: int, **values: str) -> None:
    row = {
        "certificate_no": told.serial(),
        "died_on": told.day(days_ago + 2),
        "cremated_on": told.day(days_ago),
        "funeral_home": "示例殡仪馆",
    }
    told.tell("cremation", row | values)


def drive(told: Teller, copy: int = 0, person: int | None = None, **values: str) -> None:
    """A private car that has been somebody's for three years."""
    row = {
        "plate_no": f"粤Z{told.serial(copy)[-6:]}",
        "plate_kind": "小型汽车",
        "vin": f"ZZZ{told.serial(copy)[-14:]}",
        "vehicle_kind": "载客汽车",
        "use_nature": "非营运",
        "energy": "汽油",
        "displacement": "1498",
        "first_registered_on": told.day(2000),
        "held_since": told.day(1100),
        "vehicle_state": "正常",
        "operating_permit": "无",
        "assessed_value": "",
    }
    told.tell("vehicles", row | values, person)


def house(told: Teller, copy: int = 0, person: int | None = None, **values: str) -> None:
    """A home of 150 square metres somebody owns alone."""
    row = {
        "unit_no": f"440000{told.serial(copy)}W00000000",
        "certificate_no": f"粤（2015）示例不动产权第{told.serial(copy)}号",
        "property_use": "住宅",
        "floor_area": "150.00",
        "ownership": "单独所有",
        "share_percent": "",
        "structure": "钢混",
        "danger_grade": "",
        "place_code": told.home[1:7],
        "registered_on": told.day(3000),
        "title_state": "现势",
        "ended_on": "",
        "restriction": "无",
    }
    told.tell("real_estate", row | values, person)


def insure(told: Teller, months_ago: int, amount: str, **values: str) -> None:
    """A month's contribution to the employees' pension."""
    row = {
        "scheme": "企业职工基本养老保险",
        "entry_kind": "缴费",
        "insured_as": "单位职工",
        "insured_month": told.month(months_ago),
        "payer_name": "示例单位",
        "contribution_base": "4775.00",
        "amount": amount,
        "basic_part": "",
    }
    told.tell("social_insurance", row | values)


def pension(told: Teller, months_ago: int, cents: int, **values: str) -> None:
    row = {"entry_kind": "待遇", "contribution_base": "", "payer_name": ""}
    insure(told, months_ago, yuan(cents), **row | values)


def deposit(told: Teller, base: str, **values: str) -> None:
    """A housing-fund account paid into last month."""
    row = {
        "account_no": told.serial(),
        "employer_name": "示例单位",
        "account_state": "正常",
        "deposit_base": base,
        "monthly_deposit": "240.00",
        "balance": "3600.00",
        "last_paid_month": told.month(1),
        "balance_date": told.day(1),
    }
    told.tell("housing_fund", row | values)


def salary(told: Teller, months_ago: int, post: str) -> None:
    row = {"employer_name": "示例单位", "post_kind": post, "pay_month": told.month(months_ago)}
    told.tell("fiscal_payroll", row | {"gross_pay": "3900.00"})


def certify(told: Teller, category: str, grade: int, copy: int = 0, **values: str) -> None:
    """A disability certificate in force for another four years."""
    row = {
        "certificate_no": told.serial(copy),
        "category": category,
        "grade": str(grade),
        "issued_on": told.day(2200),
        "valid_until": told.day(-1450),
        "certificate_state": "有效",
        "cancelled_on": "",
    }
    told.tell("disability_certificates", row | values)


def treat(
    told: Teller,
    self_paid: int,
    days_ago: int = 60,
    person: int | None = None,
    **values: str,
) -> None:
    """A hospital bill; self_paid in cents, what is left after fund, critical-illness insurance and aid."""
    row = {
        "settlement_no": told.serial(),
        "visit_kind": "住院",
        "settled_on": told.day(days_ago),
        "total_cost": yuan(self_paid + 8_000_00),
        "fund_paid": "6500.00",
        "critical_paid": "1000.00",
        "aid_paid": "500.00",
        "self_paid": yuan(self_paid),
        "severe_illness": "否",
    }
    told.tell("medical_expenditure", row | values, person)


def detain(told: Teller, entered: int, **values: str) -> None:
    row = {
        "custody_no": told.serial(),
        "custody_kind": "服刑",
        "entered_on": told.day(entered),
        "due_on": told.day(-700),
        "left_on": "",
        "left_how": "",
    }
    told.tell("detention", row | values)


def register(told: Teller, kind: str, days_ago: int, *people: int, copy: int = 0) -> None:
    """A marriage or divorce; one row for each of the two people named, the subject alone when none is."""
    for person in people or (told.member(told.subject),):
        row = {"certificate_no": f"J999001-{told.serial(copy)}", "registration_kind": kind}
        row |= {"registered_on": told.day(days_ago), "office": "示例婚姻登记处"}
        told.tell("marriage", row, person)


def study(told: Teller, **values: str) -> None:
    """A student who is still at a vocational school."""
    row = {
        "student_no": f"G{told.serial()}",
        "stage": "中等职业学校",
        "study_form": "全日制",
        "enrolment_state": "在读",
        "enrolled_on": told.day(1400),
        "graduates_on": told.day(-20),
        "left_on": "",
        "school_kind": "公办",
        "annual_fee": "",
        "aided": "是",
    }
    told.tell("education", row | values)


def pay(
    told: Teller,
    months_ago: int,
    account: str,
    person: int | None = None,
    **values: str,
) -> None:
    """A month's benefit to somebody's account, paid on the tenth."""
    month = told.month(months_ago)
    row = {
        "party": "受助人",
        "paid_household": told.home,
        "programme": "低保",
        "benefit_month": month,
        "paid_on": f"{month}-10",
        "amount": "640.00",
        "account_no": account,
        "keeper_agreement": "无",
        "payment_state": "成功",
    }
    told.tell("benefit_payments", row | values, person)


def hold(told: Teller, account: str, person: int | None = None) -> None:
    """Whose account it is."""
    pay(told, 1, account, person, party="账户持有人", amount="0.00")


def relate(told: Teller, kinship: str, filed: int | None = None, **values: str) -> None:
    """A close relative of an official; filed: days ago, None for not at all."""
    row = {
        "staff_no": f"YG{told.serial()[-8:]}",
        "staff_kind": "社会救助经办人员",
        "staff_unit": "示例街道办事处",
        "kinship": kinship,
        "known_on": told.day(200),
        "filed_on": "" if filed is None else told.day(filed),
        "filing_no": "" if filed is None else f"BA{told.serial()[-8:]}",
        "ended_on": "",
    }
    told.tell("close_relatives", row | values)


def commit(told: Teller, kind: str, until: int | None, copy: int = 0, **values: str) -> None:
    """A commitment or a record of dishonesty; until: days from as-of to its last day, None for open."""
    row = {
        "document_no": told.serial(copy),
        "entry_kind": kind,
        "made_on": told.day(400),
        "valid_until": "" if until is None else told.day(-until),
        "entry_state": "有效",
        "repaired_on": "",
    }
    told.tell("credit_commitments", row | values)
