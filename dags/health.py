"""Whether a part of Airflow is alive, as its API server tells: python -m dags.health scheduler [address]."""

from __future__ import annotations

import json
import sys
import urllib.request

PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


def main(words: list[str]) -> int:
    part, address = words[0], words[1] if len(words) > 1 else "http://api-server:8080"
    if part not in PARTS or not address.startswith("http://"):
        print(f"health: wanted one of {', '.join(PARTS)} and an http:// address", file=sys.stderr)
        return 2
    try:
        with urllib.request.urlopen(f"{address}/api/v2/monitor/health", timeout=5) as answer:  # noqa: S310
            status = json.load(answer)[part]["status"]
    except (OSError, ValueError, KeyError) as error:
        print(f"health: {address} gives no answer about {part} ({type(error).__name__})", file=sys.stderr)
        return 1
    print(f"{part}: {status}")
    return 0 if status == "healthy" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
