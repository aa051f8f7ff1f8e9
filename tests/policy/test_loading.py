"""What a policy may not say: each mistake stops the run and is named by file, key and date."""

from datetime import date
from decimal import Decimal

import pytest

from policy import PolicyError, load
from tests.policy.writing import COMPLETE, SCALARS, loaded, without, write

DAY = date(2025, 6, 30)

MISTAKES = {
    "unknown parameter": (
        "[[fx]]",
        '[[fxx]]\nvalue = 1\nfrom = 2025-02-01\nsource = "s"\n\n[[fx]]',
        ["[[fxx]]", "2025-02-01", "unknown parameter"],
    ),
    "unknown field": ("months = 24", "months = 24\nyears = 2", ["[[asset_limit]]", "2025-01-01", "years"]),
    "field of another parameter": ("value = 45", 'value = 45\nregion = "44"', ["[[max_age_days]]", "region"]),
    "no source": ('source = "yuan"', "", ["[[fx]] entry 1", "from 2025-01-01", "no source"]),
    "empty source": ('source = "yuan"', 'source = "  "', ["[[fx]]", "source"]),
    "source is no text": ('source = "yuan"', "source = 7", ["[[fx]]", "source = 7"]),
    "no from": ("from = 2025-03-01", "", ["[[minimum_wage]] entry 1", "no from"]),
    "from is text": ("from = 2025-03-01", 'from = "2025-03-01"', ["[[minimum_wage]]", "no quotes"]),
    "from is a moment": (
        "from = 2025-03-01",
        "from = 2025-03-01T00:00:00",
        ["[[minimum_wage]]", "TOML date"],
    ),
    "to before from": (
        "from = 2025-03-01",
        "from = 2025-03-01\nto = 2025-02-28",
        ["to 2025-02-28", "before"],
    ),
    "no value": ("value = 45", "", ["[[max_age_days]]", "no value"]),
    "value is text": ("value = 45", 'value = "45"', ["[[max_age_days]]", "'45'"]),
    "value is a boolean": ("value = 45", "value = true", ["[[max_age_days]]", "whole number"]),
    "days are no whole number": ("value = 45", "value = 45.0", ["[[max_age_days]]", "whole number"]),
    "negative value": ("value = 2500", "value = -1", ["[[minimum_wage]]", "value = -1", "not negative"]),
    "not a number": ("value = 2500", "value = nan", ["[[minimum_wage]]", "not negative"]),
    "infinite": ("value = 2500", "value = inf", ["[[minimum_wage]]", "not negative"]),
    "absurd exponent": ("value = 2500", "value = 1e999999", ["[[minimum_wage]]", "under 1000000000000"]),
    "share over one": ("value = 0.60", "value = 1.01", ["[[rigid_share]]", "from 0 to 1"]),
    "empty window": ("value = 6\n", "value = 0\n", ["[[income_window_months]]", "from 1 to 120"]),
    "missing field": ("months = 24\n", "", ["[[asset_limit]]", "no months"]),
    "unknown programme": (
        'programme = "dibao"',
        'programme = "低保"',
        ["programme = '低保'", "dibao_margin"],
    ),
    "unknown use": ('use = "check"', 'use = "exit"', ["use = 'exit'", "check, entry"]),
    "unknown basis": ('basis = "minimum_wage"', 'basis = "wage"', ["basis = 'wage'"]),
    "unknown area": ('area = "rural"', 'area = "town"', ["area = 'town'", "urban, rural"]),
    "unknown standard area": ('standard_area = "own"', 'standard_area = "rural"', ["own, urban"]),
    "unknown category": ('category = "智力"', 'category = "intellectual"', ["category", "智力"]),
    "grade out of range": ("max_grade = 3", "max_grade = 5", ["max_grade = 5", "from 1 to 4"]),
    "unknown source name": (
        "value = 45",
        'value = 45\nsource_name = "bank"',
        ["source_name = 'bank'", "banks"],
    ),
    "currency shape": ('currency = "CNY"', 'currency = "rmb"', ["currency = 'rmb'", "three capital letters"]),
    "region is a number": ('region = "44"', "region = 44", ["region = 44", "as text"]),
    "region is no prefix": ('region = "44"', 'region = "44*"', ["region", "digits"]),
    "unknown income item": ('"劳务报酬"', '"劳务"', ["[[countable_income_items]]", "劳务报酬"]),
    "item named twice": ('"劳务报酬"', '"工资薪金"', ["[[countable_income_items]]", "twice"]),
    "unknown product": ('["年金"]', '["基金"]', ["[[asset_products]]"]),
    "unknown grade": ("[1, 2]", "[0, 1]", ["[[severe_grades]]", "1 to 4"]),
    "list is no list": ("[1, 2]", "1", ["[[severe_grades]]", "a list"]),
    "confirmed is text": (
        'source = "yuan"',
        'source = "yuan"\nconfirmed = "no"',
        ["[[fx]]", "true or false"],
    ),
    "single table": (
        "[[income_tolerance]]",
        "[income_tolerance]",
        ["[[income_tolerance]]", "array of dated entries"],
    ),
    "no id": ('id = "test"', "", ["id", "found none"]),
    "empty id": ('id = "test"', 'id = ""', ["id", "not empty"]),
    "no TOML": ("[[fx]]", "[[fx", ["TOMLDecodeError"]),
}


@pytest.mark.parametrize(("right", "wrong", "told"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_refused_by_name(tmp_path, right, wrong, told):
    assert right in COMPLETE
    with pytest.raises(PolicyError) as refusal:
        loaded(tmp_path, COMPLETE.replace(right, wrong, 1))
    for words in ["policy.toml", *told]:
        assert words in str(refusal.value)


def test_two_entries_with_the_same_identity_and_date_are_refused_across_files(tmp_path):
    twin = '[[fx]]\ncurrency = "CNY"\nvalue = 1.0\nfrom = 2025-01-01\nsource = "again"\n'
    write(tmp_path, COMPLETE, "a.toml")
    write(tmp_path, twin, "b.toml")
    with pytest.raises(
        PolicyError, match=r"\[\[fx\]\] CNY, from 2025-01-01: found two entries, in a.toml and b.toml"
    ):
        load(tmp_path)


def test_an_id_stands_in_one_file_only(tmp_path):
    write(tmp_path, COMPLETE, "a.toml")
    write(tmp_path, 'id = "test"', "b.toml")
    with pytest.raises(PolicyError, match=r"b.toml, id, no date: found a second id"):
        load(tmp_path)


@pytest.mark.parametrize(
    "key",
    ["dibao_standard", "income_line", "asset_limit", "tekun_disability", "fx", "max_age_days", *SCALARS],
)
def test_a_missing_parameter_is_named_with_the_day(tmp_path, key):
    policy = loaded(tmp_path, without(COMPLETE, key))
    with pytest.raises(
        PolicyError, match=rf"policy.toml, \[\[{key}\]\], as of 2025-06-30: found no entry at all"
    ):
        policy.at(DAY)


@pytest.mark.parametrize("basis", ["minimum_wage", "disposable_income"])
def test_a_basis_may_be_missing_only_while_no_line_uses_it(tmp_path, basis):
    text = without(COMPLETE, basis)
    with pytest.raises(PolicyError, match=basis):
        loaded(tmp_path, text).at(DAY)
    unused = text.replace(f'basis = "{basis}"', 'basis = "dibao_standard"')
    assert loaded(tmp_path, unused).at(DAY).entries(basis) == ()


def test_a_parameter_whose_entries_all_lapsed_stops_the_day(tmp_path):
    text = COMPLETE.replace("value = 45\n", "value = 45\nto = 2025-06-29\n")
    policy = loaded(tmp_path, text)
    assert policy.at(date(2025, 6, 29)).max_age_days("banks") == 45
    with pytest.raises(PolicyError, match=r"\[\[max_age_days\]\], as of 2025-06-30: found no entry in force"):
        policy.at(DAY)


def test_every_source_needs_an_age_limit(tmp_path):
    text = COMPLETE.replace("value = 45\n", 'value = 45\nsource_name = "banks"\n')
    with pytest.raises(PolicyError, match=r"max_age_days.*no value for roster"):
        loaded(tmp_path, text).at(DAY)


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_path_without_a_policy_is_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(PolicyError, match="no policy file"):
        load(tmp_path / name)


def test_a_file_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_bytes(COMPLETE.encode("gb18030"))
    with pytest.raises(PolicyError, match="UnicodeDecodeError"):
        load(path)


def test_a_folder_is_read_as_one_policy_and_only_its_own_toml_files(tmp_path):
    first, second = COMPLETE.split("\n[[minimum_wage]]", 1)
    write(tmp_path, "[[minimum_wage]]" + second, "a.toml")
    write(tmp_path, first, "b.toml")
    write(tmp_path, "broken", "notes.txt")
    (tmp_path / "older").mkdir()
    write(tmp_path / "older", "broken", "c.toml")
    assert load(tmp_path).at(DAY).id == "test"


def test_the_hash_covers_what_is_said_and_not_how_it_is_written(tmp_path):
    one = loaded(tmp_path, COMPLETE)
    folder = tmp_path / "folder"
    folder.mkdir()
    first, second = COMPLETE.split("\n[[minimum_wage]]", 1)
    rewritten = first.replace("1000.50", "1000.5").replace("value = 1300\n", "value = 1_300.0 # unchanged\n")
    write(
        folder,
        "[[minimum_wage]]" + second.replace('["工资薪金", "劳务报酬"]', '["劳务报酬", "工资薪金"]'),
        "z.toml",
    )
    write(folder, rewritten.replace('source = "rural', 'confirmed = true\nsource = "rural'), "a.toml")
    assert load(folder).sha256 == one.sha256
    for changed in ("1300", "2025-01-01", '"yuan"', '"test"', "24\n"):
        other = {
            "1300": "1301",
            "2025-01-01": "2024-12-31",
            '"yuan"': '"euro"',
            '"test"': '"t"',
            "24\n": "25\n",
        }[changed]
        assert loaded(tmp_path, COMPLETE.replace(changed, other, 1)).sha256 != one.sha256
    doubted = COMPLETE.replace('source = "yuan"', 'source = "yuan"\nconfirmed = false')
    assert loaded(tmp_path, doubted).sha256 != one.sha256


def test_values_are_handed_out_as_written(tmp_path):
    at = loaded(tmp_path, COMPLETE).at(DAY)
    assert str(at.scalar("rigid_share")) == "0.60" and isinstance(at.scalar("rigid_share"), Decimal)
    assert at.scalar("income_window_months") == 6 and isinstance(at.scalar("income_window_months"), int)
    assert at.scalar("income_tolerance") == Decimal("0.5")
    assert at.scalar("countable_income_items") == ("工资薪金", "劳务报酬")
    assert at.scalar("severe_grades") == ("1", "2") and at.scalar("severe_grades_intellectual_mental") == (
        "3",
        "4",
    )
    assert at.currencies() == {"CNY": Decimal(1)}
    rural = at.standard("440103", "440103001", "rural")
    assert str(rural.value) == "1000.50" and rural.confirmed and rural.file == "policy.toml"
    assert at.entries("tekun_disability")[0].fields == {"max_grade": 3}
    with pytest.raises(KeyError):
        at.scalar("fx")
