"""Prepare an Airflow for service: metadata migrated, pools made, the operators' password file written.

    python -m dags.prepare

Reads $HEDUI_AIRFLOW_USER, $HEDUI_AIRFLOW_PASSWORD and Airflow's own settings. May be run again at any time.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

_SHORTEST = 12


def main() -> int:
    user, password = os.environ.get("HEDUI_AIRFLOW_USER", ""), os.environ.get("HEDUI_AIRFLOW_PASSWORD", "")
    file = os.environ.get("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE")
    if not user or len(password) < _SHORTEST or not file:
        print(
            "prepare: wanted HEDUI_AIRFLOW_USER, HEDUI_AIRFLOW_PASSWORD of at least 12 characters, and "
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
            file=sys.stderr,
        )
        return 2
    from airflow.utils.db import initdb

    from dags.embedded import make_pools

    initdb()
    make_pools()
    path = Path(file)
    path.touch(mode=0o600)
    path.write_text(json.dumps({user: password}), encoding="utf-8")
    print("prepare: metadata, pools and the password file are ready")
    return 0


if __name__ == "__main__":
    sys.exit(main())
