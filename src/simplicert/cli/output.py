"""What commands print of certificates: a heading, a table; or JSON."""

import json
import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from simplicert.analysis import format_table, table1
from simplicert.certificates.record import Certificates
from simplicert.cli.printing import say
from simplicert.rounding import round_down

CONSTANT = [
    *("framework", "procedure", "noise", "norm", "sigma"),
    *("draws", "alpha", "images", "top1"),
]
"""Columns of Table 1 that are one number a run: they go into the heading."""


def heading(table: pd.DataFrame) -> str:
    """What every radius of a Table 1 is about, in a line."""
    fact = table.iloc[0]
    top1 = fact["top1"]
    right = "" if np.isnan(top1) else f", top-1 {float(round_down(top1, 3)):.1%}"
    return (
        f"{fact['framework']} ({fact['procedure']}), {fact['noise']} noise of sigma "
        f"{fact['sigma']:g}, {fact['norm']} radii: {fact['images']} images × "
        f"{fact['draws']:,.0f} draws, alpha {fact['alpha']}{right}"
    )


def print_table1(certificates: Certificates) -> None:
    """The paper's Table 1 for one set of certificates."""
    table = table1(certificates)
    say(heading(table))
    say(format_table(table.drop(columns=CONSTANT)))
    for note in filter(None, certificates.source.get("notes", "").splitlines()):
        say(f"note: {note}")


def print_json(tables: Mapping[str, object]) -> None:
    """Tables as one JSON object of lists of rows, every digit kept, NaN as null."""
    text = json.dumps(_plain(tables), indent=1, allow_nan=False)
    say(text.replace("\x7f", r"\u007f"))  # the one control character JSON lets pass


def _plain(value: object) -> object:
    """What JSON has: DataFrame.to_json would round to 15 digits, radii up as well."""
    if isinstance(value, pd.DataFrame):
        return [_plain(row) for row in value.to_dict(orient="records")]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
