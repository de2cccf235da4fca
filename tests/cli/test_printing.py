"""What commands print, on whatever they are connected to."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

from simplicert.cli.printing import LONGEST, LONGEST_WORD, connected, escaped, note, say
from simplicert.cli.progress import draw_progress

SHELL = f"cd -- {{run}}/.. && exec 3>&1; '{sys.executable}' -m simplicert"


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """A run of five images, whose name a terminal would obey."""
    from simplicert.interop import import_file

    folder = tmp_path_factory.mktemp("counted")
    np.savetxt(folder / "counts.csv", [[90, 10]] * 5, fmt="%d", delimiter=",")
    import_file(folder / "counts.csv", folder / "\x1b[31m", sigma=0.5)
    return folder


CASES = {
    # The line, its exit code, and how what it prints begins.
    "stdout closed": ("certify $'\\x1b[31m' >&-", 0, ""),
    "stderr closed": ("certify none 2>&-", 2, ""),
    "all closed": ("certify $'\\x1b[31m' <&- >&- 2>&-", 0, ""),
    "stdout full": (
        "certify $'\\x1b[31m' > /dev/full",
        2,
        "simplicert: standard output: No space left on device\n",
    ),
    "help on a full disk": (
        "--help > /dev/full",
        2,
        "simplicert: standard output: No space left on device\n",
    ),
    "stderr full": ("certify none 2> /dev/full", 2, ""),
    "no reader": ("certify $'\\x1b[31m' --json | head -c 0", 0, ""),
    "no reader of help": ("certify --help | head -c 0", 0, ""),
    "neither": ("certify none 2>&1 >&- | head -c 0", 2, ""),
    "a name that is obeyed": (
        "certify $'\\x1b[5m'",
        2,
        "simplicert: \\x1b[5m does not",
    ),
    "not UTF-8": ("certify $'\\xff'", 2, "simplicert: \\udcff does not exist"),
    "written, not UTF-8": (
        "certify $'\\x1b[31m' -o $'\\xff.csv'",
        2,
        "simplicert: cannot write \\xff.csv: its name is not UTF-8. Choose another\n",
    ),
    "a run, not UTF-8": (
        "import counts.csv --sigma 0.5 -o $'\\xff'",
        2,
        "simplicert: cannot write \\xff: its name is not UTF-8. Choose another\n",
    ),
    "ASCII": (
        "certify $'\\x1b[31m'",
        0,
        "multinomial (clopper_pearson), gaussian-float32 noise of sigma 0.5, l2 radii: "
        "5 images \\xd7 100 draws",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_an_exit_code_whatever_the_streams_are(case, counted):
    line, code, printed = CASES[case]
    before = sorted(counted.rglob("*"))
    command = f"set -o pipefail; '{sys.executable}' -m simplicert {line}"
    if "|" in line:  # the reader has gone before anything is printed
        command = command.replace("| head -c 0", "| { exec <&-; }")
    ended = subprocess.run(
        ["bash", "-c", command],
        cwd=counted,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    out = (ended.stdout + ended.stderr).decode()
    assert (ended.returncode, out[: len(printed) or None]) == (code, printed)
    assert "Traceback" not in out
    assert sorted(counted.rglob("*")) == before


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("20 images × 5 draws…\n\tdone", "20 images × 5 draws…\n\tdone"),
        ("\x1b[31m\r\x07\x7f\x9b", r"\x1b[31m\r\x07\x7f\x9b"),
        ("a\u202eb\u2028", r"a\u202eb\u2028"),
        ("\udcff", r"\udcff"),
    ],
)
def test_what_a_terminal_would_obey_is_shown(text, shown, capsys):
    assert escaped(text) == shown
    say(text)
    assert capsys.readouterr().out == f"{shown}\n"


def test_a_note_is_one_line_of_bearable_length(capsys):
    note("a\n b " + "c" * 10**6 + " d")
    err = capsys.readouterr().err
    assert err.startswith("a b ccc")
    assert err.endswith("ccc d\n")
    assert len(err) < LONGEST_WORD + 10
    note("word " * 10**6)
    assert len(capsys.readouterr().err) < LONGEST + 10


def test_what_libraries_warn_of_is_one_line(capsys):
    with connected(), warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("the matrix\nis singular", RuntimeWarning, stacklevel=1)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("warning: the matrix is singular (RuntimeWarning, test_print")
    assert err.count("\n") == 1


def test_a_name_is_no_markup_of_the_progress_bar(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, for rich
    monkeypatch.setattr("simplicert.sampling.progress.SHORT_SECONDS", 0.0)
    with draw_progress(escaped("[/]\x07[bold]")) as progress:
        progress(1, 2)
    assert r"[/]\x07[bold]" in capsys.readouterr().err
