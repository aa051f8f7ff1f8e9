"""Damaged feeds: never a fault of ours, never a lost row, never a wrong count; what cannot be trusted is held."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.cli import main
from pipelines.errors import NightFailed
from pipelines.identity.keyring import KeyRing
from pipelines.intake.evidence import intake_source
from pipelines.night import clear_work, judging_of, run_people
from pipelines.policy_in_force import load_policy
from pipelines.settings import Settings

from .long_runs import examples
from .nights import World, debris, is_whole, served, sign

DEPARTMENTS = ("tax", "market_regulation", "banks", "securities", "insurance", "household_registration")
PIECES = [b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b'"', b'""', b",", b"|", b"\r", b"\n", b"\r\n", b"\n\n", b"\xff", b"\x81", b"[" * 3000,
          b"{", b"}", b"9" * 400, b"=cmd|' /C calc'!A0", b"\xe2\x80\xae", b"%s%n", b"' OR 1=1 --", b"</script>", b"," * 200]  # fmt: skip


@pytest.fixture(scope="module")
def bench(worlds: list[World], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The roster read, and feeds that may be damaged."""
    folder = tmp_path_factory.mktemp("damaged")
    shutil.copytree(worlds[0].feeds, folder / "feeds")
    settings = Settings(folder / "home", worlds[0].as_of, folder / "feeds", worlds[0].policy, 1)
    settings.home.mkdir()
    law = load_policy(settings)
    clear_work(settings)
    run_people(settings, law, KeyRing.open(settings.home, os.environ))
    return settings


def damage(content: bytes, rng: random.Random) -> bytes:
    raw, way = bytearray(content), rng.randrange(9)
    at = rng.randrange(len(raw) + 1)
    if way == 0:
        return bytes(raw[:at])
    if way == 1:
        return bytes(raw[at:])
    if way == 2:
        for _ in range(rng.randint(1, 5)):
            raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        return bytes(raw)
    if way == 3:
        other = rng.choice(["utf-8", "gb18030", "utf-16", "big5", "latin-1"])
        return content.decode(rng.choice(["utf-8", "gb18030"]), "replace").encode(other, "replace")
    if way == 4:
        end = min(len(raw), at + rng.randint(1, 200))
        return bytes(raw[:at] + raw[end:])
    if way == 5:
        return (
            bytes(raw[:at]) + bytes(rng.randrange(256) for _ in range(rng.randint(1, 50))) + bytes(raw[at:])
        )
    lines = content.split(b"\n")
    if way == 6:
        rng.shuffle(lines)
        return b"\n".join(lines)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(raw) + 1)
        raw[at:at] = rng.choice(PIECES)
    return bytes(raw)


def read(settings: Settings, source: str) -> dict[str, Any]:
    law = load_policy(settings)
    return intake_source(
        settings, source, law, KeyRing.open(settings.home, os.environ).cipher(), judging_of(law)
    )


def check(result: dict[str, Any], settings: Settings, source: str) -> None:
    """The sums close, or the source is held and nothing of it is used."""
    bad = pq.read_table(settings.work / "quarantine" / f"{source}.parquet").to_pylist()
    assert len({(row["file"], row["line"]) for row in bad}) == len(bad), "a row is quarantined twice"
    assert all(row["mask"] for row in bad)
    assert len(bad) == result["seen_quarantined"]
    parts = list((settings.work / "evidence" / source).glob("*.parquet"))
    if result["state"] == "accepted":
        assert (
            result["received"]
            == result["accepted"] + result["quarantined"]
            == result["receipt_rows"]
            == result["seen"]
        )
        assert result["quarantined"] == len(bad)
    else:
        assert result["state"] in ("held", "missing") and result["message"]
        assert [result[name] for name in ("received", "accepted", "quarantined", "unauthorised", "kept")] == [
            0
        ] * 5
        assert parts == []


@pytest.mark.parametrize("source", DEPARTMENTS)
def test_files_damaged_at_random(bench: Settings, worlds: list[World], source: str) -> None:
    rng = random.Random(source)
    folder, good = bench.feeds / source, worlds[0].feeds / source  # type: ignore[operator]
    states: dict[str, int] = {}
    for _ in range(examples(40)):
        shutil.rmtree(folder)
        shutil.copytree(good, folder)
        name = rng.choice(json.loads((folder / "receipt.json").read_bytes())["files"])["name"]
        content = (folder / name).read_bytes()
        broken = damage(content, rng)
        (folder / name).write_bytes(broken)
        way = rng.randrange(4)
        if way:  # the department signed what it sent
            sign(folder, name)
        result = read(bench, source)
        check(result, bench, source)
        if broken != content and not way:
            assert (result["state"], result["reason"]) == ("held", "receipt_mismatch")
        if way > 1 and result["reason"] == "receipt_mismatch" and len(result["files"]) == 1:
            sign(folder, name, rows=result["seen"])  # and counted it as we do
            result = read(bench, source)
            check(result, bench, source)
            assert result["reason"] != "receipt_mismatch"
        states[result["state"]] = states.get(result["state"], 0) + 1
    assert states.get("held") and states.get("accepted"), states


def test_receipts_damaged_at_random(bench: Settings, worlds: list[World]) -> None:
    rng = random.Random(1)
    folder, good = bench.feeds / "banks", worlds[0].feeds / "banks"  # type: ignore[operator]
    for _ in range(examples(30)):
        shutil.rmtree(folder)
        shutil.copytree(good, folder)
        (folder / "receipt.json").write_bytes(damage((good / "receipt.json").read_bytes(), rng))
        check(read(bench, "banks"), bench, "banks")
    shutil.rmtree(folder)
    shutil.copytree(good, folder)


@pytest.mark.parametrize("source", ["roster", "rural_revitalisation"])
def test_people_damaged_at_random(source: str, worlds: list[World], tmp_path: Path) -> None:
    rng = random.Random(source)
    settings = Settings(tmp_path / "home", worlds[0].as_of, tmp_path / "feeds", worlds[0].policy, 1)
    settings.home.mkdir()
    law, ring = load_policy(settings), KeyRing.open(settings.home, os.environ)
    failed = 0
    for _ in range(examples(12)):
        shutil.rmtree(tmp_path / "feeds", ignore_errors=True)
        shutil.copytree(worlds[0].feeds, tmp_path / "feeds")
        folder = tmp_path / "feeds" / source
        name = rng.choice(json.loads((folder / "receipt.json").read_bytes())["files"])["name"]
        (folder / name).write_bytes(damage((folder / name).read_bytes(), rng))
        sign(folder, name)
        clear_work(settings)
        try:
            result = run_people(settings, law, ring)[source]
        except NightFailed as told:
            assert source == "roster" and "the roster is held" in str(told)
            failed += 1
            continue
        if result["state"] == "accepted":
            assert result["received"] == result["accepted"] + result["quarantined"] == result["receipt_rows"]
        bad = pq.read_table(settings.work / "quarantine" / f"{source}.parquet").to_pylist()
        assert len({(row["file"], row["line"]) for row in bad}) == len(bad) == result["seen_quarantined"]
    assert failed or source != "roster"


def test_ten_absurd_amounts_of_one_person_do_not_stop_the_night(worlds: list[World], tmp_path: Path) -> None:
    """And every department damaged in its own way: exit status 3, each held for its reason, the roster still served."""
    shutil.copytree(worlds[0].folder, tmp_path / "world")
    world, feeds = World(tmp_path / "world", worlds[0].as_of), tmp_path / "world" / "feeds"
    lines = (feeds / "banks" / "105100-1.csv").read_bytes().decode("gb18030", "replace").splitlines()
    members = (feeds / "roster" / "members.csv").read_bytes().decode("utf-8-sig", "replace").splitlines()
    persons = [
        line.split(",")[1:3]
        for line in members[1:]
        if len(line.split(",")) == 9 and line.split(",")[1].isdigit()
    ]
    rows = [
        f"{number},{name},1,{at}{copy},活期,CNY,99999999999999,{world.day}"
        for at, (number, name) in enumerate(persons)
        for copy in range(3)
    ]
    (feeds / "banks" / "105100-1.csv").write_bytes("\n".join([lines[0], *rows]).encode("gb18030"))
    sign(feeds / "banks", "105100-1.csv", len(rows))
    (feeds / "securities" / "receipt.json").write_bytes(b"[" * 9999)
    (feeds / "insurance" / "policies-1.json").write_bytes(b'{"policies": ' + b"[" * 99_999)
    sign(feeds / "insurance", "policies-1.json")
    (feeds / "rural_revitalisation" / "440103.xlsx").write_bytes(b"PK\x03\x04")
    sign(feeds / "rural_revitalisation", "440103.xlsx")
    shutil.rmtree(feeds / "market_regulation")
    home = tmp_path / "home"
    assert main([*world.arguments(home), "--quiet", "--workers", "1"]) == 3
    sources = json.loads((home / "nights" / f"{world.day}.json").read_bytes())["status"]["sources"]
    states = {name: (entry["state"], entry["reason"]) for name, entry in sources.items()}
    assert states["banks"] == ("accepted", None)
    assert (
        states["securities"]
        == states["insurance"]
        == states["rural_revitalisation"]
        == ("held", "unreadable")
    )
    assert states["market_regulation"][0] == "missing"
    seal = served(home, world.day)
    (feeds / "roster" / "members.csv").write_bytes(b"")
    assert main([*world.arguments(home), "--quiet", "--workers", "1"]) == 1
    assert served(home, world.day) == seal and is_whole(home)
    shutil.rmtree(feeds / "roster")
    assert main([*world.arguments(home), "--quiet", "--workers", "1"]) == 1
    assert served(home, world.day) == seal and is_whole(home)
    assert [entry for entry in debris(home) if not entry.startswith("work/")] == []
