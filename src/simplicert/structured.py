"""Text that anybody may have written → values, or one line about what is wrong with it.

All JSON, TOML and numbers from outside (files, metadata of files, options) are read
here, so that no nesting, no digits and no bytes can do worse than be refused. What
:func:`parse_json` and :func:`parse_toml` return is at most ``DEEPEST`` deep, and its
whole numbers are no larger than floats can be: it can be printed and compared.
"""

import json
import math
import re
import tomllib
from collections import Counter
from collections.abc import Callable
from typing import Any

from simplicert.errors import InputError

__all__ = ["number", "parse_json", "parse_toml", "whole_number"]

LONGEST = 1000
"""Bits of a whole number, which then can be a float, and be printed."""

DEEPEST = 64
"""Lists and tables within each other. What walks through more might not come back."""


def parse_json(
    content: str | bytes, source: object, *, numbers_as_text: bool = False
) -> Any:
    """What JSON says.

    Args:
        content: Text, or its bytes in UTF-8.
        source: Where it is from, for the message.
        numbers_as_text: Leave numbers as they are printed, NaN and infinity as well.

    Raises:
        InputError: It is not JSON (which has no NaN and no infinity), nested too
            deeply, holds a number that no machine can, or one name twice in an object.

    Example:
        >>> parse_json(b'{"sigma": 0.5}', "conditions")
        {'sigma': 0.5}
        >>> parse_json("[1, NaN]", "conditions")
        Traceback (most recent call last):
        ...
        simplicert.errors.InputError: conditions is not JSON: 'NaN' is no number
    """
    real, whole = (str, str) if numbers_as_text else (_finite, int)

    def parse(text: str) -> Any:
        value = json.loads(
            text,
            parse_float=real,
            parse_int=whole,
            parse_constant=real,
            object_pairs_hook=_once,
        )
        # Half of a pair, which only an escape can name, is no character.
        if "\\ud" in text.lower():
            json.dumps(value, ensure_ascii=False).encode()
        return value

    return _parsed(parse, content, source, "JSON")


def parse_toml(content: str | bytes, source: object) -> dict[str, Any]:
    """What TOML says.

    Args:
        content: Text, or its bytes in UTF-8.
        source: Where it is from, for the message.

    Raises:
        InputError: It is not TOML, nested too deeply, or holds a whole number that no
            machine can.
    """
    table: dict[str, Any] = _parsed(tomllib.loads, content, source, "TOML")
    return table


def whole_number(text: str, source: str = "") -> int:
    """The whole number, of 64 bits, that a text is: digits, perhaps with a sign.

    Args:
        text: The text.
        source: Where it is from, for the message.

    Raises:
        InputError: It is none. (Python's ``int`` takes 1_000, digits of all scripts,
            and spaces.)

    Example:
        >>> whole_number("-12", "line 3")
        -12
    """
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise InputError(f"{_at(source)}{_short(text)} is not a whole number")
    digits = text.lstrip("+-").lstrip("0")
    if len(digits) > 20 or abs(int(text)) >= 2**64:
        raise InputError(f"{_at(source)}{_short(text)} is more than 64 bits hold")
    return int(text)


def number(text: str, source: str = "") -> float:
    """The finite number that a text is, as ``print`` would write it.

    Args:
        text: The text.
        source: Where it is from, for the message.

    Raises:
        InputError: It is none, or is as large as none can be.

    Example:
        >>> number("2.5e-1", "line 3")
        0.25
    """
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        raise InputError(f"{_at(source)}{_short(text)} is not a number")
    try:
        return _finite(text)
    except ValueError as error:
        raise InputError(f"{_at(source)}{error}") from error


def _at(source: str) -> str:
    return source and f"{source}: "


def _parsed(
    parse: Callable[[str], Any], content: str | bytes, source: object, what: str
) -> Any:
    try:
        stored = content if isinstance(content, bytes) else content.encode()
        value = parse(stored.decode())
    except RecursionError as error:
        raise InputError(f"{source} is nested too deeply to be read") from error
    except ValueError as error:  # theirs, of bytes that are no text, of endless digits
        reason = next(iter(str(error).splitlines()), "it is broken")
        if reason.startswith("Exceeds the limit"):  # of digits, for any integer
            raise _too_large(source) from error
        raise InputError(f"{source} is not {what}: {reason}") from error
    _check_all(value, source)
    return value


def _check_all(value: Any, source: object) -> None:
    """Level by level, as a walk that calls itself is what great depth breaks."""
    level = [value]
    for _ in range(DEEPEST):
        if any(type(each) is int and each.bit_length() > LONGEST for each in level):
            raise _too_large(source)
        level = [
            child
            for each in level
            if isinstance(each, list | dict)
            for child in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise InputError(
        f"{source} is nested too deeply to be read: more than {DEEPEST} levels"
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of two values of one name nobody knows which is meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        [(name, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"an object has the name {_short(name)} twice")
    return found


def _too_large(source: object) -> InputError:
    return InputError(f"{source} holds a whole number of more than {LONGEST} bits")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{_short(text)} is no number")
    return value


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
