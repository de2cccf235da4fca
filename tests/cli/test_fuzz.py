"""Command lines that nobody would type: each is done or refused, in a line.

What each command takes is made absurd at random: its paths, numbers and words, its
options left out, repeated, unknown or another command's.
"""

import faulthandler
import io
import os
import random
import re
import resource
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest

from simplicert.cli.app import COMMANDS, _app, _exit_code
from simplicert.cli.printing import connected

HANGS = 120
"""Seconds after which a command waits for what will not come."""

ROOM = 4 * 2**30
"""Bytes that commands may map, beside what is mapped already."""

VALID = {
    "certify": ["certify", "run"],
    "compare": ["compare", "run", "other"],
    "audit": ["audit", "run"],
    "audit a log": [
        *("audit", "log.tsv", "--sigma", "0.5", "--draws", "100", "--alpha", "0.001"),
    ],
    "audit by replay": [
        *("audit", "run", "model.py:classify", "images.npz", "--replay", "1%"),
        *("--seed", "0", "-o", "new.html"),
    ],
    "merge": ["merge", "run", "run", "-o", "new"],
    "import": ["import", "counts.csv", "--sigma", "0.5", "-o", "new"],
    "import a log": [
        *("import", "log.tsv", "--sigma", "0.5", "--draws", "100"),
        *("--alpha", "0.001", "-o", "new"),
    ],
    "plan": ["plan", "run", "--looks", "100"],
    "report": ["report", "run", "-o", "new.html", "--figures", "f", "--tables", "t"],
    "simplex": ["simplex", "fig2", "--resolution", "10", "-o", "new"],
    "sample": [
        *("sample", "model.py:classify", "images.npz", "--sigma", "0.5"),
        *("--draws", "10", "--batch", "10", "-o", "new", "--seed", "0"),
    ],
    "train": ["train", "none.toml", "--epochs", "1", "-o", "new.safetensors"],
    "demo": ["demo", "--draws", "10", "--alpha", "1e-9", "-o", "new"],
}
NUMBERS = [
    *("0", "-1", "1", "nan", "inf", "-inf", "1e400", "1e-400", "1e308", "-0.0", "2.5"),
    *(
        "9" * 5000,
        "1" + "0" * 400,
        "１２",
        "1_000",
        "",
        " ",
        "0x10",
        "true",
        "1,2",
        "²",
    ),
    *("0.5", "0.01", "2", "5", "10", "100"),
    *("9223372036854775808", "18446744073709551616", "4294967296", "1e5"),
]
PATHS = [
    *("missing", ".", "/", "", "pipe", "socket", "loop", "loop/in", "/dev/zero"),
    *("/dev/full", "/dev/null", "empty", "empty/in", "\udcff", "run\udcff", "a" * 300),
    *(
        "a/" * 2100,
        "photos",
        "counts.csv",
        "log.tsv",
        "run",
        "other",
        "log",
        "images.npz",
        "half",
    ),
    *("model.py", "/proc/self/mem", "run/manifest.json", "\x1b[31m", "=1+1", "-", "--"),
    *("noise.csv", "noise.npz", "noise.parquet", "noise.onnx", "noise.safetensors"),
    *(
        "noise.tsv",
        "noise.toml",
        "noise.py",
        "pipe.csv",
        "pipe.npz",
        "zero.npz",
        "fresh.csv",
    ),
]
WORDS = [
    *(
        "cohen",
        "cohn",
        "li,cohen",
        ",",
        "model.py:classify",
        "model.py:",
        ":x",
        "model",
    ),
    *("exits.py:f", "missing.py:f", "os:system", "os:path.x", "a.b.c:d", "max(", "[/]"),
    *(
        "gaussian",
        "uniform",
        "two_stage",
        "softmax",
        "figure\n",
        "\x00"[:0],
        "a=b",
        "=",
    ),
    *(
        "seed=[[[[",
        "seed=" + "9" * 5000,
        "method.name=cohen",
        "method=1",
        "0:9999999999",
    ),
    *(
        "1:2:0",
        "-5:",
        "a,b",
        "0," * 5000 + "0",
        "hf:",
        "timm:",
        "torchvision:x",
        "json",
    ),
]


def options(command):
    """The names of all that a command takes, as its help says them."""
    out = io.StringIO()
    with redirect_stdout(out):
        _app(listing=False)([command, "--help"], exit_on_error=False)
    found = set(re.findall(r"--[a-z][a-z-]+", out.getvalue()))
    return sorted(found - {"--help", "--processes"})  # of this process's own arguments


def absurd(chance, base, own, others):
    """A command line near a valid one."""
    line = list(base)
    for _ in range(chance.choice([1, 1, 1, 1, 2, 3])):
        value = chance.choice(chance.choice([NUMBERS, PATHS, WORDS]))
        at = chance.randrange(1, len(line) + 1)
        change = chance.randrange(7)
        if change < 3 and at < len(line):
            line[at] = value
        elif change == 3 and at < len(line):
            del line[at]
        elif change < 6:
            line += [chance.choice(own), value][: chance.choice([1, 2, 2, 2, 2])]
        else:
            line += [chance.choice([*others, "--", "---", "--=", "-o", "-"]), value]
    return line


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of what command lines may name, good and bad."""
    from simplicert.interop import import_file

    at = tmp_path_factory.mktemp("fuzz")
    chance = np.random.default_rng(0)
    counts = chance.multinomial(100, [0.8, 0.15, 0.05], 5)
    np.savetxt(at / "counts.csv", counts, fmt="%d", delimiter=",")
    rows = ["idx\tlabel\tpredict\tradius\tcorrect\ttime", "0\t1\t1\t0.35\t1\t0:00:01"]
    (at / "log.tsv").write_text("\n".join(rows) + "\n")
    for run in ("run", "other"):
        import_file(at / "counts.csv", at / run, sigma=0.5)
    import_file(at / "log.tsv", at / "log", sigma=0.5, draws=100, alpha=0.001)
    images = chance.random((2, 1, 4, 4), dtype=np.float32)
    np.savez(at / "images.npz", images=images, labels=np.array([0, 1]))
    (at / "model.py").write_text(
        "from simplicert.classifiers import NumpyClassifier\n"
        "classify = NumpyClassifier(lambda x: (x.mean((1, 2, 3)) > 0.5).astype(int),"
        " output='labels', classes=2)\n"
    )
    (at / "exits.py").write_text("raise SystemExit(3)")
    for suffix in ("csv", "tsv", "npz", "parquet", "onnx", "safetensors", "toml", "py"):
        (at / f"noise.{suffix}").write_bytes(chance.bytes(500))
    (at / "half").mkdir()
    (at / "photos" / "test" / "cat").mkdir(parents=True)
    (at / "half" / "manifest.json").write_text("[" * 10**5)
    (at / "empty").touch()
    (at / "loop").symlink_to("loop")
    (at / "zero.npz").symlink_to("/dev/zero")
    for pipe in ("pipe", "pipe.csv", "pipe.npz", "photos/test/cat/a.png"):
        os.mkfifo(at / pipe)
    return at


def everything(place):
    """All files, and what is in them as far as its size tells."""
    return {path: path.lstat().st_size for path in place.rglob("*") if path.is_file()}


def ended(line):
    """What a command line did: exit code, output, errors."""
    out, err = io.StringIO(), io.StringIO()
    faulthandler.dump_traceback_later(HANGS, exit=True)
    try:
        with redirect_stdout(out), redirect_stderr(err), connected():
            code = _exit_code(line)
    finally:
        faulthandler.cancel_dump_traceback_later()
    return code, out.getvalue(), err.getvalue()


def wrong(line, place):  # noqa: PLR0911 (one a way to be wrong)
    """What is wrong with how a command line ended; ``None`` if nothing is."""
    before = everything(place)
    try:
        code, out, err = ended(line)
    except BaseException as error:  # noqa: BLE001 - any is a traceback
        return f"{type(error).__name__}: {error}"
    added = everything(place).items() - before.items()
    for path, _ in added:
        path.unlink()
    if code not in ((0, 1, 2, 130) if line[0] == "audit" else (0, 2, 130)):
        return f"exit code {code}"
    if code == 2 and err.count("simplicert: ") != 1:
        return f"not one line: {err}"
    if "Traceback" in err or "not enough memory" in err:
        return err
    if not (out + err).replace("\n", "").replace("\t", "").isprintable():
        return f"control characters: {out + err!r}"
    kept = [path for path, _ in added if path.suffix not in {".json", ".lock", ".pyc"}]
    if any(".tmp" in path.name for path in kept) or (code == 2 and kept):
        return f"half-written: {kept}"
    return None


@pytest.mark.parametrize(
    ("first", "number"), [(0, 60), pytest.param(60, 450, marks=pytest.mark.slow)]
)
def test_no_command_line_ends_otherwise(first, number, place, monkeypatch):
    monkeypatch.chdir(place)
    own = {command: options(command) for command in COMMANDS}
    others = sorted({option for each in own.values() for option in each})
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    mapped = (
        int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    )
    found = {}
    resource.setrlimit(resource.RLIMIT_AS, (mapped + ROOM, hard))
    try:
        for seed in range(first, first + number):
            chance = random.Random(seed)
            base = VALID[chance.choice(list(VALID))]
            line = absurd(chance, base, own[base[0]], others)
            problem = wrong(line, place)
            if problem:
                found[seed] = ([word[:60] for word in line], problem)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert not found


@pytest.mark.parametrize("data", ["pipe.npz", "zero.npz", "photos", "pipe"])
def test_no_data_set_is_waited_for(data, place, monkeypatch):
    monkeypatch.chdir(place)
    line = list(VALID["sample"])
    line[2] = data
    code, _, err = ended([*line, "--size", "4"] if data == "photos" else line)
    assert (code, err.count("\n")) == (2, 1)
    assert re.search(
        "is a (pipe|device), and|is no regular file|no file is an image", err
    )
