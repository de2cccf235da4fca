"""What README and docs say exists, and what exists is in them."""

import importlib
import re
import shlex
from pathlib import Path

import pytest

from simplicert.cli.app import COMMANDS, _app, main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MORE_PAGES = [*PAGES, *(ROOT / f"{n}.md" for n in ("ARCHITECTURE", "CONTRIBUTING"))]
TEXT = {page: page.read_text("utf-8") for page in MORE_PAGES}

PUBLIC = [
    "simplicert",
    "simplicert.analysis",
    "simplicert.bounds",
    "simplicert.data",
    "simplicert.mechanisms",
    "simplicert.models",
    "simplicert.report",
    "simplicert.sampling",
    "simplicert.simplex",
    "simplicert.training",
    "simplicert.votes",
]


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_documented(module):
    everything = "\n".join(TEXT[page] for page in PAGES)
    names = [n for n in importlib.import_module(module).__all__ if n[0] != "_"]
    missing = [n for n in names if not re.search(rf"\b{n}\b", everything)]
    assert not missing


def test_every_room_is_in_the_architecture():
    rooms = {
        path.name
        for path in (ROOT / "src" / "simplicert").iterdir()
        if (path / "__init__.py").is_file()
    }
    text = TEXT[ROOT / "ARCHITECTURE.md"]
    assert all(f"`{room}/`" in text for room in rooms)


def printed_commands():
    """Every ``simplicert …`` line in a code block, continuation lines joined."""
    for page, text in TEXT.items():
        for line in text.replace("\\\n", " ").splitlines():
            found = re.match(r"^(?:    |\$ |    \$ )?(simplicert [a-z]+ .*)$", line)
            if found and found[1].split()[1] in COMMANDS:
                command = re.sub(r"\s+#.*$", "", found[1])
                yield pytest.param(command, id=f"{page.name}: {command[:50]}")


@pytest.mark.parametrize("command", list(printed_commands()))
def test_every_printed_command_is_one_that_the_command_line_takes(command):
    tokens = shlex.split(re.sub(r"[…|>].*$", "", command))[1:]
    _app(listing=False).parse_args(
        tokens, exit_on_error=False, print_error=False, help_on_error=False
    )


@pytest.mark.parametrize("document", MORE_PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(document):
    for target in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", TEXT[document]):
        assert (document.parent / target).exists(), target


def printed_outputs():
    """Every ``$ simplicert …`` about a committed run, with the lines shown below it."""
    for page in PAGES:
        for block in re.findall(r"(?:^    .*\n)+", TEXT[page], re.MULTILINE):
            for part in re.split(r"^    \$ ", block, flags=re.MULTILINE)[1:]:
                command, *shown = [line.strip() for line in part.splitlines()]
                if re.match(r"simplicert [a-z]+ results/", command):
                    yield pytest.param(command, shown, id=f"{page.name}: {command}")


@pytest.mark.parametrize(("command", "shown"), list(printed_outputs()))
def test_what_is_shown_of_committed_runs_is_what_is_printed(
    command, shown, monkeypatch, capsys
):
    assert len(shown) > 1
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit, match="0"):
        main(shlex.split(command)[1:])
    printed = capsys.readouterr().out.splitlines()
    assert [line.strip() for line in printed if line.strip()] == shown
