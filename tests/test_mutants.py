"""Every mutant's text is in its file, once, and its tests are there."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "benchmarks" / "mutants.py"
spec = importlib.util.spec_from_file_location("mutants", SCRIPT)
mutants = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mutants)


@pytest.mark.parametrize(
    "mutant", mutants.load_mutants(), ids=lambda each: each.meaning
)
def test_mutants_change_what_is_there(mutant):
    text = (ROOT / "src" / "simplicert" / mutant.file).read_text("utf-8")
    assert text.count(mutant.old) == 1
    assert mutant.new != mutant.old
    places = mutant.tests.partition(" -k ")[0].split()
    assert all((ROOT / place).exists() for place in places)
