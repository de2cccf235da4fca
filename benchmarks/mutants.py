"""One line changed at a time: does a test notice?

    python benchmarks/mutants.py [WORD ...]

makes each change of ``mutants.toml`` (or those with a word in their file or meaning) in
a copy of the code, and runs the tests that must fail. Prints what survives, and exits
with 1 if anything does. All of them take some minutes.

mutmut 3.8 and its kind make their changes by themselves: of 57 to rounding.py 15 lived,
all without a meaning (``dtype=None`` for ``float64``), while what matters here, a
rounding left out or two lines in another order, is not among those that it makes.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A change that some test must notice.

    Attributes:
        meaning: What it would do.
        file: In ``src/simplicert``.
        old: What stands there, once.
        new: What it is changed to.
        tests: That must fail, as pytest takes them.
    """

    meaning: str
    file: str
    old: str
    new: str
    tests: str


def load_mutants() -> list[Mutant]:
    """Those of the committed list."""
    with Path(__file__).with_suffix(".toml").open("rb") as file:
        return [Mutant(**fields) for fields in tomllib.load(file)["mutant"]]


def survives(mutant: Mutant, copy: Path) -> bool:
    """Whether all its tests pass."""
    file = copy / "src" / "simplicert" / mutant.file
    text = file.read_text("utf-8")
    if text.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.file} has not once:\n{mutant.old}")
    file.write_text(text.replace(mutant.old, mutant.new), "utf-8")
    command = [sys.executable, "-m", "pytest", *mutant.tests.split()]
    options = ["-x", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
    environment = os.environ | {"PYTHONPATH": str(copy / "src"), "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [*command, *options],
            cwd=copy,
            env=environment,
            capture_output=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return False  # it hangs, which is noticed
    finally:
        file.write_text(text, "utf-8")
    if done.returncode not in {0, 1}:
        raise SystemExit(f"pytest cannot run {mutant.tests}:\n{done.stdout.decode()}")
    return done.returncode == 0


def main(words: list[str]) -> int:
    """Run them; 1 if one survives."""
    chosen = [
        mutant
        for mutant in load_mutants()
        if not words or any(word in mutant.file + mutant.meaning for word in words)
    ]
    survivors = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        for name in ("src", "tests"):
            shutil.copytree(ROOT / name, Path(folder, name))
        for path in ROOT.iterdir():
            if path.name[0] != "." and path.name not in {"src", "tests"}:
                Path(folder, path.name).symlink_to(path)
        for mutant in chosen:
            lives = survives(mutant, Path(folder))
            survivors += lives
            verdict = "SURVIVES" if lives else "killed"
            print(f"{verdict:9}{mutant.file}: {mutant.meaning}", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} killed")
    return min(survivors, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
