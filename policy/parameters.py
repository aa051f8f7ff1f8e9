"""Every parameter a policy may hold, its fields and what they may say (specification, section 6).

A check takes what TOML read and returns the value the program works with; what it does not accept raises a
ValueError whose text is what was wanted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

Value = Decimal | int | str | tuple[str, ...]
Check = Callable[[object], Value]

PROGRAMMES = ("dibao", "tekun", "dibao_margin", "rigid_expenditure")
AREAS = ("urban", "rural")
# The sources of the specification: a policy must say how old each of them may be.
SOURCES = (
    "roster",
    "tax",
    "market_regulation",
    "banks",
    "securities",
    "insurance",
    "household_registration",
    "rural_revitalisation",
)
DISABILITY_CATEGORIES = ("视力", "听力", "言语", "肢体", "智力", "精神", "多重")
INCOME_ITEMS = (
    "工资薪金",
    "劳务报酬",
    "稿酬",
    "特许权使用费",
    "经营所得",
    "利息股息红利",
    "财产租赁",
    "财产转让",
    "偶然所得",
)
PRODUCT_TYPES = ("年金", "两全", "终身寿", "万能", "投连", "定期寿", "健康", "意外")
BASES = ("dibao_standard", "minimum_wage", "disposable_income")

_CONNECTORS = Path(__file__).parents[1] / "connectors"
# An absurd exponent would otherwise be written out digit by digit.
_LARGEST = Decimal(10) ** 12
_DECIMAL_PLACES = 12


def whole(least: int, most: int | None = None) -> Check:
    """Check for an integer within bounds, both included."""
    wanted = (
        f"a whole number of at least {least}" if most is None else f"a whole number from {least} to {most}"
    )

    def check(raw: object) -> Value:
        if type(raw) is not int or raw < least or raw > (int(_LARGEST) if most is None else most):
            raise ValueError(wanted)
        return raw

    return check


def number(most: int | None = None) -> Check:
    """Check for a number that is not negative, kept with the decimals it was written with."""
    wanted = "a number that is not negative" if most is None else f"a number from 0 to {most}"

    def check(raw: object) -> Value:
        if type(raw) is not int and type(raw) is not Decimal:
            raise ValueError(wanted)
        value = Decimal(raw)
        if not value.is_finite() or (value.is_signed() and value != 0) or (most is not None and value > most):
            raise ValueError(wanted)
        exponent = value.as_tuple().exponent
        if value >= _LARGEST or (isinstance(exponent, int) and exponent < -_DECIMAL_PLACES):
            raise ValueError(f"{wanted}, under {_LARGEST:f} and with at most {_DECIMAL_PLACES} decimals")
        return value

    return check


def one_of(*codes: str) -> Check:
    """Check for exactly one of some codes."""

    def check(raw: object) -> Value:
        if not isinstance(raw, str) or raw not in codes:
            raise ValueError("one of " + ", ".join(codes))
        return raw

    return check


def shaped(pattern: str, wanted: str) -> Check:
    """Check for text of a given shape."""
    shape = re.compile(pattern)

    def check(raw: object) -> Value:
        if not isinstance(raw, str) or not shape.fullmatch(raw):
            raise ValueError(wanted)
        return raw

    return check


def grade(raw: object) -> Value:
    """Check for a disability grade, 1 to 4; written as a number or as the text the roster uses."""
    text = str(raw) if type(raw) is int or isinstance(raw, str) else ""
    if text not in ("1", "2", "3", "4"):
        raise ValueError("disability grades from 1 to 4")
    return text


def known_source(raw: object) -> Value:
    """Check for a source there is a contract for: the names of their folders are the one list of them."""
    names = {path.parent.name for path in _CONNECTORS.glob("*/contract.toml")} | set(SOURCES)
    if not isinstance(raw, str) or raw not in names:
        raise ValueError("one of " + ", ".join(sorted(names)))
    return raw


def list_of(item: Check) -> Check:
    """Check for a list whose items are accepted, none of them twice. The list may be empty."""

    def check(raw: object) -> Value:
        if not isinstance(raw, list):
            raise ValueError("a list")
        items = tuple(str(item(one)) for one in raw)
        if len(set(items)) < len(items):
            raise ValueError("a list that names nothing twice")
        return items

    return check


@dataclass(frozen=True)
class Parameter:
    """One parameter: the fields that identify an entry, its value, and what else it says.

    `by_region` entries are looked up by the longest prefix of a division code. `identity_optional` names identity
    fields that may be left out. A policy need not have entries of a parameter that `may_be_absent`.
    """

    key: str
    identity: Mapping[str, Check] = field(default_factory=dict)
    value: Check | None = None
    fields: Mapping[str, Check] = field(default_factory=dict)
    identity_optional: frozenset[str] = frozenset()
    by_region: bool = False
    is_scalar: bool = False
    may_be_absent: bool = False


def number_or_texts(raw: object) -> Value:
    """Check for a number that is not negative, or a list of texts that names nothing twice."""
    return (
        list_of(shaped(r"\S+", "texts without white space"))(raw) if isinstance(raw, list) else number()(raw)
    )


REGION = shaped(r"[0-9]{1,9}", "the first 1 to 9 digits of a division code, as text")
RULE = shaped(r"[A-Z][0-9]{2}", "the code of a rule of rules.toml")
SETTING = shaped(r"[a-z][a-z0-9_]*", "the name of a setting of that rule")
CURRENCY = shaped(r"[A-Z]{3}", "a currency code of three capital letters")

_TABLES = (
    Parameter("dibao_standard", {"region": REGION, "area": one_of(*AREAS)}, number(), by_region=True),
    Parameter("disposable_income", {"region": REGION}, number(), by_region=True),
    Parameter("minimum_wage", {"region": REGION}, number(), by_region=True),
    Parameter(
        "income_line",
        {"programme": one_of(*PROGRAMMES), "use": one_of("check", "entry")},
        fields={"basis": one_of(*BASES), "multiple": number()},
    ),
    Parameter(
        "asset_limit",
        {"programme": one_of(*PROGRAMMES)},
        fields={"months": number(), "standard_area": one_of("own", "urban")},
    ),
    Parameter(
        "tekun_disability", {"category": one_of(*DISABILITY_CATEGORIES)}, fields={"max_grade": whole(1, 4)}
    ),
    Parameter("fx", {"currency": CURRENCY}, number()),
    Parameter(
        "max_age_days",
        {"source_name": known_source},
        whole(0),
        identity_optional=frozenset({"source_name"}),
    ),
    # What the rules over the other departments read (policy/rules.toml, `settings`): the longest region decides,
    # and where it says off, the rule is silent.
    Parameter(
        "rule_setting",
        {"rule": RULE, "name": SETTING, "region": REGION},
        number_or_texts,
        {"switch": one_of("on", "off")},
        by_region=True,
        may_be_absent=True,
    ),
)

_SCALARS: dict[str, Check] = {
    "income_window_months": whole(1, 120),
    "countable_income_items": list_of(one_of(*INCOME_ITEMS)),
    "income_tolerance": number(),
    "undeclared_income_tolerance": number(),
    "undeclared_assets_tolerance": number(),
    "premium_multiple": number(),
    "capital_threshold": number(),
    "obligor_multiple": number(),
    "rigid_share": number(most=1),
    "severe_grades": list_of(grade),
    "severe_grades_intellectual_mental": list_of(grade),
    "asset_products": list_of(one_of(*PRODUCT_TYPES)),
    "register_max_persons": whole(0),
    "evidence_max_age_days": whole(0),
    "max_quarantined_share": number(most=1),
}

PARAMETERS: Mapping[str, Parameter] = {
    **{one.key: one for one in _TABLES},
    **{key: Parameter(key, value=check, is_scalar=True) for key, check in _SCALARS.items()},
}
