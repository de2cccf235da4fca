"""What a convex relaxation proves of the network that `digits` is drawn from.

    simplicert train digits --sigma 0.25 -o digits.safetensors
    simplicert sample digits.safetensors digits --sigma 0.25 --draws 10000 \
        --per-class 10 --seed 1 -o runs/digits
    python examples/verify_digits.py digits.safetensors runs/digits crown.csv
    simplicert compare runs/digits --verified crown.csv

CROWN (Zhang et al., NeurIPS 2018): each ReLU lies between two lines where its input is
in an interval, so that a difference of logits has a linear lower bound, whose minimum
over a ball is known. Nothing is clipped: the whole ball is meant, beyond [0, 1] too.
A fourth argument, ``linf``, asks for balls of that norm.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from simplicert.data import load_dataset
from simplicert.interop import certify_path
from simplicert.models.checkpoint import load_checkpoint

MARGIN = 1e-3  # of logits: far above what float32 rounds in a pass of this network
STEPS = 14  # of the search for the largest radius


def affine(layers: nn.Sequential, shape: tuple[int, ...]) -> list[tuple]:
    """The network as matrices and offsets, one pair before each ReLU and at the end."""
    parts, found = [[]], []
    for layer in layers.double():
        parts.append([]) if isinstance(layer, nn.ReLU) else parts[-1].append(layer)
    for part in (nn.Sequential(*each) for each in parts):
        zero, size = torch.zeros(1, *shape, dtype=torch.float64), int(np.prod(shape))
        basis = torch.eye(size, dtype=torch.float64).reshape(size, *shape)
        offset, images = part(zero).detach(), part(basis).detach()
        shape = tuple(offset.shape[1:])
        columns = (images - offset).reshape(size, -1).T
        found.append((columns.numpy(), offset.reshape(-1).numpy()))
    return found


def lowest(rows, network, between, *, x, radius, dual):
    """Lower bounds of ``rows`` of the last of these layers' outputs, in the ball."""
    constant = np.zeros(len(rows))
    for place in reversed(range(len(network))):
        matrix, offset = network[place]
        constant, rows = constant + rows @ offset, rows @ matrix
        if place:  # through the ReLU before it
            low, high = between[place - 1]
            crosses = (low < 0) & (high > 0)
            slope = np.where(crosses, high / np.where(crosses, high - low, 1), low >= 0)
            up, down = np.maximum(rows, 0), np.minimum(rows, 0)
            constant = constant - down @ (np.where(crosses, slope * low, 0))
            rows = up * np.where(crosses, high > -low, slope) + down * slope
    return rows @ x + constant - radius * np.linalg.norm(rows, ord=dual, axis=1)


def is_proved(network, top, **ball) -> bool:
    """Whether no input in the ball has another class."""
    between = []
    for depth in range(1, len(network)):
        each = np.eye(len(network[depth - 1][1]))
        low, high = (
            lowest(k * each, network[:depth], between, **ball) for k in (1, -1)
        )
        between.append((low, -high))
    others = np.delete(-np.eye(len(network[-1][1])), top, axis=0)
    others[:, top] = 1.0
    return bool((lowest(others, network, between, **ball) > MARGIN).all())


def main(checkpoint: str, run: str, out: str, norm: str = "l2") -> None:
    """Search each image's radius by halving, and write what was proved."""
    model, _ = load_checkpoint(Path(checkpoint))
    data, rows = load_dataset("digits", split="test"), []
    network, dual = affine(model, data.shape), {"l2": 2, "linf": 1}[norm]
    for image in certify_path(Path(run)).indices:
        position = np.flatnonzero(data.indices == image)
        x, start = data.read(position).reshape(-1).astype(float), time.perf_counter()
        logits = x
        for place, (matrix, offset) in enumerate(network):
            logits = matrix @ (np.maximum(logits, 0) if place else logits) + offset
        top, low, high = int(logits.argmax()), 0.0, 2.0
        for _ in range(STEPS):
            middle = (low + high) / 2
            proved = is_proved(network, top, x=x, radius=middle, dual=dual)
            low, high = (middle, high) if proved else (low, middle)
        seconds = time.perf_counter() - start
        rows.append((image, data.labels[position][0], top, low, seconds))
    table = pd.DataFrame(
        rows, columns=["image", "label", "predicted", "radius", "time"]
    )
    table.assign(norm=norm, network=Path(checkpoint).name).to_csv(out, index=False)
    print(f"wrote {out}: median {norm} radius {table['radius'].median():.4f}")


if __name__ == "__main__":
    with torch.no_grad():
        main(*sys.argv[1:])
