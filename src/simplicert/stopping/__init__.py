"""Stopping rules: one file each. A new one is a file and a line here.

They are replayed over stored runs; sampling does not ask them yet.
"""

from simplicert.plugins import Kind, value_of
from simplicert.stopping.named import named as named
from simplicert.stopping.protocol import Rule as Rule
from simplicert.stopping.replay import Replay as Replay
from simplicert.stopping.replay import replay as replay
from simplicert.stopping.replay import spread as spread

BUILT_IN = {each.name: each for each in vars().values() if isinstance(each, Rule)}

RULES: Kind[Rule] = Kind(
    name="rule",
    built_in=BUILT_IN,
    admit=value_of(
        Rule,
        BUILT_IN,
        expected="simplicert.stopping.Rule(name=…, decided=…)",
    ),
)
