"""The results as people read them: results/README.md, a plot, and nothing that was not measured."""

from __future__ import annotations

from typing import Any

from bench.results import FOLDER, kept
from bench.tree import ROOT

PAGE = ROOT / "docs" / "speed.md"
_BEGIN, _END = "<!-- measured: python -m bench -->", "<!-- end of measured -->"


def write_tables() -> str:
    """Write results/README.md and, when matplotlib is there, the plots beside it. Returns the Markdown."""
    tables = [_ratio_table(), _growth(), _peer_table(), _repair_table(), _desk_table(), _other_figures()]
    parts = ["# Measured results", *tables]
    text = "\n\n".join(part for part in parts if part) + "\n"
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "README.md").write_text(text, encoding="utf-8")
    _put_into_page("\n\n".join(part for part in parts[1:] if part))
    _plot()
    return text


def _put_into_page(tables: str) -> None:
    """The tables between the two marks of docs/speed.md."""
    before, mark, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if mark and end:
        PAGE.write_text(f"{before}{_BEGIN}\n{tables}\n{_END}{after}", encoding="utf-8")


def _where(result: dict[str, Any]) -> str:
    at = result["machine"]
    load = "/".join(f"{value:g}" for value in at["load_before"])
    versions = ", ".join(f"{name} {version}" for name, version in at["versions"].items())
    return (
        f"Measured {at['measured_at']} at commit {at['commit'] or 'unknown'}: {at['processor']}, {at['cores']} cores,"
        f" {at['memory_gb']} GB, load {load} when written; Python {at['python']}, {versions}. `{result['command']}`"
    )


def _ratio_table() -> str:
    blocks = []
    for found in _at_every_scale("ratios"):
        rows = "\n".join(
            f"| {who} | {one['wall_seconds']:.1f} | {one['cpu_seconds']:.1f} | {one['peak_rss_mb']} |"
            for who, one in (("floor", found["floor"]), ("hedui nightly", found["nightly"]))
        )
        stages = ", ".join(f"{stage} {seconds:g}" for stage, seconds in found["stages"].items())
        blocks.append(
            f"## The night against the floor: {found['feeds']['rows'] / 1e6:.1f} million rows\n\n"
            f"| | wall s | CPU s | peak memory MB |\n|---|---:|---:|---:|\n{rows}\n\n"
            f"Ratio: wall {found['wall_ratio']} ({found['wall_ratio_without_startup']} less 8 s of start-up),"
            f" CPU {found['cpu_ratio']} ({found['cpu_ratio_without_startup']}). Median of {found['repeat']}"
            f" alternating run(s). Wall seconds of the last night's stages: {stages}.\n\n{_where(found)}"
        )
    return "\n\n".join(blocks)


def _at_every_scale(name: str) -> list[dict[str, Any]]:
    return [found for one in (name, f"{name}-province") if (found := kept(one)) is not None]


def _peer_table() -> str:
    blocks = []
    for found in _at_every_scale("peers"):
        rows = "\n".join(
            f"| {row['who']} | {row['wall_seconds']:.1f} | {row['cpu_seconds']:.1f} | {row['peak_rss_mb']:.0f} |"
            f" {_share(row['sums_unlike_the_floor'])} | `{row['command']}` |"
            for row in found["rows"]
        )
        blocks.append(
            f"## What people would write instead: {found['feeds']['rows'] / 1e6:.1f} million rows\n\n"
            "| | wall s | CPU s | peak memory MB | counts unlike the floor's | command |\n"
            f"|---|---:|---:|---:|---:|---|\n{rows}\n\nThe readers differ in which broken lines they pass over;"
            " Hedui's also find numbers that are written otherwise, and pass over rows that a night would quarantine."
            f" Median of {found['repeat']} run(s) in turn.\n\n"
            f"{_where(found)}"
        )
    return "\n\n".join(blocks)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3%}"


def _repair_table() -> str:
    found = kept("repair")
    if found is None:
        return ""
    rows = "\n".join(
        f"| {row['who']} | {row['precision']:.4f} | {row['recall']:.3f} | {row['wrong']} | {row['cpu_seconds']:.2f} |"
        for row in found["found"]
    )
    return (
        f"## Mending mistyped numbers: {found['rows']} rows against {found['people']} people\n\n"
        f"| | precision | recall | wrong pairs | CPU s |\n|---|---:|---:|---:|---:|\n{rows}\n\n{_where(found)}"
    )


_DESK_KINDS = ("list, first page", "list, filtered", "list, far page", "search", "case", "all lists")
_AT_ONCE = {
    "same_moment": "all in the same moment",
    "same_moment_after_a_change": "the same, after every count changed",
}


def _desk_table() -> str:
    found = kept("desk")
    if found is None:
        return ""
    setup = found["setup"]
    names = [name for name in ("sqlite", "postgresql") if name in found]
    rows = [
        f"| {kind} | " + " | ".join(_clicks(found[name]["thinking"]["by_kind"].get(kind)) for name in names)
        for kind in _DESK_KINDS
    ]
    rows += [
        f"| {title} | "
        + " | ".join(
            _clicks((found[name].get(key) or {"by_kind": {}})["by_kind"].get("everything")) for name in names
        )
        for key, title in _AT_ONCE.items()
    ]
    rows += [
        "| CPU of such a list page, desk and database | "
        + " | ".join(f"{found[name]['same_moment']['cpu_ms_per_click']:.0f}" for name in names)
    ]
    return (
        f"## The county desk: {setup['officers']} officers, {setup['leads']} leads\n\n"
        f"| ms at the client, median / 95 of 100 | {' | '.join(names)} |\n|---|{'---:|' * len(names)}\n"
        + "\n".join(f"{row} |" for row in rows)
        + f"\n\nOfficers think {setup['think'] / 2:g} to {setup['think'] * 1.5:g} seconds between clicks, not in the"
        " last three rows. The clients share the cores with desk and database, and all with whatever else ran.\n\n"
        + _where(found)
    )


def _clicks(figures: dict[str, Any] | None) -> str:
    return "–" if figures is None else f"{figures['p50_ms']:.0f} / {figures['p95_ms']:.0f}"


def _read_again(reused: dict[str, list[str]]) -> str:
    """How much of each feed the second night read."""
    words = {
        "all": "not read again",
        "rows": "read again for a part of the people or rows",
        "nothing": "read whole",
    }
    return "; ".join(f"{', '.join(reused[how])} {text}" for how, text in words.items() if how in reused)


def _other_figures() -> str:
    lines = []
    if found := kept("deidentify"):
        share, plain = found["share_of_the_night's_reading"], found["share_of_duckdb's_reading"]
        lines.append(
            f"- De-identification: {found['nanoseconds_per_row']} ns a row, {share:.0%} of the CPU of reading the same"
            f" {found['rows']} rows by the night's reader ({plain:.0%} of DuckDB's scan of the columns it needs)."
        )
    for found in _at_every_scale("household"):
        lines.append(
            f"- One household on demand: {found['wall_seconds']} s wall, {found['cpu_seconds']} s CPU, process start"
            f" included, median of {found['checks']}; {found['feeds']['rows']} rows the night before."
        )
    for found in _at_every_scale("second"):
        second, full = found["second_night_one_feed_changed"], found["second_night_in_full"]
        lines.append(
            f"- Second night with one changed feed, {found['feeds']['rows'] / 1e6:.1f} million rows:"
            f" {second['cpu_seconds']:.1f} s CPU, the same in full"
            f" {full['cpu_seconds']:.1f} s, medians of {found['repeat']} each in turn; the feeds alone"
            f" {found['feeds_cpu_seconds']:.1f} s, in full {found['feeds_cpu_seconds_in_full']:.1f} s; seal as in full:"
            f" {'yes' if found['seals_agree'] else 'no'}. Of the feeds: {_read_again(found['reused'])}."
        )
    return "## Other figures\n\n" + "\n".join(lines) if lines else ""


def _growth() -> str:
    found = kept("growth")
    if found is None:
        return ""
    lines = [
        "## Growth",
        "",
        "| feeds | rows, million | floor, CPU s | night, CPU s | CPU µs a row | wall s | peak memory MB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for point in found["points"]:
        night, millions = point["nightly"], point["rows"] / 1e6
        who = (
            f"{point['preset']}, {point['strangers']:g} strangers a person"
            if point["strangers"]
            else point["preset"]
        )
        lines.append(
            f"| {who} | {millions:.1f} | {point['floor']['cpu_seconds']:.1f} | {night['cpu_seconds']:.1f} |"
            f" {night['cpu_seconds'] / millions:.2f} | {night['wall_seconds']:.1f} | {night['peak_rss_mb']} |"
        )
    lines += [
        "",
        "The last step has the roster of the one before it and strangers' rows besides.",
        "",
        _where(found),
    ]
    return "\n".join(lines)


def _plot() -> None:
    """Small charts, drawn when matplotlib is installed."""
    try:
        import matplotlib
    except ImportError:
        return
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "hedui"
    if found := kept("growth"):
        _plot_growth(found)
    if every := _at_every_scale("peers"):
        _plot_peers(every[-1])


def _plot_growth(found: dict[str, Any]) -> None:
    """CPU seconds and memory over rows, from nothing."""
    from matplotlib import pyplot

    figure, (work, memory) = pyplot.subplots(1, 2, figsize=(7, 2.8))
    millions = [point["rows"] / 1e6 for point in found["points"]]
    for who, colour in (("nightly", "#b33"), ("floor", "#8aa")):
        cpu = [point[who]["cpu_seconds"] for point in found["points"]]
        work.plot([0, *millions], [0, *cpu], "o-", color=colour, label=who)
        memory.plot(millions, [point[who]["peak_rss_mb"] for point in found["points"]], "o-", color=colour)
    work.set_ylabel("CPU seconds")
    work.legend(fontsize=8)
    memory.set_ylabel("peak memory, MB")
    for axes in (work, memory):
        axes.set_xlabel("million rows")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
    figure.tight_layout()
    figure.savefig(FOLDER / "growth.svg", metadata={"Date": None})


def _plot_peers(found: dict[str, Any]) -> None:
    """CPU seconds of each, side by side."""
    from matplotlib import pyplot

    rows = sorted(found["rows"], key=lambda row: -row["cpu_seconds"])
    figure, axes = pyplot.subplots(figsize=(7, 2.8))
    bars = axes.barh([row["who"] for row in rows], [row["cpu_seconds"] for row in rows], color="#8aa")
    for bar, row in zip(bars, rows, strict=True):
        if row["who"].startswith("hedui"):
            bar.set_color("#b33")
    axes.bar_label(bars, fmt="%.1f", padding=3, fontsize=8)
    axes.set_xlabel(f"CPU seconds, {found['feeds']['rows'] / 1e6:.1f} million rows, 2 cores")
    axes.margins(x=0.12)
    figure.tight_layout()
    figure.savefig(FOLDER / "peers.svg", metadata={"Date": None})
