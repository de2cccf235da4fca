"""What a remote classifier and we write to each other (docs/_static/http.json).

Whatever a service answers is read as if anybody may have written it: its size is known
before it is read, nothing is unpickled, and what is wrong with it is said in one line.
"""

import io
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from simplicert.classifiers.outputs import Output
from simplicert.errors import InputError, unknown_name
from simplicert.structured import parse_json

__all__ = ["JSON", "NPY", "VERSION", "Metadata", "decoded", "encoded", "most_bytes"]

NPY, JSON = "application/x-npy", "application/json"

VERSION = "X-Model-Version"
"""The header in which every answer says which model gave it."""

_LONGEST_TEXT = 200
_MOST_CLASSES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What a service says of its model.

    Attributes:
        classes: How many.
        output: What it returns.
        class_names: One a class, or none.
        shape: Of an input, where it takes only one.
        name: For people.
        version: Of the model; another one is another classifier.
        max_batch: Most inputs a request.
        cost_per_pass: Of one input, in the service's currency.
    """

    classes: int
    output: Output
    class_names: tuple[str, ...] = ()
    shape: tuple[int, ...] | None = None
    name: str | None = None
    version: str | None = None
    max_batch: int | None = None
    cost_per_pass: float = 0.0

    @classmethod
    def read(cls, content: bytes, source: str) -> "Metadata":
        """From JSON; fields of other names are left alone.

        Raises:
            InputError: A field is missing or no such thing.

        Example:
            >>> said = b'{"classes": 2, "output": "logits"}'
            >>> Metadata.read(said, "a service").classes
            2
        """
        found = parse_json(content, source)
        if not isinstance(found, dict):
            raise InputError(f"{source} must be a JSON object, with classes and output")
        given = {name: found[name] for name in _FIELDS if found.get(name) is not None}
        for name in ("classes", "output"):
            if name not in given:
                raise InputError(f"{source} does not say {name}: {_FIELDS[name][1]}")
        for name, value in given.items():
            rule, words = _FIELDS[name]
            if not rule(value):
                raise InputError(f"{source}: {name} must be {words}")
        names = tuple(given.pop("class_names", ()))
        if names and len(names) != given["classes"]:
            raise InputError(
                f"{source} has {given['classes']} classes, but {len(names)} class_names"
            )
        if given["output"] not in get_args(Output):
            name = str(given["output"])
            raise unknown_name("kind of output", name, get_args(Output))
        if "shape" in given:
            given["shape"] = tuple(given["shape"])
        return cls(class_names=names, **given)


def _is_text(value: object) -> bool:
    short = isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT
    return short and str(value).isprintable()


def _is_whole(value: object, *, least: int = 1, most: int = 2**31) -> bool:
    return type(value) is int and least <= value <= most


def _is_list(value: object, rule: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(map(rule, value))


_FIELDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "classes": (
        lambda value: _is_whole(value, least=2, most=_MOST_CLASSES),
        "the number of classes, at least 2",
    ),
    "output": (_is_text, "logits, probabilities or labels"),
    "class_names": (lambda value: _is_list(value, _is_text), "a list of short texts"),
    "shape": (lambda value: _is_list(value, _is_whole), "a list of whole numbers"),
    "name": (_is_text, "a short text"),
    "version": (_is_text, "a short text"),
    "max_batch": (_is_whole, "a whole number, at least 1"),
    "cost_per_pass": (
        lambda value: type(value) in {int, float} and 0 <= value < math.inf,
        "a number, at least 0",
    ),
}


def encoded(inputs: np.ndarray, kind: str) -> bytes:
    """The body of a request: float32, draws × the shape of an input.

    Example:
        >>> encoded(np.zeros((1, 2), np.float32), JSON)
        b'{"inputs": [[0.0, 0.0]]}'
    """
    if kind == JSON:
        return json.dumps({"inputs": inputs.tolist()}).encode()
    file = io.BytesIO()
    np.save(file, inputs, allow_pickle=False)
    return file.getvalue()


def most_bytes(rows: int, classes: int) -> int:
    """How long an answer of so many rows may be; as JSON has up to 30 letters each."""
    return (1 << 16) + 32 * rows * classes


def decoded(
    content: bytes, kind: str, *, rows: int, classes: int, output: Output, source: str
) -> np.ndarray:
    """The outputs in the body of an answer: a row a draw, or an integer for labels.

    Args:
        content: The body.
        kind: Its Content-Type.
        rows: How many inputs were asked.
        classes: How many numbers a row has.
        output: What they are.
        source: Whose answer it is, for messages.

    Raises:
        InputError: It is anything else.
    """
    kind = kind.partition(";")[0].strip().lower()
    if kind == NPY:
        answer = _from_npy(content, source)
    elif kind == JSON:
        answer = _from_json(content, output, source)
    else:
        raise InputError(
            f"{source} answered with {kind or 'no Content-Type'}, not {NPY} or {JSON}: "
            f"is this the URL of a model? It begins {_beginning(content)}"
        )
    wanted = (rows,) if output == "labels" else (rows, classes)
    if answer.shape != wanted:
        raise InputError(
            f"{source} answered {output} of shape {answer.shape} to {rows} inputs of "
            f"{classes} classes: it must be {wanted}"
        )
    if output == "labels":
        if answer.dtype.kind not in "iu":
            raise InputError(f"{source} answered labels that are {answer.dtype}")
        return answer.astype(np.int64)
    return answer.astype(np.float64) if answer.dtype.kind in "iu" else answer


def _from_npy(content: bytes, source: str) -> np.ndarray:
    file = io.BytesIO(content)
    try:
        major, _ = np.lib.format.read_magic(file)
        read = {
            1: np.lib.format.read_array_header_1_0,
            2: np.lib.format.read_array_header_2_0,
        }[major]
        shape, fortran, dtype = read(file)
    except Exception as error:  # it parses a Python literal
        raise InputError(
            f"{source} answered what is no npy file, though its Content-Type says so"
        ) from error
    if dtype.kind not in "iuf" or dtype.itemsize > 8:  # an object would be unpickled
        raise InputError(f"{source} answered an npy file of {dtype}, not of numbers")
    there, needed = len(content) - file.tell(), math.prod(shape) * dtype.itemsize
    if there != needed:
        raise InputError(
            f"{source} answered an npy file that is cut short or damaged: it has "
            f"{there:,} bytes of numbers, and says {needed:,}"
        )
    flat = np.frombuffer(content, dtype, offset=file.tell())
    shaped = flat.reshape(shape, order="F" if fortran else "C")
    return shaped.astype(dtype.newbyteorder("="))


def _from_json(content: bytes, output: Output, source: str) -> np.ndarray:
    found = parse_json(content, f"the answer of {source}")
    outputs = found.get("outputs") if isinstance(found, dict) else None
    numbers = {int} if output == "labels" else {int, float}

    def are_numbers(row: object) -> bool:
        return isinstance(row, list) and all(type(each) in numbers for each in row)

    if not isinstance(outputs, list):
        raise InputError(f'{source} answered JSON without a list as "outputs"')
    if output == "labels":
        if not are_numbers(outputs) or any(abs(each) >> 62 for each in outputs):
            raise InputError(f"{source} answered JSON of outputs that are no integers")
        return np.array(outputs, dtype=np.int64)
    if not all(map(are_numbers, outputs)):
        raise InputError(
            f"{source} answered JSON of outputs that are no lists of numbers"
        )
    if len({*map(len, outputs)}) > 1:
        raise InputError(f"{source} answered JSON with rows of different lengths")
    return np.array(outputs, dtype=np.float64)


def _beginning(content: bytes) -> str:
    return repr(" ".join(content[:80].decode("utf-8", "replace").split()))
