"""What one run is told: read once at the edge, handed to every stage."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.errors import UsageError


@dataclass(frozen=True)
class Settings:
    """One night's settings.

    home: where everything is kept; feeds: the directory feeds' root (None: transports only);
    policy: file or folder (None: the shipped one); workers: processes that read feeds.
    """

    home: Path
    as_of: date
    feeds: Path | None = None
    policy: Path | None = None
    workers: int = 2

    @property
    def work(self) -> Path:
        """Stage results of this night, de-identified; safe to delete."""
        return self.home / "work" / self.as_of.isoformat()

    def as_dict(self) -> dict[str, str | int | None]:
        """Plain values, for another process or task."""
        return {
            "home": str(self.home),
            "as_of": self.as_of.isoformat(),
            "feeds": str(self.feeds) if self.feeds else None,
            "policy": str(self.policy) if self.policy else None,
            "workers": self.workers,
        }

    @staticmethod
    def from_dict(values: Mapping[str, str | int | None]) -> Settings:
        feeds, policy = values.get("feeds"), values.get("policy")
        return Settings(
            home=Path(str(values["home"])),
            as_of=date.fromisoformat(str(values["as_of"])),
            feeds=Path(str(feeds)) if feeds else None,
            policy=Path(str(policy)) if policy else None,
            workers=int(values.get("workers") or 2),
        )


def home_from(argument: str | None, environ: Mapping[str, str] = os.environ) -> Path:
    """`--home`, else `$HEDUI_HOME`. Raises UsageError when neither is given."""
    value = argument or environ.get("HEDUI_HOME")
    if not value:
        raise UsageError(
            "no home: give --home DIR or set HEDUI_HOME to the folder that keeps nights and keys"
        )
    return Path(value).expanduser().absolute()


def feeds_from(argument: str | None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """`--feeds`, else `$HEDUI_FEEDS`. Raises UsageError when there is neither a folder nor any transport."""
    value = argument or environ.get("HEDUI_FEEDS")
    if not value:
        if any(name.startswith("HEDUI_FEED_") for name in environ):
            return None
        raise UsageError(
            "no feeds: give --feeds DIR or set HEDUI_FEEDS to the folder that holds the sources' folders"
        )
    path = Path(value).expanduser().absolute()
    if not path.is_dir():
        raise UsageError("--feeds is no folder; wanted the folder that holds one folder per source")
    return path
