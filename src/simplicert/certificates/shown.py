"""Certificates as a line and as a table, for people who look at them in Python."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from simplicert.notebook import rounded, shown_rows, table_html
from simplicert.rounding import round_down
from simplicert.votes.chosen import draws_in_words, images_in_words

if TYPE_CHECKING:
    from simplicert.certificates.record import Certificates

__all__ = ["line_of", "table_of"]


def line_of(certificates: "Certificates") -> str:
    """How many there are, of what, and how far they reach."""
    count, draws = len(certificates), draws_in_words(certificates.draws)
    images = images_in_words(count, certificates.chosen_from, certificates.inputs)
    said = (
        f"Certificates: {images} × {draws}, "
        f"{certificates.noise.name} noise of sigma {certificates.sigma:g}, "
        f"{certificates.by} at alpha {certificates.alpha}"
    )
    if certificates.neighbours:
        said += f", with {certificates.neighbours} neighbours each"
    if not count:
        return said
    share = float(round_down((certificates.radius > 0).mean(), 3))
    return (
        f"{said}; {certificates.mechanism} certifies {share:.1%}, median "
        f"{certificates.in_words('radius')} "
        f"{round_down(np.median(certificates.radius), 3):.3f}"
    )


def table_of(certificates: "Certificates") -> str:
    """The first rows and the last, as HTML."""
    here = shown_rows(len(certificates))
    one = certificates.inputs.removesuffix("s")
    columns: dict[str, Sequence[object]] = {one: certificates.indices[here].tolist()}
    if certificates.labels is not None:
        columns["label"] = certificates.labels[here].tolist()
    columns |= {
        "predicted": np.where(
            certificates.radius > 0,
            certificates.predicted.astype(str),
            certificates.abstention,
        )[here].tolist(),
        certificates.in_words("radius"): rounded(certificates.radius[here]),
        "e0_lower": rounded(certificates.e0_lower[here]),
        "e1_upper": rounded(certificates.e1_upper[here], up=True),
    }
    return table_html(repr(certificates), columns, count=len(certificates))
