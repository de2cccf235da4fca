"""SIGKILL at random instants: do the votes equal those of an unbroken run?

    python benchmarks/kills.py [--kills 50] [--until 0.05,0.1]

For 1, 2 and 3 workers in turn: start `simplicert sample`, kill one of the workers
(every fourth time, and with one worker always, all processes) at a random instant, let
the elastic launcher restart what it restarts, run the command again if it died, and
compare the digest of the finished run with that of an unbroken run.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import torch

from simplicert.models import Metadata, build_model, save_checkpoint
from simplicert.votes import RunDirectory, read_run

DRAWS = 30_000


def command(model: Path, run: Path, workers: int, until: str) -> list[str]:
    arguments = [
        *("sample", model, "digits", "--images", "0:30", "--sigma", 0.5),
        *("--draws", DRAWS, "--seed", 7, "--threads", 1, "--out", run),
        *("--flush", 0.05, "--processes", workers),
        *(("--until", until) if until else ()),
    ]
    return [sys.executable, "-m", "simplicert", *map(str, arguments)]


def start(arguments: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        arguments,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def descendants(root: int) -> list[int]:
    """A process and all it has started: workers lead process groups of their own."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            parents[int(folder.name)] = int(fields[1])
        except OSError:  # it has just ended
            continue
    family = [root]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return family


def is_worker(process: int) -> bool:
    try:
        return b"LOCAL_RANK=" in Path(f"/proc/{process}/environ").read_bytes()
    except OSError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--until", default="", help="Radii at which images stop.")
    parser.add_argument("--seed", type=int, default=0, help="Decides the instants.")
    options = parser.parse_args()
    moments, equal, halfway = random.Random(options.seed), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.safetensors"
        torch.manual_seed(0)
        save_checkpoint(
            model,
            build_model("small-cnn", shape=(1, 8, 8), classes=10),
            Metadata(
                architecture="small-cnn", shape=(1, 8, 8), sigma=0.5, recipe={},
                class_names=tuple("0123456789"), dataset="digits", dataset_digest="",
                accuracy={}, versions={},
            ),
        )  # fmt: skip
        began = time.monotonic()
        start(command(model, Path(folder) / "whole", 1, options.until)).wait()
        whole = read_run(Path(folder) / "whole").digest
        seconds = time.monotonic() - began
        for kill in range(options.kills):
            workers = kill % 3 + 1
            run = Path(folder) / f"run-{kill}"
            process = start(command(model, run, workers, options.until))
            while not (run / "parts").is_dir() and process.poll() is None:
                time.sleep(0.01)
            while workers > 1 and process.poll() is None:
                if any(map(is_worker, descendants(process.pid))):
                    break
                time.sleep(0.01)
            time.sleep(moments.uniform(0, seconds))
            family = descendants(process.pid)
            ranked = [p for p in family if is_worker(p)]
            everything = kill % 4 == 3 or not ranked
            for victim in family if everything else [moments.choice(ranked)]:
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
            process.wait()
            done = RunDirectory(run).done()
            halfway += bool(0 < done.mean() < 1)
            if not done.all():
                start(command(model, run, workers, options.until)).wait()
            same = read_run(run).digest == whole
            equal += same
            print(
                f"kill {kill + 1}: {workers} workers, "
                f"{'everything' if everything else 'one worker'} killed, "
                f"{done.mean():.0%} there when it ended, "
                f"votes {'equal' if same else 'DIFFER'}",
                flush=True,
            )
    print(f"{equal} of {options.kills} equal; {halfway} were cut half-way")
    sys.exit(equal != options.kills)


if __name__ == "__main__":
    main()
