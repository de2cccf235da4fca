"""What neighbours cost and gain, from the votes committed beside this.

    python results/transitive.py

Draws spent on the neighbours of an image, against the same draws spent on the image
itself. Needs no torch, no data and no weights.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from simplicert import certify
from simplicert.analysis.accuracy import counted_radius
from simplicert.certificates.record import Certificates
from simplicert.votes import RunDirectory, Votes

RESULTS = Path(__file__).resolve().parent
ALPHA = 0.001
PILOT = 1000
"""Draws of an image that chose its neighbours, and were not kept."""

RADII = (0.25, 0.5, 1.0)


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
    """Certificates of the images by what was drawn of each."""
    neighbours = RunDirectory(run).read(scores=False)
    assert neighbours.manifest is not None
    around = neighbours.manifest.data.neighbours
    assert around is not None
    draws = neighbours.manifest.draws
    own, total = votes_of(run, draws=draws), draws * (1 + around.each) + PILOT
    return {
        f"{draws:,} of its own": certify(own, alpha=ALPHA),
        f"{total:,} with neighbours": certify(own, alpha=ALPHA, neighbours=neighbours),
        f"{total:,} of its own": certify(votes_of(run, draws=total), alpha=ALPHA),
    }


def cost_table(runs: list[Path]) -> pd.DataFrame:
    """Mean radius and certified accuracy, and how many radii are larger than others.

    Radii count as 0 where the class is wrong. ``above_few`` and ``above_all`` are how
    many are larger than of the image's own draws: as many as it has here, and as many
    as all that were spent.
    """
    rows = []
    for run in runs:
        found = spent(run)
        few, _, most = found.values()
        for name in few.radii:
            for draws, each in found.items():
                radius = counted_radius(each, name)
                rows.append(
                    {
                        "run": run.name,
                        "images": len(each),
                        "mechanism": name,
                        "draws": draws,
                        "mean_radius": float(radius.mean()),
                        **{f"at {at:g}": float((radius > at).mean()) for at in RADII},
                        "above_few": int((radius > counted_radius(few, name)).sum()),
                        "above_all": int((radius > counted_radius(most, name)).sum()),
                    }
                )
    return pd.DataFrame(rows)


def main() -> None:
    """Print the table."""
    print(cost_table(find_runs()).round(4).to_string(index=False))  # noqa: T201


if __name__ == "__main__":
    main()
