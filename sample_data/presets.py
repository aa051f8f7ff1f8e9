"""Named sizes of sample provinces (presets.toml)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Preset:
    """households on the roster; strangers the population-wide feeds know for every known person."""

    households: int
    strangers: float


def presets() -> dict[str, Preset]:
    table = tomllib.loads((Path(__file__).parent / "presets.toml").read_text(encoding="utf-8"))
    return {name: Preset(**values) for name, values in table.items()}
