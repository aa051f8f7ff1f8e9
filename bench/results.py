"""Results as they are kept: one JSON file per comparison, the newest measurement in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.machine import machine

FOLDER = Path(__file__).parent / "results"


def keep(name: str, figures: dict[str, Any], command: str) -> Path:
    """Write results/<name>.json with machine, versions and the command that made it."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    content = {"command": command, "machine": machine(), **figures}
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def kept(name: str) -> dict[str, Any] | None:
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_bytes()) if path.is_file() else None
