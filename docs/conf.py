"""Sphinx configuration."""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import reference  # beside this file

from simplicert import __version__
from simplicert.cli.app import COMMANDS

project = "Simplicert"
author = "The Simplicert developers"
release = version = __version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
]
myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 3
napoleon_use_rtype = False  # "One row an image: …" is no type
napoleon_use_ivar = True  # attributes as a list, not as entries of their own
autodoc_typehints = "none"
autodoc_member_order = "bysource"
exclude_patterns = ["_build"]
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["page.css"]
toc_object_entries_show_parents = "hide"
html_title = f"Simplicert {release}"

GENERATED = Path(__file__).parent / "_generated"


def commands() -> str:
    """Every command's own help, so that the page cannot say anything else."""
    page = ["# Commands\n"]
    for command in COMMANDS:
        text = subprocess.run(
            [sys.executable, "-m", "simplicert", command, "--help"],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"COLUMNS": "88", "NO_COLOR": "1"},
        ).stdout
        page.append(f"## `simplicert {command}`\n\n```text\n{text.strip()}\n```\n")
    return "\n".join(page)


GENERATED.mkdir(exist_ok=True)
(GENERATED / "commands.md").write_text(commands(), "utf-8")
(GENERATED / "reference.md").write_text(reference.page(), "utf-8")


COLON = "\ue000"  # in place of one, while napoleon looks


def setup(app):
    """Correct what MyST and napoleon make of our way of writing."""

    def without_the_empty_line_that_doctest_wants(_app, _page, source):
        source[0] = source[0].replace("\n\n```\n", "\n```\n")

    def without_types_in_front_of_colons(_app, what, _name, _thing, _options, lines):
        if what in {"attribute", "property"} and lines:
            first = lines.index("") if "" in lines else len(lines)
            lines[:first] = [line.replace(":", COLON) for line in lines[:first]]

    def with_colons(_app, _what, _name, _thing, _options, lines):
        lines[:] = [line.replace(COLON, ":") for line in lines]

    app.connect("source-read", without_the_empty_line_that_doctest_wants)
    app.connect("autodoc-process-docstring", without_types_in_front_of_colons, 400)
    app.connect("autodoc-process-docstring", with_colons, 600)
