"""What every derivation is given: the runs, and figures drawn into one folder."""

import base64
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import matplotlib
import pandas as pd
from committed import CIFAR10, IMAGENET, Committed, one_each
from matplotlib.figure import Figure as Drawn

from simplicert.figures import FIGURES, View
from simplicert.figures.simplex import SimplexAxes, simplex_figure
from simplicert.figures.style import new_figure, print_style, save_figure
from simplicert.simplex import COMPARISONS, Compared, compare

__all__ = ["Derived", "Picture", "Studio", "Table"]

AGREES, PARTLY, DIFFERS = "agrees", "agrees in part", "differs"
OPEN, UNSAID, MISSING = "not settled", "theirs not known", "no votes yet"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure: its title and caption, and its bytes as an address."""

    title: str
    caption: str
    src: str
    file: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Numbers under a title; a column whose name ends in ``%`` holds shares.

    Attributes:
        title: What they are.
        frame: The numbers.
        turned: Whether the page has a column for each of its rows, which are few.
    """

    title: str
    frame: pd.DataFrame
    turned: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Derived:
    """Ours, beside one place of the paper.

    Attributes:
        verdict: Whether it agrees.
        ours: What the votes say, in a sentence or two.
        differs: What is not as in the paper, beyond what the runs' table says.
        numbers: What can be held number against number: what, theirs, ours.
        pictures: Figures.
        tables: Ours in full.
        notes: What a reader must know of them.
    """

    verdict: str
    ours: str
    differs: str = ""
    numbers: Sequence[tuple[str, str, str]] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Studio:
    """The committed runs, and a folder for figures.

    Attributes:
        runs: All of them.
        folder: Where figures are written.
        root: The folder that the runs are below.
        resolution: Points a side of the triangle, for what is over the simplex.
    """

    runs: Sequence[Committed]
    folder: Path
    root: Path | None = None
    resolution: int = 400
    _compared: dict[str, Compared] = field(default_factory=dict)
    _written: Counter[str] = field(default_factory=Counter)

    @cached_property
    def own(self) -> list[Committed]:
        """Runs of the paper's own experiments: plain augmentation, or none on ImageNet.

        A network that never saw noise stands for the paper's on ImageNet alone, where
        there is no other.
        """
        return [
            run
            for run in self.runs
            if not run.place and (run.method == "" or run.data == IMAGENET)
        ]

    @cached_property
    def shown(self) -> list[Committed]:
        """Of these one a network, data and sigma: those that are drawn."""
        return one_each(self.own)

    def of(self, data: str) -> list[Committed]:
        """The runs that are drawn, of one of the paper's data sets."""
        return [run for run in self.shown if run.data == data]

    @property
    def cifar10(self) -> list[Committed]:
        """Those of CIFAR-10."""
        return self.of(CIFAR10)

    @property
    def imagenet(self) -> list[Committed]:
        """Those of 1,000 classes."""
        return self.of(IMAGENET)

    def compared(self, name: str) -> Compared:
        """A comparison over the simplex, made once."""
        if name not in self._compared:
            made = compare(COMPARISONS[name], resolution=self.resolution)
            self._compared[name] = made
        return self._compared[name]

    def draw(
        self, name: str, views: Sequence[View], title: str, caption: str
    ) -> list[Picture]:
        """One of the house's figures, as far as there is evidence for it."""
        figure = FIGURES.find(name)
        pictures = []
        for stem, table in figure.drawn_from(views).items():
            with _look():
                drawn = new_figure()
                figure.draw(table, drawn.subplots())
                pictures.append(self._kept(drawn, stem, title, caption))
        return pictures

    def map(self, name: str, axes: SimplexAxes, title: str, caption: str) -> Picture:
        """A comparison over the simplex, drawn."""
        with _look():
            drawn = simplex_figure(self.compared(name), axes=axes)
            return self._kept(drawn, f"{name}-{axes}", title, caption)

    def _kept(self, drawn: Drawn, stem: str, title: str, caption: str) -> Picture:
        for odd in " ,=≤/":
            stem = stem.replace(odd, "-")
        self._written[stem] += 1  # a figure a data set has one name
        if self._written[stem] > 1:
            stem = f"{stem}-{self._written[stem]}"
        path = save_figure(drawn, self.folder / f"{stem}.svg")
        code = base64.b64encode(path.read_bytes()).decode()
        return Picture(
            title=title,
            caption=caption,
            src=f"data:image/svg+xml;base64,{code}",
            file=path.name,
        )


@contextmanager
def _look() -> Iterator[None]:
    """The house's print style, with text that stays text: a fifth of the bytes."""
    with print_style(), matplotlib.rc_context({"svg.fonttype": "none"}):
        yield
