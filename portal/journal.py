"""The desk's entries in the audit log: signing in, opened numbers, downloads, decisions, refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.audit import AuditLog
from pipelines.identity.keyring import KeyRing


class Journal:
    """Appends to the home folder's hash-chained log."""

    def __init__(self, home: Path, ring: KeyRing) -> None:
        self.log = AuditLog(home, ring)

    def record(self, kind: str, actor: str, details: dict[str, Any]) -> None:
        """One entry, on disk when this returns. The action is desk.<kind>; details hold no person's value."""
        self.log.append(f"desk.{kind}", actor, detail=details)
