"""The project's pages as text: what they link to, which commands and variables they name."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6}\s+(.*)$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def pages() -> list[Path]:
    """README, CHANGELOG and everything under docs/, of every author."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def links(page: Path) -> list[str]:
    return _LINK.findall(_FENCE.sub("", text_of(page)))


def anchors(page: Path) -> set[str]:
    """Anchors of the headings, as a forge makes them."""
    found = set()
    for heading in _HEADING.findall(_FENCE.sub("", text_of(page))):
        plain = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
        found.add(plain.strip().replace(" ", "-"))
    return found


def logical_lines(page: Path) -> list[str]:
    """Lines, with those that end in a backslash joined to the next."""
    return text_of(page).replace("\\\n", " ").splitlines()


def files_of_the_tree(*endings: str) -> list[Path]:
    """Files under version control, or about to be."""
    told = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *(f"*{one}" for one in endings)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in told.stdout.splitlines() if (path := ROOT / name).is_file()]
