"""The command line `hedui`: parses words, calls the stage that does the work, says what to do next."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.contract import ContractError
from connectors.errors import FeedError
from pipelines.connector_commands import add_connector_commands
from pipelines.errors import HeduiError, UsageError, place_of
from pipelines.left_out import leave_out
from pipelines.settings import Settings, feeds_from, home_from

if TYPE_CHECKING:
    from pipelines.manifest import Manifest

DONE, FAILED, WRONG_ARGUMENTS, SOURCE_NOT_ACCEPTED = 0, 1, 2, 3
_EXPORTS = ("discrepancies", "newly-eligible", "quarantine", "explained")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status of spec section 1."""
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        return command(arguments)
    except UsageError as error:
        print(f"hedui: {error}", file=sys.stderr)
        return WRONG_ARGUMENTS
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        print(
            f"hedui: {os.strerror(error.errno) if error.errno else type(error).__name__}: "
            f"{Path(str(error.filename)).name if error.filename else 'a file'} cannot be read or written; "
            "see that the disk has space and this user may write there",
            file=sys.stderr,
        )
        return FAILED
    except (HeduiError, FeedError, ContractError) as error:
        print(f"hedui: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("hedui: stopped; nothing was published", file=sys.stderr)
        return FAILED


def run() -> None:
    """The console script. A fault of ours is told by type and place: its message could quote a person's value."""
    if sys.argv[1:2] == ["household"]:
        leave_out("pandas")
        gc.disable()  # over before there is anything to collect
    try:
        sys.exit(main())
    except Exception as error:
        print(
            f"hedui: internal fault {type(error).__name__} at {place_of(error)}; nothing was published. "
            "Report this line; set HEDUI_TRACE=1 on synthetic data for the whole trace.",
            file=sys.stderr,
        )
        if os.environ.get("HEDUI_TRACE"):
            raise
        sys.exit(FAILED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hedui", description="Household economic-status verification (核对)"
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    nightly = _command(commands, "nightly", _nightly, "run the nightly check and publish both lists")
    nightly.add_argument("--as-of", type=_day, required=True)
    nightly.add_argument("--feeds", help="folder with one folder per source; default $HEDUI_FEEDS")
    nightly.add_argument("--home")
    nightly.add_argument("--policy", type=Path, help="policy file or folder; default the shipped one")
    nightly.add_argument("--workers", type=int, default=2, help="processes that read feeds (2)")
    nightly.add_argument("--quiet", action="store_true", help="no progress lines")

    replay = _command(commands, "replay", _replay, "take what a night could not of sources healed since")
    replay.add_argument("sources", nargs="+", metavar="SOURCE")
    replay.add_argument("--as-of", type=_day, required=True)
    replay.add_argument("--feeds", help="the feeds of that night, healed; default $HEDUI_FEEDS")
    replay.add_argument("--home")
    replay.add_argument("--policy", type=Path, help="the policy of that night; default the shipped one")
    replay.add_argument("--dry-run", action="store_true", help="only say what would be taken, by reason")
    replay.add_argument("--actor", default="system", help="who replays, for the audit log")
    replay.add_argument("--reason", help="why, for the audit log and the manifest")
    replay.add_argument("--workers", type=int, default=2, help="processes that read feeds (2)")
    replay.add_argument("--quiet", action="store_true", help="no progress lines")

    export = _command(commands, "export", _export, "write a list, readable; logged with actor and reason")
    export.add_argument("which", choices=_EXPORTS)
    export.add_argument("--as-of", type=_day, required=True)
    export.add_argument("--format", choices=("csv", "xlsx"), required=True)
    export.add_argument("--output", type=Path, required=True)
    export.add_argument("--county", help="six-digit county code")
    export.add_argument("--source", help="quarantine only: one source")
    export.add_argument("--actor", required=True, help="who takes the list")
    export.add_argument("--reason", required=True, help="what for")
    export.add_argument("--home")

    status = _command(commands, "status", _status, "what a published night came to")
    status.add_argument("--as-of", type=_day, required=True)
    status.add_argument("--json", action="store_true", help="the machine-readable form")
    status.add_argument("--home")

    sample = _command(commands, "sample", _sample, "write the feeds of a synthetic province")
    sample.add_argument("--output", type=Path, required=True)
    sample.add_argument("--households", type=int, default=400)
    sample.add_argument("--seed", type=int, default=1)
    sample.add_argument("--as-of", type=_day, default=date(2026, 6, 30))
    sample.add_argument(
        "--departments",
        choices=("card", "all"),
        default="card",
        help="the specification's sources, or all there are",
    )

    verify = _command(commands, "verify", _verify, "check every sealed night and the audit log")
    verify.add_argument("--home")

    household = _command(commands, "household", _household, "check one household now, or open a sealed check")
    asked = household.add_mutually_exclusive_group(required=True)
    asked.add_argument("--id", help="household number of the roster or the monitored households")
    asked.add_argument("--check", type=Path, help="sealed answer that the check_household DAG named")
    household.add_argument("--actor", required=True, help="who asks")
    household.add_argument("--reason", required=True, help="what for")
    household.add_argument("--policy", type=Path)
    household.add_argument("--home")

    retention = _command(commands, "retention", _retention, "delete what is past its time; logged")
    retention.add_argument("--dry-run", action="store_true", help="only say what would be deleted")
    retention.add_argument("--today", type=_day, default=None, help="the day to judge by; default today")
    retention.add_argument("--airflow-logs", type=Path, help="Airflow's log folder")
    retention.add_argument("--home")

    departments = _command(commands, "departments", _departments, "mock departments on a folder of feeds")
    departments.add_argument("action", choices=("serve",))
    departments.add_argument(
        "arguments", nargs=argparse.REMAINDER, help="see: hedui departments serve --help"
    )

    keys = _command(commands, "keys", _keys, "make, rotate, wrap or list the keys")
    keys.add_argument("action", choices=("new", "rotate", "wrap", "list"))
    keys.add_argument("--file", type=Path, help="new: where the key ring is written, outside the home")
    keys.add_argument("--algorithm", choices=("aes", "sm4"), default=None)
    keys.add_argument("--home")

    add_connector_commands(commands)
    return parser


def _command(
    commands: Any, name: str, function: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=function)
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("wanted a date like 2026-06-30") from None


def _nightly(arguments: argparse.Namespace) -> int:
    gc.disable()  # what is imported stays: looking through it for what does not takes a fifth of the start
    from pipelines.night import run_night

    gc.enable()
    settings = _night_settings(arguments)
    return _print_night(settings, run_night(settings, _progress(arguments)))


def _replay(arguments: argparse.Namespace) -> int:
    from pipelines.replay import replay_night, try_replay
    from pipelines.replay_checks import NothingToReplay, Replay
    from pipelines.replay_table import replay_table

    settings = _night_settings(arguments)
    replay = Replay(tuple(dict.fromkeys(arguments.sources)), arguments.actor, arguments.reason)
    try:
        if arguments.dry_run:
            print(replay_table(try_replay(settings, replay)))
            return DONE
        return _print_night(settings, replay_night(settings, replay, _progress(arguments)))
    except NothingToReplay as nothing:
        print(nothing)
        return DONE


def _night_settings(arguments: argparse.Namespace) -> Settings:
    return Settings(
        home=home_from(arguments.home),
        as_of=arguments.as_of,
        feeds=feeds_from(arguments.feeds),
        policy=arguments.policy,
        workers=arguments.workers,
    )


def _progress(arguments: argparse.Namespace) -> Callable[[str], None]:
    if arguments.quiet:
        return lambda text: None
    return lambda text: print(text, file=sys.stderr, flush=True)


def _print_night(settings: Settings, manifest: Manifest) -> int:
    from pipelines.closing_table import closing_table

    print(
        closing_table(manifest["status"], manifest["details"], settings.home / "nights" / manifest["folder"])
    )
    return DONE if manifest["status"]["complete"] else SOURCE_NOT_ACCEPTED


def _export(arguments: argparse.Namespace) -> int:
    from pipelines.export import export_list
    from pipelines.identity.keyring import KeyRing

    home = home_from(arguments.home)
    receipt = export_list(
        home,
        KeyRing.open(home, os.environ),
        arguments.which,
        arguments.as_of,
        arguments.format,
        arguments.output,
        county=arguments.county,
        source=arguments.source,
        actor=arguments.actor,
        reason=arguments.reason,
    )
    print(f"{arguments.output}: {receipt.rows} rows, sha256 {receipt.sha256}")
    return DONE


def _status(arguments: argparse.Namespace) -> int:
    from pipelines.closing_table import closing_table
    from pipelines.manifest import read_manifest

    home = home_from(arguments.home)
    manifest = read_manifest(home, arguments.as_of)
    if arguments.json:
        print(json.dumps(manifest["status"], ensure_ascii=False, indent=1))
    else:
        print(closing_table(manifest["status"], manifest["details"], home / "nights" / manifest["folder"]))
    return DONE


def _sample(arguments: argparse.Namespace) -> int:
    from sample_data.build import write_province

    if arguments.households < 1:
        raise UsageError("--households wants at least 1")
    try:
        write_province(
            arguments.output,
            households=arguments.households,
            seed=arguments.seed,
            as_of=arguments.as_of,
            departments=arguments.departments,
        )
    except (FileExistsError, ValueError) as error:
        raise UsageError(f"sample: {error}") from None
    print(f"{arguments.output}: feeds of {arguments.households} synthetic households as of {arguments.as_of}")
    print(f"next: hedui nightly --as-of {arguments.as_of} --feeds {arguments.output} --home DIR")
    return DONE


def _verify(arguments: argparse.Namespace) -> int:
    from pipelines.identity.keyring import KeyRing
    from pipelines.verify import verify_home

    home = home_from(arguments.home)
    broken = verify_home(home, KeyRing.open(home, os.environ))
    for line in broken:
        print(line)
    if not broken:
        print("every sealed night and the audit log are whole")
    return FAILED if broken else DONE


def _household(arguments: argparse.Namespace) -> int:
    from pipelines.household_check import check_household, open_check

    home = home_from(arguments.home)
    if arguments.check is not None:
        answer = open_check(home, arguments.check, arguments.actor, arguments.reason)
    else:
        settings = Settings(home=home, as_of=date.max, policy=arguments.policy)
        answer = check_household(settings, arguments.id, arguments.actor, arguments.reason)
    print(json.dumps(answer, ensure_ascii=False, indent=1))
    return DONE


def _retention(arguments: argparse.Namespace) -> int:
    from pipelines.beijing import beijing_day
    from pipelines.identity.keyring import KeyRing
    from pipelines.retention import retain

    home = home_from(arguments.home)
    ring = KeyRing.open(home, os.environ)
    today = arguments.today or beijing_day(datetime.now(UTC))
    found = retain(home, ring, today, arguments.dry_run, airflow_logs=arguments.airflow_logs)
    for one in found:
        print(
            f"{'would delete' if arguments.dry_run else 'deleted'}  {one.kind}  {one.name}  {one.bytes:,} bytes"
        )
    if not found:
        print(f"nothing is past its time on {today}")
    return DONE


def _departments(arguments: argparse.Namespace) -> int:
    from connectors.departments.serve import serve_main

    return serve_main(arguments.arguments)


def _keys(arguments: argparse.Namespace) -> int:
    from pipelines.identity.keyring import KeyRing, new_ring, read_passphrase

    passphrase = read_passphrase(os.environ)
    if arguments.action == "new":
        if arguments.file is None:
            raise UsageError("keys new wants --file PATH, outside the home; then set HEDUI_KEYRING to it")
        new_ring(arguments.file, arguments.algorithm or "aes", passphrase)
        print(
            f"{arguments.file}: key ring with version 1{'' if passphrase else ', NOT wrapped: set a passphrase'}"
        )
        return DONE
    ring = KeyRing.open(home_from(arguments.home), os.environ)
    if arguments.action == "rotate":
        print(
            f"version {ring.rotate(arguments.algorithm)} is current; older nights stay readable with older versions"
        )
    elif arguments.action == "wrap":
        if passphrase is None:
            raise UsageError("keys wrap wants HEDUI_KEYRING_PASSPHRASE or HEDUI_KEYRING_PASSPHRASE_FILE")
        ring.wrap(passphrase)
        print("the masters are sealed under the passphrase")
    for row in ring.describe():
        print("  ".join(f"{name} {value}" for name, value in row.items()))
    return DONE


if __name__ == "__main__":
    run()
