"""Streams of random bits → steps of noise, on the host and on a device."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from simplicert.errors import InputError
from simplicert.noises import Noise
from simplicert.sampling.philox import words_at
from simplicert.sampling.seeds import Stream

__all__ = ["on_device", "on_host"]

Steps = Callable[[Stream, int], np.ndarray]
"""A stream, and how many values → their steps, int64."""

DeviceSteps = Callable[[Sequence[Stream], int], Tensor]
"""The same of several streams, one after another, as a tensor on the device."""

_ATTEMPTS = 6
"""Of a value on a device at a time: one in two thousand needs more."""

_AT_ONCE = 1 << 15
"""Words that a device's generator is asked for at a time. Where there are more than a
GPU has threads, which thread gives which word depends on how many it has: another GPU
would draw other noise."""

_LARGEST = 2.0**60
"""Steps of a noise from outside: sums of larger ones would overflow."""


def on_host(noise: Noise, scale: float, *, values: int = 1) -> Steps:
    """A stream's words in order: one a value, then those of the few that need more.

    Args:
        noise: Which.
        scale: Sigma in steps.
        values: Of an input. Noise from outside is asked for a row a draw, since its
            values may hang together.
    """
    if noise.on_grid is None:
        return _in_floats(noise, scale, values)
    law = noise.on_grid(scale, np, np.asarray)

    def draw(stream: Stream, count: int) -> np.ndarray:
        bits = stream.bits()

        def words(number: int) -> np.ndarray:
            found: np.ndarray = bits.random_raw(number).view(np.int64)
            return found

        steps: np.ndarray
        steps, missing = law.quick(words(count))
        left = np.flatnonzero(missing)
        while len(left):
            # As many more than will do nearly always: two in three are accepted.
            tried = 2 * len(left) + 16
            found, accepted = law.careful(words(3 * tried).reshape(3, tried))
            found = found[accepted][: len(left)]
            steps[left[: len(found)]] = found
            left = left[len(found) :]
        return steps

    return draw


def _in_floats(noise: Noise, scale: float, values: int) -> Steps:
    """Floats from outside, rounded down to the grid."""
    assert noise.fill is not None  # what is drawn from was found, not read
    fill = noise.fill

    def draw(stream: Stream, count: int) -> np.ndarray:
        filled = np.full((count // values, values), np.nan)
        fill(filled, np.random.Generator(stream.bits()))
        if not np.isfinite(filled).all():
            raise InputError(
                f"noise {noise.name!r} leaves values that are not finite, or that it "
                "does not write, though it did not when it was tried"
            )
        steps = np.floor(filled.ravel() * scale)
        inside: np.ndarray = np.clip(steps, -_LARGEST, _LARGEST).astype(np.int64)
        return inside

    return draw


def on_device(
    noise: Noise, scale: float, device: torch.device, *, values: int = 1
) -> DeviceSteps:
    """All streams' values at once; what needs more has words of its own place.

    First words are of the device's generator, Philox4x32-10 on a GPU, seeded with 64
    bits; further ones of the same function under other keys. Noise from outside is
    drawn on the host.

    Args:
        noise: Which.
        scale: Sigma in steps.
        device: Where.
        values: Of an input, as ``on_host`` has it.
    """
    if noise.on_grid is None:
        host = _in_floats(noise, scale, values)

        def sent(streams: Sequence[Stream], count: int) -> Tensor:
            drawn = np.concatenate([host(stream, count) for stream in streams])
            return torch.from_numpy(drawn).to(device)

        return sent
    law = noise.on_grid(scale, torch, lambda a: torch.from_numpy(a).to(device))
    generator = torch.Generator(device)

    def draw(streams: Sequence[Stream], count: int) -> Tensor:
        words = torch.empty(len(streams), count, dtype=torch.int64, device=device)
        keys = []
        for row, stream in zip(words, streams, strict=True):
            first, second = stream.seeds()
            generator.manual_seed(first)
            for piece in row.split(_AT_ONCE):
                piece.random_(-(1 << 63), None, generator=generator)
            keys.append(second - (1 << 63))
        steps: Tensor
        steps, missing = law.quick(words.view(-1))
        left = missing.nonzero().squeeze(1)
        of_chunk = torch.tensor(keys, device=device)
        attempt = 0
        while len(left):
            places = left.repeat(_ATTEMPTS)
            attempts = torch.arange(attempt, attempt + _ATTEMPTS, device=device)
            more = words_at(
                of_chunk[places // count],
                places % count,
                attempts.repeat_interleave(len(left)),
            )
            found, accepted = (each.view(_ATTEMPTS, -1) for each in law.careful(more))
            best = accepted.int().argmax(dim=0)  # the first that is accepted
            some = accepted.any(dim=0)
            found = found.gather(0, best[None])[0]
            steps[left[some]] = found[some]
            left = left[~some]
            attempt += _ATTEMPTS
        return steps

    return draw
