"""The list as the tests use it."""

from __future__ import annotations

import json
import re
from pathlib import Path

STRINGS: list[str] = json.loads((Path(__file__).parent / "blns.json").read_text("utf-8"))
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def as_kept(text: str) -> str:
    """What the desk keeps of a text field: everything but what no page and no sheet can show."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n")).strip()


def packed(limit: int) -> list[str]:
    """The strings joined by line feeds into as few texts of at most `limit` characters as they fit in order."""
    texts = [""]
    for text in filter(None, map(as_kept, STRINGS)):
        if len(text) > limit:
            continue
        if len(texts[-1]) + len(text) + 1 > limit:
            texts.append("")
        texts[-1] = f"{texts[-1]}\n{text}" if texts[-1] else text
    return texts
