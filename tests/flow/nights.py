"""One world's feeds and how to run a night on them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

SEED = 16


@dataclass(frozen=True)
class World:
    folder: Path
    as_of: date

    @property
    def day(self) -> str:
        return self.as_of.isoformat()

    @property
    def feeds(self) -> Path:
        return self.folder / "feeds"

    @property
    def policy(self) -> Path:
        return self.folder / "policy.toml"

    def arguments(self, home: Path) -> list[str]:
        return [
            "nightly",
            "--as-of",
            self.day,
            "--feeds",
            str(self.feeds),
            "--home",
            str(home),
            "--policy",
            str(self.policy),
        ]

    def run(self, home: Path, workers: int = 1) -> dict[str, Any]:
        """Run the night in this process. Returns its manifest."""
        from pipelines.night import run_night
        from pipelines.settings import Settings

        return dict(
            run_night(
                Settings(home=home, as_of=self.as_of, feeds=self.feeds, policy=self.policy, workers=workers)
            )
        )


def exported(
    home: Path,
    day: str,
    folder: Path,
    lists: tuple[str, ...] = ("discrepancies", "newly-eligible", "quarantine"),
) -> dict[str, bytes]:
    from pipelines.cli import main

    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for name in lists:
        file = folder / f"{name}.csv"
        arguments = [
            "export",
            name,
            "--as-of",
            day,
            "--format",
            "csv",
            "--output",
            str(file),
            "--home",
            str(home),
        ]
        assert main([*arguments, "--actor", "核验员", "--reason", "比对"]) == 0
        found[name] = file.read_bytes()
    return found


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def served(home: Path, day: str) -> str | None:
    """The seal of the published night, None when there is none."""
    try:
        return str(json.loads((home / "nights" / f"{day}.json").read_bytes())["seal"])
    except FileNotFoundError:
        return None


def is_whole(home: Path) -> bool:
    from pipelines.cli import main

    return main(["verify", "--home", str(home)]) == 0


def debris(home: Path) -> list[str]:
    """What lies in a home beside its published nights, the kept evidence of the latest, the log and the keys."""
    manifests = {path: json.loads(path.read_bytes()) for path in sorted((home / "nights").glob("*.json"))}
    latest = list(manifests.values())[-1]["folder"] if manifests else ""
    folders = {manifest["folder"] for manifest in manifests.values()}
    found = [
        f"nights/{path.name}"
        for path in (home / "nights").iterdir()
        if path not in manifests and path.name not in folders
    ]
    found += [f"evidence/{path.name}" for path in (home / "evidence").glob("*") if path.name != latest]
    found += [
        str(path.relative_to(home))
        for path in home.rglob("*")
        if "building" in path.name or "unfinished" in path.name or "spill" in path.name
    ]
    found += [f"work/{path.name}" for path in (home / "work").glob("*")]
    return sorted(found)


def sign(folder: Path, name: str, rows: int | None = None, added: int = 0) -> None:
    """Bring a file's entry in its receipt up to date: it has `rows` rows, or as many as before and `added`."""
    receipt = json.loads((folder / "receipt.json").read_bytes())
    for entry in receipt["files"]:
        if entry["name"] == name:
            entry["sha256"] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
            entry["rows"] = entry["rows"] + added if rows is None else rows
    (folder / "receipt.json").write_text(json.dumps(receipt), "utf-8")


def scanned_text(folder: Path) -> bytes:
    """Every byte below a folder."""
    return b"\0".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
