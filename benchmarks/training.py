"""Images a second of training: ``simplicert train`` against the textbook loop.

    python benchmarks/training.py                          # ResNet-20 at 32×32
    python benchmarks/training.py --model small-cnn --images 20000
    python benchmarks/training.py --model resnet110 --device cuda --images 40000

Every variant trains the same network on the same random images, in a process of its own
and in turn, as often as ``--repeats`` says; the table holds medians. The textbook loop
is PyTorch's: a DataLoader of tensors, noise, cross-entropy, SGD, in fp32, the channels
first, with the C library's own malloc. Both are timed from the second epoch on. Ours
augments and counts accuracy besides. ``--compiled`` variants run on a GPU only.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from simplicert.data import Dataset
from simplicert.data.arrays import ArrayReader
from simplicert.models import build_model
from simplicert.training import Progress, load_recipe, train

BASE = "textbook"
VARIANTS = (BASE, "fp32", "bf16", "bf16,shares=4")
GPU_VARIANTS = (*VARIANTS, "bf16,compiled")
SIGMA = 0.5


def pixels(options: argparse.Namespace) -> np.ndarray:
    """Random images: their values do not change the time."""
    side = (1, 8, 8) if options.model == "small-cnn" else (3, 32, 32)
    shape = (options.images, *side)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def textbook(options: argparse.Namespace) -> float:
    """The loop of any tutorial, with noise."""
    images = torch.from_numpy(pixels(options)).float() / 255
    labels = torch.arange(len(images)) % 10
    model = build_model(options.model, shape=tuple(images.shape[1:]), classes=10)
    model.to(options.device).train()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    loader = DataLoader(
        TensorDataset(images, labels), batch_size=options.batch, shuffle=True
    )
    for _ in range(2):
        began = time.perf_counter()
        for clean, targets in loader:
            noisy = clean + SIGMA * torch.randn_like(clean)
            loss = cross_entropy(
                model(noisy.to(options.device)), targets.to(options.device)
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            loss.item()
    return len(images) / (time.perf_counter() - began)


def ours(options: argparse.Namespace) -> float:
    """``train``, as a recipe calls it."""
    images = pixels(options)
    precision, *extras = options.variant.split(",")
    dataset = Dataset(
        name="random",
        split="train",
        shape=images.shape[1:],
        class_names=tuple("0123456789"),
        labels=np.arange(len(images)) % 10,
        indices=np.arange(len(images)),
        reader=ArrayReader(images, white=255),
        fingerprint=lambda: "random",
    )
    recipe = load_recipe(
        "cifar10-resnet110",
        epochs=2,
        architecture=options.model,
        batch_size=options.batch,
        learning_rate=0.01,
        sigma=SIGMA,
        precision=precision,
        shares=4 if "shares=4" in extras else 1,
    )
    ends: dict[int, float] = {}

    def watch(progress: Progress) -> None:
        if progress.images == progress.images_total:
            ends[progress.epoch] = time.perf_counter()

    train(
        dataset,
        recipe,
        device=options.device,
        compiled="compiled" in extras,
        progress=watch,
    )
    return len(images) / (ends[2] - ends[1])


def main() -> None:
    """Prints the table; or, in a process of its own, one figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--model", default="resnet20")
    add("--images", type=int, default=4000, help="In an epoch.")
    add("--batch", type=int, default=128)
    add("--device", default="cpu")
    add("--repeats", type=int, default=3)
    add("--variant", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.variant:
        speed = textbook if options.variant == BASE else ours
        print(json.dumps(speed(options)))
        return
    variants = VARIANTS if options.device == "cpu" else GPU_VARIANTS
    speeds: dict[str, list[float]] = {variant: [] for variant in variants}
    for _ in range(options.repeats):
        for variant in variants:
            command = [sys.executable, *sys.argv, "--variant", variant]
            run = subprocess.run(command, check=True, capture_output=True, text=True)
            speeds[variant].append(json.loads(run.stdout))
    print("| variant | images/s | × textbook |\n|---|---|---|")
    for variant, found in speeds.items():
        ratios = [a / b for a, b in zip(found, speeds[BASE], strict=True)]
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        print(
            f"| {variant} | {statistics.median(found):,.0f} | "
            f"{statistics.median(ratios):.2f} ({spread}) |"
        )


if __name__ == "__main__":
    main()
