"""Digests of Python values: all that matters, and nothing else, in every process."""

import copy
import functools
import os
import pickle
import subprocess
import sys
import threading
from collections import OrderedDict, deque
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from simplicert.errors import InputError
from simplicert.identity import digest_of

CELLS = """
import functools
import numpy as np
from dataclasses import dataclass

WEIGHTS = np.arange(6.0)
SETTINGS = {"power": 2}

def helper(x):
    return x * 2

@functools.lru_cache
def cached(x):
    return x * 5

@dataclass
class Options:
    level: int = 7

class Model:
    shift = 3
    def __init__(self):
        self.weights = WEIGHTS + 11
    def __call__(self, x):
        return helper(x) + self.shift
    @property
    def size(self):
        return 13

model, options = Model(), Options()
unrelated = 17

def function(x, limit=19):
    try:
        inner = [model(each) @ WEIGHTS for each in x if each not in {"a", "b", "c"}]
        return np.clip(inner, 0, limit) ** SETTINGS["power"] + options.level
    except ValueError:
        return cached(x)
"""


def digest_of_cells(text, file="<ipython-input-1>", line=0):
    """Of ``function``, typed into a new kernel."""
    kernel = {"__name__": "__main__"}
    exec(compile("\n" * line + text, file, "exec"), kernel)
    return digest_of(kernel["function"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("arange(6.0)", "arange(1, 7.0)"),
        ('"power": 2', '"power": 3'),
        ("x * 2", "x * 3"),
        ("x * 5", "x + 5"),
        ("level: int = 7", "level: int = 8"),
        ("shift = 3", "shift = 4"),
        ("WEIGHTS + 11", "WEIGHTS + 12"),
        ("return 13", "return 14"),
        ("limit=19", "limit=20"),
        ("np.clip(inner", "np.minimum(inner"),
        ('"b", "c"}', '"b", "d"}'),
        ("except ValueError", "except KeyError"),
    ],
)
def test_what_a_typed_function_reads_is_part_of_it(one, other):
    assert CELLS.count(one) == 1
    assert digest_of_cells(CELLS) != digest_of_cells(CELLS.replace(one, other))


def test_where_a_function_was_typed_is_not_part_of_it():
    first = digest_of_cells(CELLS)
    assert first == digest_of_cells(CELLS, file="/tmp/ipykernel_7/3.py", line=40)
    assert first == digest_of_cells(CELLS.replace("unrelated = 17", "unrelated = 18"))


def test_a_function_of_a_file_is_the_file_and_what_it_took_from_elsewhere(tmp_path):
    def digest(helper, name):
        path = tmp_path / name
        path.mkdir()
        (path / "ours.py").write_text("import theirs\ndef f(x): return theirs.g(x)\n")
        (path / "theirs.py").write_text(f"def g(x): return {helper}\n")
        script = "import ours, simplicert.identity as i; print(i.digest_of(ours.f))"
        return subprocess.check_output([sys.executable, "-c", script], cwd=path)

    assert digest("x", "a") == digest("x", "b") != digest("x + 1", "c")


class Slotted:
    __slots__ = ("a",)

    def __init__(self, a):
        self.a = a


class Kept:
    def __init__(self, a):
        self.a = a

    @functools.cached_property
    def doubled(self):
        return 2 * self.a


VALUES = [
    *(None, True, 1, 1.0, 1 + 0j, "1", b"1", 0.0, -0.0, float("nan"), 10**5000, ...),
    *((), [], {}, set(), (1,), [1], {1}, {1: 1}, (1, 2), (2, 1), ((1,), 2), ((1, 2),)),
    *({1: 2, 3: 4}, {3: 4, 1: 2}, {1: {2: 3}}, {"ab": "c"}, {"a": "bc"}, [[1], [1]]),
    *("function", ["function"], ["a", "b"], ["a,b"], deque([1]), OrderedDict(a=1)),
    *(np.float32(1), np.array(1), np.array([1]), np.array([1.0]), np.array([[1]])),
    *(np.array(["1"]), np.array([1, [2]], dtype=object)),
    *(np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 2], mask=[1, 0])),
    *(np.array([(1, 2)], [("a", "i4"), ("b", "i8")]), np.longdouble(1)),
    *(np.array([(1, 2)], [("a", "i4"), ("c", "i8")]), np.datetime64(1, "s")),
    *(np.random.default_rng(0), np.random.default_rng(1), np.random.RandomState(0)),
    *(Slotted(1), Slotted(2), Kept(1), Kept(2), Path("a"), range(3), slice(1, 2)),
    *(int, str, Slotted, Kept, len, max, np.sum, np.exp),
    *(functools.partial(max, 1), functools.partial(max, 2), Kept(1).__init__),
    *(functools.partial(max, key=1), SimpleNamespace(a=1), SimpleNamespace(b=1)),
]


def test_no_two_values_have_one_digest():
    digests = [digest_of(value) for value in VALUES]
    assert len(set(digests)) == len(VALUES)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_copies_have_one_digest(value):
    before = digest_of(value)
    assert digest_of(pickle.loads(pickle.dumps(value))) == before
    assert digest_of(copy.deepcopy(value)) == before


def test_what_is_shared_is_what_is_not():
    one = [1.5, "a"]
    assert digest_of([one, one]) == digest_of([one, list(one)])
    assert digest_of([one, [1.5, "b"]]) != digest_of([one, one])


def test_padding_byte_order_masked_values_caches_and_random_state_are_no_part():
    padded = np.dtype([("a", "u1"), ("b", "f8")], align=True)
    records = [
        np.full(3 * padded.itemsize, fill, np.uint8).view(padded) for fill in (0, 255)
    ]
    for each in records:
        each["a"], each["b"] = 1, 2.0
    assert digest_of(records[0]) == digest_of(records[1])
    mapped = np.zeros(2).view(np.memmap)
    assert digest_of(mapped) == digest_of(np.zeros(2))
    assert digest_of(np.array([1], ">i8")) == digest_of(np.array([1], "<i8"))
    masked = [np.ma.array([1.0, value], mask=[False, True]) for value in (2.0, np.nan)]
    assert digest_of(masked[0]) == digest_of(masked[1])
    kept = Kept(1)
    before = digest_of(kept)
    assert (kept.doubled, digest_of(kept)) == (2, before)
    before = digest_of(np.random.rand)
    np.random.rand()  # noqa: NPY002 (what is tested)
    assert digest_of(np.random.rand) == before


def test_what_holds_itself_and_what_cannot_be_pickled_has_a_digest():
    circle = Kept(1)
    circle.a = [circle, threading.Lock()]
    other = Kept(1)
    other.a = [other, threading.Lock()]
    assert digest_of(circle) == digest_of(other)


def test_what_is_too_deep_or_too_entangled_is_refused():
    deep = []
    for _ in range(10_000):
        deep = [deep]
    tuples = ()
    for _ in range(100):  # 2¹⁰⁰ of them, were each read where it occurs
        tuples = (tuples, tuples)
    digest_of(tuples)
    with pytest.raises(InputError, match=r"too deeply .*digest="):
        digest_of(deep)


def test_digests_are_the_same_in_every_process():
    script = f"""if True:
        import numpy as np
        from simplicert.identity import digest_of
        cells = {CELLS!r}
        kernel = {{"__name__": "__main__"}}
        exec(cells, kernel)
        print(digest_of(kernel["function"]), digest_of({{"a", "b", ("c", 1.5)}}))
    """
    found = {
        subprocess.check_output(
            [sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": seed}
        )
        for seed in "012"
    }
    assert len(found) == 1
