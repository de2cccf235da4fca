"""What columns are called in the field, and so what they are about."""

import re
from collections.abc import Iterable, Sequence

__all__ = ["ROLES", "key", "numbered", "roles_of"]

_WORDS = {
    "index": "image index idx id img sample filename imageid "
    "imageindex imgid imageidx sampleid sampleindex imagename imagepath example "
    "unnamed0",
    "label": "label labels target targets true truelabel trueclass truth y ytrue gt "
    "groundtruth class classlabel gtlabel gold ylabel truey",
    "predict": "predict predicted prediction predictions pred preds ypred yhat "
    "topclass predictedclass predictedlabel predclass predlabel "
    "certifiedclass argmax cahat",
    "correct": "correct iscorrect acc",
    "radius": "radiuscohen cohenradius radius radii certifiedradius certradius "
    "l2radius",
    "count": "count counts rawcount na counta countna topcount votes nvotes numvotes "
    "frequency freq",
    "bound": "pabar palower pabarlower palowerbound",
    "draws": "n draws total totals sum numsamples nsamples samples trials ndraws "
    "numdraws totalvotes totalcount totalcounts votestotal ntotal nsample",
    "invalid": "nan nans invalid invaliddraws noclass",
    "time": "time times seconds elapsed duration runtime",
    "sigma": "sigma noisesd noisestd std noiselevel noisesigma noisescale "
    "smoothingsigma sigmas sd stddev stdev",
    "alpha": "alpha",
    "noise": "noise noisetype disttype transformation transform transtype",
    "norm": "norm",
}
ROLES = {role: words.split() for role, words in _WORDS.items()}
"""By role, the names in the order of preference, as ``key`` has them."""

_ROLE = {word: role for role, words in ROLES.items() for word in words}


def key(name: str) -> str:
    """A column's name without capitals, spaces and punctuation.

    Example:
        >>> key("p_A_bar"), key("True label"), key("pABar")
        ('pabar', 'truelabel', 'pabar')
    """
    plain = re.sub(r"[\W_]", "", name.casefold())
    return "unnamed0" if not plain and not name.strip() else plain


def roles_of(names: Iterable[str]) -> dict[str, list[str]]:
    """The columns of each role that there are, the likeliest first."""
    found: dict[str, list[str]] = {}
    for name in names:
        if role := _ROLE.get(key(name)):
            found.setdefault(role, []).append(name)
    for role, theirs in found.items():
        theirs.sort(key=lambda name: ROLES[role].index(key(name)))
    return found


def numbered(names: Sequence[str]) -> list[int] | None:
    """The numbers in names that differ in nothing else; ``None`` if they are no series.

    Example:
        >>> numbered(["class_0", "class_10", "class_2"])
        [0, 10, 2]
    """
    parts = [re.fullmatch(r"(.*?)([0-9]{1,9})([^0-9]*)", name) for name in names]
    found = [(part[1], int(part[2]), part[3]) for part in parts if part]
    numbers = [number for _, number, _ in found]
    alike = len({(before, after) for before, _, after in found}) == 1
    if not alike or len(found) < len(names) or len(set(numbers)) < len(numbers):
        return None
    return numbers
