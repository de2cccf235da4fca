"""The command line: help with an example; one clear line and exit code 2."""

import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from commands import CLI, running, wait_until

from simplicert.certificates import certify
from simplicert.cli.app import COMMANDS
from simplicert.data import load_dataset
from simplicert.data.selection import select_images
from simplicert.interop import certify_path
from simplicert.sampling import sample
from simplicert.votes import RunDirectory, read_run


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(simplicert, command):
    code, out, _ = simplicert(command, "--help")
    assert code == 0
    examples = [line for line in out.splitlines()[1:] if "simplicert " in line]
    examples = [line for line in examples if "│" not in line]  # but for options
    assert examples, "none"
    for example in examples:  # each on a line that can be copied, and nothing beside it
        assert example.split()[:2] == ["simplicert", command]
        assert example.count("simplicert ") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_each_option_and_each_default_once(simplicert, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    out = simplicert(command, "--help")[1]
    assert not re.search(r"--empty-|--no-json", out)
    assert not re.search(r"\[default: (\(\)|False)\]", out)
    for option in re.findall("│ .*│", out):
        assert option.lower().count("default:") <= 1


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("certify", "names the class"),
        ("compare", "two runs are compared by"),
        ("report", "begin with"),
    ],
)
def test_help_says_of_a_name_what_it_is_for_in_this_command(simplicert, command, said):
    words = simplicert(command, "--help")[1].split("--mechanism")[1].split("--")[0]
    assert said in re.sub(r"[│\s]+", " ", words)


def test_the_command_list_and_version(simplicert):
    code, out, _ = simplicert("--help")
    assert code == 0
    assert all(command in out for command in COMMANDS)
    assert simplicert("--version")[1].strip()


def test_help_is_quick_because_it_imports_nothing():
    probe = (
        "import sys; from simplicert.cli import app; "
        "assert not {'torch', 'pandas', 'scipy', 'pyarrow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", probe], check=True)


def test_certify_prints_a_table_and_writes_rows(simplicert, run, tmp_path):
    target = tmp_path / "certificates.parquet"
    code, out, err = simplicert("certify", run, "--alpha", 0.01, "-o", target)
    assert (code, err) == (0, "")
    assert "20 images × 1,000 draws, alpha 0.01" in out
    for mechanism in ("lecuyer", "li", "cohen", "cullen", "ensemble", "neyman_pearson"):
        assert mechanism in out
    assert len(pd.read_parquet(target)) == 20


def test_certify_as_json_has_every_digit(simplicert, run):
    code, out, _ = simplicert("certify", run, "--json")
    assert code == 0
    printed = json.loads(out)
    assert len(printed["summary"]) == 6
    assert '"draws": 1000,' in out  # whole
    assert len(printed["images"]) == 20
    radii = [row["neyman_pearson"] for row in printed["images"]]
    np.testing.assert_allclose(radii, certify_path(run).radius, rtol=1e-14)


def test_certify_in_cohen_s_layout(simplicert, run, tmp_path):
    target = tmp_path / "log.tsv"
    simplicert("certify", run, "-o", target)
    table = pd.read_csv(target, sep="\t")
    assert list(table) == ["idx", "label", "predict", "radius", "correct", "time"]


def test_the_two_stage_procedure(simplicert, run):
    arguments = ["certify", run, "--procedure", "two_stage", "--selection", 100]
    code, out, _ = simplicert(*arguments, "--mechanism", "cohen")
    assert code == 0
    assert "× 900 draws" in out


def sampling(checkpoint, run, *more):
    return [
        *("sample", checkpoint, "digits", "--images", "0:3", "--sigma", 0.5),
        *("--draws", 400, "--block", 100, "--seed", 1, "--out", run, *more),
    ]


def test_sample_says_what_it_will_do_and_does_it(simplicert, checkpoint, tmp_path):
    run = tmp_path / "run"
    code, out, err = simplicert(*sampling(checkpoint, run, "--dry-run"))
    assert (code, out) == (0, "")
    assert "3 images × 400 draws = 1,200 passes" in err
    assert not run.exists()
    code, out, _ = simplicert(*sampling(checkpoint, run))
    assert code == 0
    assert f"simplicert certify {run}" in out
    digest = read_run(run).digest
    assert digest[:16] in out
    _, out, err = simplicert(*sampling(checkpoint, run))
    assert "0 passes to go" in err
    assert digest[:16] in out
    [part] = RunDirectory(run).parts  # cut short: set aside and drawn again
    part.write_bytes(part.read_bytes()[:-9])
    code, out, err = simplicert(*sampling(checkpoint, run))
    assert (code, "1,200 passes to go" in err, digest[:16] in out) == (0, True, True)


def test_sample_warns(simplicert, checkpoint, tmp_path):
    few = [*sampling(checkpoint, tmp_path / "run", "--dry-run", "--alpha", 1e-200)]
    _, _, err = simplicert(*few)
    assert "warning: 400 draws can never certify at alpha 1e-200" in err
    _, _, err = simplicert(
        *("sample", checkpoint, "digits", "--sigma", 2, "--draws", 100),
        *("--out", tmp_path / "run", "--dry-run"),
    )
    assert "warning: the model was trained with sigma 0.5, not 2" in err


@pytest.mark.parametrize("option", ["--seed 2", "--block 200", "--draws 800"])
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_another_run_is_refused_before_the_forecast(
    simplicert, checkpoint, tmp_path, option, dry
):
    run = tmp_path / "run"
    simplicert(*sampling(checkpoint, run))
    options = option.split()
    arguments = sampling(checkpoint, run, *dry)
    arguments[arguments.index(options[0]) + 1] = options[1]
    code, _, err = simplicert(*arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert f"holds another run: {options[0][2:]} is" in err


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_what_is_no_run_is_refused_before_the_forecast(
    simplicert, checkpoint, tmp_path, dry
):
    (tmp_path / "notes.txt").touch()
    for out in (tmp_path, tmp_path / "notes.txt"):
        code, _, err = simplicert(*sampling(checkpoint, out, *dry))
        assert (code, err.count("\n")) == (2, 1)
        assert f"{out} exists and is not a run" in err


def as_one_of(monkeypatch, *, rank, world):
    """As torchrun starts it."""
    variables = {"TORCHELASTIC_RUN_ID": "x", "RANK": rank, "WORLD_SIZE": world}
    for name, value in variables.items():
        monkeypatch.setenv(name, str(value))


def test_torchrun_s_first_process_forecasts(
    simplicert, checkpoint, tmp_path, monkeypatch
):
    run = tmp_path / "run"
    as_one_of(monkeypatch, rank=1, world=2)
    assert simplicert(*sampling(checkpoint, run, "--dry-run")) == (0, "", "")
    as_one_of(monkeypatch, rank=0, world=2)
    code, _, err = simplicert(*sampling(checkpoint, run, "--dry-run"))
    assert (code, "1,200 passes to go" in err, "processes 2" in err) == (0, True, True)
    assert not run.exists()
    code, _, err = simplicert(*sampling(checkpoint, run, "--alpha", 1e-200))
    assert (code, "warning: 400 draws can never certify" in err) == (0, True)
    assert RunDirectory(run).done().any()
    as_one_of(monkeypatch, rank=1, world=2)
    code, _, err = simplicert(*sampling(checkpoint, run))
    assert (code, "passes to go" in err) == (0, False)
    assert RunDirectory(run).done().all()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [2, 3])
def test_any_number_of_workers_gives_the_same_votes(checkpoint, tmp_path, workers):
    def run(name, *more):
        arguments = sampling(checkpoint, tmp_path / name, "--threads", 1, *more)
        subprocess.run(
            [sys.executable, "-m", "simplicert", *map(str, arguments)], check=True
        )
        return read_run(tmp_path / name).digest

    assert run("alone") == run("together", "--processes", workers, "--batch", 1000)


def test_merge_joins_shards_and_refuses_strangers(simplicert, checkpoint, tmp_path):
    a, b, both = tmp_path / "a", tmp_path / "b", tmp_path / "both"
    arguments = sampling(checkpoint, both)
    simplicert(*arguments)
    for run, images in ((a, "0:2"), (b, "1:3")):
        arguments[arguments.index("--images") + 1] = images
        arguments[arguments.index("--out") + 1] = run
        simplicert(*arguments)
    code, out, _ = simplicert("merge", a, b, "-o", tmp_path / "merged")
    assert (code, "3 images, 100% of their draws" in out) == (0, True)
    assert read_run(tmp_path / "merged").digest == read_run(both).digest

    arguments[arguments.index("--sigma") + 1] = 0.25
    arguments[arguments.index("--out") + 1] = tmp_path / "other"
    simplicert(*arguments)
    code, _, err = simplicert("merge", a, tmp_path / "other", "-o", tmp_path / "no")
    assert (code, err.count("\n")) == (2, 1)
    assert "do not belong together: sigma is 0.5 there and 0.25 here" in err
    assert not (tmp_path / "no").exists()
    code, _, err = simplicert("merge", a, b, "-o", both)
    assert (code, "exists" in err) == (2, True)


# --- Bad input: one clear line, exit code 2 ------------------------------------------

SAMPLE = "sample MODEL digits --out TMP/r"
BAD = {
    "unknown command": ("certfy", "certify"),
    "unknown option": ("certify RUN --alhpa 1", "--alpha"),
    "not a number": ("certify RUN --alpha tiny", "tiny"),
    "alpha 0": ("certify RUN --alpha 0", "alpha must be in (0, 1)"),
    "alpha 1": ("certify RUN --alpha 1", "alpha must be in (0, 1)"),
    "alpha nan": ("certify RUN --alpha nan", "alpha must be in (0, 1)"),
    "alpha too small": ("certify RUN --alpha 1e-305", "must be at least 1e-220"),
    "no run": ("certify TMP/none", "does not exist"),
    "empty run": ("certify TMP", "is empty"),
    "framework": ("certify RUN --framework hard", "softmax"),
    "mechanism": ("certify RUN --mechanism cohn", "did you mean"),
    "file type": ("certify RUN -o TMP/x.docx", ".parquet"),
    "not writable": ("certify RUN -o /proc/x.csv", "/proc/x.csv"),
    "dataset": (
        "sample MODEL digts --sigma 1 --draws 100 --out TMP/r",
        "did you mean 'digits'",
    ),
    "split": (f"{SAMPLE} --sigma 1 --draws 100 --split tset", "did you mean 'test'"),
    "model": (
        "sample none.safetensors digits --sigma 1 --draws 100 --out TMP/r",
        "none.safetensors",
    ),
    "sigma 0": (f"{SAMPLE} --sigma 0 --draws 100", "sigma"),
    "sigma nan": (f"{SAMPLE} --sigma nan --draws 100", "sigma"),
    "draws": (
        f"{SAMPLE} --sigma 1 --draws 1500 --block 1000",
        "draws (1500) must be a multiple of block (1000)",
    ),
    "half a draw": (f"{SAMPLE} --sigma 1 --draws 2.5", "'2.5' is not a whole number"),
    "draws without end": (f"{SAMPLE} --sigma 1 --draws 1{'0' * 15}", "draws"),
    "sigma without end": (f"{SAMPLE} --sigma 1e300 --draws 100", "sigma"),
    "no such device": (f"{SAMPLE} --sigma 1 --draws 100 --device meta", "'meta'"),
    "huge position": (f"{SAMPLE} --sigma 1 --draws 9 --images {'9' * 23}", "64 bits"),
    "procedure": ("certify RUN --procedure two_stages", "did you mean 'two_stage'"),
    "another look": (
        "certify RUN --procedure two_stage --framework softmax",
        "counts multinomial, not softmax",
    ),
    "half a pixel": (
        f"{SAMPLE} --sigma 1 --draws 100 --size 15.9",
        "'15.9' is not a whole number",
    ),
    "flush": (f"{SAMPLE} --sigma 1 --draws 100 --flush=-1", "flush must be a number"),
    "processes": (
        f"{SAMPLE} --sigma 1 --draws 100 --processes 0",
        "processes must be at least 1",
    ),
    "images": (
        f"{SAMPLE} --sigma 1 --draws 100 --images 400:500",
        "selects none of 355",
    ),
    "position": (f"{SAMPLE} --sigma 1 --draws 9 --images 355", "outside 0 … 354"),
    "out is a file": (
        "sample MODEL digits --sigma 1 --draws 100 --images 0:1 --out MODEL",
        "is not a run",
    ),
    "out not writable": (
        "sample MODEL digits --sigma 1 --draws 100 --images 0:1 --out /proc/r",
        "/proc/r",
    ),
    "another run": (
        "sample MODEL digits --sigma 1 --draws 1000 --images 0:20 --out RUN",
        "another run: sigma is 0.5 there and 1.0 here",
    ),
    "recipe": ("train digitz", "did you mean 'digits'"),
    "architecture": ("train digits --set architecture=resnet", "Known:"),
}


@pytest.mark.parametrize(("command", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line_and_exit_code_2(
    simplicert, run, checkpoint, tmp_path, command, message
):
    for word, place in {"RUN": run, "MODEL": checkpoint, "TMP": tmp_path}.items():
        command = command.replace(word, str(place))
    before = read_run(run).digest
    code, out, err = simplicert(*command.split())
    assert code == 2
    assert message in err
    lines = [line for line in err.splitlines() if line.startswith("simplicert: ")]
    assert len(lines) == 1
    assert err.splitlines()[-1] == lines[0]
    assert "Traceback" not in err
    assert "│" not in out + err
    assert read_run(run).digest == before
    assert not (tmp_path / "r").exists()


def test_a_missing_extra_is_named(simplicert, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    for module in [name for name in sys.modules if name.startswith("simplicert.")]:
        if module.split(".")[1] in ("sampling", "models", "training", "smoothed"):
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.delitem(sys.modules, "simplicert.cli.sample", raising=False)
    code, _, err = simplicert("sample", "--help")
    assert code == 2
    assert "pip install 'simplicert[torch]'" in err


def test_a_closed_pipe_is_quiet(run):
    process = subprocess.run(
        f"{sys.executable} -m simplicert certify {run} --json | head -c 10",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stderr == ""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_exits_with_130_and_leaves_a_valid_run(checkpoint, tmp_path, number):
    run = tmp_path / "run"
    with running(
        *(*CLI, "sample", checkpoint, "digits", "--sigma", 0.5, "--draws", 1_000_000),
        *("--flush", 0, "--out", run),
        stderr=subprocess.PIPE,
        # A shell starts what runs in its background with Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        wait_until(lambda: any(run.glob("parts/*.parquet")), process)
        os.kill(process.pid, number)
        _, err = process.communicate()
    assert process.returncode == 130
    assert err.splitlines()[-1] == "simplicert: interrupted"
    assert RunDirectory(run).done().any()


def test_the_right_half_never_imports_torch(run):
    probe = (
        "import sys; sys.modules['torch'] = None; sys.modules['sklearn'] = None; "
        "from simplicert.cli import main; main(sys.argv[1:])"
    )
    for arguments in (["certify", run], ["certify", run, "--framework", "softmax"]):
        subprocess.run(
            [sys.executable, "-c", probe, *map(str, arguments)],
            check=True,
            capture_output=True,
        )


# --- Other noise than Gaussian -----------------------------------------------------


@pytest.fixture(scope="module")
def uniform_run(checkpoint, tmp_path_factory):
    """The digits of ``run`` under uniform noise."""
    path = tmp_path_factory.mktemp("uniform") / "cube"
    images = select_images(load_dataset("digits"), images="0:20")
    options = {"sigma": 0.5, "draws": 1000, "block": 100, "seed": 1}
    sample(checkpoint, images, noise="uniform", out=path, **options)
    return path


def test_uniform_noise_is_certified_in_l1_and_says_so(
    simplicert, uniform_run, tmp_path
):
    code, out, _ = simplicert("certify", uniform_run)
    assert code == 0
    assert "uniform noise of sigma 0.5, l1 radii" in out
    assert "lee" in out
    assert "neyman_pearson" not in out
    code, _, err = simplicert("certify", uniform_run, "--mechanism", "neyman_pearson")
    assert code == 2
    assert (
        "neyman_pearson does not apply: its proof is for gaussian noise, and these "
        "votes had uniform noise, l1 balls. Applicable: lee"
    ) in err
    code, out, err = simplicert("compare", uniform_run, "--baseline", "lee")
    assert (code, out) == (2, "")
    assert "nothing to compare with lee: no other mechanism applies" in err
    votes = read_run(uniform_run)
    radius = certify(votes).radius
    assert 0 < radius.max() < 3**0.5 * 0.5
    page, tables = tmp_path / "page.html", tmp_path / "tables"
    code, _, _ = simplicert(
        *("report", uniform_run, "-o", page, "--tables", tables),
        *("--figures", tmp_path / "figures"),
    )
    assert code == 0
    text = page.read_text()
    for said in ("under uniform noise of", "l1 distance", "uniform, for l1 balls"):
        assert said in text
    for unsaid in ("Gaussian", "gaussian noise", "L2", "l2 distance"):
        assert unsaid not in text.split("<script")[0]
    table = pd.read_parquet(tables / "table1.parquet")
    assert set(table["noise"]) == {"uniform"}
    assert set(table["norm"]) == {"l1"}


def test_radii_of_two_norms_are_not_compared(simplicert, run, uniform_run, tmp_path):
    code, _, err = simplicert("compare", run, uniform_run)
    assert (code, "radii are of l2 balls and the second's of l1" in err) == (2, True)
    figures = tmp_path / "figures"
    code, _, _ = simplicert(
        *("report", run, uniform_run, "-o", tmp_path / "page.html"),
        *("--figures", figures, "--figure", "fig4-runs"),
    )
    assert code == 0
    assert not figures.exists()  # one run of each norm


def test_a_run_does_not_go_on_under_another_noise(simplicert, checkpoint, uniform_run):
    code, _, err = simplicert(
        *("sample", checkpoint, "digits", "--images", "0:20", "--sigma", 0.5),
        *("--draws", 1000, "-o", uniform_run),
    )
    assert code == 2
    assert "holds another run: noise is" in err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sample m d --sigma .5 --draws 9", "simplicert sample needs --out, which was"),
        ("certify", "simplicert certify needs RUN, which was not given"),
        ("sample m d --sgima .5 --draws 9 -o x", "Did you mean --sigma"),
        ("certify run --alpha", "--alpha requires an argument"),
        ("certify run --radii 0.25 0.5", "0.5: simplicert certify has no place for it"),
    ],
)
def test_what_a_command_line_lacks_or_has_too_much_is_said(simplicert, line, said):
    code, _, err = simplicert(*line.split())
    assert (code, said in err) == (2, True)
