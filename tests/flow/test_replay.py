"""What a night could not take is taken once it is healed, and the night is then as if it had been right at first."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.audit import AuditLog
from pipelines.cli import main
from pipelines.identity.keyring import KeyRing
from pipelines.manifest import read_manifest

from .nights import World, debris, exported, is_whole, served, sign

DAMAGED_LINE = 3


def damage_a_row(folder: Path) -> str:
    """Put a word where the amount of one accepted row was; the receipt is true. Returns the file's name."""
    name = sorted(path.name for path in folder.glob("income-*.csv"))[0]
    lines = (folder / name).read_bytes().split(b"\n")
    fields = lines[DAMAGED_LINE - 1].decode().split(",")
    fields[4] = "none"
    lines[DAMAGED_LINE - 1] = ",".join(fields).encode()
    (folder / name).write_bytes(b"\n".join(lines))
    sign(folder, name)
    return name


def spoil_a_file(folder: Path) -> None:
    """The file is no longer the one of the receipt."""
    path = next(path for path in sorted(folder.iterdir()) if path.name != "receipt.json")
    path.write_bytes(path.read_bytes() + b"\n\n")


@pytest.fixture(scope="module")
def broken(worlds: list[World], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after two nights: in the second banks were held and one row of tax was quarantined for its amount."""
    folder = tmp_path_factory.mktemp("broken")
    worlds[0].run(folder / "home")
    shutil.copytree(worlds[1].folder, folder / "world")
    spoil_a_file(folder / "world" / "feeds" / "banks")
    damage_a_row(folder / "world" / "feeds" / "tax")
    night = replace(worlds[1], folder=folder / "world").run(folder / "home")
    assert night["status"]["sources"]["banks"]["state"] == "held"
    assert night["status"]["sources"]["tax"]["state"] == "accepted"
    return folder


@pytest.fixture
def home(broken: Path, tmp_path: Path) -> Path:
    shutil.copytree(broken / "home", tmp_path / "home")
    return tmp_path / "home"


def replay(home: Path, world: World, *sources: str, **other: str) -> int:
    given = {"--as-of": world.day, "--feeds": world.feeds, "--home": home, "--policy": world.policy}
    given |= {f"--{name}": value for name, value in other.items()}
    words = [str(word) for pair in given.items() for word in pair if word is not True]
    return main(["replay", *sources, *words, "--quiet"])


def state_of(home: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file() and path.name not in ("run.lock", "lock")
    }


def entries(home: Path, action: str) -> list[Any]:
    return [e for e in AuditLog(home, KeyRing.open(home, {})).entries() if e.action == action]


def test_healed_sources_give_the_night_as_if_they_had_been_right_at_first(
    home: Path,
    worlds: list[World],
    undisturbed: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    day, before = worlds[1].day, read_manifest(home, worlds[1].as_of)
    assert before["seal"] != undisturbed[day]
    assert replay(home, worlds[1], "banks", "tax", actor="张工", reason="银行补报") in (0, 3)
    assert served(home, day) == undisturbed[day]
    right = Path(undisturbed["home"])
    assert exported(home, day, tmp_path / "a") == exported(right, day, tmp_path / "b")
    assert is_whole(home) and debris(home) == []

    then = before["status"]["sources"]
    now = read_manifest(home, worlds[1].as_of)
    tax = now["status"]["sources"]["tax"]["quarantined"]
    assert tax == then["tax"]["quarantined"] - 1
    told = now["details"]["replay"]
    assert (told["replaces"], told["reason"]) == (before["seal"], "银行补报")
    assert told["sources"]["banks"] == {
        "state_then": "held",
        "reason_then": "receipt_mismatch",
        "quarantined_then": 0,
        "quarantined_now": now["status"]["sources"]["banks"]["quarantined"],
    }
    (entry,) = entries(home, "replay")
    assert (entry.actor, entry.reason) == ("张工", "银行补报")
    assert entry.detail == {
        "as_of": day,
        "replaces": before["seal"],
        "explanations_changed": False,
        "sources": told["sources"],
    }

    # Once more: there is nothing left to do, and nothing is done.
    after = state_of(home)
    capsys.readouterr()
    assert replay(home, worlds[1], "banks", "tax") == 0
    assert "nothing to replay" in capsys.readouterr().out
    assert state_of(home) == after


def test_a_file_torn_below_a_right_receipt_is_taken_once_it_is_whole(
    worlds: list[World], undisturbed: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The receipt was right from the first day, so nothing in it tells that the delivery is healed."""
    worlds[0].run(tmp_path / "home")
    shutil.copytree(worlds[1].folder, tmp_path / "world")
    torn = replace(worlds[1], folder=tmp_path / "world")
    path = next(iter(sorted((torn.feeds / "banks").glob("*.csv"))))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    night = torn.run(tmp_path / "home")
    assert night["status"]["sources"]["banks"]["reason"] == "receipt_mismatch"

    assert replay(tmp_path / "home", torn, "banks") == 1
    assert "banks is still held (receipt_mismatch)" in capsys.readouterr().err
    path.write_bytes(whole)
    assert replay(tmp_path / "home", torn, "banks") in (0, 3)
    assert served(tmp_path / "home", worlds[1].day) == undisturbed[worlds[1].day]
    assert replay(tmp_path / "home", torn, "banks") == 0
    assert "nothing to replay" in capsys.readouterr().out


def test_a_trial_tells_by_reason_what_would_be_taken_and_changes_nothing(
    home: Path, worlds: list[World], capsys: pytest.CaptureFixture[str]
) -> None:
    before = state_of(home)
    assert main([
        "replay", "banks", "tax", "--as-of", worlds[1].day, "--feeds", str(worlds[1].feeds), "--home", str(home),
        "--policy", str(worlds[1].policy), "--dry-run",
    ]) == 0  # fmt: skip
    told = capsys.readouterr().out
    assert "banks: held (receipt_mismatch), 0 rows quarantined; would be accepted with" in told
    tax = told.partition("tax: ")[2].splitlines()
    assert tax[0].startswith("accepted, ")
    (money,) = (line.split() for line in tax if line.startswith(" money_unparseable"))
    then, accepted, still, not_delivered, new = map(int, money[1:])
    assert (accepted, not_delivered, new, still) == (1, 0, 0, then - 1)
    assert state_of(home) == before


def test_nothing_else_may_have_changed(
    home: Path, worlds: list[World], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state_of(home)
    assert replay(home, worlds[1], "banks") == 1  # tax was healed, too
    assert "tax: not what the night" in (said := capsys.readouterr().err)
    assert "hedui replay banks tax --as-of" in said
    assert state_of(home) == before

    # A receipt that is still the old one, above other bytes: only reading tells.
    shutil.copytree(worlds[1].folder, tmp_path / "world")
    spoil_a_file(tmp_path / "world" / "feeds" / "securities")
    assert replay(home, replace(worlds[1], folder=tmp_path / "world"), "banks", "tax") == 1
    assert "securities: not what the night" in capsys.readouterr().err
    assert state_of(home) == before


def test_a_source_that_is_still_bad_changes_nothing(
    home: Path, broken: Path, worlds: list[World], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state_of(home)
    shutil.copytree(broken / "world", tmp_path / "world")
    banks = tmp_path / "world" / "feeds" / "banks"
    receipt = json.loads((banks / "receipt.json").read_bytes())
    (banks / "receipt.json").write_text(json.dumps(receipt | {"snapshot_date": "2020-01-01"}), "utf-8")
    world = replace(worlds[1], folder=tmp_path / "world")
    assert replay(home, world, "banks") == 1
    assert "banks is still held" in capsys.readouterr().err
    assert state_of(home) == before


def test_only_with_the_policy_of_the_night(
    home: Path, worlds: list[World], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state_of(home)
    policy = tmp_path / "policy.toml"
    policy.write_text(worlds[1].policy.read_text("utf-8").replace('id = "', 'id = "another-', 1), "utf-8")
    assert replay(home, worlds[1], "banks", "tax", policy=str(policy)) == 1
    assert "the policy is not the one" in capsys.readouterr().err
    assert state_of(home) == before


def test_not_below_a_later_night(home: Path, worlds: list[World], capsys: pytest.CaptureFixture[str]) -> None:
    worlds[2].run(home)
    before = state_of(home)
    assert replay(home, worlds[1], "banks", "tax") == 1
    assert f"1 later night is published ({worlds[2].day})" in capsys.readouterr().err
    assert state_of(home) == before


@pytest.mark.parametrize(
    ("source", "status", "said"),
    [
        ("household_registration", 0, "nothing to replay"),
        ("no_such_source", 2, "unknown source no_such_source"),
    ],
)
def test_what_needs_no_healing_is_left_alone(
    home: Path,
    broken: Path,
    worlds: list[World],
    source: str,
    status: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = state_of(home)
    assert replay(home, replace(worlds[1], folder=broken / "world"), source) == status
    out = capsys.readouterr()
    assert said in out.out + out.err
    assert state_of(home) == before


def test_a_night_that_was_never_published_cannot_be_replayed(
    home: Path, worlds: list[World], capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(home, worlds[2], "banks") == 1
    assert "is not published" in capsys.readouterr().err
