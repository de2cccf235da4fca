"""README's output is what the command prints, and its Python runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
NUMBER = re.compile(r"\d+\.\d+")
LEFT_OUT = "…"


def printed_below(command):
    """The indented lines that README shows under a command."""
    block = README.split(f"    $ {command}\n", 1)[1]
    lines = []
    for line in block.splitlines():
        if line and not line.startswith("    "):
            break
        lines.append(line.strip())
    return [line for line in lines if line]


def shown_by_readme():
    """What README shows of the demo: its first table, and where it wrote the rest."""
    shown = printed_below("make demo")
    assert shown.count(LEFT_OUT) == 1
    cut = shown.index(LEFT_OUT)
    return shown[:cut], shown[cut + 1 :]


def test_readme_shows_one_whole_table_and_the_end():
    table, end = shown_by_readme()
    heading, columns, rule, *rows = table
    assert heading.startswith("multinomial (clopper_pearson), gaussian noise")
    assert columns.split()[0] == "mechanism"
    assert set(rule) == {"-", " "}
    assert [len(NUMBER.findall(row)) for row in rows] == [3, 3, 3, 3, 2, 2]
    assert [line.split(":")[0] for line in end] == ["votes", "certificates", "report"]


@pytest.mark.slow
def test_the_demo_prints_what_readme_shows(tmp_path):
    finished = subprocess.run(
        [sys.executable, "-m", "simplicert", "demo"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    printed = [line.strip() for line in finished.stdout.splitlines() if line.strip()]
    table, end = shown_by_readme()
    # Six tables, of which README shows one; and nothing after its last lines.
    headings = [line for line in printed if "images ×" in line]
    assert (len(headings), headings[0]) == (6, printed[0])
    assert printed[len(table)] == headings[1]
    assert printed[-len(end) :] == end
    ours = printed[: len(table)]
    assert [NUMBER.sub("#", line) for line in ours] == [
        NUMBER.sub("#", line) for line in table
    ]
    # The same seed, but another processor rounds otherwise and so trains otherwise.
    for line, shown in zip(ours, table, strict=True):
        for a, b in zip(NUMBER.findall(line), NUMBER.findall(shown), strict=True):
            assert abs(float(a) - float(b)) <= (3 if "top-1" in line else 0.08), line
    for name in ("report.html", "sigma-0.50.safetensors"):
        assert (tmp_path / "demo" / name).stat().st_size > 1000


def test_the_python_of_readme_runs():
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names = {}
    exec(compile(block, "README.md", "exec"), names)
    assert "neyman_pearson" in names["certificates"].table()
