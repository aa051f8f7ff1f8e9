"""The feeds that are measured on: a synthetic province of a preset's size, drawn once and kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.tree import ROOT, measure

AS_OF = "2026-06-30"
SUFFIXES = (".csv", ".txt", ".json", ".jsonl", ".xlsx")


def ready_feeds(preset: str, given: Path | None = None, strangers: float | None = None) -> Path:
    """The folder with feeds of this size; drawn when it is not there yet (a city takes a minute or two)."""
    folder = given or ROOT / "var" / "bench" / (preset if strangers is None else f"{preset}-{strangers:g}")
    if not (folder / "roster" / "receipt.json").is_file():
        print(f"bench: drawing the {preset} feeds into {folder}", file=sys.stderr)
        more = [] if strangers is None else ["--strangers", str(strangers)]
        measure([sys.executable, "-m", "sample_data", "--output", str(folder), "--preset", preset, *more])
    return folder


def size_of(feeds: Path) -> dict[str, int]:
    """rows by the receipts and bytes of the files they name."""
    rows = size = 0
    for receipt in feeds.glob("*/receipt.json"):
        for file in json.loads(receipt.read_bytes())["files"]:
            rows += file["rows"]
            size += (receipt.parent / file["name"]).stat().st_size
    return {"rows": rows, "bytes": size}
