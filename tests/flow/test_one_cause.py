"""What is published depends on what was delivered and on the law, and on nothing else."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.identity.keyring import new_ring

from .nights import World, debris, exported, is_whole, rows_of, served, sign

LISTS = ("discrepancies", "newly-eligible", "quarantine")


def test_the_same_nights_give_the_same_seals_and_bytes_under_other_keys_workers_and_threads(
    worlds: list[World], undisturbed: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "another place" / "home"
    new_ring(tmp_path / "ring.json", "sm4", None)
    monkeypatch.setenv("HEDUI_KEYRING", str(tmp_path / "ring.json"))
    connect = duckdb.connect

    def with_threads(*arguments: Any, **more: Any) -> duckdb.DuckDBPyConnection:
        con = connect(*arguments, **more)
        con.execute("set threads = 7")
        return con

    monkeypatch.setattr(duckdb, "connect", with_threads)
    monkeypatch.setattr("pipelines.night._PARALLEL_BYTES", 0)
    from pipelines.cli import main

    assert worlds[0].run(home, workers=2)["seal"] == undisturbed[worlds[0].day]
    assert main(["keys", "rotate", "--home", str(home)]) == 0
    assert worlds[1].run(home, workers=1)["seal"] == undisturbed[worlds[1].day]
    assert is_whole(home) and debris(home) == []
    here = exported(home, worlds[1].day, tmp_path / "here")
    monkeypatch.delenv("HEDUI_KEYRING")
    assert here == exported(Path(undisturbed["home"]), worlds[1].day, tmp_path / "there")
    assert all(len(rows_of(content)) > 3 for content in here.values())


def test_nights_run_late_or_again_end_as_if_they_had_run_in_order(
    worlds: list[World], undisturbed: dict[str, str], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    seals = [worlds[night].run(home)["seal"] for night in (0, 2, 1, 2)]
    wanted = [undisturbed[worlds[night].day] for night in (0, 2, 1, 2)]
    assert [seals[0], *seals[2:]] == [wanted[0], *wanted[2:]]
    assert seals[1] != wanted[1], "the third night did not see that the second was not there"
    assert [served(home, world.day) for world in worlds] == [undisturbed[world.day] for world in worlds]
    assert is_whole(home) and debris(home) == []


def shuffle(source: Path, rng: random.Random) -> None:
    """Other row order in every file, and two files that change their names."""
    receipt = json.loads((source / "receipt.json").read_bytes())
    for entry in receipt["files"]:
        path = source / entry["name"]
        content = path.read_bytes()
        if path.suffix in (".csv", ".txt", ".jsonl"):
            end = b"\r\n" if b"\r\n" in content else b"\n"
            mark = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
            lines = content.removeprefix(mark).removesuffix(end).split(end)
            first = [] if path.suffix == ".jsonl" else [lines.pop(0)]
            rng.shuffle(lines)
            path.write_bytes(mark + end.join([*first, *lines]) + end)
        elif path.suffix == ".json":
            document = json.loads(content.decode("utf-8-sig"))
            rng.shuffle(document["policies"])
            path.write_text(json.dumps(document), "utf-8")
    names = [entry["name"] for entry in receipt["files"] if entry["name"].startswith("income-")]
    if len(names) == 2:
        one, other = (source / name for name in names)
        rows = {entry["name"]: entry["rows"] for entry in receipt["files"]}
        kept = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(kept)
        for entry in receipt["files"]:
            entry["rows"] = rows[names[1 - names.index(entry["name"])]]
    rng.shuffle(receipt["files"])
    (source / "receipt.json").write_text(json.dumps(receipt), "utf-8")
    for entry in receipt["files"]:
        sign(source, entry["name"])


def test_rows_and_files_in_another_order_publish_the_same_rows(
    worlds: list[World], undisturbed: dict[str, str], tmp_path: Path
) -> None:
    shutil.copytree(worlds[0].folder, tmp_path / "world")
    other = World(tmp_path / "world", worlds[0].as_of)
    for source in sorted(other.feeds.iterdir()):
        shuffle(source, random.Random(4))
    manifest = other.run(tmp_path / "home")
    first = json.loads((Path(undisturbed["home"]) / "nights" / f"{worlds[0].day}.json").read_bytes())
    told = {
        source: {k: v for k, v in counts.items() if k != "reason"}
        for source, counts in manifest["status"]["sources"].items()
    }
    assert told == {
        s: {k: v for k, v in counts.items() if k != "reason"}
        for s, counts in first["status"]["sources"].items()
    }
    here = exported(tmp_path / "home", other.day, tmp_path / "here")
    there = exported(Path(undisturbed["home"]), other.day, tmp_path / "there")
    assert here["discrepancies"] == there["discrepancies"]
    assert here["newly-eligible"] == there["newly-eligible"]
    assert sorted(row["原因"] for row in rows_of(here["quarantine"])) == sorted(
        row["原因"] for row in rows_of(there["quarantine"])
    )
