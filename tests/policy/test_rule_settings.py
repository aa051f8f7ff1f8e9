"""What the rules over the other departments read: the longest region, on or off, and no seal but their own."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from policy import PolicyError
from policy.model import PolicyAt, load
from policy.rules import load_rules
from tests.policy.writing import COMPLETE, loaded

DAY = date(2026, 6, 30)
RULES = load_rules()
V01, V02 = RULES["V01"], RULES["V02"]


def setting(
    region: str,
    value: str = "7",
    switch: str = "on",
    rule: str = "V02",
    name: str = "annual_standards",
    start: str = "2026-01-01",
) -> str:
    return (
        f'\n[[rule_setting]]\nrule = "{rule}"\nname = "{name}"\nregion = "{region}"\nvalue = {value}\n'
        f'switch = "{switch}"\nfrom = {start}\nsource = "s"\n'
    )


def at(folder: Path, *settings: str, day: date = DAY) -> PolicyAt:
    return loaded(folder, COMPLETE + "".join(settings)).at(day)


def read(policy: PolicyAt, county: str = "440103", township: str = "440103001") -> list[int]:
    return [int(str(entry.value)) for entry in policy.settings(V02, county, township)]


def test_a_policy_without_settings_is_whole_and_leaves_those_rules_silent(tmp_path: Path) -> None:
    assert read(at(tmp_path)) == []


def test_the_longest_region_decides_also_where_it_says_off(tmp_path: Path) -> None:
    policy = at(
        tmp_path,
        setting("44", "5"),
        setting("440103", "6"),
        setting("440103002", "6", "off"),
        setting("4402", "5", "off"),
    )
    assert read(policy) == [6]
    assert read(policy, "440104", "440104001") == [5]
    assert read(policy, "440103", "440103002") == []
    assert read(policy, "440203", "440203001") == []
    assert read(policy, "450103", "450103001") == []


@pytest.mark.parametrize(
    ("day", "value"), [("2025-12-31", []), ("2026-01-01", [7]), ("2026-06-30", [7]), ("2026-07-01", [8])]
)
def test_a_setting_holds_from_its_day_until_the_next(tmp_path: Path, day: str, value: list[int]) -> None:
    settings = (setting("44"), setting("44", "8", start="2026-07-01"))
    assert read(at(tmp_path, *settings, day=date.fromisoformat(day))) == value


def test_a_rule_that_reads_several_settings_is_silent_without_one_of_them(tmp_path: Path) -> None:
    names = list(V01.settings)
    some = [setting("44", '["摩托车"]', rule="V01", name=name) for name in names]
    whole = at(tmp_path, *some)
    assert [entry.identity["name"] for entry in whole.settings(V01, "440103", "440103001")] == names
    for left_out in range(len(names)):
        kept = [text for place, text in enumerate(some) if place != left_out]
        assert at(tmp_path, *kept).settings(V01, "440103", "440103001") == ()


def test_settings_change_only_the_digest_of_nights_that_judge_their_rule(tmp_path: Path) -> None:
    without, with_one = at(tmp_path), at(tmp_path, setting("44"))
    assert without.sha256 != with_one.sha256
    assert without.digest(()) == with_one.digest(()) == with_one.digest(["V01", "D01"]) == without.sha256
    assert with_one.digest(["V02"]) == with_one.sha256


def test_only_settings_of_judged_rules_at_the_places_of_the_night_are_used(tmp_path: Path) -> None:
    policy = at(tmp_path, setting("4401"), setting("4402", "9"), setting("440104", "9", "off"))
    place = ("440103", "440103001", "urban")

    def used(*rules: str, at_place: tuple[str, str, str] = place) -> list[str]:
        entries = policy.used([at_place], [RULES[code] for code in rules])
        return [entry.identity["region"] for entry in entries if entry.key == "rule_setting"]

    assert used() == used("V01") == []
    assert used("V02") == ["4401"]
    assert used("V02", at_place=("440104", "440104001", "urban")) == []


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ('name = "annual_standards"', 'name = "anual_standards"', "a setting that no rule reads"),
        ('rule = "V02"', 'rule = "V01"', "a setting that no rule reads"),
        ('rule = "V02"', 'rule = "V2"', "the code of a rule"),
        ('switch = "on"', 'switch = "yes"', "one of on, off"),
        ('switch = "on"\n', "", "no switch"),
        ("value = 7", "value = -7", "not negative"),
        ("value = 7", 'value = ["a b"]', "without white space"),
        ('region = "44"', 'region = "Foshan"', "digits of a division code"),
        ('source = "s"', 'source = ""', "the instrument"),
    ],
)
def test_a_mistake_in_a_setting_is_refused(tmp_path: Path, right: str, wrong: str, told: str) -> None:
    written = setting("44")
    assert right in written
    with pytest.raises(PolicyError, match=told):
        at(tmp_path, written.replace(right, wrong))


def test_what_nobody_published_is_shipped_off() -> None:
    policy = load().at(DAY)
    off = {
        entry.identity["rule"] for entry in policy.entries("rule_setting") if entry.fields["switch"] == "off"
    }
    assert off == {"V02", "F03", "T01"}
    assert all(
        not entry.confirmed for entry in policy.entries("rule_setting") if entry.fields["switch"] == "off"
    )
    judged = {
        code for code, rule in RULES.items() if rule.settings and policy.settings(rule, "440103", "440103001")
    }
    assert judged == {code for code, rule in RULES.items() if rule.settings} - off


def test_the_counties_where_a_rule_is_silent_are_told(tmp_path: Path) -> None:
    policy = at(
        tmp_path, setting("4401"), setting("440104", switch="off"), setting("440105002", switch="off")
    )
    places = [
        (township[:6], township, "urban")
        for township in ("440103001", "440104001", "440105001", "440105002", "450103001")
    ]
    assert policy.silent([V02, RULES["D04"]], places) == {"V02": ("440104", "440105", "450103")}
    assert policy.silent([RULES["D04"]], places) == {}
