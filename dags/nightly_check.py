"""nightly_check: begin → people → one task per department → link → assess → publish, and the home given back."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import (
    Asset,
    AsyncCallback,
    CronTriggerTimetable,
    DeadlineAlert,
    DeadlineReference,
    ExceptionRetryPolicy,
    Param,
    RetryAction,
    RetryRule,
    TriggerRule,
    dag,
    get_current_context,
    task,
)

BEIJING = ZoneInfo("Asia/Shanghai")
# One slot: what runs in it writes files that have one writer.
HOME_POOL = "hedui_home"
# Departments are read side by side, each into a folder of its own.
FEEDS_POOL = "hedui_feeds"

DISCREPANCIES = Asset("discrepancies", uri="hedui://published/discrepancies")
NEWLY_ELIGIBLE = Asset("newly_eligible", uri="hedui://published/newly-eligible")
REPORT = Asset("quality_report", uri="hedui://published/report")

# A feed that cannot be reached and a home that is busy may be different in ten minutes; nothing else is. A worker
# that died leaves no exception, and its task is tried again: a stage leaves its result in one step or not at all.
WAITING = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            "connectors.errors.FeedUnavailable", RetryAction.RETRY, reason="the department may answer later"
        ),
        RetryRule("pipelines.lease.HomeBusy", RetryAction.RETRY, reason="the other run will end"),
    ],
    default=RetryAction.FAIL,
)
PAUSE = timedelta(minutes=float(os.environ.get("HEDUI_RETRY_MINUTES", "10")))
PATIENT = {
    "retries": 3,
    "retry_delay": PAUSE,
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=40),
    "retry_policy": WAITING,
}
ONCE_MORE = {"retries": 1, "retry_delay": timedelta(seconds=5), "retry_policy": WAITING}


def run_name() -> str:
    """The run as its lease names it."""
    context = get_current_context()
    return f"{context['dag'].dag_id} {context['run_id']}"


def today_in_beijing() -> date:
    run_after: datetime = get_current_context()["dag_run"].run_after
    return run_after.astimezone(BEIJING).date()


@dag(
    dag_id="nightly_check",
    description="夜间核对：七部门数据对名册，出两份线索清单和质量报告",
    schedule=CronTriggerTimetable("0 1 * * *", timezone="Asia/Shanghai"),
    start_date=datetime(2026, 1, 1, tzinfo=BEIJING),
    catchup=False,
    max_active_runs=1,
    params={
        "as_of": Param(None, type=["null", "string"], format="date", description="空：运行日的前一天"),
        "feeds": Param(None, type=["null", "string"], description="各部门数据的文件夹；空：HEDUI_FEEDS"),
        "home": Param(None, type=["null", "string"], description="空：HEDUI_HOME"),
        "policy": Param(None, type=["null", "string"], description="政策文件或文件夹；空：随程序发布的"),
    },
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=5),
        callback=AsyncCallback("dags.deadline.tell_operators", kwargs={"dag_id": "nightly_check"}),
        name="officers find the lists at six in the morning",
    ),
    tags=["hedui"],
)
def nightly_check() -> None:
    @task(pool=HOME_POOL, multiple_outputs=True, **PATIENT)
    def begin() -> dict[str, Any]:
        from pipelines.stages import begin_night

        keeper = os.environ.get("HEDUI_KEEPER")
        params = dict(get_current_context()["params"])
        return begin_night(params, today_in_beijing(), run_name(), int(keeper) if keeper else None)

    @task(pool=HOME_POOL, **ONCE_MORE)
    def people(values: dict[str, Any]) -> dict[str, Any]:
        from dags.connections import reaching
        from pipelines.stages import read_people

        with reaching("roster", "rural_revitalisation"):
            return read_people(values, run_name())

    @task(retries=0)
    def departments(sources: list[str]) -> list[str]:
        return sources  # only what a task returns whole can be mapped over

    @task(pool=FEEDS_POOL, map_index_template="{{ source }}", **PATIENT)
    def department(values: dict[str, Any], source: str) -> dict[str, Any]:
        from dags.connections import reaching
        from pipelines.stages import read_source

        context = get_current_context()
        context["source"] = source  # type: ignore[typeddict-unknown-key]
        attempt = context["ti"]
        with reaching(source):
            return read_source(values, run_name(), source, may_wait=attempt.try_number <= attempt.max_tries)

    @task(pool=HOME_POOL, **ONCE_MORE)
    def link(values: dict[str, Any]) -> dict[str, Any]:
        from pipelines.stages import link_people

        return link_people(values, run_name())

    @task(pool=HOME_POOL, **ONCE_MORE)
    def assess(values: dict[str, Any]) -> dict[str, Any]:
        from pipelines.stages import assess_households

        return assess_households(values, run_name())

    # Not tried again: a night that was published is published, and one that was not is run again whole.
    @task(pool=HOME_POOL, retries=0, outlets=[DISCREPANCIES, NEWLY_ELIGIBLE, REPORT])
    def publish(values: dict[str, Any]) -> dict[str, Any]:
        from pipelines.stages import publish_night

        return publish_night(values, run_name())

    @task(trigger_rule=TriggerRule.ALL_DONE_SETUP_SUCCESS)
    def end(values: dict[str, Any]) -> dict[str, Any]:
        from pipelines.stages import end_night

        return end_night(values, run_name())

    begun = begin()
    values = begun["values"]
    read = department.partial(values=values).expand(source=departments(begun["sources"]))
    published = publish(values)
    people(values) >> read >> link(values) >> assess(values) >> published
    published >> end(values).as_teardown(setups=begun)


nightly_check()
