"""Mechanisms by name, from files and packages; and the guard around other people's."""

from importlib.metadata import EntryPoint
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from simplicert import mechanisms, plugins
from simplicert.errors import InputError
from simplicert.mechanisms.catalogue import MECHANISMS, best_of, find_mechanism
from simplicert.mechanisms.foreign import guarded

HALFWAY = """
from simplicert.mechanisms import cullen, neyman_pearson

def halfway(e0_lower, e1_upper, *, sigma):
    assert e0_lower.ndim == 1 and e0_lower.shape == e1_upper.shape
    assert (e0_lower + e1_upper <= 1 + 1e-15).all()
    tight = neyman_pearson(e0_lower, e1_upper, sigma=sigma)
    return (cullen(e0_lower, e1_upper, sigma=sigma) + tight) / 2
"""


@pytest.fixture
def write(tmp_path):
    """Writes a module and returns its path as text."""

    def writer(source, name="mine.py"):
        path = tmp_path / name
        path.write_text(dedent(source))
        return str(path)

    return writer


@pytest.mark.parametrize("name", mechanisms.__all__)
def test_built_in_names_give_the_very_function(name):
    assert find_mechanism(name) is getattr(mechanisms, name)


def test_a_file_gives_a_mechanism_with_the_files_name(write):
    found = find_mechanism(f"{write(HALFWAY)}:halfway")
    assert found.__name__ == "mine.halfway"
    e0, e1 = np.array([[0.4], [0.9]]), np.array([0.1, 0.05, 0.7])
    tight = mechanisms.neyman_pearson(e0, e1, sigma=0.5)
    wanted = (mechanisms.cullen(e0, e1, sigma=0.5) + tight) / 2
    np.testing.assert_allclose(found(e0, e1, sigma=0.5), wanted)
    assert found(0.9, 0.05, sigma=1.0).shape == ()
    assert found([], [], sigma=1.0).shape == (0,)


def test_a_file_may_hold_dataclasses_and_share_its_name_with_a_real_module(write):
    source = """
    from __future__ import annotations
    import dataclasses, json

    @dataclasses.dataclass
    class Share:
        of: float

        def __call__(self, e0_lower, e1_upper, *, sigma):
            return self.of * sigma * (e0_lower - e1_upper).clip(0)

    half = Share(0.5)
    """
    found = find_mechanism(f"{write(source, 'json.py')}:half")
    assert found.__name__ == "json.half"
    assert found(0.4, 0.2, sigma=1.0) == pytest.approx(0.1)


def test_a_dotted_name_is_imported():
    found = find_mechanism("simplicert.mechanisms.cullen:cullen")
    assert found is mechanisms.cullen  # ours, by whatever way


def test_an_installed_entry_point_is_known_by_its_name(tmp_path, monkeypatch):
    (tmp_path / "their_package.py").write_text(dedent(HALFWAY))
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint("theirs", "their_package:halfway", "group")
    asked = []
    monkeypatch.setattr(
        plugins, "entry_points", lambda group: asked.append(group) or [point]
    )
    found = find_mechanism("theirs")
    assert found.__name__ == "theirs"
    assert found(0.9, 0.05, sigma=1.0) > mechanisms.cullen(0.9, 0.05, sigma=1.0)
    assert MECHANISMS.names == [*mechanisms.__all__, "theirs"]
    assert set(asked) == {"simplicert.mechanisms"}


def test_commas_give_the_best_of_several(write):
    found = find_mechanism(f"li, cohen,{write(HALFWAY)}:halfway")
    assert found.__name__ == "max(li, cohen, mine.halfway)"
    radii = [find_mechanism(n)(0.9, 0.05, sigma=1.0) for n in ("li", "cohen")]
    assert found(0.9, 0.05, sigma=1.0) >= max(radii)
    assert best_of([mechanisms.li]).__name__ == "max(li)"


def test_unknown_names_list_the_known_ones_nearest_first(write):
    with pytest.raises(
        InputError, match=r"'cohn': did you mean 'cohen'.* Known: cohen"
    ):
        find_mechanism("cohn")
    with pytest.raises(InputError, match=r"name in .*mine.py 'half': .* 'halfway'"):
        find_mechanism(f"{write(HALFWAY)}:half")


BARE = "def f(e0, e1, *, sigma):\n    return 0 * e0\n"
RAISING = """
class F:
    __call__ = lambda self, e0, e1, *, sigma: 0 * e0
    {} = property(lambda self: 1 / 0)
f = F()"""


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def f(:", "importing .*mine.py raised SyntaxError"),
        (f"{BARE}f.except_laws = 7", "except_laws must be a list of laws, got 7"),
        (f"{BARE}f.except_laws = [7]", r"must be a list of laws, got \[7\]"),
        (f"{BARE}f.proof = 7", "must be a simplicert.mechanisms.Proof, got 7"),
        (RAISING.format("except_laws"), "mine.py:f raised ZeroDivisionError"),
        (RAISING.format("proof"), "mine.py:f raised ZeroDivisionError"),
        ("f = property(1)\ndef __getattr__(name): 1 / 0", "property, not a function"),
        ("def __getattr__(name): 1 / 0", "mine.py:f raised ZeroDivisionError"),
        (
            "raise RuntimeError('no licence')",
            "importing .* raised RuntimeError: no licence",
        ),
        ("import not_installed_anywhere", "No module named 'not_installed_anywhere'"),
        ("f = 3.0", "is a float, not a function"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_clear_error(write, source, says):
    with pytest.raises(InputError, match=says):
        find_mechanism(f"{write(source)}:f")


def test_an_interrupt_is_nobodys_mistake(write):
    for source in ("raise Stop", BARE.replace("return 0 * e0", "raise Stop")):
        source = source.replace("Stop", "KeyboardInterrupt")
        with pytest.raises(KeyboardInterrupt):
            find_mechanism(f"{write(source)}:f")


def test_what_it_prints_is_no_answer(write, capsys):
    source = "print('loading')\n" + BARE.replace("return", "print(e0); return")
    find_mechanism(f"{write(source)}:f")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("loading\n")


def test_an_object_whose_name_is_a_mistake():
    class Nameless:
        name = property(lambda self: 1 / 0)

    with pytest.raises(InputError, match="a Nameless raised ZeroDivisionError"):
        MECHANISMS.find(Nameless())


def test_a_file_or_package_that_is_not_there():
    with pytest.raises(InputError, match=r"no file nowhere/mine\.py: check the path"):
        find_mechanism("nowhere/mine.py:f")
    with pytest.raises(InputError, match=r"no module nowhere: is it installed"):
        find_mechanism("nowhere:f")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            "return 2 * sigma * np.maximum(e0 - e1, 0)",
            "breaks the law 'tight'.*at e0_l",
        ),
        ("return sigma * 0.1 * np.maximum(e1, 0)", "where e0 is not above e1"),
        (
            "return sigma * np.log(e0 - e1)",
            "returned -0.916291 at e0_lower = 0.6, e1_u",
        ),
        (
            "return sigma * np.nan * e0",
            "returned nan at e0_lower = 0.6, e1_upper = 0.2",
        ),
        ("return 0.0", r"shape \(\) for points that begin at e0_lower = 0.6"),
        ("return e0[:-1]", "it must return one radius a point"),
        ("return ['0.1'] * len(e0)", "TypeError: the radii are <U3, and not real"),
        ("return e0 * 1j", "TypeError: the radii are complex128, and not real"),
        ("raise SystemExit(3)", "raised SystemExit: 3, at e0_lower = 0.6"),
        ("return f(e0, e1, sigma=sigma)", "raised RecursionError: "),
        ("raise type('Stop', (BaseException,), {})('now')", "raised Stop: now, at "),
        ("if e0 > e1: return e0", "array with more than one element.*numpy.where"),
        ("return {}[e0[0]]", "KeyError: .*0.6.* at e0_lower = 0.6, e1_upper = 0.2"),
    ],
)
def test_a_mechanism_that_misbehaves_is_named_with_the_point(write, body, says):
    source = f"import numpy as np\ndef f(e0, e1, *, sigma):\n    {body}\n"
    with pytest.raises(InputError, match=f"(?s)mechanism 'mine.f'.*{says}"):
        find_mechanism(f"{write(source)}:f")


def test_the_author_can_say_that_a_law_does_not_apply(write):
    source = """
    from simplicert.mechanisms import neyman_pearson
    def wide(e0, e1, *, sigma):
        return 2 * neyman_pearson(e0, e1, sigma=sigma)
    """
    place = write(source)
    with pytest.raises(InputError, match=r"attribute except_laws = \['tight'\]"):
        find_mechanism(f"{place}:wide")
    write(dedent(source) + "wide.except_laws = ['tight']\n")
    assert find_mechanism(f"{place}:wide")(0.9, 0.1, sigma=1.0) > 2


def test_the_guard_also_watches_later_calls():
    def treacherous(e0_lower, e1_upper, *, sigma):
        radius = 0.1 * sigma * np.maximum(e0_lower - e1_upper, 0)
        return np.where(e0_lower == 0.123456, np.nan, radius)

    mechanism = guarded(treacherous, name="treacherous")
    assert mechanism(0.2, 0.1, sigma=1.0) == pytest.approx(0.01)
    with pytest.raises(InputError, match=r"returned nan at e0_lower = 0\.123456"):
        mechanism([0.2, 0.123456], 0.1, sigma=1.0)


def test_the_guard_keeps_the_callers_arrays_and_checks_them():
    def greedy(e0_lower, e1_upper, *, sigma):
        e0_lower[:] = 0.0
        return e0_lower

    e0 = np.array([0.5, 0.6])
    assert (guarded(greedy, name="greedy")(e0, 0.1, sigma=1.0) == 0).all()
    assert (e0 == [0.5, 0.6]).all()
    with pytest.raises(InputError, match=r"e1_upper must lie in \[0, 1\]"):
        guarded(greedy, name="greedy")(e0, 1.5, sigma=1.0)
    with pytest.raises(InputError, match="sigma must be a positive"):
        guarded(greedy, name="greedy")(e0, 0.5, sigma=0.0)


def test_the_documented_example_obeys_the_laws(write):
    page = Path(__file__).parents[2] / "docs" / "extend.md"
    example = page.read_text("utf-8").split("```python\n")[1].split("```")[0]
    assert "def fixed_epsilon" in example
    found = find_mechanism(f"{write(example)}:fixed_epsilon")
    best = mechanisms.lecuyer(0.9, 0.05, sigma=1.0)
    assert 0 < found(0.9, 0.05, sigma=1.0) < best
