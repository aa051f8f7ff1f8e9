"""A world in the making: rows of every source as raw fields, before they are written in the sources' formats."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from .law import Law
from .people import (
    People,
    Someone,
    date_forms,
    id_forms,
    money_forms,
    month_forms,
    name_forms,
    white_space,
)  # fmt: skip
from .reading import AUTHORISATIONS as AUTHORISATION_COLUMNS
from .reading import (
    BANKS,
    HOUSEHOLDS,
    INSURANCE,
    MARKET,
    MEMBERS,
    MONITORED,
    REGISTRATION,
    SECURITIES,
    TAX,
)

COUNTIES = ("440103", "440105", "440203", "440224")  # two cities with a policy region …
GAP_COUNTY = "450102"  # … and one without
LAYOUT = {
    "households": HOUSEHOLDS, "members": MEMBERS, "authorisations": AUTHORISATION_COLUMNS, "tax": TAX,
    "market_regulation": MARKET, "banks": BANKS, "securities": SECURITIES, "insurance": INSURANCE,
    "household_registration": REGISTRATION, "rural_revitalisation": MONITORED,
}  # fmt: skip
CENT = Decimal("0.01")


@dataclass
class Record:
    """One record: the cells of a table by header, or a raw line that stands for itself."""

    table: str
    file: str
    cells: dict[str, Any] = field(default_factory=dict)
    raw: bytes | None = None
    broken: bool = False
    quoted: bool = False


@dataclass
class Family:
    household_id: str
    programme: str  # "" when monitored
    county: str
    area: str
    people: list[Someone]
    record: Record | None = None  # households.csv
    member_records: list[Record] = field(default_factory=list)

    @property
    def n(self) -> int:
        return len(self.people)


class Builder:
    def __init__(self, seed: int, as_of: date) -> None:
        self.rng = random.Random(f"world {seed}")
        self.as_of = as_of
        self.law = Law(self.rng, as_of)
        self.people = People(self.rng)
        self.records: list[Record] = []
        self.families: list[Family] = []
        self.covers_gap = False
        self._numbers = 0

    # --- small things

    def number(self) -> int:
        self._numbers += 1
        return self._numbers

    def ago(self, days: int) -> date:
        return self.as_of - timedelta(days=days)

    def month(self, back: int) -> str:
        """`back` = 1 is the last full month before as-of."""
        at = self.as_of.year * 12 + self.as_of.month - 1 - back
        return f"{at // 12:04d}-{at % 12 + 1:02d}"

    def money(self, amount: Decimal | int) -> str:
        return money_forms(Decimal(amount), self.rng)

    def place(self) -> tuple[str, str]:
        return self.rng.choice(COUNTIES), self.rng.choice(["城镇", "农村"])

    def add(self, table: str, file: str, **cells: Any) -> Record:
        headers = {c.key: c.header for c in LAYOUT[table]}
        full = {c.header: "" for c in LAYOUT[table]}
        for key, value in cells.items():
            full[headers[key]] = white_space(value, self.rng) if isinstance(value, str) else value
        record = Record(table, file, full, quoted=self.rng.random() < 0.1)
        self.records.append(record)
        return record

    def _who(self, who: Someone, number: str | None, name: str | None) -> dict[str, Any]:
        """Number and name in one of their many forms, unless a form is given."""
        written = name if name is not None else name_forms(who.name, self.rng)
        plain: Any = number if number is not None else id_forms(who, self.rng, can_be_15=name is None)
        return {"id": plain, "name": written}

    # --- roster

    def household(
        self, programme: str, county: str, area: str, people: list[Someone] | None = None, *, income: Decimal | int = 0,
        assets: Decimal | int = 0, status: str = "在保", authorised: bool = True, **more: Any,
    ) -> Family:  # fmt: skip
        if people is None:
            people = [self.people.new() for _ in range(self.rng.randint(1, 4))]
        household_id = f"H{self.number():05d}"
        family = Family(household_id, programme, county, area, people)
        family.record = self.add(
            "households", "households.csv", household_id=household_id, programme=programme, county_code=county,
            township_code=county + "001", area=area, c1="2020-01-01", c2=self.rng.choice(["", "约三百", "312.5"]),
            declared_monthly_income=self.money(income), declared_financial_assets=self.money(assets), c3="",
            household_status=status,
        )  # fmt: skip
        for at, one in enumerate(people):
            family.member_records.append(self.member(family, one, relation="01" if at == 0 else "20", **more))
            if authorised:
                self.authorise(one)
        self.families.append(family)
        return family

    def member(
        self, family: Family, who: Someone, relation: str = "20", role: str = "成员", **more: Any
    ) -> Record:
        number, name = more.pop("number", None), more.pop("name", None)
        cells = {
            "disability_grade": "",
            "disability_category": "",
            "severe_illness": "否",
            "c1": "有",
            **more,
        }
        return self.add(
            "members", "members.csv", household_id=family.household_id, role=role, relation=relation,
            **self._who(who, number, name), **cells,
        )  # fmt: skip

    def obligor(self, family: Family, who: Someone, authorised: bool = True, **more: Any) -> Record:
        if authorised:
            self.authorise(who)
        return self.member(
            family, who, relation=self.rng.choice(["50", "20", "71"]), role="法定义务人", **more
        )

    def authorise(
        self,
        who: Someone,
        scope: str = "*",
        signed: date | None = None,
        until: date | None = None,
        number: str | None = None,
    ) -> Record:
        if scope == "*" and self.rng.random() < 0.15:
            scope = "tax;market_regulation;banks;securities;insurance"
        return self.add(
            "authorisations", "authorisations.csv", c1=f"A{self.number()}",
            id=number or id_forms(who, self.rng, can_be_15=True),
            signed_on=date_forms(signed or self.ago(self.rng.randint(0, 300)), self.rng),
            valid_until=date_forms(until, self.rng) if until else self.rng.choice(["", "9999-12-31"]), scope=scope,
        )  # fmt: skip

    # --- evidence

    def tax(
        self, who: Someone, amount: Decimal | int, back: int = 1, item: str = "工资薪金", **more: Any
    ) -> Record:
        return self.add(
            "tax", self.rng.choice(["income-1.csv", "income-2.csv"]),
            **self._who(who, more.get("number"), more.get("name")),
            tax_month=month_forms(more.get("month") or self.month(back), self.rng), income_item=item,
            amount=self.money(amount), c1=more.get("payer", "91440000MA0000000X"), c2="某某公司",
        )  # fmt: skip

    def interest(
        self, who: Someone, role: str, uscc: str | None = None, kind: str = "企业", capital: Decimal | int = 0,
        status: str = "存续", **more: Any,
    ) -> Record:  # fmt: skip
        return self.add(
            "market_regulation", "interests-44.csv", **self._who(who, more.get("number"), more.get("name")), role=role,
            uscc=uscc or f"9144{self.number():014d}", c1="某店,分号", entity_type=kind,
            subscribed_capital=self.money(capital), status=status, c2="不详",
        )  # fmt: skip

    def bank(
        self,
        who: Someone,
        balance: Decimal | int,
        account: str | None = None,
        day: date | None = None,
        **more: Any,
    ) -> Record:
        code = more.get("bank", "105100")
        return self.add(
            "banks", more.get("file", f"{code}-1.csv"), **self._who(who, more.get("number"), more.get("name")),
            institution=code, account_no=account or f"62220000{self.number():08d}",
            account_type=more.get("kind", "活期"), currency=more.get("currency", "CNY"), balance=self.money(balance),
            date=date_forms(day or self.ago(self.rng.randint(1, 30)), self.rng),
        )  # fmt: skip

    def security(self, who: Someone, market: Decimal | int, cash: Decimal | int = 0, **more: Any) -> Record:
        if "number" not in more and who.number.isdigit() and self.rng.random() < 0.1:
            more["number"] = int(who.number)  # a JSON number in a text column is its text

        def amount(value: Decimal | int) -> Any:
            return Decimal(value) if self.rng.random() < 0.5 else self.money(value)

        return self.add(
            "securities", "holdings-1.jsonl", **self._who(who, more.get("number"), more.get("name")),
            institution="10710000",
            account_no=more.get("account") or self.rng.choice([f"E{self.number():09d}", self.number() + 10**17]),
            market_value=amount(market),
            cash_balance=amount(cash), currency=more.get("currency", "CNY"),
            date=date_forms(more.get("day") or self.ago(3), self.rng),
        )  # fmt: skip

    def policy(
        self, who: Someone, cash: Decimal | int = 0, premium: Decimal | int = 0, kind: str = "年金",
        status: str = "有效",
        begins: date | None = None, ends: date | None = None, **more: Any,
    ) -> Record:  # fmt: skip
        return self.add(
            "insurance", "policies-1.json", policy_no=more.get("policy_no") or f"P{self.number():010d}",
            insurer_code=more.get("insurer", "000002"), **self._who(who, more.get("number"), more.get("name")),
            product_type=kind, annual_premium=self.money(premium),
            cash_value=Decimal(cash) if self.rng.random() < 0.5 else self.money(cash),
            effective_on=date_forms(begins or self.ago(400), self.rng),
            expires_on=date_forms(ends, self.rng) if ends else self.rng.choice(["", None]), status=status,
        )  # fmt: skip

    def registered(
        self,
        who: Someone,
        register: str,
        relation: str = "01",
        status: str = "正常",
        day: date | None = None,
        **more: Any,
    ) -> Record:
        return self.add(
            "household_registration", "persons-4401.txt", register_no=register,
            **self._who(who, more.get("number"), more.get("name")),
            c1=self.rng.choice(["男", "女", '"女', '"男"']), c2="", relation=relation, c3="440103",
            status=status, status_date=date_forms(day, self.rng) if day else "",
        )  # fmt: skip

    # --- monitored households

    def monitored(
        self, county: str, area: str, people: list[Someone], *, annual: Decimal | int = 0, rigid: Decimal | int = 0,
        has_obligor: str = "有", eliminated: str = "否", authorised: bool = True, household_id: str | None = None,
        **more: Any,
    ) -> Family:  # fmt: skip
        family = Family(household_id or f"R{self.number():05d}", "", county, area, people)
        for at, one in enumerate(people):
            # Household-level values are those of the head's row: the others' are deliberately different.
            own = at == 0
            family.member_records.append(
                self.add(
                    "rural_revitalisation", f"{county}.xlsx", household_id=family.household_id, county_code=county,
                    township_code=county + "002", area=area, **self._who(one, None, None),
                    relation="01" if own else self.rng.choice(["10", "20", "30"]), c1="突发严重困难户",
                    risk_eliminated=eliminated if own else self.rng.choice(["是", "否"]),
                    declared_annual=self._cell(annual if own else 99),
                    rigid_expenditure=self._cell(rigid if own else 5),
                    disability_grade="", disability_category="", severe_illness="否", c2="",
                    has_obligor=has_obligor if own else "有", c3=date(2024, 5, 1),
                )
            )  # fmt: skip
            if authorised:
                self.authorise(one)
        if more:
            headers = {c.key: c.header for c in MONITORED}
            family.member_records[0].cells.update({headers[k]: v for k, v in more.items()})
        self.families.append(family)
        return family

    def _cell(self, amount: Decimal | int) -> Any:
        """A workbook number, or text."""
        return float(amount) if self.rng.random() < 0.5 else self.money(amount)
