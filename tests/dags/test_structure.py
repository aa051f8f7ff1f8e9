"""Which DAGs there are, what their tasks are, and that their files hold wiring alone."""

from __future__ import annotations

import ast
import sys
from datetime import timedelta
from pathlib import Path

import dags

FOLDER = Path(dags.__file__).parent

TASKS = {
    "nightly_check": {"begin", "people", "departments", "department", "link", "assess", "publish", "end"},
    "check_household": {"check"},
    "retention": {"delete"},
}


def test_exactly_these_dags_with_exactly_these_tasks(dag_bag):
    assert dag_bag.import_errors == {}
    assert {dag_id: set(dag.task_ids) for dag_id, dag in dag_bag.dags.items()} == TASKS


def test_people_first_then_the_departments_then_one_after_the_other(dag_bag):
    dag = dag_bag.dags["nightly_check"]
    upstream = {task.task_id: set(task.upstream_task_ids) for task in dag.tasks}
    assert upstream == {
        "begin": set(),
        "people": {"begin"},
        "departments": {"begin"},
        "department": {"begin", "people", "departments"},
        "link": {"begin", "department"},
        "assess": {"begin", "link"},
        "publish": {"begin", "assess"},
        "end": {"begin", "publish"},
    }
    assert dag.get_task("department").is_mapped
    assert dag.get_task("end").is_teardown and dag.get_task("begin").is_setup


def test_the_night_runs_once_at_a_time_by_beijing_time_and_never_catches_up(dag_bag):
    dag = dag_bag.dags["nightly_check"]
    assert dag.max_active_runs == 1 and dag.catchup is False
    assert (dag.timetable.expression, str(dag.timetable.timezone)) == ("0 1 * * *", "Asia/Shanghai")
    assert set(dag.params) == {"as_of", "feeds", "home", "policy"}


def test_one_writer_of_a_home_and_departments_side_by_side(dag_bag):
    from airflow.models.pool import Pool

    pools = {task.task_id: task.pool for dag in dag_bag.dags.values() for task in dag.tasks}
    home = {name for name, pool in pools.items() if pool == "hedui_home"}
    assert home == {"begin", "people", "link", "assess", "publish", "delete"}
    assert pools["department"] == "hedui_feeds"
    assert Pool.get_pool("hedui_home").slots == 1


def test_only_what_may_be_different_later_is_tried_again(dag_bag):
    from airflow.sdk import RetryAction

    from connectors.errors import FeedRefused, FeedUnavailable
    from pipelines.errors import NightFailed
    from pipelines.lease import HomeBusy
    from pipelines.stages import StageFailed

    fault = {"found": "no answer", "wanted": "one", "do": "call"}
    night = dag_bag.dags["nightly_check"]
    for task in night.tasks:
        if task.task_id in {"departments", "publish", "end"}:
            assert task.retries == 0
            continue
        decide = task.retry_policy.evaluate
        later = [HomeBusy("busy"), FeedUnavailable("tax", **fault)]
        never = [NightFailed("no"), StageFailed("no"), FeedRefused("tax", **fault), ValueError("x")]
        assert {decide(error, 1, 3).action for error in later} == {RetryAction.RETRY}
        assert {decide(error, 1, 3).action for error in never} == {RetryAction.FAIL}
    assert night.get_task("department").retries == 3
    assert night.get_task("department").retry_exponential_backoff


def test_a_late_night_is_told(dag_bag):
    (alert,) = dag_bag.dags["nightly_check"].deadline
    assert alert.interval == timedelta(hours=5)
    assert alert.callback.path == "dags.deadline.tell_operators"


def test_dag_files_import_nothing_of_ours_until_a_task_runs():
    """Parsing happens every few seconds on a scheduler: it must cost nothing, and read nothing."""
    for file in FOLDER.glob("*.py"):
        if file.name == "embedded.py":
            continue
        for node in ast.parse(file.read_text("utf-8")).body:
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            for module in modules:
                assert module.split(".")[0] in {"airflow", *sys.stdlib_module_names}, (
                    f"{file.name} imports {module}"
                )


def test_publishing_tells_the_lists_and_the_report_as_assets(dag_bag):
    publish = dag_bag.dags["nightly_check"].get_task("publish")
    assert {asset.name for asset in publish.outlets} == {"discrepancies", "newly_eligible", "quality_report"}
