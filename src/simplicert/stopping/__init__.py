"""Stopping rules: one file each. A new one is a file and a line here."""

from simplicert.errors import InputError
from simplicert.plugins import Kind, Origin
from simplicert.stopping.named import named as named
from simplicert.stopping.protocol import Rule as Rule
from simplicert.stopping.replay import replay as replay
from simplicert.stopping.replay import spread as spread

BUILT_IN = {each.name: each for each in vars().values() if isinstance(each, Rule)}


def _admit(thing: object, origin: Origin) -> Rule:
    if not isinstance(thing, Rule):
        raise InputError(
            f"{origin.text} is no stopping rule: expected simplicert.stopping.Rule("
            "name=…, decided=…)"
        )
    if thing.name in BUILT_IN:
        raise InputError(f"a rule of your own cannot be called {thing.name!r}")
    return thing


RULES: Kind[Rule] = Kind(name="rule", built_in=BUILT_IN, admit=_admit)
