"""Stopping rules: one file each. A new one is a file and a line here.

A rule with parameters is a function that makes it, and a line in ``catalogue.MAKERS``.
"""

from simplicert.plugins import kind_of_values
from simplicert.stopping.budget import budget as budget
from simplicert.stopping.catalogue import MAKERS
from simplicert.stopping.catalogue import as_rule as as_rule
from simplicert.stopping.catalogue import find_rule as find_rule
from simplicert.stopping.catalogue import outside_code as outside_code
from simplicert.stopping.catalogue import rule_from as rule_from
from simplicert.stopping.decided import with_decisions as with_decisions
from simplicert.stopping.looks import looks_for as looks_for
from simplicert.stopping.looks import spread as spread
from simplicert.stopping.named import named as named
from simplicert.stopping.protocol import Rule as Rule
from simplicert.stopping.protocol import asked as asked
from simplicert.stopping.protocol import check_rule as check_rule
from simplicert.stopping.protocol import draws_to_come as draws_to_come
from simplicert.stopping.protocol import outcome_of as outcome_of
from simplicert.stopping.replay import Replay as Replay
from simplicert.stopping.replay import looks_of as looks_of
from simplicert.stopping.replay import replay as replay
from simplicert.stopping.sure import sure as sure
from simplicert.stopping.until import until as until
from simplicert.stopping.within import within as within
from simplicert.votes.words import rule_in_words as rule_in_words

RULES = kind_of_values(
    "rule",
    Rule,
    vars(),
    expected="simplicert.stopping.Rule(name=…, decided=…)",
    reserved=MAKERS,
)
