"""check_household: one household now, by the rules of the night, for an application or a complaint."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import Param, dag, get_current_context, task


@dag(
    dag_id="check_household",
    description="单户核对：按同一规则即时核对一户，结果加密保存，凭经办人和事由打开",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Shanghai")),
    catchup=False,
    max_active_runs=4,
    params={
        "household_id": Param(type="string", minLength=1, maxLength=64, description="家庭编号或户编号"),
        "actor": Param(type="string", minLength=1, description="经办人"),
        "reason": Param(type="string", minLength=1, description="事由，不写姓名和身份号码"),
        "home": Param(None, type=["null", "string"], description="空：HEDUI_HOME"),
        "policy": Param(None, type=["null", "string"], description="空：随程序发布的"),
    },
    tags=["hedui"],
)
def check_household() -> None:
    @task(retries=0)
    def check() -> dict[str, Any]:
        from pipelines.stages import check_one_household

        return check_one_household(dict(get_current_context()["params"]))

    check()


check_household()
