"""Figures about data: one file each. A new one is a file and a line here.

``simplex`` and ``comparison`` draw what needs no run, or two.
"""

from simplicert.figures.accuracy import accuracy as accuracy
from simplicert.figures.density import density as density
from simplicert.figures.draws import draws as draws
from simplicert.figures.images import images as images
from simplicert.figures.improvement import improvement as improvement
from simplicert.figures.protocol import Figure as Figure
from simplicert.figures.protocol import View as View
from simplicert.figures.runs import runs as runs
from simplicert.figures.times import times as times
from simplicert.plugins import Kind, value_of

BUILT_IN = {each.name: each for each in vars().values() if isinstance(each, Figure)}

FIGURES: Kind[Figure] = Kind(
    name="figure",
    built_in=BUILT_IN,
    admit=value_of(
        Figure,
        BUILT_IN,
        expected="simplicert.figures.Figure(name=…, table=…, draw=…)",
    ),
)
