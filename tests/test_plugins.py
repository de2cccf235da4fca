"""Every kind of thing can be added, from a file, a package or an entry point."""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import numpy as np
import pandas as pd
import pytest

import simplicert as sc
from simplicert.classifiers import NumpyClassifier
from simplicert.data import load_dataset
from simplicert.errors import InputError
from simplicert.figures import FIGURES
from simplicert.identity import digest_of
from simplicert.mechanisms.catalogue import find_mechanism
from simplicert.noises import NOISES, Noise
from simplicert.plugins import import_place
from simplicert.procedures import PROCEDURES
from simplicert.training.methods import METHODS

ROOT = Path(__file__).parents[1]

THEIRS = """
import functools

import numpy as np
import torch

from neighbour import SHARE
from simplicert.bounds import clopper_pearson_lower, clopper_pearson_upper
from simplicert.classifiers import NumpyClassifier
from simplicert.figures import Figure
from simplicert.mechanisms import neyman_pearson, proves
from simplicert.noises import Noise
from simplicert.procedures import simultaneous
from simplicert.stopping import Rule
from simplicert.training.methods import Gaussian

with open(__file__ + ".log", "a") as log:
    log.write("run\\n")


def half(e0_lower, e1_upper, *, sigma):
    return SHARE * neyman_pearson(e0_lower, e1_upper, sigma=sigma)


def fill(values, generator):  # difference of two exponentials; variance 2
    generator.standard_exponential(out=values)
    values -= generator.standard_exponential(values.shape)
    values /= 2**0.5


laplace = Noise("laplace", "l1", fill)


@proves(noise=laplace)
def of_laplace(e0_lower, e1_upper, *, sigma):
    with np.errstate(divide="ignore", invalid="ignore"):
        radius = sigma / 2**1.5 * np.log(e0_lower / e1_upper)
    return np.where(e0_lower > e1_upper, radius, 0.0)


cautious = simultaneous(
    name="cautious",
    statistic="multinomial",
    columns=("counts",),
    lower=lambda seen, alpha: clopper_pearson_lower(
        seen.sums, trials=seen.trials, alpha=alpha / 2
    ),
    upper=lambda seen, alpha: clopper_pearson_upper(
        seen.sums, trials=seen.trials, alpha=alpha / 2
    ),
)


def data(*, split):
    random = np.random.default_rng(len(split))
    return random.random((6, 4), dtype=np.float32), np.arange(6) % 2


def brighter(inputs):
    return np.stack([inputs[:, :2].sum(axis=1), inputs[:, 2:].sum(axis=1)], axis=1)


def classifier():
    return NumpyClassifier(brighter, output="logits")


class Mine(Gaussian):
    name: str
    extra: float = 0.0


labelled = Rule(name="labelled", decided=lambda votes, alpha: votes.labels == 0)

bounds = Figure(
    name="bounds",
    table=lambda view: view.certificates.table(),
    draw=lambda table, ax: ax.plot(table["e0_lower"], table["e1_upper"], "."),
)
"""


@pytest.fixture
def theirs(tmp_path):
    """A file of somebody's own, beside another that it imports."""
    (tmp_path / "neighbour.py").write_text("SHARE = 0.5\n")
    path = tmp_path / "theirs.py"
    path.write_text(THEIRS)
    yield path
    sys.modules.pop("neighbour", None)


def test_neighbours_of_one_name_are_not_taken_for_each_other(theirs, tmp_path):
    """Python would give the second file the first one's, without a word."""
    find_mechanism(f"{theirs}:half")
    other = tmp_path / "other"
    other.mkdir()
    (other / "neighbour.py").write_text("SHARE = 2.0\n")
    path = other / "mine.py"
    for line in (
        "import neighbour",
        "def f(*a, **k):\n    from neighbour import SHARE",
    ):
        path.write_text(line)
        with pytest.raises(InputError, match=r"mine\.py imports .* rename one of the"):
            find_mechanism(f"{path}:f")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, 2, 1), (1, 2, 2)),
        ((1, 2), (1, 2, 1)),
        ((1, 12), (11, 2)),
        (([1], 2), ([1, 2],)),
    ],
)
def test_functions_made_with_other_values_have_other_digests(one, other):
    def fill(*values):
        return values

    digests = [digest_of(functools.partial(fill, *values)) for values in (one, other)]
    assert digests[0] != digests[1]
    assert digests[0] == digest_of(functools.partial(fill, *one))


def test_a_digest_is_the_same_in_every_process():
    """Python shuffles sets of words anew in each."""
    line = (
        "from simplicert.identity import digest_of; "
        "print(digest_of(lambda x: x in {'a', 'b', 'c', 'd', 'e'}))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", line],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in range(3)
    }
    assert len(found) == 1


@pytest.fixture
def run(theirs, simplicert, tmp_path):
    """Sampled from their classifier, on their data: inputs of one axis."""
    code, _, err = simplicert(
        *("sample", f"{theirs}:classifier", f"{theirs}:data", "--sigma", 0.5),
        *("--draws", 600, "--block", 100, "-o", tmp_path / "run", "--seed", 1),
    )
    assert (code, "gaussian noise" in err) == (0, True)
    return tmp_path / "run"


def runs_of(path):
    return Path(f"{path}.log").read_text().count("run")


@pytest.mark.slow
def test_their_mechanism_is_everywhere(theirs, run, simplicert, tmp_path):
    spec = f"{theirs}:half"
    code, out, _ = simplicert("certify", run, "--mechanism", spec, "--json")
    found = json.loads(out)
    assert code == 0
    for row in found["images"]:
        assert row["theirs.half"] == pytest.approx(row["neyman_pearson"] / 2)
    code, out, _ = simplicert("compare", run, "--mechanism", spec, "--json")
    assert "theirs.half" in {row["mechanism"] for row in json.loads(out)["table2"]}
    code, out, _ = simplicert(
        *("simplex", "--ratio", spec, "neyman_pearson", "--resolution", 20, "--json"),
        *("-o", tmp_path / "simplex"),
    )
    [compared] = json.loads(out).values()
    assert compared["largest"][0]["value"] == pytest.approx(0.5)
    before = runs_of(theirs)
    code, _, _ = simplicert(
        *("report", run, "--mechanism", spec, "-o", tmp_path / "page.html"),
        *("--figures", tmp_path / "figures", "--tables", tmp_path / "tables"),
    )
    assert code == 0
    assert runs_of(theirs) == before + 1
    assert "theirs.half" in (tmp_path / "page.html").read_text()
    assert len(list((tmp_path / "figures").iterdir())) == 12
    for table in ("table1", "draws", "times"):
        frame = pd.read_csv(tmp_path / "tables" / f"{table}.csv")
        assert "theirs.half" in set(frame[frame.columns[1]]), table


def test_their_procedure_is_everywhere(theirs, run, simplicert, tmp_path):
    spec = f"{theirs}:cautious"
    code, out, _ = simplicert("certify", run, "--procedure", spec, "--json")
    rows, strict = json.loads(out)["images"], sc.certify(sc.read_run(run), alpha=0.0005)
    assert code == 0
    assert [row["e0_lower"] for row in rows] == strict.e0_lower.tolist()
    assert {row["procedure"] for row in rows} == {"cautious"}
    code, out, _ = simplicert("compare", run, run, "--procedure", spec)
    assert code == 0
    simplicert(
        *("report", run, "--procedure", spec, "-o", tmp_path / "page.html"),
        *("--figures", tmp_path / "figures", "--figure", "fig4-accuracy"),
        *("--figure", "fig6a-draws"),
    )
    page = (tmp_path / "page.html").read_text()
    assert "cautious" in page
    assert f"--procedure {spec}" in page  # what a reader types finds it again
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {
        "fig4-accuracy-run-cautious.png",
        "fig6a-draws-run-cautious.png",
    }


@pytest.mark.slow
def test_their_noise_is_certified_by_their_mechanism_only(theirs, simplicert, tmp_path):
    run = tmp_path / "laplace"
    code, _, err = simplicert(
        *("sample", f"{theirs}:classifier", f"{theirs}:data", "--sigma", 0.5),
        *("--draws", 600, "-o", run, "--noise", f"{theirs}:laplace"),
    )
    assert (code, "no mechanism of ours has a proof for laplace" in err) == (0, True)
    code, _, err = simplicert("certify", run)
    assert (code, "no mechanism has a proof for laplace noise" in err) == (2, True)
    for name in ("neyman_pearson", "lee", f"{theirs}:half"):
        code, _, err = simplicert("certify", run, "--mechanism", name)
        assert (code, "and these votes had laplace noise" in err) == (2, True)
    mine = ("--mechanism", f"{theirs}:of_laplace")
    code, out, _ = simplicert("certify", run, *mine)
    assert code == 0
    assert "laplace noise of sigma 0.5, l1 radii" in out
    page = tmp_path / "page.html"
    code, _, _ = simplicert(
        "report", run, *mine, "-o", page, "--figures", tmp_path / "f", "--tables",
        tmp_path / "t",
    )  # fmt: skip
    assert code == 0
    assert "under laplace noise" in page.read_text()
    # Another noise of the same name is not the same run.
    text = theirs.read_text()
    theirs.write_text(text.replace("values /= 2**0.5", "values /= 2.0**0.5"))
    code, _, err = simplicert(
        *("sample", f"{theirs}:classifier", f"{theirs}:data", "--sigma", 0.5),
        *("--draws", 600, "-o", run, "--noise", f"{theirs}:laplace"),
    )
    assert (code, "holds another run: noise" in err) == (2, True)


def test_their_figure_is_drawn_alone_or_beside_ours(theirs, run, simplicert, tmp_path):
    code, _, _ = simplicert(
        *("report", run, "-o", tmp_path / "page.html", "--figures", tmp_path / "f"),
        *("--figure", f"{theirs}:bounds", "--figure", "fig4-runs"),
    )
    assert code == 0
    assert {path.name for path in (tmp_path / "f").iterdir()} == {
        "bounds-run-multinomial.png",
        "bounds-run-softmax.png",
    }


def test_their_training_method_trains_and_is_named_in_the_checkpoint(
    theirs, simplicert, tmp_path
):
    path = tmp_path / "mine.safetensors"
    method = f"method.name={theirs}:Mine"
    code, out, _ = simplicert(
        *("train", "digits", "--sigma", 0.5, "--epochs", 1, "-o", path),
        *("--set", method, "--set", "method.extra=0.5", "--json"),
    )
    assert code == 0
    assert json.loads(out)["recipe"]["method"] == {
        "name": f"{theirs}:Mine",
        "extra": 0.5,
    }
    code, _, err = simplicert(
        *("train", "digits", "--sigma", 0.5, "--set", method),
        *("--set", "method.extra=often", "-o", tmp_path / "other.safetensors"),
    )
    assert (code, "extra: " in err) == (2, True)


@pytest.mark.parametrize(
    ("find", "name", "says"),
    [
        (NOISES.find, "half", "something else: expected simplicert.noises"),
        (PROCEDURES.find, "half", "something else: expected simplicert.procedures"),
        (FIGURES.find, "half", "something else: expected simplicert.figures"),
        (METHODS.find, "half", "is no training method"),
        (find_mechanism, "SHARE", "is a float, not a function"),
        (load_dataset, "SHARE", "images must be a Dataset"),
        (NOISES.find, "absent", "unknown name in .*'absent'"),
    ],
)
def test_a_thing_of_another_kind_is_refused(theirs, find, name, says):
    with pytest.raises(InputError, match=says):
        find(f"{theirs}:{name}")


@pytest.mark.parametrize(
    ("find", "text", "says"),
    [
        (NOISES.find, "Noise('gaussian', 'l2', print)", "cannot be called 'gaussian'"),
        (NOISES.find, "Noise('mine', 'l7', print)", "unknown norm 'l7'"),
        (NOISES.find, "Noise('a b', 'l2', print)", "a name of letters"),
        (NOISES.find, "Noise('mine', 'l2')", "has no function that fills values"),
        (PROCEDURES.find, "replace(cautious, name='hoeffding')", "cannot be called"),
        (PROCEDURES.find, "replace(cautious, columns=('score_sums',))", "no column of"),
        (FIGURES.find, "replace(bounds, name='fig4-runs')", "cannot be called"),
    ],
)
def test_a_thing_that_would_be_taken_for_another_is_refused(theirs, find, text, says):
    text = f"from dataclasses import replace\n{THEIRS}\nthing = {text}\n"
    theirs.write_text(text)
    with pytest.raises(InputError, match=says):
        find(f"{theirs}:thing")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("alpha=alpha / 2|alpha=2 * alpha", "certifies falsely with probability"),
        ("alpha=alpha / 2|alpha=1 - alpha", "certifies falsely with probability"),
        (
            "clopper_pearson_lower(\n|(lambda x, **_: x / x.max())(\n",
            "certifies falsely",
        ),
        (
            "clopper_pearson_upper(\n|(lambda x, **_: np.full(x.shape, 1.5))(\n",
            r"e1_upper must be one float64 an image",
        ),
    ],
)
def test_a_procedure_that_is_false_too_often_is_found_at_the_door(theirs, change, says):
    old, new = change.split("|")
    assert old in THEIRS
    theirs.write_text(THEIRS.replace(old, new))
    with pytest.raises(InputError, match=says):
        PROCEDURES.find(f"{theirs}:cautious")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("values[:] = 0", "has the standard deviation 0.000, not 1"),
        ("values[:] = generator.normal(1, 1, values.shape)", "has the mean 1.0"),
        (
            "values[:] = np.random.default_rng().normal(size=values.shape)",
            "differs though its generator does not",
        ),
        ("generator.standard_normal(out=values[1:])", "values that are not finite"),
        ("return generator.normal(size=3)", "values that are not finite"),
        ("raise KeyError('x')", "noise 'mine' raised KeyError"),
    ],
)
def test_a_noise_that_is_none_is_found_before_the_first_draw(tmp_path, body, says):
    path = tmp_path / "mine.py"
    path.write_text(
        "import numpy as np\nfrom simplicert.noises import Noise\n"
        f"def fill(values, generator):\n    {body}\n"
        "mine = Noise('mine', 'l2', fill)\n"
    )
    inputs = np.zeros((1, 4), dtype=np.float32)
    with pytest.raises(InputError, match=says):
        sc.sample(
            NumpyClassifier(lambda x: x[:, :2], output="logits"),
            inputs,
            sigma=0.5,
            draws=10,
            noise=f"{path}:mine",
        )


def test_the_digest_of_a_noise_is_of_what_it_does(theirs):
    before = NOISES.find(f"{theirs}:laplace").digest
    assert before == NOISES.find(f"{theirs}:laplace").digest
    theirs.write_text(THEIRS + "\n# another\n")
    assert before != NOISES.find(f"{theirs}:laplace").digest


class Sparse:
    """A noise function with a setting."""

    def __init__(self, share):
        self.share = share

    def __call__(self, values, generator):
        generator.standard_normal(out=values)


def fill_with(share):
    def fill(values, generator):
        values[:] = share * generator.standard_normal(values.shape)

    return fill


def fill_by(values, generator, *, share=1.0):
    values[:] = share * generator.standard_normal(values.shape)


@pytest.mark.parametrize(
    "make",
    [
        Sparse,
        fill_with,
        lambda share: functools.partial(fill_by, share=share),
        lambda share: Sparse(share).__call__,
    ],
)
def test_noises_of_one_function_with_other_settings_are_others(make):
    one, same, other = (
        NOISES.find(Noise("mine", "l2", make(share))).digest for share in (1, 1, 2)
    )
    assert one == same != other


def test_a_file_that_was_edited_after_it_was_imported_is_not_what_was_imported(theirs):
    module = import_place(str(theirs))
    before = NOISES.find(module.laplace).digest
    theirs.write_text(THEIRS.replace("values /= 2**0.5", "values /= 1.5"))
    stale = NOISES.find(replace(module.laplace)).digest
    fresh = NOISES.find(f"{theirs}:laplace").digest
    assert len({before, stale, fresh}) == 3


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("1 / 0", "importing .* raised ZeroDivisionError"),
        ("raise SystemExit(3)", "importing .* raised SystemExit: 3"),
        ("import nowhere_to_be_found", "No module named 'nowhere_to_be_found'"),
        ("def f(:", "raised SyntaxError"),
    ],
)
@pytest.mark.parametrize("kind", ["mechanism", "procedure", "noise"])
def test_what_goes_wrong_in_their_file_is_shown_as_theirs(
    tmp_path, simplicert, source, says, kind
):
    (tmp_path / "broken.py").write_text(source)
    spec = f"{tmp_path}/broken.py:f"
    arguments = {
        "mechanism": ("simplex", "--ratio", spec, "cohen"),
        "procedure": ("certify", ROOT / "results/cifar10/resnet20-0.50", "--procedure"),
        "noise": ("sample", "m.safetensors", "digits", "--sigma", 1, "--draws", 10),
    }[kind]
    more = {"procedure": [spec], "noise": ["-o", tmp_path / "r", "--noise", spec]}
    code, _, err = simplicert(*arguments, *more.get(kind, []))
    assert code == 2
    assert len(err.splitlines()) == 1
    assert re.search(says, err)


# --- As others see them: installed, and built in -----------------------------------


COMMANDS = """
import json, sys
from simplicert.cli import main
for command in json.loads(sys.argv[1]):
    try:
        main(command)
    except SystemExit as end:
        assert not end.code, command
    print(end="\\0", flush=True)
"""


def simplicert_in(folder, *commands):
    """What commands print, one after the other, with a folder on Python's path."""
    lines = json.dumps([[str(part) for part in command] for command in commands])
    finished = subprocess.run(
        [sys.executable, "-c", COMMANDS, lines],
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.split("\0")[:-1]


@pytest.mark.slow
def test_an_installed_package_offers_every_kind(theirs, tmp_path):
    info = tmp_path / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n"
    )
    offers = {
        "mechanisms": "half",
        "procedures": "cautious",
        "noises": "laplace",
        "figures": "bounds",
        "datasets": "data",
        "classifiers": "classifier",
        "methods": "Mine",
        "rules": "labelled",
    }
    lines = [
        f"[simplicert.{group}]\nof_theirs = theirs:{name}\n"
        for group, name in offers.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))
    run = tmp_path / "run"
    named = ("--mechanism", "of_theirs", "--procedure", "of_theirs")
    page, figures = ("-o", tmp_path / "p.html"), ("--figures", tmp_path / "f")
    settings = ("--sigma", 0.5, "--draws", 600, "-o", run)
    *helps, _, certified, _, planned = simplicert_in(
        tmp_path,
        *(
            (command, "--help")
            for command in ("certify", "compare", "report", "sample", "plan")
        ),
        ("sample", "of_theirs", "of_theirs", *settings),
        ("certify", run, *named),
        ("report", run, *named, *page, *figures, "--figure", "of_theirs"),
        ("plan", run, "--looks", "600", "--rule", "of_theirs"),
    )
    assert len(helps) == 5
    assert all("of_theirs" in each for each in helps)
    assert "of_theirs" in certified
    assert "cautious" in certified
    assert (tmp_path / "f" / "bounds-run-cautious.png").is_file()
    assert "by looks" in planned


@pytest.mark.slow
def test_a_file_and_a_line_add_a_mechanism_to_ours(theirs, run, tmp_path):
    package = tmp_path / "site" / "simplicert"
    shutil.copytree(ROOT / "src" / "simplicert", package)
    (package / "mechanisms" / "halved.py").write_text(
        dedent(
            '''
            """Half of the tight radius."""

            from simplicert.mechanisms.neyman_pearson import neyman_pearson
            from simplicert.mechanisms.protocol import proves
            from simplicert.noises import gaussian


            @proves(noise=gaussian)
            def halved(e0_lower, e1_upper, *, sigma):
                """Half of it."""
                return 0.5 * neyman_pearson(e0_lower, e1_upper, sigma=sigma)
            '''
        )
    )
    room = package / "mechanisms" / "__init__.py"
    line = "from simplicert.mechanisms.halved import halved as halved\n"
    above = "from simplicert.mechanisms.lecuyer"
    room.write_text(room.read_text().replace(above, line + above, 1))
    site, out = tmp_path / "site", tmp_path / "out"
    *printed, _ = simplicert_in(
        site,
        ("certify", "--help"),
        ("certify", run, "--framework", "multinomial"),
        ("certify", run, "--framework", "softmax"),
        ("compare", run),
        ("simplex", "--ratio", "halved", "cohen", "--resolution", 20, "-o", out / "s"),
        ("report", run, "-o", out / "page.html", "--tables", out / "tables"),
    )
    assert len(printed) == 5
    assert all("halved" in each for each in printed)
    assert "halved" in (out / "page.html").read_text()
    for table in ("table1", "table2", "abstentions", "draws", "times"):
        assert "halved" in (out / "tables" / f"{table}.csv").read_text(), table
