"""One household now gives what the night gave, from what the night kept, to somebody who said why."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal

import pyarrow.parquet as pq
import pytest

from connectors.registry import all_contracts
from pipelines import marks
from pipelines.audit import AuditLog
from pipelines.errors import UsageError
from pipelines.evidence_kept import EvidenceNotKept, mark_folder, open_evidence
from pipelines.household_check import HouseholdUnknown, check_household, check_household_sealed, open_check
from pipelines.identity.cipher import UnsealError
from pipelines.identity.keyring import KeyRing
from pipelines.lists import read_list
from pipelines.manifest import latest
from pipelines.settings import Settings

ACTOR, REASON = "经办人王", "群众来访复核"


@pytest.fixture(scope="module")
def ring(night):
    return KeyRing.open(night[0].home, {})


@pytest.fixture(scope="module")
def published(night, ring):
    """Leads on the published lists by household: list, rule, ID number, name, value, number."""
    settings, _ = night
    leads = defaultdict(list)
    values = {"discrepancies": "核对值", "newly-eligible": "人均月收入"}
    for which, value in values.items():
        for row in read_list(settings.home, settings.as_of, which, ring).to_pylist():
            household = row.get("家庭编号") or row.get("户编号")
            lead = (row["规则代码"], row["公民身份号码"], row["姓名"], Decimal(row[value]), row["线索编号"])
            leads[household].append(lead)
    return leads


def found(answer):
    return sorted(
        (one["rule"], one["id_number"], one["name"], Decimal(one["value"]), one["lead_no"])
        for one in answer["leads"]
    )


def few_with_every_rule(rules):
    """Households that have a lead of every rule between them, those of most rules first: a check takes a second."""
    missing, chosen = set().union(*rules.values()), []
    while missing:
        chosen.append(max(sorted(rules), key=lambda household: len(rules[household] & missing)))
        missing -= rules[chosen[-1]]
    return chosen


def test_a_household_of_every_rule_gives_the_leads_of_the_night(night, published):
    settings, manifest = night
    rules = {household: {lead[0] for lead in leads} for household, leads in published.items()}
    assert set().union(*rules.values()) >= {
        "D01",
        "D03",
        "H01",
        "I01",
        "A01",
        "B01",
        "X02",
        "X04",
        "X05",
        "N00",
        "N01",
        "U01",
    }
    for household in few_with_every_rule(rules):
        answer = check_household(settings, household, ACTOR, REASON)
        assert found(answer) == sorted(published[household]), household
        assert answer["seal"] == manifest["seal"]


def test_quiet_households_stay_quiet(night, published):
    settings, _ = night
    kept = open_evidence(settings.home, KeyRing.open(settings.home, {}))
    everyone = pq.read_table(kept.folder / "people" / "household.parquet")["household_id"].to_pylist()
    quiet = [household for household in everyone if household not in published][::40]
    assert len(quiet) > 3
    for household in quiet[:4]:
        answer = check_household(settings, household, ACTOR, REASON)
        assert answer["leads"] == [] and answer["households"]


def test_it_is_in_the_audit_log_without_a_name_or_number(night, published):
    settings, manifest = night
    household = next(iter(published))
    answer = check_household(settings, household, ACTOR, REASON)
    entry = list(AuditLog(settings.home, KeyRing.open(settings.home, {})).entries())[-1]
    assert (entry.action, entry.actor, entry.reason) == ("household_check", ACTOR, REASON)
    assert entry.detail["household_id"] == household and entry.detail["seal"] == manifest["seal"]
    told = json.dumps(entry.detail, ensure_ascii=False)
    assert not any(lead["id_number"] in told or lead["name"] in told for lead in answer["leads"])


@pytest.mark.parametrize(
    ("household", "actor", "reason"), [("", "a", "b"), ("H1", " ", "b"), ("H1", "a", "")]
)
def test_without_somebody_and_a_reason_there_is_no_check(night, household, actor, reason):
    before = (night[0].home / "audit" / "log.jsonl").read_bytes()
    with pytest.raises(UsageError):
        check_household(night[0], household, actor, reason)
    assert (night[0].home / "audit" / "log.jsonl").read_bytes() == before


def test_a_household_the_night_did_not_look_at_is_refused(night):
    with pytest.raises(HouseholdUnknown, match="next night"):
        check_household(night[0], "H000", ACTOR, REASON)


def test_the_feeds_are_not_read_again(night, published):
    settings, _ = night
    without = Settings(home=settings.home, as_of=settings.as_of, feeds=settings.home / "nowhere")
    household = next(iter(published))
    assert found(check_household(without, household, ACTOR, REASON)) == sorted(published[household])


def changed_part(folder):
    file = folder / "intake" / "banks" / "part-0000.arrow"
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    return "intake/banks/part-0000.arrow is not the file that was kept"


def added_part(folder):
    shutil.copy(
        folder / "intake" / "banks" / "part-0000.arrow", folder / "intake" / "banks" / "part-0999.arrow"
    )
    return "intake/banks/part-0999.arrow is not the file that was kept"


def taken_part(folder):
    (folder / "intake" / "banks" / "part-0000.arrow").unlink()
    return "intake/banks/part-0000.arrow is not the file that was kept"


def exchanged_parts(folder):
    one, other = (folder / "people" / f"{name}.parquet" for name in ("record", "household"))
    one.rename(folder / "aside")
    other.rename(one)
    (folder / "aside").rename(other)
    return "people/household.parquet is not the file that was kept"


def link_added(folder):
    (folder / "intake" / "banks" / "part-0998.arrow").symlink_to("nowhere")
    return "intake/banks/part-0998.arrow is not the file that was kept"


def part_left_out(folder):
    (folder / "intake" / "banks" / "part-0000.arrow").unlink()
    kept = json.loads((folder / "kept.json").read_bytes())
    del kept["files"]["intake/banks/part-0000.arrow"]
    (folder / "kept.json").write_text(json.dumps(kept))
    return "not kept any more, or not as it was"


def kept_of_another_night(folder):
    home = folder.parents[1]
    ring = KeyRing.open(home, {})
    mark_folder(folder, {**latest(home), "folder": "2026-05-31-1"}, ring.cipher())
    return "not kept any more, or not as it was"


def nothing_left(folder):
    shutil.rmtree(folder)
    return "run the night of .* again"


@pytest.mark.parametrize(
    "damage",
    [
        link_added,
        changed_part,
        added_part,
        taken_part,
        exchanged_parts,
        part_left_out,
        kept_of_another_night,
        nothing_left,
    ],
)
def test_evidence_that_is_not_as_it_was_kept_is_refused(night, published, tmp_path, damage):
    home = tmp_path / "home"
    shutil.copytree(night[0].home, home)
    told = damage(open_evidence(home, KeyRing.open(home, {})).folder)
    with pytest.raises(EvidenceNotKept, match=told):
        check_household(Settings(home=home, as_of=night[0].as_of), next(iter(published)), ACTOR, REASON)


def test_no_answer_hangs_on_a_byte_that_is_not_as_it_was_kept(night, published, tmp_path, monkeypatch):
    """Of a file that is only read in part: the answer is the same, or there is none."""
    monkeypatch.setattr(marks, "_BLOCK", 256)
    home = tmp_path / "home"
    shutil.copytree(night[0].home, home)
    ring = KeyRing.open(home, {})
    folder = open_as_marked_anew(home, ring)
    settings, household = (
        Settings(home=home, as_of=night[0].as_of),
        max(published, key=lambda one: len(published[one])),
    )
    whole = check_household(settings, household, ACTOR, REASON)
    rng, refused = random.Random(5), set()
    for name in (
        "people/record.parquet",
        "people/names.sealed",
        "people/person.arrow",
        "intake/banks/part-0000.arrow",
    ):
        content = (folder / name).read_bytes()
        for at in rng.sample(range(len(content)), 4):
            (folder / name).write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            try:
                assert check_household(settings, household, ACTOR, REASON) == whole, (name, at)
            except EvidenceNotKept as error:
                assert f"{name} is not the file that was kept" in str(error)
                refused.add(name)
        (folder / name).write_bytes(content)
    assert len(refused) == 4
    assert check_household(settings, household, ACTOR, REASON) == whole


def open_as_marked_anew(home, ring):
    folder = home / "evidence" / latest(home)["folder"]
    mark_folder(folder, latest(home), ring.cipher())
    return folder


def forget_sources(home, *sources):
    """Leave the kept evidence as a night leaves it that ran before these sources' contracts were added."""
    ring = KeyRing.open(home, {})
    counts = open_evidence(home, ring).folder / "link" / "counts.json"
    linked = json.loads(counts.read_bytes())
    counts.write_text(
        json.dumps({source: linked[source] for source in linked if source not in sources}), "utf-8"
    )
    open_as_marked_anew(home, ring)


def unexpected(needs_authorisation):
    return [
        source
        for source, contract in all_contracts().items()
        if contract.role == "evidence"
        and not contract.expected
        and contract.authorisation is needs_authorisation
    ]


def test_a_household_is_still_checked_after_contracts_were_added(night, published, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(night[0].home, home)
    assert unexpected(True) and unexpected(False), "there is no contract that could have been added"
    forget_sources(home, *unexpected(True), *unexpected(False))
    settings = Settings(home=home, as_of=night[0].as_of)
    of_rule = {lead[0]: household for household, leads in published.items() for lead in leads}
    for rule in ("A01", "X04", "N00"):
        household = of_rule[rule]
        assert found(check_household(settings, household, ACTOR, REASON)) == sorted(published[household])


def test_an_added_contract_that_changes_what_kept_authorisations_mean_is_told(night, published, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(night[0].home, home)
    settings = Settings(home=home, as_of=night[0].as_of)
    first = unexpected(True)[0]
    forget_sources(home, first)  # others after it were known: their places have moved
    with pytest.raises(EvidenceNotKept, match=rf"before the contract of {first} was added.*again"):
        check_household(settings, next(iter(published)), ACTOR, REASON)
    forget_sources(home, "banks", *unexpected(True)[1:])  # asked of everybody, and unknown to the night
    with pytest.raises(EvidenceNotKept, match="banks"):
        check_household(settings, next(iter(published)), ACTOR, REASON)


def test_nothing_plain_is_kept(night, published):
    """Neither the evidence nor a sealed answer shows a name, a number or an account."""
    settings, _ = night
    household = max(published, key=lambda one: len(published[one]))
    path = check_household_sealed(settings, household, ACTOR, REASON)
    feeds = settings.feeds
    members = (feeds / "roster" / "members.csv").read_text("utf-8-sig").splitlines()[1:]
    numbers = {line.split(",")[1].strip() for line in members}
    accounts = set()
    for file in (feeds / "banks").glob("*.csv"):
        records = (line.split(",") for line in file.read_text("gb18030", errors="replace").splitlines()[1:])
        accounts |= {fields[3].strip() for fields in records if len(fields) > 3}
    plain = [value.encode() for value in numbers | accounts if len(value) >= 15]
    plain += [lead[2].encode() for leads in published.values() for lead in leads if len(lead[2]) > 2]
    kept = b"\0".join(file.read_bytes() for file in (settings.home / "evidence").rglob("*") if file.is_file())
    kept += path.read_bytes()
    assert len(plain) > 100
    assert not [value for value in plain if value in kept]


def test_a_sealed_answer_opens_for_somebody_with_a_reason_and_only_unchanged(night, published):
    settings, _ = night
    household = next(iter(published))
    path = check_household_sealed(settings, household, ACTOR, REASON)
    assert found(open_check(settings.home, path, ACTOR, "核对结果")) == sorted(published[household])
    last = list(AuditLog(settings.home, KeyRing.open(settings.home, {})).entries())[-1]
    assert (last.action, last.detail) == ("household_check_opened", {"file": path.name})
    with pytest.raises(UsageError):
        open_check(settings.home, path, ACTOR, " ")
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(UnsealError):
        open_check(settings.home, path, ACTOR, REASON)


def test_the_command_answers_within_two_seconds_of_process_time(night, published):
    settings, _ = night
    household = next(iter(published))
    code = (
        "import sys, time; from pipelines.cli import main; code = main(sys.argv[1:]);"
        "print(time.process_time(), file=sys.stderr); sys.exit(code)"
    )
    words = [
        "household",
        "--id",
        household,
        "--actor",
        ACTOR,
        "--reason",
        REASON,
        "--home",
        str(settings.home),
    ]
    run = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert found(json.loads(run.stdout)) == sorted(published[household])
    # Twice, because only the second has the compiled modules on disk.
    run = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    seconds = float(run.stderr.split()[-1])
    assert seconds < (2 if not sys.flags.dont_write_bytecode else 8)


def test_the_compiler_is_not_loaded_for_one_household():
    """It alone takes a quarter of a second."""
    code = "import sys, pipelines.cli, pipelines.household_check; print('numba' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
