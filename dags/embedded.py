"""Run one night through Airflow without a server: SQLite metadata, one process, quiet.

    python -m dags.embedded --airflow var/airflow --as-of 2026-06-30 --feeds DIR --home DIR [--out DIR] [--departments]

With --departments most sources are asked from mock departments on this machine, over HTTP, SFTP and SQL. Ends with
the closing table and, with --out, one county's two lists and the quality report. Exit status: that of `hedui nightly`.
"""

from __future__ import annotations

import argparse
import contextlib
import getpass
import io
import logging
import os
import shutil
import sys
import time
import warnings
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

DONE, FAILED, SOURCE_NOT_ACCEPTED = 0, 1, 3
POOLS = {"hedui_home": 1, "hedui_feeds": 2}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m dags.embedded")
    parser.add_argument("--airflow", type=Path, required=True, help="Airflow's folder: metadata and logs")
    parser.add_argument("--as-of", type=date.fromisoformat, required=True)
    parser.add_argument("--feeds", type=Path, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--policy", type=Path)
    parser.add_argument("--out", type=Path, help="where one county's lists and the report are left")
    parser.add_argument(
        "--departments", action="store_true", help="serve and ask mock departments on this machine"
    )
    given = parser.parse_args(argv)
    configure(given.airflow)
    print("Airflow: preparing its metadata", file=sys.stderr, flush=True)
    prepare()
    params = {
        "as_of": str(given.as_of),
        "feeds": str(given.feeds.resolve()),
        "home": str(given.home.resolve()),
    }
    if given.policy:
        params["policy"] = str(given.policy.resolve())
    with _departments(given) as variables:
        os.environ |= variables
        run = run_dag("nightly_check", params, tell=_tell)
    if run["state"] != "success":
        print(f"nightly_check {run['state']}; nothing was published. What failed:", file=sys.stderr)
        for line in run["failed"]:
            print(f"  {line}", file=sys.stderr)
        print(f"logs: {given.airflow / 'logs'}", file=sys.stderr)
        return FAILED
    return _show(given)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _departments(given: argparse.Namespace) -> contextlib.AbstractContextManager[dict[str, str]]:
    """The variables of the departments to ask besides the folders; none when they are not wanted."""
    if not given.departments:
        return contextlib.nullcontext({})
    from dags.departments import serving

    return serving(given.feeds.resolve(), _tell)


def configure(folder: Path) -> None:
    """Point Airflow at `folder`; must come before it is imported."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parent),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Shanghai",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'airflow.db'}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        # Nobody waits ten minutes in front of a terminal for a folder to come back.
        "HEDUI_RETRY_MINUTES": "0.05",
        "HEDUI_KEEPER": str(os.getpid()),
    }
    warnings.filterwarnings("ignore")


def prepare() -> None:
    """Bring the metadata to the installed version and make the pools; nothing to do the second time."""
    from airflow.utils.db import check_migrations, initdb

    with quiet():
        try:
            check_migrations(timeout=0)
        except TimeoutError:
            initdb()
        make_pools()


def make_pools() -> None:
    """hedui_home has one slot, because its files have one writer."""
    from airflow.models.pool import Pool

    for name, slots in POOLS.items():
        Pool.create_or_update_pool(name=name, slots=slots, description="hedui", include_deferred=False)


def run_dag(dag_id: str, params: dict[str, Any], tell: Any = None) -> dict[str, Any]:
    """Run a DAG here and now. Returns state, and for every failed attempt of a task its name and why."""
    from airflow.dag_processing.dagbag import DagBag

    with quiet():
        bag = DagBag(dag_folder=os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
        if bag.import_errors:
            raise SystemExit("\n".join(f"{path}: {why}" for path, why in bag.import_errors.items()))
        dag = bag.dags[dag_id]
        # Deadlines are watched by a scheduler, which this run has not; 3.3.2 would stumble over the entry.
        dag.deadline = []
        failed = _listen(tell)
        run = dag.test(run_conf=params, logical_date=None)
    return {"state": str(run.state), "failed": failed}


def _listen(tell: Any) -> list[str]:
    """Hear of every attempt as it ends; the failed ones are collected with their message."""
    from airflow.listeners import hookimpl
    from airflow.sdk.listener import get_listener_manager

    failed: list[str] = []
    began = time.monotonic()

    class Ear:
        @hookimpl
        def on_task_instance_success(self, previous_state: Any, task_instance: Any) -> None:
            if tell:
                tell(f"[{time.monotonic() - began:6.1f} s] {_name_of(task_instance)}")

        @hookimpl
        def on_task_instance_failed(self, previous_state: Any, task_instance: Any, error: Any) -> None:
            failed.append(f"{_name_of(task_instance)}: {error}")
            if tell:
                tell(f"[{time.monotonic() - began:6.1f} s] {_name_of(task_instance)} failed: {error}")

    get_listener_manager().add_listener(Ear())
    return failed


def _name_of(task_instance: Any) -> str:
    """The task, and of a mapped one what it is about (`map_index_template`)."""
    about = getattr(task_instance, "rendered_map_index", None)
    return f"{task_instance.task_id} {about}" if about else str(task_instance.task_id)


@contextlib.contextmanager
def quiet() -> Any:
    """Airflow's own chatter goes to its log folder and not in front of the table."""
    logging.disable(logging.WARNING)
    with contextlib.redirect_stdout(io.StringIO()):
        yield
    logging.disable(logging.NOTSET)


def _show(given: argparse.Namespace) -> int:
    from pipelines.closing_table import closing_table
    from pipelines.manifest import read_manifest

    manifest = read_manifest(given.home, given.as_of)
    folder = given.home / "nights" / manifest["folder"]
    print(closing_table(manifest["status"], manifest["details"], folder))
    if given.out:
        _leave_files(given, manifest["details"]["leads"], folder)
    return DONE if manifest["status"]["complete"] else SOURCE_NOT_ACCEPTED


def _leave_files(given: argparse.Namespace, leads: list[dict[str, Any]], folder: Path) -> None:
    """Both lists of the county with the most leads, as an officer would get them, and the quality report."""
    from pipelines.export import export_list
    from pipelines.identity.keyring import KeyRing

    counted: Counter[str] = Counter()
    for lead in leads:
        counted[lead["county_code"]] += lead["count"]
    if not counted:
        return
    county = min(counted, key=lambda code: (-counted[code], code))
    given.out.mkdir(parents=True, exist_ok=True)
    ring = KeyRing.open(given.home, os.environ)
    print(f"\nLook at, for county {county}:")
    for which in ("discrepancies", "newly-eligible"):
        file = given.out / f"{which}-{county}-{given.as_of}.xlsx"
        told = {"actor": getpass.getuser(), "reason": "first look after the nightly run"}
        export_list(given.home, ring, which, given.as_of, "xlsx", file, county=county, **told)
        print(f"  {file}")
    report = given.out / f"quality-report-{given.as_of}.html"
    if (folder / "report.html").is_file():
        shutil.copyfile(folder / "report.html", report)
        print(f"and, in a browser, the quality report:\n  {report}")


if __name__ == "__main__":
    sys.exit(main())
