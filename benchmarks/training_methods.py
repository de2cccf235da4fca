"""Certified radii of every training method, at the same cost.

    python benchmarks/training_methods.py                          # digits, sigma 0.5
    python benchmarks/training_methods.py --sigma 1 --epochs 480 --seeds 3
    python benchmarks/training_methods.py --same-epochs
    python benchmarks/training_methods.py --holdout 300 --method macer,draws=4

The cost is counted in forward and backward passes of an image: a method that makes m of
them for each (``Method.passes``) trains for an m-th of the epochs, unless all are to
have the same. Milestones are stretched with the epochs. Every network certifies the
same images with the same noise; each row is the mean over the seeds, and ± is their
standard deviation. ``cohen`` and ``tight`` are average certified radii: over all
images, 0 where the certified class is wrong or none, by the mechanisms ``cohen`` and
``neyman_pearson``; shares of images certified at a radius are by the second.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import torch

import simplicert as sc
from simplicert.analysis.accuracy import counted_radius
from simplicert.data import Dataset, load_dataset
from simplicert.training import Recipe, load_recipe, measure_accuracy, train

ALPHA = 0.001
METHODS = (
    "gaussian",
    "macer,draws=2,beta=1,weight=0.5",
    "macer,draws=16,beta=16,weight=4,learning_rate=0.01",
    "smoothadv,draws=1,steps=1,epsilon=0.5",
    "consistency,draws=2,weight=2",
)
"""Chosen on digits with ``--holdout 300``; the second MACER is the paper's at CIFAR-10,
sigma 0.5, with a tenth of the recipe's rate."""


@dataclass(frozen=True)
class Result:
    """What one trained network is worth, or several on average.

    Attributes:
        seconds: Of training.
        clean: Accuracy without noise.
        noisy: Accuracy under one draw.
        cohen: Mean over images of the radius of Cohen et al., 0 where it is wrong.
        neyman_pearson: The same by the default mechanism.
        certified: Share of images certified correctly at each radius, by the default.
    """

    seconds: float
    clean: float
    noisy: float
    cohen: float
    neyman_pearson: float
    certified: tuple[float, ...]


def overrides(text: str) -> dict[str, Any]:
    """``name,field=value,…`` as fields of a recipe: the method's, and its own."""
    name, *settings = text.split(",")
    method: dict[str, Any] = {"name": name}
    fields: dict[str, Any] = {"method": method}
    for setting in settings:
        field, value = setting.split("=")
        number = float(value) if "." in value else int(value)
        (fields if field in Recipe.model_fields else method)[field] = number
    return fields


def result(
    training: Dataset, test: Dataset, recipe: Recipe, options: argparse.Namespace
) -> Result:
    """Train, sample, certify."""
    began = time.perf_counter()
    model, _ = train(training, recipe, device=options.device)
    seconds = time.perf_counter() - began
    votes = sc.sample(
        model,
        test,
        sigma=recipe.sigma,
        draws=options.draws,
        seed=1,
        device=options.device,
        threads=recipe.threads,
    )
    certificates = sc.certify(votes, alpha=ALPHA)
    radii = {
        name: counted_radius(certificates, name) for name in ("cohen", "neyman_pearson")
    }
    return Result(
        seconds=seconds,
        clean=measure_accuracy(model, test, sigma=0.0, seed=1),
        noisy=measure_accuracy(model, test, sigma=recipe.sigma, seed=1),
        cohen=float(radii["cohen"].mean()),
        neyman_pearson=float(radii["neyman_pearson"].mean()),
        certified=tuple(
            float((radii["neyman_pearson"] >= radius).mean())
            for radius in options.radii
        ),
    )


def row(label: str, epochs: int, results: Sequence[Result]) -> str:
    """One line of the table."""
    numbers = np.array([np.hstack(astuple(result)) for result in results])
    seconds, clean, noisy, cohen, tight, *certified = numbers.mean(axis=0)
    spread = f" ± {numbers[:, 4].std(ddof=1):.3f}" if len(results) > 1 else ""
    shares = " | ".join(f"{share:.1%}" for share in certified)
    return (
        f"| {label} | {epochs} | {seconds:.0f} | {clean:.1%} | {noisy:.1%} | "
        f"{cohen:.3f} | {tight:.3f}{spread} | {shares} |"
    )


def main() -> None:
    """Prints the table, a row as soon as it is known."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--recipe", default="digits")
    add("--data", help="Directory of the recipe's dataset.")
    add("--sigma", type=float, default=0.5)
    add("--epochs", type=int, help="Of plain augmentation. Default: the recipe's.")
    add("--same-epochs", action="store_true", help="As many for every method.")
    add("--method", action="append", help="name,field=value,…; may be repeated.")
    add("--seeds", type=int, default=1)
    add("--images", type=int, default=355)
    add("--holdout", type=int, help="Certify so many training images, left out of it.")
    add("--draws", type=int, default=10_000)
    add("--radii", type=float, nargs="+", default=[0.25, 0.5, 1.0, 1.5])
    add("--device")
    options = parser.parse_args()

    plain = load_recipe(options.recipe, epochs=options.epochs, sigma=options.sigma)
    source = options.data or plain.dataset
    training = load_dataset(source, split=plain.train_split, size=plain.size)
    if options.holdout:
        kept = len(training) - options.holdout
        test = training.select(np.arange(kept, len(training)))
        training = training.select(np.arange(kept))
    else:
        test = load_dataset(source, split=plain.validation_split, size=plain.size)
    test = test.select(np.arange(min(options.images, len(test))))

    print(
        f"{plain.name}, sigma {plain.sigma:g}, {len(test)} images of {test.split}, "
        f"{options.draws:,} draws, alpha {ALPHA:g}, {options.seeds} seeds, "
        f"torch {torch.__version__}\n"
    )
    radii = " | ".join(f"≥ {radius:g}" for radius in options.radii)
    print(f"| method | epochs | s | clean | noisy | cohen | tight | {radii} |")
    print("|---" * (7 + len(options.radii)) + "|")
    for text in options.method or METHODS:
        fields = overrides(text)
        passes = load_recipe(options.recipe, **fields).method.passes
        share = 1 if options.same_epochs else passes
        epochs = max(1, round(plain.epochs / share))
        results = [
            result(
                training,
                test,
                load_recipe(
                    options.recipe,
                    epochs=epochs,
                    sigma=options.sigma,
                    seed=seed,
                    **fields,
                ),
                options,
            )
            for seed in range(options.seeds)
        ]
        print(row(text, epochs, results), flush=True)


if __name__ == "__main__":
    main()
