"""Command-line runs as real processes that can be killed, without paying the imports for each.

One process imports everything, loads the compiled loops and touches nothing else; every run is a fork of it.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass
class Run:
    """A run under way. out, err: the files its output goes to."""

    parent: Parent
    pid: int
    out: Path
    err: Path
    status: int | None = None

    def wait(self) -> int:
        """Exit status; negative when a signal ended it."""
        if self.status is None:
            self.status = int(self.parent.ask({"wait": self.pid})["status"])
        return self.status

    def kill(self) -> int:
        os.kill(self.pid, signal.SIGKILL)
        return self.wait()

    def wait_for(self, text: str, seconds: float = 60) -> bool:
        """Until the text stands in stderr; False when the run ended before."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if text.encode() in self.err.read_bytes():
                return True
            if self.has_ended():
                return text.encode() in self.err.read_bytes()
            time.sleep(0.003)
        raise TimeoutError(text)

    def has_ended(self) -> bool:
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True


class Parent:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.flow.forked"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
        self._runs = 0

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        print(json.dumps(request), file=self._process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def start(
        self,
        argv: list[str],
        folder: Path,
        env: dict[str, str] | None = None,
        file_size: int | None = None,
        user: int | None = None,
    ) -> Run:
        """Start `hedui argv` with its output in `folder`. file_size: no file may grow beyond it, as on a full disk."""
        folder.mkdir(parents=True, exist_ok=True)
        self._runs += 1
        out, err = folder / f"run-{self._runs}.out", folder / f"run-{self._runs}.err"
        err.touch(0o666)
        request = {
            "argv": argv,
            "out": str(out),
            "err": str(err),
            "env": env or {},
            "file_size": file_size,
            "user": user,
        }
        return Run(self, int(self.ask(request)["pid"]), out, err)

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(10)


def serve() -> None:
    import pipelines.cli
    import pipelines.closing_table
    import pipelines.export
    import pipelines.night
    import pipelines.report
    import pipelines.verify  # noqa: F401
    from expectations.gate import preload
    from pipelines.intake.compile_loops import compile_loops

    preload().join()  # a fork in the middle of its imports would wait for them for ever
    compile_loops()
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            answer = {"status": os.waitstatus_to_exitcode(status)}
        else:
            pid = os.fork()
            if pid == 0:
                become(request)
            answer = {"pid": pid}
        print(json.dumps(answer), flush=True)


def become(request: dict[str, Any]) -> None:
    """Turn this fork into the run. Never returns."""
    import pipelines.cli

    status = 99
    try:
        for number, name in ((1, "out"), (2, "err")):
            descriptor = os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
            os.dup2(descriptor, number)
        os.environ.update(request["env"])
        if request["user"] is not None:
            os.setgroups([])
            os.setgid(request["user"])
            os.setuid(request["user"])
        if request["file_size"] is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_size"], resource.RLIM_INFINITY))
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        sys.argv = ["hedui", *request["argv"]]
        pipelines.cli.run()
        status = 0
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else 98
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:
            pass
        os._exit(status)


if __name__ == "__main__":
    serve()
