"""The worlds' policy: small figures, every table, entries that begin and end around the night."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal


class Law:
    """`std` and the like repeat the figures, so that cases can be put at their edges."""

    def __init__(self, rng: random.Random, day: date) -> None:
        self.day = day
        self.months = rng.choice([3, 6, 6])
        self.income_tolerance = Decimal(rng.choice(["0", "50"]))
        self.undeclared_income = Decimal(rng.choice(["0", "100"]))
        self.undeclared_assets = Decimal(rng.choice(["0", "5000"]))
        self.premium_multiple = Decimal(rng.choice(["1", "0.5"]))
        self.capital_threshold = Decimal(rng.choice(["0", "30000", "100000"]))
        self.obligor_multiple = Decimal(rng.choice(["3", "2.5"]))
        self.rigid_share = Decimal(rng.choice(["0.6", "0.5"]))
        self.register_max = 8
        self.evidence_age = rng.choice([90, 180])
        self.share = Decimal("0.5")
        self.usd = Decimal("7.1234")
        self.lines = {
            ("dibao", "check"): ("dibao_standard", Decimal("1.1")),
            ("dibao", "entry"): ("dibao_standard", Decimal(1)),
            ("dibao_margin", "check"): ("dibao_standard", Decimal("1.65")),
            ("dibao_margin", "entry"): rng.choice(
                [("dibao_standard", Decimal("1.5")), ("minimum_wage", Decimal("0.8"))]
            ),
            ("rigid_expenditure", "check"): ("disposable_income", Decimal(1)),
            ("rigid_expenditure", "entry"): ("disposable_income", Decimal("0.8")),
            ("tekun", "entry"): ("dibao_standard", Decimal("1.25")),
        }
        # "A programme without an income_line ... is not judged by the rules that need it"
        if rng.random() < 0.5:
            self.lines["tekun", "check"] = ("dibao_standard", Decimal("1.6"))
        self.limits = {
            "dibao": (Decimal(24), "own"), "dibao_margin": (Decimal(36), "urban"), "tekun": (Decimal("18.5"), "own"),
        }  # fmt: skip
        # ... nor without an asset_limit
        if rng.random() < 0.7:
            self.limits["rigid_expenditure"] = (Decimal(48), rng.choice(["own", "urban"]))

    # --- figures in force on the first night

    def std(self, county: str, area: str) -> Decimal:
        if county.startswith("440103") and area == "城镇":
            return Decimal(1300)
        table = {"4401": (1200, 1000), "4402": (900, 777)}
        return Decimal(table[county[:4]][area == "农村"])

    def line(self, programme: str, use: str, county: str, area: str) -> Decimal | None:
        if (programme, use) not in self.lines:
            return None
        basis, multiple = self.lines[programme, use]
        if basis == "dibao_standard":
            return self.std(county, area) * multiple
        if basis == "minimum_wage":
            return Decimal(2500 if county.startswith("4401") else 1900) * multiple
        return Decimal(30000 if county.startswith("4401") else 24600) / 12 * multiple

    def limit(self, programme: str, county: str, area: str) -> Decimal | None:
        if programme not in self.limits:
            return None
        months, whose = self.limits[programme]
        return months * self.std(county, "城镇" if whose == "urban" else area)

    # --- as TOML

    def toml(self) -> str:
        day, out = self.day, ['id = "synthetic-world"\n']
        long_ago, later = date(2020, 1, 1), day + timedelta(days=1)

        def entry(key: str, start: date = long_ago, **values: object) -> None:
            lines = "".join(f"{k} = {_toml(v)}\n" for k, v in values.items())
            out.append(f'[[{key}]]\n{lines}from = {start}\nsource = "synthetic instrument, article 1"\n')

        def standard(region: str, area: str, value: int, start: date = long_ago, **more: object) -> None:
            entry("dibao_standard", start, region=region, area=area, value=value, **more)

        # An entry holds until the next one; that day itself belongs to the next.
        standard("4401", "urban", 1111, date(2019, 1, 1))
        standard("4401", "urban", 1200)
        standard("4401", "rural", 1000, day)  # from the night itself on
        standard("4401", "rural", 950)
        standard(
            "440103", "urban", 1300, to=day + timedelta(days=400)
        )  # the longest match wins, for its area only
        standard("4402", "urban", 900, to=day)  # that day included
        standard("4402", "urban", 905, later)  # the next night has another standard
        standard("4402", "rural", 777)
        for region, wage, income in (("4401", 2500, 30000), ("4402", 1900, 24600)):
            entry("minimum_wage", region=region, value=wage)
            entry("disposable_income", region=region, value=income)
        for (programme, use), (basis, multiple) in self.lines.items():
            entry("income_line", programme=programme, use=use, basis=basis, multiple=multiple)
        for programme, (months, whose) in self.limits.items():
            entry("asset_limit", programme=programme, months=months, standard_area=whose)
        for category, grade in (("视力", 1), ("肢体", 2), ("智力", 3), ("精神", 3)):
            entry("tekun_disability", category=category, max_grade=grade)
        entry("fx", currency="CNY", value=1)
        entry("fx", currency="USD", value=Decimal("6.5"))
        entry("fx", day - timedelta(days=3), currency="USD", value=self.usd)
        entry("max_age_days", value=45)
        entry("max_age_days", value=10, source_name="banks")
        scalars: dict[str, object] = {
            "income_window_months": self.months,
            "countable_income_items": ["工资薪金", "劳务报酬", "经营所得", "财产租赁"],
            "income_tolerance": self.income_tolerance, "undeclared_income_tolerance": self.undeclared_income,
            "undeclared_assets_tolerance": self.undeclared_assets, "premium_multiple": self.premium_multiple,
            "capital_threshold": self.capital_threshold, "obligor_multiple": self.obligor_multiple,
            "rigid_share": self.rigid_share, "severe_grades": [1, 2], "severe_grades_intellectual_mental": [1, 2, 3],
            "asset_products": ["年金", "两全", "终身寿", "万能", "投连"], "register_max_persons": self.register_max,
            "evidence_max_age_days": self.evidence_age, "max_quarantined_share": self.share,
        }  # fmt: skip
        for key, value in scalars.items():
            entry(
                key,
                value=value,
                **({"confirmed": False} if key in ("income_tolerance", "rigid_share") else {}),
            )
        entry("income_tolerance", date(2015, 1, 1), value=7, confirmed=False)  # superseded: not used
        return "\n".join(out)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return str(value)
