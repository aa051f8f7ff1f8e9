"""Pages are true where a program can tell: links, pictures, commands, options, variables."""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import struct
from functools import cache

import pytest

from connectors.registry import all_contracts
from pipelines.cli import _parser, main
from portal.__main__ import COMMANDS as DESK_COMMANDS
from tests.docs.pages import ROOT, anchors, files_of_the_tree, links, logical_lines, pages, text_of

OPERATOR = ROOT / "docs" / "operator.md"
_COMMAND = re.compile(
    r"\s*(?:\S*\.venv/bin/|docker compose exec \w+ )?hedui ([a-z]+)(?: ([a-z][a-z-]*))?(.*)"
)
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_VARIABLE = re.compile(r"\bHEDUI_[A-Z][A-Z_]*[A-Z]\b")
# Only tests read it.
_OF_TESTS = {"HEDUI_LONG"}


@cache
def commands() -> dict[str, argparse.ArgumentParser]:
    return children(_parser())


def children(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found = [action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return {name: child for choices in found for name, child in choices.items()}


def options(command: str) -> set[str]:
    """Options of a command and of its sub-commands; of one that hands its words on, those of its help text."""
    parsers = [commands()[command], *children(commands()[command]).values()]
    actions = [action for parser in parsers for action in parser._actions]
    found = {text for action in actions for text in action.option_strings if text.startswith("--")}
    if any(action.nargs == argparse.REMAINDER for action in actions):
        found |= set(_OPTION.findall(help_of(command)))
    return found - {"--help"}


@cache
def help_of(command: str) -> str:
    (word,) = positional_choices(command)
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.suppress(SystemExit):
        main([command, word, "--help"])
    return told.getvalue()


def positional_choices(command: str) -> set[str]:
    plain = [action for action in commands()[command]._actions if not action.option_strings]
    return {str(choice) for action in plain for choice in action.choices or ()}


def shown_commands(page):
    """(command, sub-command or '', options) of every `hedui …` a page shows."""
    for line in logical_lines(page):
        for part in re.split(r"[`|;]|&&", line):
            if found := _COMMAND.match(part):
                yield found[1], found[2] or "", set(_OPTION.findall(found[3]))


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_a_page_shows_exists_with_its_options(page):
    for command, word, given in shown_commands(page):
        assert command in commands(), f"hedui {command} is no command"
        assert given - {"--help"} <= options(command), f"hedui {command}: {given - options(command)}"
        if positional_choices(command) and word:
            assert word in positional_choices(command), f"hedui {command} {word}"


def test_the_pages_show_commands_at_all():
    shown = {command for page in pages() for command, _, _ in shown_commands(page)}
    assert {"nightly", "export", "status", "sample", "verify", "keys", "household", "retention"} <= shown


def test_every_command_and_option_is_in_the_operators_table():
    table = text_of(OPERATOR).split("## Commands")[1]
    rows = {
        row.split("|")[1].split()[1].strip("`"): row
        for row in table.splitlines()
        if row.startswith("| `hedui")
    }
    assert set(rows) == set(commands())
    for command, row in rows.items():
        assert set(_OPTION.findall(row)) == options(command), command
        assert positional_choices(command) <= set(re.findall(r"[a-z][a-z-]+", row)), command


def test_every_command_of_the_desk_is_in_the_operators_page():
    shown = set(re.findall(r"python -m portal ([a-z]+)", text_of(OPERATOR)))
    assert shown == set(DESK_COMMANDS)


def test_every_variable_the_program_reads_is_in_the_operators_page():
    read = set()
    for path in files_of_the_tree(".py", ".yml", "Makefile"):
        if path.relative_to(ROOT).parts[0] not in ("tests", "bench"):
            read |= set(_VARIABLE.findall(path.read_text(encoding="utf-8")))
    sources = "|".join(source.upper() for source in all_contracts())
    settings_of_a_feed = re.compile(rf"HEDUI_FEED_({sources})(__[A-Z_]+)?")
    wanted = {name for name in read if not settings_of_a_feed.fullmatch(name)} - _OF_TESTS
    assert len(wanted) >= 10
    assert not wanted - set(_VARIABLE.findall(text_of(OPERATOR)))


def test_the_operators_page_names_no_variable_that_nothing_reads():
    read = set()
    for path in files_of_the_tree(".py", ".yml", "Makefile"):
        if path.relative_to(ROOT).parts[0] != "tests":
            read |= set(_VARIABLE.findall(path.read_text(encoding="utf-8")))
    known = read | {"HEDUI_FEED", "HEDUI_FEED_BANKS"}
    assert not set(_VARIABLE.findall(text_of(OPERATOR))) - known


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_and_pictures_resolve(page):
    for link in links(page):
        if re.match(r"https?://|mailto:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name}: {link} leads nowhere"
        assert target.is_relative_to(ROOT), f"{page.name}: {link} leaves the tree"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{page.name}: {link} has no such heading"


def test_every_page_can_be_reached_from_the_readme():
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        targets = (
            (page.parent / link.partition("#")[0]).resolve() for link in links(page) if ":" not in link
        )
        waiting += [target for target in targets if target.suffix == ".md" and target.exists()]
    unreached = [page.relative_to(ROOT).as_posix() for page in pages() if page not in seen]
    assert not unreached, "link these pages from README.md, Where to read on"


def test_pages_name_no_developers_machine():
    for page in pages():
        found = re.findall(r"(?<!\w)/(?:work|root|home/[a-z]+|Users|tmp)/[\w./-]*", text_of(page))
        assert not found, f"{page.name}: {found}"


def test_pictures_are_small_and_screenshots_are_pictures():
    shown = sorted((ROOT / "docs" / "pictures").iterdir())
    assert shown
    for picture in shown:
        assert picture.stat().st_size < 300_000, picture.name
        if picture.suffix == ".png":
            head = picture.read_bytes()[:24]
            assert head.startswith(b"\x89PNG")
            assert min(struct.unpack(">II", head[16:24])) >= 300


def test_every_make_target_a_page_shows_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*)(?: [a-z-]+)*:", makefile, re.MULTILINE))
    targets |= set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())
    for page in pages():
        for line in logical_lines(page):
            for target in re.findall(r"(?:^ {4}|`)make ([a-z][a-z-]*)", line):
                assert target in targets, f"{page.name}: make {target}"


def test_every_source_and_list_has_its_place_in_the_glossary():
    glossary = text_of(ROOT / "docs" / "glossary.md")
    for word in ("roster", "discrepancy", "newly eligible", "quarantine", "seal (of a night)", "manifest"):
        assert word in glossary


def test_every_decision_is_in_the_index():
    folder = ROOT / "docs" / "decisions"
    records = {path.name for path in folder.glob("[0-9]*.md")}
    assert records == set(links(folder / "README.md"))
    assert sorted(name[:4] for name in records) == [f"{number:04}" for number in range(1, len(records) + 1)]
