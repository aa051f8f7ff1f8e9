"""How work and memory grow: more of everything, and more strangers about the same roster."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from bench.feeds import ready_feeds, size_of
from bench.ratios import run_floor, run_nightly

# (preset, strangers for every known person or None for the preset's own): each step in turn. The last is three times
# the rows about the same roster.
STEPS = {
    "city": [("county", None), ("city", None), ("city", 10.4), ("county100k", None)],
    "province": [("city", None), ("province", None), ("province", 10.4)],
}


def curve(preset: str, feeds: Path) -> dict[str, Any]:
    """One floor and one night at each size; feeds: those of the preset itself, used where it is a step."""
    points = []
    for step, strangers in STEPS.get(preset, STEPS["city"]):
        folder = feeds if (step, strangers) == (preset, None) else ready_feeds(step, strangers=strangers)
        floor = run_floor(folder)
        with tempfile.TemporaryDirectory(prefix="hedui-bench-") as home:
            night = run_nightly(folder, Path(home))
        points.append({
            "preset": step,
            "strangers": strangers,
            **size_of(folder),
            "floor": floor.figures(),
            "nightly": night.figures(),
        })  # fmt: skip
    return {"points": points}
