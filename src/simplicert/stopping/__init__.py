"""Stopping rules: one file each. A new one is a file and a line here.

They are replayed over stored runs; sampling does not ask them yet.
"""

from simplicert.plugins import kind_of_values
from simplicert.stopping.named import named as named
from simplicert.stopping.protocol import Rule as Rule
from simplicert.stopping.replay import Replay as Replay
from simplicert.stopping.replay import replay as replay
from simplicert.stopping.replay import spread as spread

RULES = kind_of_values(
    "rule",
    Rule,
    vars(),
    expected="simplicert.stopping.Rule(name=…, decided=…)",
)
