"""What happens when a night is not done in time: the operators' log and the audit log say so."""

from __future__ import annotations

import logging
import os
from typing import Any

log = logging.getLogger("hedui.deadline")


async def tell_operators(dag_id: str, **kwargs: Any) -> None:
    """Runs in the triggerer. Before the deadline is moved: see the runbook, "a late night"."""
    run = str((kwargs.get("context") or {}).get("dag_run", {}).get("dag_run_id", ""))
    log.error("%s has not finished in time (run %s); the last published night is still served", dag_id, run)
    if not os.environ.get("HEDUI_HOME"):
        return
    from pipelines.audit import AuditLog
    from pipelines.identity.keyring import KeyRing
    from pipelines.settings import home_from

    home = home_from(None)
    AuditLog(home, KeyRing.open(home, os.environ)).append(
        "deadline_missed", "airflow", None, {"dag": dag_id, "run": run}
    )
