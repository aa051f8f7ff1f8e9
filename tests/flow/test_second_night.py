"""A delivery that did not change is not read again, and the night is the same as if it had been."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.registry import people_sources

from .nights import World, exported, is_whole, sign


@pytest.fixture
def tonight(worlds: list[World], tmp_path: Path) -> World:
    shutil.copytree(worlds[1].folder, tmp_path / "world")
    return replace(worlds[1], folder=tmp_path / "world")


@pytest.fixture(scope="module")
def after_tonight(
    worlds: list[World], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """A home in which the night of `tonight` was the first, to be copied; and that night's manifest."""
    home = tmp_path_factory.mktemp("after tonight") / "home"
    return home, worlds[1].run(home)


@pytest.fixture
def home(after_tonight: tuple[Path, dict[str, Any]], tmp_path: Path) -> Path:
    return Path(shutil.copytree(after_tonight[0], tmp_path / "home"))


def reused(home: Path) -> set[str]:
    """The departments whose delivery the latest night did not read."""
    return {source for source, what in how_reused(home).items() if what == "all"} - set(people_sources())


def how_reused(home: Path) -> dict[str, str]:
    (path,) = (home / "evidence").glob("*/sources.json")
    return {source: result["reused"] for source, result in json.loads(path.read_bytes()).items()}


def accepted(night: dict) -> set[str]:
    sources = night["status"]["sources"]
    return {name for name, one in sources.items() if one["state"] == "accepted"} - set(people_sources())


def without_what_was_read(home: Path, copy: Path) -> Path:
    """The same home, knowing of the night before only what was published."""
    shutil.copytree(home, copy, ignore=shutil.ignore_patterns("evidence"))
    return copy


def next_day(world: World) -> World:
    return replace(world, as_of=world.as_of + timedelta(days=1))


def drop_a_row(folder: Path) -> None:
    name = sorted(path.name for path in folder.glob("income-*.csv"))[0]
    lines = (folder / name).read_bytes().split(b"\n")
    (folder / name).write_bytes(b"\n".join(lines[:5] + lines[6:]))
    sign(folder, name, added=-1)


def withdraw_authorisations(folder: Path) -> None:
    """Thirty lines less."""
    path = folder / "authorisations.csv"
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join(lines[:1] + lines[31:]))
    sign(folder, path.name, added=-sum(bool(line.strip()) for line in lines[1:31]))


def test_with_one_changed_feed_only_that_one_is_read_and_nothing_differs(
    tonight: World, after_tonight: tuple[Path, dict[str, Any]], home: Path, tmp_path: Path
) -> None:
    first = after_tonight[1]
    assert reused(home) == set()
    drop_a_row(tonight.feeds / "tax")
    shutil.copytree(tonight.feeds / "roster", tmp_path / "signed")
    withdraw_authorisations(tonight.feeds / "roster")
    tomorrow = next_day(tonight)
    full = without_what_was_read(home, tmp_path / "full")
    second, other = tomorrow.run(home), tomorrow.run(full)
    assert accepted(first) - {"tax"} >= {"banks", "household_registration"}
    assert reused(home) == accepted(second) - {"tax"} and reused(full) == set()
    assert how_reused(home)["roster"] == "rows", "only who has authorised what was read"
    assert second["seal"] == other["seal"] != first["seal"]
    assert exported(home, tomorrow.day, tmp_path / "a") == exported(full, tomorrow.day, tmp_path / "b")
    assert is_whole(home)
    third = next_day(tomorrow)
    shutil.copytree(tmp_path / "signed", tonight.feeds / "roster", dirs_exist_ok=True)
    full = without_what_was_read(full, tmp_path / "third")
    assert third.run(home)["seal"] == third.run(full)["seal"] != second["seal"]
    again = how_reused(home)
    assert again["household_registration"] == "all", "evidence that was taken again can be taken a third time"
    assert {again[source] for source in ("tax", "banks", "insurance")} == {"rows"}, "for whoever signed anew"


def test_what_lay_in_the_future_is_judged_anew_when_its_day_has_come(tonight: World, tmp_path: Path) -> None:
    folder = tonight.feeds / "banks"
    name = sorted(path.name for path in folder.glob("*.csv"))[0]
    lines = (folder / name).read_bytes().split(b"\n")
    place = next(
        at
        for at, line in enumerate(lines[1:], 1)
        if line.count(b",") == lines[0].count(b",") and b'"' not in line
    )
    row = lines[place]
    fields = row.split(b",")
    fields[-1] = (tonight.as_of + timedelta(days=2)).isoformat().encode() + (
        b"\r" if row.endswith(b"\r") else b""
    )
    lines[place] = b",".join(fields)
    (folder / name).write_bytes(b"\n".join(lines))
    sign(folder, name)
    home = tmp_path / "home"
    kept = set()
    worlds = [tonight, next_day(tonight), next_day(next_day(tonight))]
    for world in worlds:
        full = without_what_was_read(home, tmp_path / world.day) if home.exists() else None
        night = world.run(home)
        assert full is None or night["seal"] == world.run(full)["seal"]
        kept.add((world.day, "banks" in reused(home)))
    assert kept == {(worlds[0].day, False), (worlds[1].day, True), (worlds[2].day, False)}


@pytest.mark.parametrize("change", ["evidence", "feed", "people"])
def test_a_delivery_is_read_again_when_anything_it_hangs_on_is_another(
    tonight: World, home: Path, tmp_path: Path, change: str
) -> None:
    world = next_day(tonight)
    if change == "evidence":
        (part,) = (home / "evidence").glob("*/intake/insurance/part-0000.arrow")
        part.write_bytes(part.read_bytes() + b"\0")
    elif change == "feed":  # not what the receipt says: held, as ever
        path = next(path for path in (tonight.feeds / "insurance").iterdir() if path.name != "receipt.json")
        path.write_bytes(path.read_bytes() + b" ")
    else:  # nobody could tell who was asked about
        (table,) = (home / "evidence").glob("*/people/person_name.arrow")
        table.write_bytes(table.read_bytes() + b"\0")
    full = without_what_was_read(home, tmp_path / "full")
    night = world.run(home)
    assert night["seal"] == world.run(full)["seal"]
    assert "insurance" not in reused(home)
    assert night["status"]["sources"]["insurance"]["state"] == ("held" if change == "feed" else "accepted")
