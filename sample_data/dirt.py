"""Rows nobody can use, and odd ones everybody can: additions that change nothing about anybody.

Rows to be quarantined speak about numbers nobody has; the accepted ones carry no money. Each source gets them
up to a part of the share of bad rows above which it would be held.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sample_data.casting import NOBODY, Casting
from sample_data.departments import (
    banks,
    household_registration,
    insurance,
    market_regulation,
    securities,
    tax,
)
from sample_data.departments.roster import AUTHORISATIONS, HOUSEHOLDS, add_member
from sample_data.departments.rural_revitalisation import add_monitored
from sample_data.figures import Figures
from sample_data.numbers import number_of_nobody
from sample_data.papers import Papers, text_line

_SHARE_OF_LIMIT = 0.45
_ROWS_TO_ONE_MORE = 700
# Rows of each source for one household (rural_revitalisation: for one monitored household), known people and
# strangers.
_ROWS = {
    "roster": (9.0, 0.0),
    "tax": (9.0, 10.0),
    "market_regulation": (0.25, 0.5),
    "banks": (16.0, 0.5),
    "securities": (0.08, 0.15),
    "insurance": (0.25, 0.15),
    "household_registration": (6.0, 6.0),
    "rural_revitalisation": (3.0, 0.0),
}


@dataclass(frozen=True)
class Dirt:
    """One kind of dirt: the source it is in, how many rows are quarantined, and what adds them for a
    household.
    """

    source: str
    quarantined: int
    add: Callable[[Papers, int], None]


def scatter_dirt(figures: Figures, casting: Casting, strangers: float, seed: int) -> NDArray[np.int16]:
    """By position the kind of dirt that follows the household, NOBODY for none; only quiet households have
    any.
    """
    dirty = np.full(len(casting), NOBODY, np.int16)
    draw = np.random.default_rng(np.random.PCG64([seed, 1]))
    quiet = casting.part == NOBODY
    for source, (known, unknown) in _ROWS.items():
        monitored = source == "rural_revitalisation"
        base = int((casting.monitored == monitored).sum())
        rows = base * (known + unknown * strangers)
        budget = int(rows * figures.quarantined_share * _SHARE_OF_LIMIT)
        places = draw.permutation(
            np.flatnonzero(quiet & (casting.monitored == monitored) & (dirty == NOBODY))
        )
        kinds = [at for at, one in enumerate(KINDS) if one.source == source]
        wanted = max(len(kinds), int(rows / _ROWS_TO_ONE_MORE))
        for count, place in enumerate(places[:wanted]):
            kind = kinds[count % len(kinds)]
            budget -= KINDS[kind].quarantined
            if budget < 0:
                break
            dirty[place] = kind
    return dirty


def add_dirt(papers: Papers, dirty: NDArray[np.int16]) -> None:
    """Add what `dirty` says for the households of a stretch."""
    for household in np.flatnonzero(dirty != NOBODY).tolist():
        KINDS[dirty[household]].add(papers, household)


def _nobody(papers: Papers, household: int, copy: int = 0) -> dict[str, Any]:
    return {"id_number": number_of_nobody(papers.at(household) * 4 + copy), "name": "示例无人"}


def _head(papers: Papers, household: int) -> int:
    return int(papers.world.member(np.array([household]))[0])


def _income(*reasons: str, amount: str = "1200.00", **values: object) -> Dirt:
    def add(papers: Papers, household: int) -> None:
        row = _nobody(papers, household) | values
        tax.add_income(papers, _head(papers, household), amount, reasons=reasons, **row)

    return Dirt(tax.SOURCE, 1, add)


def _future_income() -> Dirt:
    def add(papers: Papers, household: int) -> None:
        as_of = papers.day()
        month = f"{as_of.year + as_of.month // 12}-{as_of.month % 12 + 1:02d}"
        row = _nobody(papers, household) | {"tax_month": month}
        tax.add_income(papers, _head(papers, household), "1200.00", reasons=("date_in_future",), **row)

    return Dirt(tax.SOURCE, 1, add)


def _raw(source: str, file: Callable[[Papers, int], str], line: bytes, *reasons: str) -> Dirt:
    def add(papers: Papers, household: int) -> None:
        papers.add(source, file(papers, household), household, line, *reasons, records=int(bool(reasons)))

    return Dirt(source, len(reasons), add)


def _tax_file(papers: Papers, household: int) -> str:
    return tax.file_of(tax.months_of(papers.world.figures)[-1])


def _interest(*reasons: str, **values: object) -> Dirt:
    def add(papers: Papers, household: int) -> None:
        row = _nobody(papers, household) | values
        market_regulation.add_interest(
            papers, _head(papers, household), "股东", "企业", 1000_00, reasons=reasons, **row
        )

    return Dirt(market_regulation.SOURCE, 1, add)


def _balance(*reasons: str, balance: str = "0.00", bank: int = 0, **values: object) -> Dirt:
    def add(papers: Papers, household: int) -> None:
        row = _nobody(papers, household) | values
        banks.add_balance(papers, _head(papers, household), balance, bank, reasons=reasons, **row)

    return Dirt(banks.SOURCE, len(reasons), add)


def _tomorrow(add_row: Callable[..., None], source: str, *amounts: object, column: str) -> Dirt:
    def add(papers: Papers, household: int) -> None:
        row = _nobody(papers, household) | {column: papers.day(-1).isoformat()}
        add_row(papers, _head(papers, household), *amounts, reasons=("date_in_future",), **row)

    return Dirt(source, 1, add)


def _holding(*reasons: str, value: object = 1.5, cash: object = 0, **values: object) -> Dirt:
    def add(papers: Papers, household: int) -> None:
        row = _nobody(papers, household) | values
        securities.add_holding(papers, _head(papers, household), value, cash, reasons=reasons, **row)

    return Dirt(securities.SOURCE, 1, add)


def _policy(*reasons: str, premium: object = 0, cash: object = 0, **values: object) -> Dirt:
    def add(papers: Papers, household: int) -> None:
        row = _nobody(papers, household) | values
        insurance.add_policy(papers, _head(papers, household), "年金", premium, cash, reasons=reasons, **row)

    return Dirt(insurance.SOURCE, 1, add)


def _entry(*reasons: str, status: str = "正常", **values: object) -> Dirt:
    def add(papers: Papers, household: int) -> None:
        row = _nobody(papers, household) | values
        household_registration.add_entry(
            papers, _head(papers, household), 96, "02", status, reasons=reasons, **row
        )

    return Dirt(household_registration.SOURCE, 1, add)


def _authorisation(*reasons: str, **values: object) -> Dirt:
    def add(papers: Papers, household: int) -> None:
        row = {**_nobody(papers, household), "signed_on": "2025-03-01", "scope": "*"} | values
        contract = papers.contract("roster", "authorisations")
        papers.add("roster", AUTHORISATIONS, household, text_line(contract, row, "\r\n"), *reasons)

    return Dirt("roster", 1, add)


def _repeated_household(papers: Papers, household: int) -> None:
    """Two rows for one household number, and a member of it, who then belongs to nobody."""
    home = f"R{papers.home(household)[1:]}"
    row = {
        "household_id": home,
        "programme": "低保",
        "county_code": home[1:7],
        "township_code": home[1:7] + "001",
        "area": "城镇",
        "declared_monthly_income": "0",
        "declared_financial_assets": "0",
        "status": "在保",
    }
    contract = papers.contract("roster", "households")
    for income in ("0", "100"):
        line = text_line(contract, row | {"declared_monthly_income": income})
        papers.add("roster", HOUSEHOLDS, household, line, "household_repeated")
    add_member(
        papers, household, "household_unknown", **_nobody(papers, household), household_id=home, relation="01"
    )


def _unknown_household(papers: Papers, household: int) -> None:
    home = f"U{papers.home(household)[1:]}"
    add_member(papers, household, "household_unknown", **_nobody(papers, household, 1), household_id=home)


def _headless(papers: Papers, household: int) -> None:
    home = f"K{papers.home(household)[1:]}"
    for copy in (2, 3):
        row = _nobody(papers, household, copy) | {"household_id": home}
        add_monitored(papers, household, "household_head_missing", **row)


def _full_width(papers: Papers, household: int) -> None:
    """A known person in full-width digits, with no income: the same person to everybody."""
    person = _head(papers, household)
    wide = papers.number(person).translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
    tax.add_income(papers, person, "0.00", id_number=f"\u3000{wide} ")


def _small_balance(papers: Papers, household: int) -> None:
    """A known person's empty account, written with spaces around everything."""
    person = _head(papers, household)
    row = {"id_number": f" {papers.number(person).lower()} ", "balance_date": f" {papers.day(3):%Y/%m/%d} "}
    banks.add_balance(papers, person, " 0.00 ", 1, copy=3, **row)


def _city_file(module: object) -> Callable[[Papers, int], str]:
    file_of: Callable[[str], str] = module.file_of  # type: ignore[attr-defined]
    return lambda papers, household: file_of(papers.city(household))


_TAX_TAIL = "示例,2026-05,工资薪金,100.00,,"
_NUMBER = number_of_nobody(9_999)

KINDS: tuple[Dirt, ...] = (
    _raw(tax.SOURCE, _tax_file, f"{_NUMBER},示例,2026-05,工资薪金\n".encode(), "wrong_column_count"),
    _raw(
        tax.SOURCE,
        _tax_file,
        f"{_NUMBER},".encode() + b"\xc4\xe3\xff" + b",2026-05,x,1.00,,\n",
        "undecodable_text",
    ),
    _income("id_missing", id_number=""),
    _income("id_malformed", id_number="99900119700101001A"),
    _income("required_missing", tax_month=""),
    _income("money_unparseable", amount="1,20.00"),
    _income("date_unparseable", tax_month="2026-13"),
    _future_income(),
    _income("code_unknown", income_item="工资"),
    _income(
        "id_malformed",
        "money_unparseable",
        "code_unknown",
        id_number="12345",
        amount="+300",
        income_item="薪金",
    ),
    _raw(tax.SOURCE, _tax_file, f'{_NUMBER},"{_TAX_TAIL}\n'.encode(), "wrong_column_count"),
    _income("money_unparseable", amount="1e3"),
    _raw(tax.SOURCE, _tax_file, b"\n"),
    Dirt(tax.SOURCE, 0, _full_width),
    _balance("currency_unknown", currency="XYZ"),
    _balance("date_unparseable", balance_date="2026-02-30"),
    _balance("money_unparseable", balance="壹佰"),
    _balance("required_missing", account_no=""),
    _tomorrow(banks.add_balance, banks.SOURCE, "5.00", column="balance_date"),
    _raw(banks.SOURCE, lambda *_: banks.file_of(3), b"\x81\x20," * 7 + b"\r\n", "undecodable_text"),
    _raw(
        banks.SOURCE,
        lambda *_: banks.file_of(4),
        f'{_NUMBER},"A"B,C,1,2,CNY,3,20260601\r\n'.encode(),
        "wrong_column_count",
    ),
    _raw(banks.SOURCE, lambda *_: banks.file_of(2), b"  \r\n"),
    _balance("id_missing", "currency_unknown", id_number=" ", currency="cny"),
    Dirt(banks.SOURCE, 0, _small_balance),
    _entry("required_missing", status="死亡", status_date=""),
    _entry("code_unknown", status="在册"),
    _raw(
        household_registration.SOURCE,
        _city_file(household_registration),
        f"9|{_NUMBER}|多|一|二|02|3|4||\r\n".encode("gb18030"),
        "wrong_column_count",
    ),
    _entry("date_unparseable", status_date="00000000"),
    _raw(
        household_registration.SOURCE,
        _city_file(household_registration),
        b"999|\xff\xff|||||||\r\n",
        "undecodable_text",
    ),
    _entry("id_malformed", id_number="无"),
    _policy("money_negative", cash=-1),
    _raw(insurance.SOURCE, lambda *_: insurance.file_of(1), ',\n"无此保单"'.encode(), "unparseable_record"),
    _policy("date_unparseable", effective_on="长期"),
    _policy("code_unknown", status="正常"),
    _interest("money_negative", subscribed_capital="-5"),
    _interest("code_unknown", role="董事"),
    _raw(
        market_regulation.SOURCE, _city_file(market_regulation), b"\xff,1,2,3,4,5,6,7,8\n", "undecodable_text"
    ),
    _interest("required_missing", uscc=""),
    _holding("money_negative", value=-0.01),
    _raw(securities.SOURCE, lambda *_: securities.file_of(0), b'{"id_number": "9990\n', "unparseable_record"),
    _holding("currency_unknown", currency="XYZ"),
    _tomorrow(securities.add_holding, securities.SOURCE, 1, 1, column="as_of"),
    Dirt("roster", 3, _repeated_household),
    Dirt("roster", 1, _unknown_household),
    _authorisation("code_unknown", scope="tax;police"),
    _authorisation("date_unparseable", signed_on="2025年3月1日"),
    _authorisation("id_malformed", valid_until="2026/12/31", id_number="9990011970010100"),
    Dirt("rural_revitalisation", 2, _headless),
)
