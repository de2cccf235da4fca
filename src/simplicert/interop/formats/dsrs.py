"""Sampling logs of DSRS: the exact interval of the true label's probability."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from simplicert.bounds import (
    clopper_pearson_counts,
    clopper_pearson_lower,
    clopper_pearson_upper,
)
from simplicert.errors import InputError
from simplicert.interop.format import Asked, Counts, Format, Match, stated_number
from simplicert.interop.table import LARGEST_WHOLE, Table
from simplicert.structured import number

__all__ = ["dsrs"]

ROW = re.compile(r"(?a)o\s+(\d{1,15})\s+(\S+)\s+(\S+)")
HEADER = re.compile(r"x\s+(\S+)\s+(\S.*)")

NOTE = (
    "the log has the votes of the true label only: all other classes are one, "
    "and certificates that need the runner-up's votes are missing"
)
CLASS_NAMES = ["the label", "not the label (all other classes together)"]


def _match(table: Table, asked: Asked) -> Match:  # noqa: ARG001 (a format's)
    lines = [line.strip() for line in (table.text or "").splitlines() if line.strip()]
    if lines and HEADER.fullmatch(lines[0]):
        return Match(9)
    needs = ("header lines `x key value`",)
    rows = sum(ROW.fullmatch(line) is not None for line in lines[:10])
    return Match(8 if rows else 0, needs)


def _read(table: Table, asked: Asked) -> Counts:
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
    path = table.path
    if table.text is None:
        raise InputError(f"{path} is not a DSRS log: it is not text")
    lines = table.text.rstrip().splitlines()
    notes = [*table.encoding, NOTE]
    header, rows = _parsed(lines, path, notes)
    for key in ("disttype", "std", "N", "alpha"):
        if key not in header:
            raise InputError(f"{path} has no header line `x {key} …`")
    if header["disttype"] != "gaussian":
        raise InputError(
            f"{path} was drawn with {header['disttype']!r} noise; the mechanisms here "
            "certify for Gaussian noise only"
        )
    if not rows:
        raise InputError(f"{path} has no rows `o index low high`")
    sigma, draws, alpha = (_number(header[k], path, k) for k in ("std", "N", "alpha"))
    for key, legal in (
        ("std", 0.0 < sigma < np.inf),
        ("N", 1 <= draws < LARGEST_WHOLE and draws.is_integer()),
        ("alpha", 0.0 < alpha < 1.0),
    ):
        if not legal:
            raise InputError(f"{path}: no run has `x {key} {header[key]}`")
    indices, low, high = (np.array(column) for column in zip(*rows, strict=True))
    successes = _recover(low, high, draws=int(draws), alpha=alpha)
    wrong = successes < 0
    if wrong[-1] and wrong.sum() == 1 < len(rows) and table.text[-1] != "\n":
        notes.append(f"the last line is cut, and its row left out: {lines[-1]!r}")
        indices, successes, wrong = indices[:-1], successes[:-1], wrong[:-1]
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{path}: [{low[row]}, {high[row]}] of image {indices[row]} is not the "
            f"Clopper-Pearson interval of any count of {draws:.0f} at alpha "
            f"{header['alpha']}: the file was edited, or made in another way"
        )
    stated = replace(
        table,
        named=False,
        stated={"sigma": frozenset([header["std"]]), "draws": frozenset([header["N"]])},
    )
    stated_number(stated, "draws", asked.draws)
    return Counts(
        counts=np.stack([successes, int(draws) - successes], axis=1),
        draws=int(draws),
        indices=indices.astype(np.int64),
        labels=np.zeros(len(indices), dtype=np.int64),
        class_names=CLASS_NAMES,
        sigma=stated_number(stated, "sigma", asked.sigma),
        notes=tuple(notes),
    )


def _parsed(
    lines: list[str], path: Path, notes: list[str]
) -> tuple[dict[str, str], list[tuple[int, float, float]]]:
    """The header by its keys, and the rows: index, low and high."""
    header: dict[str, str] = {}
    rows = []
    for place, line in enumerate(lines, start=1):
        line = line.strip()  # noqa: PLW2901 (the line, without its end)
        if found := ROW.fullmatch(line):
            low, high = (_number(found[end], path, place) for end in (2, 3))
            rows.append((int(found[1]), low, high))
        elif found := HEADER.fullmatch(line):
            header[found[1]] = found[2]
        elif place == len(lines) and rows and line[:1] == "o" and len(line.split()) < 4:
            notes.append(f"the last line is cut, and its row left out: {line!r}")
        elif line:
            raise InputError(
                f"{path}, line {place}: {line!r} is neither `x key value` nor "
                "`o index low high`"
            )
    return header, rows


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
    line = f"line {where}" if isinstance(where, int) else f"header line x {where}"
    return number(text, f"{path}, {line}")


dsrs = Format(
    "dsrs", "a sampling log of DSRS", frozenset(["sigma", "draws"]), _match, _read
)
