"""Progress: shown where a person looks, and nowhere else unless it is asked for."""

import sys
from types import SimpleNamespace

import pytest
from clock import Clock
from rich.console import Console

from simplicert.errors import InputError
from simplicert.sampling import progress as module
from simplicert.sampling import sample
from simplicert.sampling.progress import draw_progress, shown_progress


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


class Cell:
    """What a notebook displays."""

    def __init__(self):
        self.shown = []
        self.HTML = str

    def display(self, bar, *, display_id):
        assert display_id
        self.shown.append(bar)
        return SimpleNamespace(update=self.shown.append)


def looked_at(monkeypatch, *, terminal=False, notebook=False):
    """As if stderr were a terminal, or this a notebook."""

    def console(*, stderr):
        assert stderr
        made = Console(stderr=True, force_terminal=terminal, force_jupyter=False)
        made.is_jupyter = notebook
        return made

    cell = Cell()
    monkeypatch.setattr(module, "Console", console)
    monkeypatch.setitem(sys.modules, "IPython.display", cell)
    return cell


def told(network, images, **options):
    sample(network, images, sigma=0.5, draws=200, block=100, seed=0, **options)


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("asked", [None, False, True])
def test_by_default_where_a_person_looks(
    network, images, terminal, asked, monkeypatch, capsys
):
    monkeypatch.setattr(module, "SHORT_SECONDS", 0.0)
    looked_at(monkeypatch, terminal=terminal)
    told(network, images, progress=asked)
    out, err = capsys.readouterr()
    assert out == ""
    assert bool(err) == (terminal if asked is None else asked)
    if err:
        assert "600 of 600 draws" in err
        assert "100%" in err


def test_a_notebook_has_one_bar_that_moves(clock, monkeypatch, capsys):
    cell = looked_at(monkeypatch, notebook=True)
    with shown_progress(None, "<mine>") as progress:
        for done in range(0, 1001, 100):
            progress(done, 1000)
            clock.sleep(0.5)
    assert len(cell.shown) == 9  # not the first second
    assert all("&lt;mine&gt;" in bar for bar in cell.shown)
    assert 'value="0.2000"' in cell.shown[0]
    assert cell.shown[-1].endswith("100% 1,000 of 1,000 draws, 200 draws/s, 0 s left")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("place", [{"terminal": True}, {"notebook": True}])
def test_what_is_done_in_a_moment_has_no_bar(place, clock, monkeypatch, capsys):
    cell = looked_at(monkeypatch, **place)
    with shown_progress(None, "sampling") as progress:
        progress(0, 100)
        clock.sleep(0.9)
        progress(100, 100)
    assert (cell.shown, capsys.readouterr()) == ([], ("", ""))


def test_lines_now_and_then_and_at_the_end(clock, capsys):
    with draw_progress("run[1]") as progress:
        for done in range(0, 31, 3):
            progress(done, 30)
            clock.sleep(3.0)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "run[1]: 40%, 12 of 30 draws, 1 draws/s, 18 s left",
        "run[1]: 80%, 24 of 30 draws, 1 draws/s, 6 s left",
        "run[1]: 100%, 30 of 30 draws, 1 draws/s, 0 s left",
    ]


def test_a_function_is_told_itself_and_anything_else_refused():
    told_so = []
    with shown_progress(lambda *numbers: told_so.append(numbers), "") as progress:
        progress(1, 2)
    assert told_so == [(1, 2)]
    for odd in (3, "yes", 1.0, []):
        with (
            pytest.raises(InputError, match="progress must be True, False or a func"),
            shown_progress(odd, ""),
        ):
            pass
