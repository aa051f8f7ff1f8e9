"""Measure, compare, publish: python -m bench [COMMAND] [--province] [--preset P] [--feeds DIR] [--repeat N].

Without a command everything is measured and the tables are written: minutes at city scale.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.feeds import ready_feeds, size_of
from bench.results import keep


def _ratios(given: argparse.Namespace, feeds: Path) -> dict[str, Any]:
    from bench.ratios import compare

    return compare(feeds, given.repeat)


def _second(given: argparse.Namespace, feeds: Path) -> dict[str, Any]:
    from bench.ratios import second_night

    return {"feeds": size_of(feeds), **second_night(feeds, given.repeat)}


def _household(given: argparse.Namespace, feeds: Path) -> dict[str, Any]:
    from bench.ratios import one_household

    return {"feeds": size_of(feeds), **one_household(feeds, 5)}


def _deidentify(given: argparse.Namespace, feeds: Path) -> dict[str, Any]:
    from bench.deidentify import cost

    return cost(feeds, max(3, given.repeat))


def _growth(given: argparse.Namespace, feeds: Path) -> dict[str, Any]:
    from bench.growth import curve

    return curve(given.preset, feeds)


def _peers(given: argparse.Namespace, feeds: Path) -> dict[str, Any]:
    from bench.compare_peers import compare_peers

    return compare_peers(feeds, given.repeat)


def _repair(given: argparse.Namespace, feeds: Path) -> dict[str, Any]:
    from bench.repair import compare_repair

    return compare_repair()


def _spark(given: argparse.Namespace, feeds: Path) -> dict[str, Any]:
    from bench.spark import translate_all

    return translate_all()


COMMANDS: dict[str, Callable[[argparse.Namespace, Path], dict[str, Any]]] = {
    "ratios": _ratios,
    "deidentify": _deidentify,
    "household": _household,
    "second": _second,
    "growth": _growth,
    "peers": _peers,
    "repair": _repair,
    "spark": _spark,
}
_WITHOUT_FEEDS = {"repair", "spark"}
# Measured at either scale, each with a result of its own.
_BY_SCALE = {"ratios", "household", "second", "peers"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("command", nargs="?", choices=[*COMMANDS, "table"], help="default: all of them")
    parser.add_argument("--preset", default="city", help="size of the feeds that are drawn (city)")
    parser.add_argument("--province", action="store_const", const="province", dest="preset")
    parser.add_argument("--feeds", type=Path, help="measure on these feeds instead of drawing any")
    parser.add_argument("--repeat", type=int, default=3, help="alternating runs; the median counts (3)")
    given = parser.parse_args()
    chosen = [given.command] if given.command else [*COMMANDS]
    for name in chosen:
        if name != "table":
            feeds = Path() if name in _WITHOUT_FEEDS else ready_feeds(given.preset, given.feeds)
            print(f"bench: {name}", file=sys.stderr, flush=True)
            figures = COMMANDS[name](given, feeds)
            scaled = name in _BY_SCALE and given.preset != "city"
            keep(
                f"{name}-{given.preset}" if scaled else name,
                figures,
                "python -m bench " + " ".join(sys.argv[1:]),
            )
    from bench.table import write_tables

    print(write_tables())
    return 0


if __name__ == "__main__":
    sys.exit(main())
