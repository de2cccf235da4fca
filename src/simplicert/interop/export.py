"""Certificates in a file: our own columns, or the layout of Cohen's logs."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from simplicert.certificates.record import Certificates
from simplicert.errors import InputError
from simplicert.files import check_suffix, replacing
from simplicert.noises import gaussian
from simplicert.rounding import round_down
from simplicert.units import in_unit

__all__ = ["cohen_table", "csv_text", "write_certificates"]

CERTIFICATE_SUFFIXES = (".parquet", ".csv", ".tsv")

LOG_DIGITS = 6
"""Decimal places of a radius in Cohen's layout; they print 3 significant digits."""


def write_certificates(certificates: Certificates, path: Path | str) -> Path:
    """Write one row an image; return the path.

    ``.parquet`` and ``.csv`` hold ``Certificates.table()`` with every digit; ``.tsv``
    is the layout of Cohen's certification logs (``cohen_table``), which existing
    analysis scripts read.

    Raises:
        InputError: Another suffix; ``.tsv`` without labels.
    """
    path = Path(path)
    check_suffix(path, CERTIFICATE_SUFFIXES)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        if path.suffix == ".parquet":
            certificates.table().to_parquet(file, index=False)
        elif path.suffix == ".csv":
            file.write_text(csv_text(certificates.table()), "utf-8")
        else:
            cohen_table(certificates).to_csv(
                file, index=False, sep="\t", lineterminator="\n", na_rep="nan"
            )
    return path


def csv_text(table: pd.DataFrame) -> str:
    r"""Comma-separated, every digit kept; names that look like formulas are quoted.

    They may be anybody's, and spreadsheets compute what begins as one does.

    Example:
        >>> csv_text(pd.DataFrame({"run": ["=1+1", "s0.5"], "radius": [-0.1, 0.1]}))
        "run,radius\n'=1+1,-0.1\ns0.5,0.1\n"
    """

    def quoted(value: object) -> object:
        if not isinstance(value, str):
            return value
        value = value.replace("\r", r"\r")  # which ends a line for some
        return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t")) else value

    safe = table.rename(columns=quoted)
    for name, values in safe.items():
        if not pd.api.types.is_numeric_dtype(values):
            safe[name] = values.map(quoted)
    return str(safe.to_csv(index=False, lineterminator="\n"))


def cohen_table(certificates: Certificates) -> pd.DataFrame:
    """The chosen mechanism's certificates with the columns of Cohen's logs.

    Returns:
        One row an image: ``idx``, ``label``, ``predict`` (-1: abstained), ``radius``
        (text, rounded down to ``LOG_DIGITS`` places), ``correct`` (0 or 1), ``time``
        (of the image's draws, as ``H:MM:SS``; NaN where it is not known).

    Raises:
        InputError: The images have no labels, which the layout requires; or they
            could stop at several looks, or have confidences or another unit than
            pixels, of which it knows nothing; or their procedure is asymptotic.

    References:
        https://github.com/locuslab/smoothing, ``code/certify.py``.
    """
    if not gaussian.shares_law(certificates.noise):
        raise InputError(
            f"Cohen's layout has no place for {certificates.noise}, and its readers "
            "take radii for those of Gaussian noise: write .csv or .parquet instead"
        )
    if said := in_unit(certificates.unit):
        raise InputError(
            f"Cohen's layout has no place for radii{said}, and its readers take them "
            "for those of pixels in [0, 1]: write .csv or .parquet instead"
        )
    if len(certificates.looks) > 1:
        raise InputError(
            "Cohen's layout has no place for draws that differ from image to image, "
            "and its readers take one number and all of alpha for every row, which "
            "would make other radii of these than their votes allow: write .csv or "
            ".parquet instead"
        )
    if certificates.confidences:
        raise InputError(
            "Cohen's layout has no place for confidences: write .csv or .parquet "
            "instead, or leave them out"
        )
    if certificates.asymptotic:
        raise InputError(
            f"Cohen's layout has no place to say that {certificates.procedure} is "
            "asymptotic, and its readers take every row for a certificate: write .csv "
            "or .parquet instead"
        )
    if certificates.labels is None or certificates.correct is None:
        raise InputError(
            "these images have no labels and Cohen's layout needs them: "
            "write .csv or .parquet instead"
        )
    radius = round_down(certificates.radius, LOG_DIGITS)
    seconds = certificates.draw_seconds
    if seconds is None:
        seconds = np.full(len(certificates), np.nan)
    return pd.DataFrame(
        {
            "idx": certificates.indices,
            "label": certificates.labels,
            "predict": certificates.predicted,
            "radius": [f"{value:.{LOG_DIGITS}f}" for value in radius],
            "correct": certificates.correct.astype(np.int64),
            "time": [
                np.nan if np.isnan(each) else str(timedelta(seconds=each))
                for each in seconds.tolist()
            ],
        }
    )
