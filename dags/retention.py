"""retention: what must be deleted, deleted, with proof in the audit log."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import CronTriggerTimetable, Param, dag, get_current_context, task

BEIJING = ZoneInfo("Asia/Shanghai")


@dag(
    dag_id="retention",
    description="到期删除：按期限表删除，删除凭证写入审计日志",
    schedule=CronTriggerTimetable("0 12 * * *", timezone="Asia/Shanghai"),
    start_date=datetime(2026, 1, 1, tzinfo=BEIJING),
    catchup=False,
    max_active_runs=1,
    params={
        "home": Param(None, type=["null", "string"], description="空：HEDUI_HOME"),
        "airflow_logs": Param(
            os.environ.get("AIRFLOW__LOGGING__BASE_LOG_FOLDER"),
            type=["null", "string"],
            description="日志文件夹",
        ),
        "dry_run": Param(False, type="boolean", description="只列出，不删除"),
    },
    tags=["hedui"],
)
def retention() -> None:
    @task(pool="hedui_home", retries=0)
    def delete() -> dict[str, Any]:
        from pipelines.stages import delete_outdated

        context = get_current_context()
        today = context["dag_run"].run_after.astimezone(BEIJING).date()
        return delete_outdated(dict(context["params"]), today)

    delete()


retention()
