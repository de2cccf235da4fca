"""The one error a user can cause."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """What was given cannot be used; the message says what, where, why and what to do.

    The command line shows the message alone and exits with 2. Any other exception is
    a bug in Simplicert and keeps its traceback.
    """


def unknown_name(kind: str, name: str, known: Iterable[str]) -> InputError:
    """The error for a name that is not in a catalogue: lists it, nearest first.

    Example:
        >>> str(unknown_name("mechanism", "cohn", ["li", "cohen"]))
        "unknown mechanism 'cohn': did you mean 'cohen'? Known: cohen, li"
    """
    nearest = sorted(
        known, key=lambda k: (-difflib.SequenceMatcher(None, name, k).ratio(), k)
    )
    hint = difflib.get_close_matches(name, nearest, n=1)
    question = f": did you mean {hint[0]!r}?" if hint else "."
    return InputError(f"unknown {kind} {name!r}{question} Known: {', '.join(nearest)}")
