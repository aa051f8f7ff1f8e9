"""`hedui departments serve`: started as a process, reached with the variables it wrote, ended by a signal."""

import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.departments.serve import serve_main
from connectors.feeds import open_feed
from tests.transports.handmade import SOURCES, delivered


def test_the_command_serves_until_it_is_told_to_end(feeds, tmp_path):
    variables = tmp_path / "departments.env"
    command = [sys.executable, "-m", "connectors.departments", str(feeds), "--http", "0", "--sftp", "0"]
    command += ["--tls", "--by", "tax=sftp", "--by", "banks=pages", "--env", str(variables)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as process:
        try:
            lines = [process.stdout.readline().split() for _ in SOURCES]
            assert {line[0]: line[1] for line in lines} == dict.fromkeys(SOURCES, "https") | {
                "tax": "sftp",
                "banks": "pages",
            }
            assert variables.stat().st_mode & 0o077 == 0
            pairs = (line.partition("=") for line in variables.read_text(encoding="utf-8").splitlines())
            environ = {name: shlex.split(value)[0] for name, _, value in pairs}
            for source in ("tax", "banks", "roster"):
                feed = open_feed(source, None, environ)
                assert delivered(feed) == delivered(open_feed(source, feeds, {}))
                feed.close()
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["FEEDS"],
        ["/not/there", "--http", "0"],
        ["FEEDS", "--http", "0", "--fault", "tax=explosion"],
        ["FEEDS", "--http", "0", "--fault", "tax"],
        ["FEEDS", "--http", "0", "--by", "tax=pigeon"],
        ["FEEDS", "--http", "0", "--by", "moon=sftp"],
    ],
)
def test_wrong_arguments_end_with_two(feeds, argv, capsys):
    with pytest.raises(SystemExit) as ended:
        serve_main([str(feeds) if word == "FEEDS" else word for word in argv])
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err
