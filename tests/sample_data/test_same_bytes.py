"""The same seed gives the same bytes, in whatever pieces they are drawn, and the committed sample is such bytes."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest

import sample_data
from sample_data.build import write_province

COMMITTED = Path(sample_data.__file__).parent / "feeds"
# How the committed sample was made; see sample_data/feeds/README.md.
COMMITTED_HOUSEHOLDS, COMMITTED_SEED = 150, 1


def fingerprints(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_seed_same_bytes_however_many_households_are_drawn_at_a_time(tmp_path: Path) -> None:
    write_province(tmp_path / "whole", 170, seed=9, strangers=0.8)
    write_province(tmp_path / "pieces", 170, seed=9, strangers=0.8, stretch=34)
    assert fingerprints(tmp_path / "whole") == fingerprints(tmp_path / "pieces")


def test_another_seed_is_another_province(tmp_path: Path) -> None:
    write_province(tmp_path / "one", 60, seed=1)
    write_province(tmp_path / "two", 60, seed=2)
    one, two = fingerprints(tmp_path / "one"), fingerprints(tmp_path / "two")
    assert not {name for name in one if name.startswith("roster") and one[name] == two.get(name)}


def test_the_committed_sample_is_what_the_code_writes(tmp_path: Path) -> None:
    write_province(tmp_path, COMMITTED_HOUSEHOLDS, seed=COMMITTED_SEED)
    assert fingerprints(tmp_path) == fingerprints(COMMITTED)


def test_the_committed_sample_is_small() -> None:
    assert sum(path.stat().st_size for path in COMMITTED.rglob("*") if path.is_file()) < 1_000_000


def test_strangers_are_in_the_feeds_of_everybody(tmp_path: Path) -> None:
    few = write_province(tmp_path / "few", 80, strangers=0.0)
    many = write_province(tmp_path / "many", 80, strangers=3.0)
    for source in ("tax", "household_registration", "market_regulation"):
        assert many["sources"][source]["received"] > 2 * few["sources"][source]["received"]
    assert (tmp_path / "few/roster/members.csv").read_bytes().count(b"\n") == (
        tmp_path / "many/roster/members.csv"
    ).read_bytes().count(b"\n")


def test_months_follow_the_day(tmp_path: Path) -> None:
    write_province(tmp_path, 40, as_of=date(2025, 2, 28))
    assert {path.name for path in (tmp_path / "tax").glob("*.csv")} == {
        f"income-{month}.csv" for month in (202407, 202408, 202409, 202410, 202411, 202412, 202501)
    }


def test_an_earlier_sample_is_replaced_and_nothing_else_is(tmp_path: Path) -> None:
    write_province(tmp_path / "sample", 40)
    write_province(tmp_path / "sample", 30)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "mine.txt").write_text("kept", encoding="utf-8")
    with pytest.raises(FileExistsError, match="not empty"):
        write_province(tmp_path / "letters", 30)
    assert (tmp_path / "letters" / "mine.txt").read_text(encoding="utf-8") == "kept"


def test_sizes_that_cannot_be_drawn_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one household"):
        write_province(tmp_path, 0)
