"""Command line of the sample province: python -m sample_data --output DIR."""

from __future__ import annotations

import argparse
import json
import time
from datetime import date
from pathlib import Path

from sample_data.build import AS_OF, write_province
from sample_data.presets import presets


def main() -> None:
    sizes = presets()
    parser = argparse.ArgumentParser(
        prog="python -m sample_data", description="Write a synthetic province's feeds."
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="folder to write to: empty, or an earlier sample"
    )
    parser.add_argument(
        "--preset", choices=sizes, default="sample", help="size; --households and --strangers go before it"
    )
    parser.add_argument("--households", type=int, help="households on the roster")
    parser.add_argument(
        "--strangers", type=float, help="unknown people in the population-wide feeds, to every known one"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--departments", choices=("card", "all"), default="card")
    parser.add_argument("--as-of", type=date.fromisoformat, default=AS_OF)
    wanted = parser.parse_args()
    size = sizes[wanted.preset]
    households = size.households if wanted.households is None else wanted.households
    strangers = size.strangers if wanted.strangers is None else wanted.strangers
    begun = time.perf_counter()
    summary = write_province(
        wanted.output, households, wanted.seed, wanted.as_of, strangers, departments=wanted.departments
    )
    print(
        json.dumps(summary | {"seconds": round(time.perf_counter() - begun, 1)}, ensure_ascii=False, indent=1)
    )


if __name__ == "__main__":
    main()
