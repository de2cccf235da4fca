r"""Is the noise what it says? Statistical tests of many values, and its time a value.

    python benchmarks/noise.py                     # 10**9 values, some minutes
    python benchmarks/noise.py --values 1e7
    python benchmarks/noise.py --device cuda

The tests are of the values themselves: whole cells against their masses (chi-squared),
moments up to the sixth, counts beyond 3 to 6.5 sigma (exact Poisson), the digits within
a cell, neighbouring values as pairs, the same places of two chunks, of two images and
of two seeds. Every p-value is printed, and the smallest times their number: below 0.001
something is wrong. The times are medians of turns, one thread, against what torch and
NumPy give.
"""

import argparse
import statistics
import time
from collections.abc import Iterator

import numpy as np
import torch
from scipy.special import ndtr
from scipy.stats import chi2, norm, poisson

from simplicert.machine.allocator import keep_freed_memory
from simplicert.noises import gaussian, uniform
from simplicert.noises.grid import grid_step
from simplicert.sampling.seeds import Stream
from simplicert.sampling.steps import on_device, on_host

SIGMA = 0.7
SCALE = SIGMA / grid_step(SIGMA)
CELL = 33
CHUNK = 1 << 18
TAILS = (3.0, 4.0, 5.0, 6.0, 6.5)
# Even moments of a standard normal: 1, 3, 15, 105, ….
MOMENT = [1, 0, 1, 0, 3, 0, 15, 0, 105, 0, 945, 0, 10395]


def drawer(device: str):
    """Streams → their steps, as int64 on the host."""
    if device == "cpu":
        draw = on_host(gaussian, SCALE)
        return lambda streams: [draw(stream, CHUNK) for stream in streams]
    there = on_device(gaussian, SCALE, torch.device(device))
    return lambda streams: list(there(streams, CHUNK).cpu().numpy().reshape(-1, CHUNK))


class Tests:
    """Sums over all values, from which the p-values come at the end."""

    def __init__(self) -> None:
        self.count = 0
        self.sums = np.zeros(7)
        self.cells = np.zeros(8192, dtype=np.int64)
        self.beyond = np.zeros((len(TAILS), 2), dtype=np.int64)
        self.digits = np.zeros((3, 2048), dtype=np.int64)
        self.signs = np.zeros(16, dtype=np.int64)
        self.products: dict[str, tuple[float, int]] = {}
        self.pairs = np.zeros((64, 64), dtype=np.int64)

    def add(self, steps: np.ndarray) -> np.ndarray:
        """Count a chunk in; its values in sigma."""
        z = (steps + 0.5) / SCALE
        self.count += len(steps)
        power = np.ones_like(z)
        for order in range(1, 7):
            power *= z
            self.sums[order] += power.sum()
        cell = steps >> CELL
        self.cells += np.bincount(np.clip(cell, -4096, 4095) + 4096, minlength=8192)
        for i, tail in enumerate(TAILS):
            self.beyond[i] += np.count_nonzero(z < -tail), np.count_nonzero(z > tail)
        for i, shift in enumerate((0, 11, 22)):
            digits = (steps >> shift) & 2047
            self.digits[i] += np.bincount(digits, minlength=2048)
        four = (steps.reshape(-1, 4) < 0) @ np.array([1, 2, 4, 8])
        self.signs += np.bincount(four, minlength=16)
        # 64 classes of nearly equal mass, of a value and its neighbour.
        classes = np.minimum((ndtr(z) * 64).astype(np.int64), 63)
        pair = classes[::2] * 64 + classes[1::2]
        self.pairs += np.bincount(pair, minlength=4096).reshape(64, 64)
        self.multiply("next value", z[:-1], z[1:])
        self.multiply("3,072 values on", z[:-3072], z[3072:])
        self.multiply("squares, next value", z[:-1] ** 2 - 1, z[1:] ** 2 - 1, 4.0)
        return z

    def multiply(
        self, name: str, one: np.ndarray, other: np.ndarray, variance: float = 1.0
    ) -> None:
        """Count in products of values that are independent."""
        total, count = self.products.get(name, (0.0, 0))
        total += float(one @ other) / variance**0.5
        self.products[name] = total, count + len(one)

    def p_values(self) -> Iterator[tuple[str, str, float]]:
        """Of every test: its name, what was found, p."""
        n = self.count
        for order in range(1, 7):
            deviation = (MOMENT[2 * order] - MOMENT[order] ** 2) ** 0.5
            error = (self.sums[order] / n - MOMENT[order]) / deviation * n**0.5
            yield f"moment {order}", f"{error:+.2f} s.e.", 2 * norm.sf(abs(error))
        edges = np.arange(-4096, 4097) * 2.0**CELL / SCALE
        mass = np.diff(ndtr(edges)) * n
        few = mass < 20
        yield from self._chi2(
            "cells",
            self.cells[~few],
            mass[~few],
            self.cells[few].sum(),
            mass[few].sum(),
        )
        for tail, (below, above) in zip(TAILS, self.beyond, strict=True):
            mean = norm.sf(tail) * n
            for side, found in (("below -", below), ("above ", above)):
                p = 2 * min(poisson.cdf(found, mean), poisson.sf(found - 1, mean))
                yield f"{side}{tail} sigma", f"{found:,} of {mean:,.1f}", min(p, 1.0)
        for i, found in enumerate(self.digits):
            name = f"digits {11 * i} to {11 * i + 10} of a step"
            yield from self._chi2(name, found, np.full(2048, n / 2048))
        yield from self._chi2("signs of four", self.signs, np.full(16, n / 64))
        yield from self._chi2("pairs", self.pairs.ravel(), np.full(4096, n / 8192))
        for name, (total, count) in self.products.items():
            error = total / count**0.5
            yield f"product: {name}", f"{error:+.2f} s.e.", 2 * norm.sf(abs(error))

    @staticmethod
    def _chi2(
        name: str,
        found: np.ndarray,
        expected: np.ndarray,
        rest: float = 0.0,
        rest_expected: float = 0.0,
    ) -> Iterator[tuple[str, str, float]]:
        value = ((found - expected) ** 2 / expected).sum()
        free = len(found) - 1
        if rest_expected > 0.0:
            value += (rest - rest_expected) ** 2 / rest_expected
            free += 1
        yield name, f"chi2 {value:,.0f} of {free:,}", float(chi2.sf(value, free))


def test(values: float, device: str) -> None:
    draw, tests = drawer(device), Tests()
    rounds = max(1, round(values / (4 * CHUNK)))
    for number in range(rounds):
        streams = [
            Stream(seed=1, image=number, chunk=0),
            Stream(seed=1, image=number, chunk=1),
            Stream(seed=1, image=number + 10**6, chunk=0),
            Stream(seed=2, image=number, chunk=0),
        ]
        first, *others = (tests.add(steps) for steps in draw(streams))
        for name, other in zip(("chunks", "images", "seeds"), others, strict=True):
            tests.multiply(f"two {name}", first, other)
    found = list(tests.p_values())
    print(f"{tests.count:,} values of the Gaussian noise, {device}\n")
    for name, said, p in found:
        print(f"  {name:28} {said:24} p = {p:.4f}")
    least = min(p for *_, p in found)
    together = least * len(found)
    print(f"\n  smallest p of {len(found)}: {least:.4g}; times as many {together:.3g}")


def times() -> None:
    torch.set_num_threads(1)
    generator, floats = torch.Generator(), torch.empty(1 << 15)
    doubles, ziggurat = np.empty(1 << 15), np.random.Generator(np.random.SFC64(0))
    ours = {noise.name: on_host(noise, SCALE) for noise in (gaussian, uniform)}
    stream = Stream(seed=0, image=0, chunk=0)
    variants = {
        "torch normal_, float32": lambda: floats.normal_(generator=generator),
        "NumPy SFC64 ziggurat, float64": lambda: ziggurat.standard_normal(out=doubles),
        "NumPy Philox, 64 bits alone": lambda: stream.bits().random_raw(1 << 15),
        "ours, gaussian, exact": lambda: ours["gaussian"](stream, 1 << 15),
        "ours, uniform, exact": lambda: ours["uniform"](stream, 1 << 15),
    }
    found: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(40):
        for name, variant in variants.items():
            began = time.perf_counter()
            for _ in range(5):
                variant()
            found[name].append((time.perf_counter() - began) / 5 / (1 << 15) * 1e9)
    print("\nnanoseconds a value, one thread")
    for name, each in found.items():
        print(f"  {name:32} {statistics.median(each):6.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--values", type=float, default=1e9)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    keep_freed_memory()
    test(arguments.values, arguments.device)
    if arguments.device == "cpu":
        times()


if __name__ == "__main__":
    main()
