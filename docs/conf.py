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
autodoc_typehints = "none"
autodoc_member_order = "bysource"
exclude_patterns = ["_build"]
html_theme = "furo"
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
