r"""Draws a second: Simplicert against the bare forward pass, Cohen's loop and ART.

    python benchmarks/sampling.py                   # ResNet-20 at 32×32
    python benchmarks/sampling.py --model small-cnn
    python benchmarks/sampling.py --model efficientnet-lite0 --seconds 20
    python benchmarks/sampling.py --model resnet110 --device cuda --repeats 1 \
        --seconds 2 --precisions bf16,fp32 --runtimes eager,compiled
    python benchmarks/sampling.py --precisions fp32 \
        --runtimes eager,folded,compiled,onnxruntime,openvino
    python benchmarks/sampling.py --memory

Every variant runs in a process of its own, in turn, as often as ``--repeats`` says; the
table holds medians, and the smallest and largest of the rounds' ratios. What has
"default malloc" runs as its users run it; the others keep freed memory
(simplicert.machine.allocator). ART takes part where it is installed. On a GPU all share
one process, and the textbook and ART run in TF32, as their users get by default; ours
and the bare forward run in what they are called. The CPU time a draw is of all
threads, and moves less than the clock does where a machine has other things to do.
"""

import argparse
import importlib.util
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from simplicert.classifiers.reading import Reading
from simplicert.classifiers.runtimes import RUNTIMES, run_by
from simplicert.machine.allocator import keep_freed_memory
from simplicert.machine.device import DTYPES
from simplicert.machine.precision import as_recorded
from simplicert.models import build_model
from simplicert.sampling import Sampler, sample
from simplicert.sampling.engine import Tasks
from simplicert.sampling.noisy import layout
from simplicert.sampling.soft import MEANS, SoftScores
from simplicert.stopping import Rule, until
from simplicert.votes import Votes, read_run
from simplicert.votes.looks import one_look

SHAPES = {
    "small-cnn": (1, 8, 8),
    "resnet20": (3, 32, 32),
    "resnet110": (3, 32, 32),
    "efficientnet-lite0": (3, 224, 224),
}
SIGMA = 0.25
LOOP = "textbook, batch 1000"
STOPPED = Path(__file__).parents[1] / "results" / "cifar10-until" / "resnet20-0.50"
TRIES = 12


def network(name: str) -> nn.Module:
    """The network with random weights: their values do not change the time."""
    torch.manual_seed(0)
    if name != "efficientnet-lite0":
        return build_model(name, shape=SHAPES[name], classes=10).eval()
    from efficientnet_lite_pytorch import EfficientNet  # noqa: PLC0415 (optional)

    return EfficientNet.from_name(name).eval()


def measured(run: Callable[[], int], seconds: float) -> dict[str, float]:
    """Draws a second of ``run``, which returns how many it drew; once to warm up.

    And how much of the machine other processes took meanwhile, 0 to 1.
    """
    run()
    began, drawn, used = time.perf_counter(), 0, time.process_time()
    theirs = busy_seconds() - time.process_time()
    while time.perf_counter() - began < seconds:
        drawn += run()
    took = time.perf_counter() - began
    theirs = busy_seconds() - time.process_time() - theirs
    others = max(0.0, theirs) / took / (os.cpu_count() or 1)
    cpu = (time.process_time() - used) / drawn
    return {"speed": drawn / took, "cpu": cpu, "others": others}


def busy_seconds() -> float:
    """CPU time that all processes have used since the machine started."""
    user, nice, system, _idle, _wait, *interrupts = (
        Path("/proc/stat").read_text("utf-8").split()[1:9]
    )
    ticks = sum(map(int, (user, nice, system, *interrupts)))
    return ticks / os.sysconf("SC_CLK_TCK")


def at_once(options: argparse.Namespace) -> int:
    """Draws between two looks at the clock: whole batches, and several on a GPU."""
    few = {"small-cnn": 100_000, "efficientnet-lite0": 1000}.get(options.model, 4000)
    return few if options.device == "cpu" else max(10 * few, 4 * options.batch)


def sampler_of(options: argparse.Namespace, images: np.ndarray) -> Sampler:
    """Of the model, as the options have it."""
    return Sampler(
        network(options.model),
        images,
        precision=options.precision,
        runtime=options.runtime,
        device=options.device,
        threads=options.threads,
    )


def ours(options: argparse.Namespace, scores: SoftScores = MEANS) -> dict[str, float]:
    """``sample`` without the disk: noise, forward passes, votes, scores, checks."""
    shape = SHAPES[options.model]
    images = np.random.default_rng(0).random((1, *shape), dtype=np.float32)
    sampler = sampler_of(options, images)
    plan = sampler.plan(
        sigma=SIGMA,
        draws=1_000_000,
        batch=options.batch or None,
        seed=0,
        scores=scores,
    )
    if not options.batch:
        return {"batch": plan.batch}
    plan = plan.model_copy(update={"looks": [*one_look(at_once(options))]})
    tasks = Tasks(plan)

    def run() -> int:
        for _ in sampler.drawer(plan).votes(tasks):  # what ``sampler.draw`` writes
            pass
        return plan.draws

    return measured(run, options.seconds)


def margins(options: argparse.Namespace) -> dict[str, float]:
    """The same, and histograms of margins over four rivals and all others."""
    return ours(options, SoftScores(margins=True))


def looks(options: argparse.Namespace) -> dict[str, float]:
    """The same for images that stop: how long votes are waited for, and asked of.

    Each of 100 images stops where one of a committed run did, at 1,150 draws at the
    latest: more of the draws are at early looks, which cost most, than in that run.
    """
    shape = SHAPES[options.model]
    stops = np.minimum(read_run(STOPPED).draws[:100], 1150)
    goals = until([0.1, 0.2, 0.3])

    def decided(votes: Votes, alpha: float) -> np.ndarray:
        goals.decided(votes, alpha)
        return votes.draws >= stops[votes.indices]

    rule = Rule(name="as before", decided=decided)
    images = np.random.default_rng(0).random((len(stops), *shape), dtype=np.float32)
    sampler = sampler_of(options, images)
    plan = sampler.plan(
        sigma=SIGMA, draws=100_000, batch=options.batch, seed=0, rule=rule
    )

    def run() -> int:
        return int(sampler.votes(plan, rule=rule, progress=False).draws.sum())

    return measured(run, options.seconds)


def bare(options: argparse.Namespace) -> dict[str, float]:
    """Only the forward pass, at the same batch, precision and layout."""
    keep_freed_memory()
    shape, device = SHAPES[options.model], torch.device(options.device)
    form = layout(shape)
    module = network(options.model).to(device, DTYPES[options.precision])
    module = module.requires_grad_(False).to(memory_format=form)
    inputs = torch.rand(options.batch, *shape).to(device, DTYPES[options.precision])
    inputs = inputs.to(memory_format=form)
    forward = run_by(
        RUNTIMES[options.runtime],
        module,
        name=options.model,
        reading=Reading(kind="logits"),
        precision=options.precision,
        device=device,
    )
    draws = 1000 if options.device == "cpu" else at_once(options)
    passes = max(1, draws // options.batch)

    @torch.inference_mode()
    def run() -> int:
        with as_recorded(device):
            for _ in range(passes):
                outputs = forward(inputs)
        outputs.sum().item()  # waits for the device
        return passes * options.batch

    return measured(run, options.seconds)


def textbook(options: argparse.Namespace) -> dict[str, float]:
    """SampleUnderNoise of Cohen et al. 2019, as the paper gives it."""
    module = network(options.model).to(options.device)
    shape = SHAPES[options.model]
    image = torch.rand(shape, device=options.device)
    classes = module(image[None]).shape[1]
    draws = max(1000, options.batch)

    def run() -> int:
        counts, left = np.zeros(classes, dtype=int), draws
        with torch.no_grad():
            while left > 0:
                size = min(options.batch, left)
                left -= size
                batch = image.repeat((size, 1, 1, 1))
                noise = torch.randn_like(batch) * SIGMA
                predicted = module(batch + noise).argmax(1).cpu().numpy()
                for label in predicted:
                    counts[label] += 1
        return draws

    return measured(run, options.seconds)


def art(options: argparse.Namespace) -> dict[str, float]:
    """``certify`` of the Adversarial Robustness Toolbox."""
    from art.estimators.certification.randomized_smoothing import (  # noqa: PLC0415
        PyTorchRandomizedSmoothing,
    )

    module, shape = network(options.model), SHAPES[options.model]
    classes = module(torch.rand(1, *shape)).shape[1]
    smoothed = PyTorchRandomizedSmoothing(
        model=module,
        loss=nn.CrossEntropyLoss(),
        input_shape=shape,
        nb_classes=classes,
        clip_values=(0, 1),
        device_type="cpu" if options.device == "cpu" else "gpu",
        sample_size=100,
        scale=SIGMA,
        alpha=0.001,
    )
    image = np.random.default_rng(0).random((1, *shape), dtype=np.float32)
    draws = max(1000, options.batch)

    def run() -> int:
        smoothed.certify(image, n=draws, batch_size=options.batch)
        return draws + 100  # the draws that choose the class

    return measured(run, options.seconds)


def memory(options: argparse.Namespace) -> dict[str, float]:
    """Peak memory of one image's ``options.batch`` draws."""
    images = np.zeros((1, *SHAPES["small-cnn"]), dtype=np.float32)
    sample(network("small-cnn"), images, sigma=SIGMA, draws=options.batch, batch=1000)
    return {"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


RUNS = {
    run.__name__: run for run in (ours, margins, looks, bare, textbook, art, memory)
}


def in_a_process(
    run: str, options: argparse.Namespace, **changes: object
) -> dict[str, float]:
    """What one variant measures, again until the machine is as quiet as asked.

    In this process on a GPU, where CUDA takes seconds to start.
    """
    wanted = vars(options) | {"run": run} | changes
    if options.device != "cpu":  # whose clock, memory and launches are its own
        return RUNS[run](argparse.Namespace(**wanted))
    arguments = [f"--{key}={value}" for key, value in wanted.items() if value]
    arguments = [a.replace("--memory=True", "--memory") for a in arguments]
    environment = os.environ | {"OMP_NUM_THREADS": str(options.threads)}
    tries = []
    for _ in range(TRIES):
        output = subprocess.run(
            [sys.executable, "-W", "ignore", __file__, *arguments],
            check=True,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
        found: dict[str, float] = json.loads(output.splitlines()[-1])
        tries.append(found)
        if found.get("others", 0.0) <= options.quiet:
            return found
    return min(tries, key=lambda found: found["others"])


def compare(options: argparse.Namespace) -> None:
    """Print the table."""
    variants: dict[str, tuple[str, dict[str, object]]] = {}
    partner = {}
    runtimes = options.runtimes.split(",")
    first = ""
    for precision, runtime in itertools.product(
        options.precisions.split(","), runtimes
    ):
        mode = {"precision": precision, "runtime": runtime}
        batch = options.batch or int(in_a_process("ours", options, **mode)["batch"])
        label = f"{precision}, {runtime}, batch {batch}"
        mode["batch"] = batch
        extra = {"Simplicert with margins": "margins", "Simplicert by looks": "looks"}
        if len(runtimes) > 1:  # what is counted is the same by all
            extra = {}
        for name, run in {"Simplicert": "ours", **extra}.items():
            variants[f"{name}, {label}"] = (run, mode)
            partner[f"{name}, {label}"] = f"bare forward, {label}"
        variants[f"bare forward, {label}"] = ("bare", mode)
        first = first or f"Simplicert, {label}"
    for batch in (400, 1000):
        variants[f"textbook, batch {batch}"] = ("textbook", {"batch": batch})
    if importlib.util.find_spec("art"):
        variants["ART certify, batch 1000"] = ("art", {"batch": 1000})
    speeds: dict[str, list[float]] = {name: [] for name in variants}
    used: dict[str, list[float]] = {name: [] for name in variants}
    others = []
    for _ in range(options.repeats):
        for name, (run, changes) in variants.items():
            found = in_a_process(run, options, **changes)
            speeds[name].append(found["speed"])
            used[name].append(found["cpu"])
            others.append(found["others"])
            print(name, found, file=sys.stderr)
    print(
        f"{options.model}, {options.threads} threads on {machine(options)}, torch "
        f"{torch.__version__}, {options.repeats} rounds of {options.seconds:g} s; "
        f"other processes took {max(others):.0%} of the machine at most\n"
    )
    heads = "draws/s", "× textbook", "× the first", "× bare forward", "CPU µs a draw"
    print("| variant | malloc |", " | ".join(heads), "|")
    print("|---|---|---|---|---|---|---|")
    best = max(
        ("textbook, batch 400", LOOP), key=lambda n: statistics.median(speeds[n])
    )
    for name, speed in speeds.items():
        default = "default" if name.startswith(("textbook", "ART")) else "tuned"
        bare_one = ratios(speed, speeds[partner[name]]) if name in partner else ""
        print(
            f"| {name} | {default} | {statistics.median(speed):,.0f} | "
            f"{ratios(speed, speeds[best])} | {ratios(speed, speeds[first])} | "
            f"{bare_one} | {1e6 * statistics.median(used[name]):.0f} |"
        )


def machine(options: argparse.Namespace) -> str:
    """The device's name."""
    cuda = options.device.startswith("cuda")
    return torch.cuda.get_device_name(options.device) if cuda else options.device


def ratios(ours: list[float], theirs: list[float]) -> str:
    """Median, least and greatest of the rounds' ratios."""
    found = [a / b for a, b in zip(ours, theirs, strict=True)]
    return f"{statistics.median(found):.2f} ({min(found):.2f}–{max(found):.2f})"


def main() -> None:
    """Parse, then compare, or run one variant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=SHAPES, default="resnet20")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--quiet",
        type=float,
        default=1.0,
        help="measure again while other processes take more of the machine than this",
    )
    parser.add_argument("--precisions", default="fp32,bf16")
    parser.add_argument("--runtimes", default="eager")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--batch", type=int, default=0, help="0: ours chooses")
    parser.add_argument("--run", choices=RUNS, help=argparse.SUPPRESS)
    parser.add_argument("--precision", default="fp32", help=argparse.SUPPRESS)
    parser.add_argument("--runtime", default="eager", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        torch.set_num_threads(options.threads)
        print(json.dumps(RUNS[options.run](options)))
    elif options.memory:
        for draws in (1000, 1_000_000):
            found = in_a_process("memory", options, batch=draws, memory=False)
            peak = found["megabytes"]
            print(f"peak memory at n = {draws:,}: {peak:.0f} MB")
    else:
        compare(options)


if __name__ == "__main__":
    main()
