"""One case for each further rule, on the wrong side of its edge, then the near misses on the right side.

Edges that are the as-of date or a line of the policy are met to the day and the cent; switches that counties
turn on themselves are left alone.
"""

from __future__ import annotations

from datetime import date

from sample_data.figures import DIBAO, MARGIN
from sample_data.further.case import Catalogue, Teller, yuan
from sample_data.further.papers import (
    certify,
    commit,
    cremate,
    deposit,
    detain,
    drive,
    hold,
    house,
    insure,
    pay,
    pension,
    register,
    relate,
    salary,
    study,
    treat,
)
from sample_data.people import CATEGORIES

catalogue = Catalogue()
case = catalogue.case


def _disability(told: Teller) -> tuple[str, int]:
    people, person = told.world.people, told.member(told.subject)
    return CATEGORIES[int(people.category[person])], int(people.grade[person])


@case("cremated", "成员已火化，名册仍在", ("D04", "subject"), kind="second")
def cremated(told: Teller) -> None:
    cremate(told, 40)


@case("in-prison", "成员正在服刑", ("D05", "subject"), kind="second")
def in_prison(told: Teller) -> None:
    detain(told, 500)


@case("car", "户主名下有一辆非营运小客车", ("V01", "household"))
def car(told: Teller) -> None:
    drive(told)


@case("second-home", "户主名下两套住宅", ("R01", "household"))
def second_home(told: Teller) -> None:
    house(told)
    house(told, 1)


@case("shop", "成员名下有商铺", ("R02", "household"))
def shop(told: Teller) -> None:
    house(told)
    house(told, 1, property_use="商业", floor_area="31.50")


@case("employee-pension-paid", "窗口第一个月以单位职工身份缴纳养老保险", ("L01", "subject"))
def employee_pension_paid(told: Teller) -> None:
    insure(told, told.figures.window, "382.00")


@case("pension-untold", "养老金比申报多出的部分刚超过容差", ("L02", "household"), programmes=(DIBAO,))
def pension_untold(told: Teller) -> None:
    _pension_over(told, 1)


def _pension_over(told: Teller, more: int) -> None:
    """The most that may go untold, every month of the window, and `more` cents in the last."""
    declared = int(told.world.households.declared_income[told.row])
    most = declared + int(told.figures.undeclared_income * 100)
    for months_ago in range(1, told.figures.window + 1):
        pension(told, months_ago, most + (more if months_ago == 1 else 0))


@case("unemployed", "成员领取失业保险金", ("L03", "subject"))
def unemployed(told: Teller) -> None:
    for months_ago in (2, 3):
        pension(told, months_ago, 2_070_00, scheme="失业保险")


@case("housing-fund-paid", "公积金缴存基数比低保标准高一分钱", ("F02", "subject"))
def housing_fund_paid(told: Teller) -> None:
    deposit(told, yuan(told.cents("standard") + 1))


@case("fiscal-paid", "成员上月领取财政工资", ("F01", "subject"))
def fiscal_paid(told: Teller) -> None:
    salary(told, 1, "事业编制人员")


@case("certificate-expired", "残疾人证昨日到期", ("G01", "subject"), kind="disabled", programmes=(DIBAO,))
def certificate_expired(told: Teller) -> None:
    certify(told, *_disability(told), valid_until=told.day(1))


@case(
    "certificate-regraded", "残疾等级与名册不一致", ("G02", "subject"), kind="disabled", programmes=(DIBAO,)
)
def certificate_regraded(told: Teller) -> None:
    category, grade = _disability(told)
    certify(told, category, grade % 4 + 1)


@case("married-out", "户主新近结婚，配偶不在名册", ("H02", "subject"), kind="lone")
def married_out(told: Teller) -> None:
    register(told, "结婚", 100)


@case("divorced-couple", "名册上的夫妻已离婚", ("H03", "household"), kind="couple")
def divorced_couple(told: Teller) -> None:
    register(told, "结婚", 4000, told.member(0), told.member(1))
    register(told, "离婚", 200, told.member(0), told.member(1), copy=1)


@case("graduated", "成年子女毕业已九个月", ("T01", "subject"), kind="grown_child")
def graduated(told: Teller) -> None:
    study(told, enrolment_state="毕业", graduates_on=told.day(280), left_on=told.day(280))


@case("paid-after-death", "成员死亡次月仍发放到账", ("Z01", "subject"), host="deceased")
def paid_after_death(told: Teller) -> None:
    pay(told, 1, told.serial())
    hold(told, told.serial(), told.member(0))


@case("shared-account", "两户的救助金发到同一账户", ("Z02", "household"), homes=2)
def shared_account(told: Teller) -> None:
    pay(told, 1, told.serial())
    hold(told, told.serial())


@case("strange-account", "账户持有人不是家庭成员，无代管协议", ("Z03", "household"))
def strange_account(told: Teller) -> None:
    for months_ago in (1, 2, 3):
        pay(told, months_ago, told.serial())


@case("relative-unfiled", "经办人员的近亲属未备案", ("K01", "subject"))
def relative_unfiled(told: Teller) -> None:
    relate(told, "兄弟姐妹")


@case("commitment-over", "守信承诺昨日到期", ("Y01", "household"))
def commitment_over(told: Teller) -> None:
    commit(told, "守信承诺", -1)


@case("dishonest", "失信记录当日仍有效", ("Y02", "subject"))
def dishonest(told: Teller) -> None:
    commit(told, "守信承诺", None)
    commit(told, "失信记录", 0, copy=1)


@case(
    "severe-by-certificate",
    "残疾人证为一级，名册未登记",
    ("U03", "subject"),
    kind="able",
    programmes=(MARGIN,),
)
def severe_by_certificate(told: Teller) -> None:
    certify(told, "肢体", 1)


@case("severe-by-bill", "重特大疾病住院，名册未登记", ("U04", "subject"), kind="able", programmes=(MARGIN,))
def severe_by_bill(told: Teller) -> None:
    treat(told, 5_000_00, severe_illness="是")


@case(
    "rigid-by-bills",
    "登记的刚性支出差一分钱，医保自付恰到比例",
    ("N07", "household"),
    host="expenditure-too-small",
)
def rigid_by_bills(told: Teller) -> None:
    treat(told, _rigid_need(told))


def _rigid_need(told: Teller) -> int:
    """The least self-paid amount, in cents, that reaches the share of the yearly income."""
    homes, share = told.world.households, told.figures.rigid_share
    yearly = int(homes.declared_yearly[told.row]) * told.members
    found = int(homes.income[told.row]) * 12
    need = max(
        -(-yearly * share.numerator // share.denominator),
        -(-found * share.numerator // (share.denominator * told.figures.window)),
    )
    return int(need)


@case(
    "candidate-by-papers",
    "残疾人证为一级，另一成员重特大疾病就医，监测信息均未登记",
    ("N08", "subject"),
    ("N09", "second"),
    host="new-margin",
)
def candidate_by_papers(told: Teller) -> None:
    certify(told, "视力", 1)
    treat(told, 300_00, person=told.member(1), severe_illness="是")


@case(
    "candidate-with-car",
    "符合低保，名下有非营运小客车",
    ("N06", "household"),
    host="new-dibao-at-limit",
    replaces=True,
    because=("V01",),
)
def candidate_with_car(told: Teller) -> None:
    drive(told)


@case(
    "candidate-with-homes",
    "收入符合，名下两套住宅",
    ("N06", "household"),
    host="new-dibao-by-wages",
    replaces=True,
    because=("R01",),
)
def candidate_with_homes(told: Teller) -> None:
    house(told)
    house(told, 1)


# More ways to the same leads.


@case("cremated-today", "当日火化，没有死亡日期", ("D04", "subject"), kind="second")
def cremated_today(told: Teller) -> None:
    cremate(told, 0, died_on="")


@case("cremation-name-conflict", "火化记录号码相同而姓名不同", ("X02", "subject"), kind="second")
def cremation_name_conflict(told: Teller) -> None:
    cremate(told, 30, name="示例他人")


@case("committed-today", "当日入强制隔离戒毒所，期满日未定", ("D05", "subject"))
def committed_today(told: Teller) -> None:
    detain(told, 0, custody_kind="强制隔离戒毒", due_on="")


@case("two-vans", "两辆小型货车，不是唯一的谋生车辆", ("V01", "household"))
def two_vans(told: Teller) -> None:
    for copy in (0, 1):
        drive(told, copy, vehicle_kind="载货汽车", use_nature="货运", operating_permit="有", energy="柴油")


@case("parking-space", "成员名下有车位", ("R02", "household"))
def parking_space(told: Teller) -> None:
    house(told, property_use="车位", floor_area="12.00", structure="其他")


# Near misses.


@case("released-today", "当日刑满释放")
def released_today(told: Teller) -> None:
    detain(told, 900, left_on=told.day(0), left_how="刑满释放", due_on=told.day(0))


@case("sentence-over", "没有离监记录，期满日在昨日")
def sentence_over(told: Teller) -> None:
    detain(told, 900, due_on=told.day(1))


@case("motorcycle", "名下只有摩托车和残疾人机动轮椅车")
def motorcycle(told: Teller) -> None:
    drive(told, 0, plate_kind="普通摩托车", vehicle_kind="摩托车", displacement="124")
    drive(told, 1, plate_kind="其他", vehicle_kind="残疾人机动轮椅车", displacement="50")


@case("livelihood-van", "唯一的小型货运车辆用于谋生", since=date(2026, 1, 1))
def livelihood_van(told: Teller) -> None:
    drive(told, vehicle_kind="载货汽车", use_nature="货运", operating_permit="有", assessed_value="18000.00")


@case("scrapped-car", "名下的小客车已注销")
def scrapped_car(told: Teller) -> None:
    drive(told, vehicle_state="注销")


@case("home-and-mud-house", "一套住宅和一处土木结构祖屋")
def home_and_mud_house(told: Teller) -> None:
    house(told)
    house(told, 1, structure="土木")


@case("home-and-ruin", "一套住宅和一处D级危房")
def home_and_ruin(told: Teller) -> None:
    house(told)
    house(told, 1, danger_grade="D级")


@case("home-of-two", "两名成员共有同一套住宅", kind="second")
def home_of_two(told: Teller) -> None:
    for position in (0, 1):
        house(told, person=told.member(position), ownership="共同共有")


@case("home-sold", "两套住宅，一套已转移")
def home_sold(told: Teller) -> None:
    house(told)
    house(told, 1, title_state="历史", ended_on=told.day(30))


@case("pension-paid-before", "单位职工缴费在窗口之前一个月")
def pension_paid_before(told: Teller) -> None:
    insure(told, told.figures.window + 1, "382.00")


@case("pension-paid-alone", "以灵活就业人员身份缴费")
def pension_paid_alone(told: Teller) -> None:
    insure(told, 1, "573.00", insured_as="灵活就业人员")


@case("pension-in-tolerance", "养老金比申报多出的部分恰为容差", programmes=(DIBAO,))
def pension_in_tolerance(told: Teller) -> None:
    _pension_over(told, 0)


@case("housing-fund-at-line", "公积金缴存基数恰为低保标准")
def housing_fund_at_line(told: Teller) -> None:
    deposit(told, yuan(told.cents("standard")))


@case("housing-fund-sealed", "公积金账户已封存")
def housing_fund_sealed(told: Teller) -> None:
    deposit(told, "9000.00", account_state="封存")


@case("welfare-post", "公益性岗位补贴由财政发放")
def welfare_post(told: Teller) -> None:
    salary(told, 1, "公益性岗位")


@case("certificate-last-day", "残疾人证当日到期", kind="disabled", programmes=(DIBAO,))
def certificate_last_day(told: Teller) -> None:
    certify(told, *_disability(told), valid_until=told.day(0))


@case("certificate-renewed", "旧证已注销，新证有效", kind="disabled", programmes=(DIBAO,))
def certificate_renewed(told: Teller) -> None:
    category, grade = _disability(told)
    certify(told, category, 4, certificate_state="注销", cancelled_on=told.day(300), valid_until="")
    certify(told, category, grade, 1, issued_on=told.day(300))


@case("married-within", "新近结婚，夫妻都在名册", kind="couple")
def married_within(told: Teller) -> None:
    register(told, "结婚", 100, told.member(0), told.member(1))


@case("divorced-since", "结婚后又离婚", kind="lone")
def divorced_since(told: Teller) -> None:
    register(told, "结婚", 100)
    register(told, "离婚", 10, copy=1)


@case("at-school", "成年子女仍在读", kind="grown_child")
def at_school(told: Teller) -> None:
    study(told)


@case("just-graduated", "成年子女三十天前毕业", kind="grown_child")
def just_graduated(told: Teller) -> None:
    study(told, enrolment_state="毕业", graduates_on=told.day(30), left_on=told.day(30))


@case("paid-before-death", "死亡当月及以前的救助金", host="deceased-today")
def paid_before_death(told: Teller) -> None:
    for months_ago in (1, 2):
        pay(told, months_ago, told.serial())
    hold(told, told.serial(), told.member(0))


@case("payment-returned", "别人账户的发放已退回")
def payment_returned(told: Teller) -> None:
    pay(told, 1, told.serial(), payment_state="退回")


@case("account-with-keeper", "账户由代管人持有，协议已备案")
def account_with_keeper(told: Teller) -> None:
    pay(told, 1, told.serial(), keeper_agreement="有")


@case("account-of-member", "账户由另一名成员持有", kind="second")
def account_of_member(told: Teller) -> None:
    pay(told, 1, told.serial())
    hold(told, told.serial(), told.member(0))


@case("relative-filed", "近亲属当日备案")
def relative_filed(told: Teller) -> None:
    relate(told, "兄弟姐妹", 0)


@case("staff-left", "工作人员已离岗")
def staff_left(told: Teller) -> None:
    relate(told, "父母", ended_on=told.day(0))


@case("commitment-last-day", "守信承诺当日到期")
def commitment_last_day(told: Teller) -> None:
    commit(told, "守信承诺", 0)


@case("dishonesty-over", "失信记录昨日到期")
def dishonesty_over(told: Teller) -> None:
    commit(told, "失信记录", -1)


@case("dishonesty-repaired", "失信记录已修复")
def dishonesty_repaired(told: Teller) -> None:
    commit(told, "失信记录", None, entry_state="已修复", repaired_on=told.day(5))


@case("candidate-with-motorcycle", "符合低保边缘，名下只有摩托车", host="new-margin-with-ill-member")
def candidate_with_motorcycle(told: Teller) -> None:
    drive(told, plate_kind="普通摩托车", vehicle_kind="摩托车", displacement="124")


@case("bills-too-small", "医保自付差一分钱到比例", host="at-margin-line")
def bills_too_small(told: Teller) -> None:
    treat(told, _rigid_need(told) - 1)
