"""How what a classifier returns is read: its kind, and which part is meant."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from simplicert.classifiers.outputs import Forward, Output, sum_tolerance, what
from simplicert.errors import InputError, unknown_name

Kind = Literal["logits", "probabilities", "labels", "logit", "probability"]
"""What a classifier can be said to return; the last two are one number a draw."""

KINDS: tuple[Kind, ...] = get_args(Kind)

_ONE: Mapping[Kind, Kind] = {"logits": "logit", "probabilities": "probability"}
_ROWS: Mapping[str, Output] = {"logit": "logits", "probability": "probabilities"}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What of a classifier's output is certified.

    Attributes:
        kind: What it is.
        name: Of the one that is meant, of several in a dictionary or record.
        item: Its number, of several in a tuple.
        label: Which column is meant, of several labels that do not exclude each other:
            "this label, or not" is a classifier of two classes.
        classes: How many there are, where that was said.
    """

    kind: Kind
    name: str | None = None
    item: int | None = None
    label: int | None = None
    classes: int | None = None

    def __post_init__(self) -> None:
        if self.name is not None and self.item is not None:
            raise InputError(
                f"an output has a name ({self.name!r}) or a number ({self.item}): say "
                "one of them"
            )
        if self.label is not None and self.kind in _ONE:
            object.__setattr__(self, "kind", _ONE[self.kind])
        if not self.is_binary:
            if self.kind == "labels" and self.classes is None:
                raise InputError(
                    "labels do not tell how many classes there are: say classes=…, or "
                    "labels:NUMBER"
                )
            return
        if self.classes not in {None, 2}:
            raise InputError(
                f"a label, a logit or a probability by itself is of two classes, not "
                f"of {self.classes}: leave the number out"
            )
        object.__setattr__(self, "classes", 2)

    @property
    def is_binary(self) -> bool:
        """Whether one number a draw is read as two classes, of which 1 is "yes"."""
        return self.kind in _ROWS or self.label is not None

    @property
    def output(self) -> Output:
        """What is there once it is read."""
        return _ROWS.get(self.kind, self.kind)  # type: ignore[arg-type]  # mypy does not narrow

    @property
    def facts(self) -> str:
        """In words, what makes another classifier of the same; empty: nothing."""
        name = self.name
        if name is not None and ":" in name:  # which might look like a label as well
            name = repr(name)
        parts = {"name": name, "item": self.item, "label": self.label}
        said = [f"{key}={value}" for key, value in parts.items() if value is not None]
        return ":".join([self.kind, *said]) if said or self.is_binary else ""

    def changed(self, text: str) -> "Reading":
        """This, but for what the words say.

        Raises:
            InputError: As for ``reading_of``.
        """
        said = _said(text)
        if {"name", "item"} & said.keys():
            said = {"name": None, "item": None, **said}
        if said.get("kind", self.kind) != self.kind or "label" in said:
            said = {"classes": None, **said}
        return replace(self, **said)

    def of(self, returned: Any, *, draws: int, name: str) -> Any:
        """What was returned, as ``output`` says; what is wrong with rows is not said.

        Args:
            returned: By the classifier.
            draws: How many it was given.
            name: Of the classifier, for messages.

        Raises:
            InputError: The part that is meant is not there.
        """
        found = self.picked(returned, name)
        if not self.is_binary:
            return found
        column = self._column(found, draws, name)
        if self.kind == "labels":
            return column
        if self.kind == "logit":
            return torch.stack([torch.zeros_like(column), column], dim=1)
        # Exact in float64, or nearly: in float32 the two could sum to more than 1.
        yes = column.double()
        over = (yes > 1) & (yes <= 1 + sum_tolerance(yes.dtype))  # a rounded mean's
        return torch.stack([torch.where(over, 0.0, 1 - yes), yes], dim=1)

    def behind(self, forward: Forward, name: str) -> Forward:
        """The forward pass, read."""

        def read(images: Tensor) -> Any:
            return self.of(forward(images), draws=len(images), name=name)

        return read

    def picked(self, returned: Any, name: str) -> Any:
        """The part that is meant of what a classifier returned.

        Raises:
            InputError: It is not there.
        """
        if self.item is not None:
            if isinstance(returned, tuple | list) and self.item < len(returned):
                return returned[self.item]
            raise InputError(f"{name} returns {what(returned)}: no item={self.item}")
        if self.name is not None:
            if isinstance(returned, Mapping) and self.name in returned:
                return returned[self.name]
            if not isinstance(returned, Mapping | Tensor) and hasattr(
                returned, self.name
            ):
                return getattr(returned, self.name)
            raise InputError(f"{name} returns {what(returned)}: no name={self.name}")
        return unwrapped(returned, self.kind)

    def returned(self, picked: Any) -> Any:
        """What ``picked`` would be picked out of."""
        if self.item is not None:
            return *[None] * self.item, picked
        return picked if self.name is None else {self.name: picked}

    def _column(self, found: Any, draws: int, name: str) -> Tensor:
        """The one number a draw."""
        shape = tuple(getattr(found, "shape", ()))
        if isinstance(found, Tensor) and self.label is None:
            if shape in {(draws,), (draws, 1)}:
                return found.reshape(draws)
        elif isinstance(found, Tensor) and len(shape) == 2 and shape[0] == draws:
            if self.label < shape[1]:
                return found[:, self.label]
            raise InputError(
                f"{name} has no label {self.label}: it returns {shape[1]}, the first "
                "of which is 0"
            )
        if self.label is None:
            wanted = f"one {self.kind} a draw, ({draws}, 1)"
            several = len(shape) == 2 and shape[1] > 1
            cure = f". Of several labels say which: {self.kind}:label=0" * several
        else:
            wanted, cure = f"one row of labels a draw, ({draws}, labels)", ""
        raise InputError(
            f"{name} must return {wanted}, but returned {what(found)}{cure}"
        )


def reading_of(
    text: str,
    *,
    kind: Kind | None = None,
    classes: int | None = None,
    names: Collection[str] = (),
) -> Reading:
    """What words with colons between say, as ``probability``, ``labels:10``.

    Besides a kind and a number of classes: ``name=KEY`` of an output in a dictionary,
    ``item=1`` of one in a tuple, ``label=3`` of several labels.

    Args:
        text: The words.
        kind: If it is not among them.
        classes: Number of classes, if it is not among them.
        names: Of outputs that are known, which are words, too.

    Raises:
        InputError: They do not say of what kind it is, or say anything else or twice.

    Example:
        >>> reading_of("probability").output, reading_of("labels:10").classes
        ('probabilities', 10)
    """
    said = _said(text, names)
    if classes is not None:
        if said.get("classes", classes) != classes:
            raise InputError(f"{text!r} says {said['classes']} classes, not {classes}")
        said["classes"] = classes
    if kind is not None:
        said.setdefault("kind", kind)
    if "kind" not in said:
        raise InputError(
            f"{text!r} does not say of what kind the output is: say "
            f"{text}:{' or '.join(KINDS)}"
        )
    return Reading(**said)


def _said(text: str, names: Collection[str] = ()) -> dict[str, Any]:
    said: dict[str, Any] = {}

    def say(key: str, value: object) -> None:
        if key in said:
            raise InputError(
                f"output {text!r} says {key} twice: {said[key]} and {value}"
            )
        said[key] = value

    rest = text
    for name in sorted(set(names) - {*KINDS, ""}, key=len, reverse=True):
        before, found, after = f":{rest}:".partition(f":{name}:")
        if found and "name" not in said:  # names may have colons and numbers, too
            say("name", name)
            rest = ":".join(filter(None, (before.strip(":"), after.strip(":"))))
    for word in rest.split(":") if rest or not said else ():
        key, equals, value = word.partition("=")
        if word in KINDS:
            say("kind", word)
        elif re.fullmatch(r"[0-9]{1,9}", word):
            say("classes", _classes(int(word)))
        elif key == "name" and value:
            say("name", value)
        elif key in {"item", "label", "classes"} and re.fullmatch("[0-9]{1,9}", value):
            say(key, int(value) if key != "classes" else _classes(int(value)))
        elif not equals and word:
            error = unknown_name("kind of output", word, KINDS)
            by_name = "" if names else f"; an output of that name is name={word}"
            raise InputError(f"{error}{by_name}")
        else:
            raise InputError(
                f"output {text!r}: {word!r} says nothing. It may be "
                f"{', '.join(KINDS)}, a number of classes, name=KEY of one in a "
                "dictionary, item=1 of one in a tuple, or label=3 of several labels"
            )
    return said


def _classes(number: int) -> int:
    if number < 2:
        raise InputError(f"a classifier has at least 2 classes, not {number}")
    return number


def unwrapped(returned: Any, kind: Kind) -> Any:
    """What a dictionary or a record has under the name of this kind of output.

    Raises:
        InputError: It has several whose scores could be meant: a run of one must not be
            continued with another.

    Example:
        >>> unwrapped({"logits": 1, "features": 2}, "logits")
        1
    """
    if isinstance(returned, tuple | list) and len(returned) == 1:
        return returned[0]
    if isinstance(returned, Tensor):  # one has a method "logit"
        return returned
    scored = [each for each in KINDS if each != "labels"]
    wanted = ("labels",) if kind == "labels" else scored

    if isinstance(returned, Mapping):
        found = {key: returned[key] for key in wanted if key in returned}
    else:  # Hugging Face's are records
        found = {
            key: getattr(returned, key) for key in wanted if hasattr(returned, key)
        }
    if len(found) > 1:
        raise InputError(
            f"{' and '.join(found)} are both there: say which, as {kind}:name={kind}"
        )
    several = next((rows for rows, one in _ONE.items() if one == kind), kind)
    return found.get(kind, found.get(several, returned))
