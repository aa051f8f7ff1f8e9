"""How much to try: HEDUI_LONG=1 tries ten times as much."""

from __future__ import annotations

import os

IS_LONG = os.environ.get("HEDUI_LONG") == "1"


def examples(short: int) -> int:
    return short * 10 if IS_LONG else short
