"""What README and docs say exists, and what exists is in them."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from simplicert.cli.app import COMMANDS, _app, main
from simplicert.plugins import Kind

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MORE_PAGES = [*PAGES, *(ROOT / f"{n}.md" for n in ("ARCHITECTURE", "CONTRIBUTING"))]
TEXT = {page: page.read_text("utf-8") for page in MORE_PAGES}


def load_reference():
    """The module that writes the page, from beside Sphinx's configuration."""
    spec = importlib.util.spec_from_file_location(
        "reference", ROOT / "docs" / "reference.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference = load_reference()
PAGE = reference.page()


@pytest.mark.parametrize("module", reference.PUBLIC)
def test_every_public_name_is_documented_and_in_the_reference(module):
    names = reference.public_names(module)
    stated = getattr(importlib.import_module(module), "__all__", [])
    assert {name for name in stated if name[0] != "_"} <= set(names)
    undocumented = [n for n in names if not reference.documentation(module, n).strip()]
    assert not undocumented
    section = PAGE.split(f"\n## `{module}`\n")[1].split("\n## ")[0]
    missing = [
        name
        for name in names
        if f":: {module}.{name}\n" not in section and f"``{name}`` is" not in section
    ]
    assert not missing


def test_every_room_is_public_or_said_not_to_be():
    public = {module.partition(".")[2] for module in reference.PUBLIC}
    assert rooms() == (public | set(reference.INTERNAL)) & rooms()


def test_what_is_not_documented_is_noticed(tmp_path, monkeypatch):
    room = tmp_path / "undocumented_room"
    room.mkdir()
    (room / "inside.py").write_text(
        'def bare():\n    pass\n\nSAID = 1\n"""Words."""\nUNSAID = 2\n'
        "from dataclasses import dataclass\n"
        "@dataclass\nclass Facts:\n    one: int\n"
    )
    (room / "__init__.py").write_text(
        "from undocumented_room.inside import SAID as SAID, UNSAID as UNSAID\n"
        "from undocumented_room.inside import Facts as Facts\n"
        "from undocumented_room.inside import bare\n"
        "from simplicert.plugins import Kind\n"
        "THINGS = Kind(name='thing', built_in={'one': 1}, admit=print)\n"
        "__all__ = ['bare']\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    names = reference.public_names("undocumented_room")
    assert names == ["Facts", "SAID", "THINGS", "UNSAID", "bare"]
    said = {n: reference.documentation("undocumented_room", n) for n in names}
    assert [name for name in names if not said[name]] == ["Facts", "UNSAID", "bare"]
    assert said["SAID"] == "Words."
    assert "``simplicert.things``" in said["THINGS"]


def rooms():
    return {
        path.name
        for path in (ROOT / "src" / "simplicert").iterdir()
        if (path / "__init__.py").is_file()
    }


def test_every_room_is_in_the_architecture():
    text = TEXT[ROOT / "ARCHITECTURE.md"]
    assert all(f"`{room}/`" in text for room in rooms())


def test_every_kind_that_a_user_may_bring_is_in_the_page_about_it():
    modules = [importlib.import_module(module) for module in reference.PUBLIC]
    things = [thing for module in modules for thing in vars(module).values()]
    groups = {thing.group for thing in things if isinstance(thing, Kind)}
    assert len(groups) > 5
    page = TEXT[ROOT / "docs" / "extend.md"]
    assert [group for group in groups if f"`{group}`" not in page] == []


@pytest.mark.parametrize("document", MORE_PAGES, ids=lambda path: path.name)
def test_prose_is_wrapped(document):
    prose = re.sub(r"^```.*?^```$|^\$\$.*?\$\$$", "", TEXT[document], flags=re.M | re.S)
    lines = [line for line in prose.splitlines() if not re.match(r"\||>|    |\(", line)]
    assert [line for line in lines if len(line) > 120] == []


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


@pytest.mark.parametrize("document", MORE_PAGES, ids=lambda path: path.name)
def test_files_of_the_repository_that_pages_name_exist(document):
    named = re.findall(r"\b(?:tests|benchmarks|src)/[\w/-]+(?:\.\w+)?", TEXT[document])
    assert [name for name in named if not (ROOT / name).exists()] == []


def printed_outputs():
    """Every ``$ simplicert …`` about a committed run, with the lines shown below it."""
    for page in PAGES:
        lines = r"(?:^    .*\n|^\n(?=    ))+"  # an output may have empty ones
        for block in re.findall(lines, TEXT[page], re.MULTILINE):
            for part in re.split(r"^    \$ ", block, flags=re.MULTILINE)[1:]:
                found = [line.strip() for line in part.splitlines()]
                command, *shown = [line for line in found if line]
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
