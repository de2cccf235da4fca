"""Write the table of docs/transitive.md anew, from the votes committed beside this.

    python results/transitive.py

Draws spent on the neighbours of an image, against the same draws spent on the image
itself. Needs no torch, no data and no weights.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from simplicert import certify
from simplicert.analysis.accuracy import counted_radius
from simplicert.certificates.record import Certificates
from simplicert.rounding import round_down
from simplicert.votes import RunDirectory, Votes

RESULTS = Path(__file__).resolve().parent
ALPHA = 0.001
PILOT = 1000
"""Draws of an image that chose its neighbours, and were not kept."""

AT = 0.5
"""At which radius to say the certified accuracy."""

PAGE = RESULTS.parent / "docs" / "transitive.md"
BEGIN, END = "<!-- transitive.py: begin -->\n", "<!-- transitive.py: end -->\n"


def find_runs(root: Path = RESULTS) -> list[Path]:
    """The runs of neighbours below ``root``."""
    runs = sorted(path.parent for path in root.rglob("manifest.json"))
    return [run for run in runs if RunDirectory(run).manifest.data.neighbours]


def votes_of(run: Path, *, draws: int) -> Votes:
    """Of the images that a run has neighbours of, their own first draws."""
    around = RunDirectory(run).manifest.data.neighbours
    assert around is not None
    directory = RunDirectory(RESULTS / "cifar10-margins" / run.name)
    assert directory.manifest.block is not None
    blocks = slice(0, draws // directory.manifest.block)
    votes = directory.read(blocks=blocks, scores=False)
    return votes[np.isin(votes.indices, around.images)]


def spent(run: Path) -> dict[str, Certificates]:
    """Certificates of the images by what was drawn of each.

    ``own``: as many draws of it as of a neighbour. ``with``: its neighbours as well.
    ``more``: as many draws of its own as these were with the neighbours' and the pilot.
    """
    neighbours = RunDirectory(run).read(scores=False)
    assert neighbours.manifest is not None
    around = neighbours.manifest.data.neighbours
    assert around is not None
    draws = neighbours.manifest.draws
    own = votes_of(run, draws=draws)
    more = votes_of(run, draws=draws * (1 + around.each) + PILOT)
    return {
        "own": certify(own, alpha=ALPHA),
        "with": certify(own, alpha=ALPHA, neighbours=neighbours),
        "more": certify(more, alpha=ALPHA),
    }


def cost_table(runs: Sequence[Path]) -> pd.DataFrame:
    """Mean radius and certified accuracy by mechanism, and how many radii are larger.

    Radii count as 0 where the class is wrong.
    """
    rows = []
    for run in runs:
        found = spent(run)
        for name in found["own"].radii:
            radii = {each: counted_radius(found[each], name) for each in found}
            rows.append(
                {
                    "run": run.name,
                    "mechanism": name,
                    **{f"mean, {each}": float(r.mean()) for each, r in radii.items()},
                    **{
                        f"at {AT:g}, {each}": float((r > AT).mean())
                        for each, r in radii.items()
                    },
                    "above own": int((radii["with"] > radii["own"]).sum()),
                    "above more": int((radii["with"] > radii["more"]).sum()),
                }
            )
    return pd.DataFrame(rows)


def text_of(table: pd.DataFrame) -> str:
    """The table in Markdown, numbers rounded down."""
    lines = [[*table.columns], ["---"] * len(table.columns)]
    lines += [
        [
            f"{round_down(each, 3):.3f}" if isinstance(each, float) else str(each)
            for each in row
        ]
        for row in table.itertuples(index=False)
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def written(page: str, table: str) -> str:
    """The page with the table in its place."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}{table}{END}{after}"


def main() -> None:
    """Write the table into the page."""
    table = text_of(cost_table(find_runs()))
    PAGE.write_text(written(PAGE.read_text("utf-8"), table), "utf-8")


if __name__ == "__main__":
    main()
