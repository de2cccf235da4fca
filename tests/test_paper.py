"""The paper as one command: a row for each of its places, and numbers that hold."""

import json
import re
import runpy
import shutil
from pathlib import Path

import numpy as np
import pytest
from leads import led_run
from scipy.stats import beta, norm

from simplicert import paper
from simplicert.votes import RunDirectory

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results"
SCRIPT = runpy.run_path(str(RESULTS / "paper"))
PLACES = {place.key: place for place in SCRIPT["PLACES"]}
DOCS = ROOT / "docs" / "paper.md"


def module(name):
    """One that the script imported, from beside it."""
    import sys

    return sys.modules[name]


@pytest.fixture(scope="module")
def runs():
    """Two committed runs of one network: of a fixed n, and stopped."""
    committed = module("committed")
    paths = [RESULTS / f"{folder}/resnet20-0.50" for folder in FOLDERS]
    return [committed._certified(path) for path in paths]


FOLDERS = ("cifar10", "cifar10-until")


def test_the_page_has_every_figure_and_table_of_the_paper():
    numbered = {f"figure-{n}" for n in (1, 2, 3, 4, 5, "6a", "6b", 7, 8, 9, 10)}
    assert numbered | {"table-1", "table-2"} <= set(PLACES)
    assert set(SCRIPT["DERIVE"]) == set(PLACES)
    page = DOCS.read_text("utf-8")
    assert [key for key in PLACES if f"`{key}`" not in page] == []


def test_their_numbers_are_those_on_record():
    assert dict(paper.IMPROVED) == {0.12: 0.144, 0.25: 0.261, 0.5: 0.474, 1.0: 0.702}
    assert "14.4, 26.1, 47.4, 70.2 %" in PLACES["table-2"].theirs
