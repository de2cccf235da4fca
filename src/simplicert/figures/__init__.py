"""Figures about data: one file each. A new one is a file and a line here.

``simplex`` and ``comparison`` draw what needs no run, or two.
"""

from simplicert.figures.accuracy import accuracy as accuracy
from simplicert.figures.density import density as density
from simplicert.figures.draws import draws as draws
from simplicert.figures.images import images as images
from simplicert.figures.improvement import improvement as improvement
from simplicert.figures.margins import margins as margins
from simplicert.figures.procedures import procedures as procedures
from simplicert.figures.protocol import Figure as Figure
from simplicert.figures.protocol import View as View
from simplicert.figures.runs import runs as runs
from simplicert.figures.stops import stops as stops
from simplicert.figures.times import times as times
from simplicert.plugins import kind_of_values

FIGURES = kind_of_values(
    "figure",
    Figure,
    vars(),
    expected="simplicert.figures.Figure(name=…, table=…, draw=…)",
)
