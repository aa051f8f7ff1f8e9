"""A small complete policy to change one thing in."""

from pathlib import Path

from policy import Policy, load

MINIMAL = """
id = "test"

[[dibao_standard]]
region = "4401"
area = "urban"
value = 1300
from = 2025-01-01
source = "standard 2025"

[[dibao_standard]]
region = "4401"
area = "rural"
value = 1000.50
from = 2025-01-01
source = "rural standard 2025"

[[minimum_wage]]
region = "44"
value = 2500
from = 2025-03-01
source = "wage notice"

[[disposable_income]]
region = "44"
value = 50000
from = 2025-01-01
source = "statistics"

[[income_line]]
programme = "dibao"
use = "check"
basis = "minimum_wage"
multiple = 1
from = 2025-03-01
source = "measure"

[[income_line]]
programme = "dibao_margin"
use = "entry"
basis = "dibao_standard"
multiple = 1.5
from = 2025-01-01
source = "measure"

[[income_line]]
programme = "rigid_expenditure"
use = "entry"
basis = "disposable_income"
multiple = 1
from = 2025-01-01
source = "measure"

[[asset_limit]]
programme = "dibao"
months = 24
standard_area = "own"
from = 2025-01-01
source = "measure"

[[asset_limit]]
programme = "dibao_margin"
months = 24
standard_area = "urban"
from = 2025-01-01
source = "measure"

[[tekun_disability]]
category = "智力"
max_grade = 3
from = 2025-01-01
source = "measure"

[[fx]]
currency = "CNY"
value = 1
from = 2025-01-01
source = "yuan"

[[max_age_days]]
value = 45
from = 2025-01-01
source = "chosen"
"""

SCALARS = {
    "income_window_months": "6",
    "countable_income_items": '["工资薪金", "劳务报酬"]',
    "income_tolerance": "0.5",
    "undeclared_income_tolerance": "500",
    "undeclared_assets_tolerance": "5000",
    "premium_multiple": "1",
    "capital_threshold": "0",
    "obligor_multiple": "2",
    "rigid_share": "0.60",
    "severe_grades": "[1, 2]",
    "severe_grades_intellectual_mental": '["3", "4"]',
    "asset_products": '["年金"]',
    "register_max_persons": "15",
    "evidence_max_age_days": "90",
    "max_quarantined_share": "0.05",
}

COMPLETE = MINIMAL + "".join(
    f'\n[[{key}]]\nvalue = {value}\nfrom = 2025-01-01\nsource = "chosen {key}"\n'
    for key, value in SCALARS.items()
)


def write(folder: Path, text: str, name: str = "policy.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def loaded(folder: Path, text: str) -> Policy:
    return load(write(folder, text))


def without(text: str, key: str) -> str:
    """The policy without any entry of one parameter."""
    blocks = text.split("\n[[")
    return "\n[[".join(block for block in blocks if not block.startswith(f"{key}]]"))
