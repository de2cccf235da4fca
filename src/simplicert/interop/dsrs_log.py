"""Sampling logs of DSRS: the exact interval of the true label's probability."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from simplicert.bounds import (
    clopper_pearson_counts,
    clopper_pearson_lower,
    clopper_pearson_upper,
)
from simplicert.errors import InputError
from simplicert.interop.counts_table import LARGEST_WHOLE, CountsTable

__all__ = ["DsrsLog", "is_dsrs_log", "read_dsrs_log"]

ROW = re.compile(r"o\s+(\d{1,15})\s+(\S+)\s+(\S+)")
HEADER = re.compile(r"x\s+(\S+)\s+(\S.*)")

CLASS_NAMES = ["the label", "not the label (all other classes together)"]


@dataclass(frozen=True, kw_only=True, eq=False)
class DsrsLog:
    """A sampling log, its counts recovered.

    Attributes:
        table: Two classes: the true label, and everything else. Every label is 0.
        sigma: Noise standard deviation.
        draws: Noisy forward passes an image.
    """

    table: CountsTable
    sigma: float
    draws: int


def is_dsrs_log(text: str) -> bool:
    """Whether a file starts as DSRS's logs do, with ``x key value``."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return HEADER.fullmatch(first.strip()) is not None


def read_dsrs_log(path: Path) -> DsrsLog:
    """Read a sampling log with its header lines and ``o index low high`` rows.

    The interval is an exact two-sided Clopper-Pearson one at the header's alpha,
    printed with every digit, so it has one count of the true label, which is recovered
    and checked against both of its ends. The other classes' counts were not published:
    they become one class, ``not the label``. So a certificate of the label is one of
    the classifier's (E0 above 1/2 needs no other class), those that would rest on a
    plurality below 1/2 are lost, and a certificate of ``not the label`` says only that
    the label has no majority in the ball.

    Raises:
        InputError: A header field is missing or out of range, the noise is not
            Gaussian, a row is not ``o index low high``, or an interval is not the one
            of any count.

    References:
        Li et al. 2022, arXiv:2206.07912, https://github.com/llylly/DSRS.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a DSRS log: it is not text") from error
    header: dict[str, str] = {}
    indices, lows, highs = [], [], []
    for number, line in enumerate(lines, start=1):
        line = line.strip()  # noqa: PLW2901 (the line, without its end)
        if found := ROW.fullmatch(line):
            indices.append(int(found[1]))
            lows.append(_number(found[2], path, number))
            highs.append(_number(found[3], path, number))
        elif found := HEADER.fullmatch(line):
            header[found[1]] = found[2]
        elif line:
            raise InputError(
                f"{path}, line {number}: {line!r} is neither `x key value` nor "
                "`o index low high`"
            )
    for key in ("disttype", "std", "N", "alpha"):
        if key not in header:
            raise InputError(f"{path} has no header line `x {key} …`")
    if header["disttype"] != "gaussian":
        raise InputError(
            f"{path} was drawn with {header['disttype']!r} noise; the mechanisms here "
            "certify for Gaussian noise only"
        )
    if not indices:
        raise InputError(f"{path} has no rows `o index low high`")
    sigma, draws, alpha = (_number(header[k], path, k) for k in ("std", "N", "alpha"))
    for key, legal in (
        ("std", 0.0 < sigma < np.inf),
        ("N", 1 <= draws < LARGEST_WHOLE and draws.is_integer()),
        ("alpha", 0.0 < alpha < 1.0),
    ):
        if not legal:
            raise InputError(f"{path}: no run has `x {key} {header[key]}`")
    low, high = np.array(lows), np.array(highs)
    successes = _recover(low, high, draws=int(draws), alpha=alpha)
    wrong = successes < 0
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{path}: [{low[row]}, {high[row]}] of image {indices[row]} is not the "
            f"Clopper-Pearson interval of any count of {draws:.0f} at alpha "
            f"{header['alpha']}: the file was edited, or made in another way"
        )
    return DsrsLog(
        table=CountsTable(
            counts=np.stack([successes, int(draws) - successes], axis=1),
            indices=np.array(indices, dtype=np.int64),
            labels=np.zeros(len(indices), dtype=np.int64),
            class_names=CLASS_NAMES,
        ),
        sigma=sigma,
        draws=int(draws),
    )


def _recover(
    low: Float[np.ndarray, " images"],
    high: Float[np.ndarray, " images"],
    *,
    draws: int,
    alpha: float,
) -> Int[np.ndarray, " images"]:
    """The count whose interval this is; -1 where there is none."""
    # Nine digits are far more than tell counts apart, and fewer than any library loses.
    slack = 1e-9
    successes = clopper_pearson_counts(
        np.minimum(low * (1 + slack), 1.0), trials=draws, alpha=alpha / 2
    )
    ends = (
        clopper_pearson_lower(successes, trials=draws, alpha=alpha / 2),
        clopper_pearson_upper(successes, trials=draws, alpha=alpha / 2),
    )
    same = np.isclose(low, ends[0], rtol=1e-7, atol=0) & np.isclose(
        high, ends[1], rtol=1e-7, atol=0
    )
    return np.where(same, successes, -1)


def _number(text: str, path: Path, where: int | str) -> float:
    try:
        return float(text)
    except ValueError as error:
        line = f"line {where}" if isinstance(where, int) else f"header line x {where}"
        raise InputError(f"{path}, {line}: {text!r} is not a number") from error
