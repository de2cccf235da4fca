"""What an ONNX file returns: which of its outputs is meant, as an array."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simplicert.classifiers.reading import KINDS, Reading
from simplicert.errors import InputError, unknown_name

_FLOATS = {"tensor(float)", "tensor(float16)", "tensor(double)"}
_INTEGERS = {f"tensor({sign}int{bits})" for sign in ("", "u") for bits in (8, 16, 32)}
_INTEGERS |= {"tensor(int64)"}
_MAPS = "seq(map("
"""What ZipMap makes of a row: a dictionary of its classes."""


def output_of(
    path: Path, outputs: Sequence[Any], reading: Reading, *, said: bool
) -> str:
    """The name of the only output that fits, or of the one that is named.

    Args:
        path: The file, for messages.
        outputs: As onnxruntime lists them.
        reading: What is meant.
        said: Whether its kind was said.

    Raises:
        InputError: None fits, or several do.
    """
    found = ", ".join(f"{o.name}: {o.type} {o.shape}" for o in outputs)
    name = reading.name
    if reading.item is not None:
        if reading.item >= len(outputs):
            raise InputError(f"{path} has no item={reading.item}: it returns {found}")
        name = outputs[reading.item].name
    if name is not None and name not in [o.name for o in outputs]:
        error = unknown_name("kind of output", name, KINDS)
        raise InputError(f"{error}; {path} returns {found}")
    places = {o.name: _place(o, reading) for o in outputs if name in {None, o.name}}
    best = min((place for place in places.values() if place is not None), default=None)
    fitting = [each for each, place in places.items() if place == best is not None]
    if said and len(fitting) > 1:
        kinds = {reading.kind, reading.output}
        fitting = [each for each in fitting if each in kinds] or fitting
    if not fitting:
        what = f"output {name!r} of {path} is" if name else f"{path} returns"
        raise InputError(
            f"{what} no {reading.kind}, {_wanted(reading)}: it returns {found}"
            f"{_cure(path, outputs, reading)}. What is in another type or layout can "
            "be wrapped in simplicert.classifiers.NumpyClassifier, which may convert"
        )
    if len(fitting) > 1:
        raise InputError(
            f"{path} returns several that could be {reading.kind}, "
            f"{', '.join(fitting)}: say which, as {path}:{fitting[-1]}"
        )
    return str(fitting[0])


def as_array(returned: Any) -> Any:
    """What a file returned, as rows: of ZipMap's dictionaries, and without axes of 1.

    Class ``k`` of dictionaries is their ``k``-th key in order.
    """
    if isinstance(returned, list) and returned and isinstance(returned[0], dict):
        keys = sorted(returned[0])
        if any(row.keys() != returned[0].keys() for row in returned):
            return returned  # refused where outputs are checked
        return np.array([[row[key] for key in keys] for row in returned], np.float32)
    if isinstance(returned, np.ndarray) and returned.ndim > 2:
        wide = [size for size in returned.shape[1:] if size != 1]
        return returned.reshape(len(returned), *(wide or [1]))
    return returned


def _is_row(reading: Reading) -> bool:
    return reading.label is not None or reading.kind in {"logits", "probabilities"}


def _wanted(reading: Reading) -> str:
    kind = "integers" if reading.kind == "labels" else "floats"
    return f"{kind} of {'two axes' if _is_row(reading) else 'one axis'}"


def _place(output: Any, reading: Reading) -> int | None:
    """How well it fits: 0 is best; ``None``: it does not."""
    labels, row = reading.kind == "labels", _is_row(reading)
    if str(output.type).startswith(_MAPS):
        return 4 if row and not labels else None
    if output.type not in (_INTEGERS if labels else _FLOATS):
        return None
    if not output.shape:  # which is not known
        return 3
    rest = output.shape[1:]
    wide = [size for size in rest if size != 1]  # numbers, and what may be one
    sizes = [size for size in wide if isinstance(size, int)]
    if len(sizes) > row or (row and not rest):
        return None
    if len(wide) > row:
        return 2
    return 0 if len(rest) == row or (not row and len(rest) == 1) else 1


def _cure(path: Path, outputs: Sequence[Any], reading: Reading) -> str:
    """What would fit instead."""
    file = f"{path}:{reading.name}" if reading.name else str(path)

    def fits(**changes: Any) -> bool:
        other = Reading(**{"kind": "logits", "name": reading.name, **changes})
        return any(
            _place(o, other) is not None
            for o in outputs
            if reading.name in {None, o.name}
        )

    if reading.kind in {"logits", "probabilities"} and fits(kind="logit"):
        return (
            ". If it is of two classes, say that it is one logit, "
            f"{file}:logit, or what a sigmoid gives, {file}:probability"
        )
    if reading.kind in {"logit", "probability"} and fits(kind="logits"):
        return f". Of several labels say which: {file}:{reading.kind}:label=0"
    if reading.kind != "labels" and fits(kind="labels", classes=2):
        return f". If these are labels, say {file}:labels:NUMBER, of classes"
    if any(o.type in {"tensor(string)", "seq(string)"} for o in outputs):
        return ". Labels must be numbers, not text"
    return ""
