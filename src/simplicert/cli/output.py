"""What commands print of certificates: a heading, a table; or JSON."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from shutil import get_terminal_size

import numpy as np
import pandas as pd

from simplicert.analysis import accuracy_at, format_table, spending, stops, table1
from simplicert.analysis.accuracy import average_name, hits, quantity
from simplicert.analysis.features import feature_reach
from simplicert.certificates.record import ASYMPTOTIC, PRINTED, Certificates
from simplicert.cli.printing import say
from simplicert.procedures.protocol import NO_GUARANTEE
from simplicert.rounding import round_down, significant
from simplicert.votes.chosen import draws_in_words

MOST_FEATURES = 12
"""Printed; all are in JSON."""

CONSTANT = [
    *("framework", "procedure", ASYMPTOTIC, "noise", "norm", "sigma"),
    *("draws", "alpha", "images", "top1"),
]
"""Columns of Table 1 that are one number a run: they go into the heading."""


def heading(certificates: Certificates) -> str:
    """What every radius of a Table 1 is about, in a line; and what was decided."""
    fact = table1(certificates).iloc[0]
    top1 = fact["top1"]
    right = "" if np.isnan(top1) else f", top-1 {float(round_down(top1, 3)):.1%}"
    return (
        f"{fact['framework']} ({certificates.by}), {fact['noise']} noise of sigma "
        f"{fact['sigma']:g}, {certificates.in_words('radii')}: "
        f"{fact['images']} {certificates.inputs} × "
        f"{draws_in_words(certificates.draws)}, alpha {fact['alpha']}{right}"
        f"{_decided(certificates)}"
    )


def _decided(certificates: Certificates) -> str:
    """Another line, of images that could stop: how many are decided, and the price."""
    if not certificates.stops_early:
        return ""
    [spent] = spending(certificates).to_dict("records")
    times = float(round_down(spent["fewer_by"], 1))
    last, inputs = certificates.looks[-1].draws, certificates.inputs
    decided = ""
    if certificates.decided is not None:
        open_ = int((~certificates.decided & (certificates.draws < last)).sum())
        further = f" ({open_:,} could be drawn further)" if open_ else ""
        every = f"{spent['images']:,} {inputs}"
        decided = f"{spent['decided']:,} of {every} decided{further}"
    return (
        f"\n{decided and f'{decided}, '}{spent['spent']:,} draws in all, "
        f"{spent['draws']:,.1f} an {inputs.removesuffix('s')}; {last:,} for each would "
        f"have been {spent['fixed']:,}, {times:g} times as many"
    )


def stopping_tables(certificates: Certificates) -> dict[str, object]:
    """The same for other programs; nothing, of a fixed number of draws."""
    if not certificates.stops_early:
        return {}
    return {
        "draws": spending(certificates),
        "looks": stops(certificates),
        "notes": notes(certificates),
    }


def print_table1(certificates: Certificates) -> None:
    """The paper's Table 1 for one set of certificates."""
    say(heading(certificates))
    shown = table1(certificates).drop(
        columns=[*CONSTANT, average_name(certificates)], errors="ignore"
    )
    say(format_table(shown))


def print_accuracy(certificates: Certificates, radii: Sequence[float] | None) -> None:
    """The average radius and the certified accuracy, and what is to be known of it."""
    said = f"{quantity(certificates)} at {certificates.in_words('radius')}:"
    table = accuracy_at(certificates, radii)
    say(f"{said}\n{format_table(table, width=width())}", end="")
    for remark in notes(certificates):
        say(f"note: {remark}")


def features_of(certificates: Certificates) -> dict[str, pd.DataFrame]:
    """Each feature's own reach; nothing, where there is one scale for all."""
    if certificates.unit is None or certificates.unit.entries == 1:
        return {}
    return {"features": feature_reach(certificates)}


def print_features(certificates: Certificates) -> None:
    """How far each feature may move alone, in its own values; the first few."""
    for table in features_of(certificates).values():
        more = len(table) - MOST_FEATURES
        shape = [] if certificates.data is None else certificates.data.shape
        one = "feature" if len(shape) == 1 else "value of a channel"
        said = f"how far one {one} may move alone, within the median radius"
        say(f"\n{said}, in its own values:")
        shown = table[:MOST_FEATURES].copy()
        for column in ("one_is", "alone"):
            shown[column] = [f"{significant(each):g}" for each in shown[column]]
        say(format_table(shown, width=width()), end="")
        if more > 0:
            say(f"note: {more} more features: --json has all")


def confidences_of(certificates: Certificates) -> dict[str, pd.DataFrame]:
    """Mean confidences, counted as 0 where the class is wrong; nothing, of none."""
    if not certificates.confidences:
        return {}
    hit = hits(certificates, certificates.mechanism)
    averages = {
        radius: float(np.where(hit, each, 0.0).mean())
        for radius, each in certificates.confidences.items()
    }
    columns = {"radius": list(averages), "average_confidence": list(averages.values())}
    return {"confidence": pd.DataFrame(columns)}


def print_confidence(certificates: Certificates) -> None:
    """How far classes lead within the radii that were asked for, on average."""
    for table in confidences_of(certificates).values():
        said = f"\ncertified confidence within {certificates.in_words('radius')}"
        say(f"{said}, each at alpha {certificates.alpha}:")
        say(format_table(table, width=width()), end="")


def against_own(certificates: Certificates, own: Certificates) -> str:
    """How many radii neighbours enlarge and reduce, in a line.

    Args:
        certificates: With neighbours.
        own: Of the images' own draws, at all of alpha.
    """
    each = certificates.neighbours
    more, less = (
        int((one.radius > other.radius).sum())
        for one, other in ((certificates, own), (own, certificates))
    )
    return (
        f"note: {each} neighbours an {own.inputs.removesuffix('s')}, so that each of "
        f"{each + 1} certificates is at alpha / {each + 1}. Of {len(own):,} radii "
        f"{more:,} are larger than of its own draws at alpha {own.alpha:g}, and "
        f"{less:,} smaller"
    )


def notes(certificates: Certificates) -> list[str]:
    """What is to be known of these certificates besides."""
    found = certificates.source.get("notes", "").splitlines()
    noise = certificates.noise
    found += warned(certificates)
    found += _of_neighbours(certificates)
    if noise.assumes is not None:
        found.append(f"{noise.name} noise was {noise.assumes}")
    if certificates.printed is not None:
        found.append(
            f"{PRINTED}: as the log printed the radii, to check a published table by. "
            "Print may have rounded them up: they are not guaranteed"
        )
    return list(filter(None, found))


def _of_neighbours(certificates: Certificates) -> list[str]:
    """That they are of points beside the inputs, where they are: not of a data set."""
    around = None if certificates.data is None else certificates.data.neighbours
    if around is None:
        return []
    return [
        f"these are not inputs of a data set, but {around.each} neighbours of each of "
        f"{len(around.images):,}: accuracies and radii are the neighbours'. What they "
        "say of the inputs, certify --neighbours says"
    ]


def warned(certificates: Certificates) -> list[str]:
    """That they are no certificates, where their procedure guarantees nothing."""
    if not certificates.asymptotic:
        return []
    return [f"{certificates.procedure} {NO_GUARANTEE}"]


def width() -> int | None:
    """Of the reader's terminal; other programs take lines of any length."""
    return get_terminal_size().columns if sys.stdout.isatty() else None


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
