"""``simplicert merge``: shards of a run → one run."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from simplicert.cli.printing import say
from simplicert.errors import InputError
from simplicert.interop import check_votes
from simplicert.votes import merge_runs


def merge_command(
    runs: list[Path],
    /,
    *,
    out: Annotated[Path, Parameter(alias="-o")],
) -> None:
    """Join run directories from machines that share no disk.

    Refuses what does not belong together, and says which field differs.

        simplicert merge node1/run node2/run -o run

    Args:
        runs: Runs of one model, data set, sigma and seed.
        out: The run to write.
    """
    if len(runs) == 1:
        raise InputError(
            f"one run needs no merging: simplicert compact {runs[0]} joins its parts"
        )
    for run in runs:
        check_votes(run)
    merged = merge_runs(runs, out)
    done = merged.done()
    far = f"{len(done)} images, {done.mean():.0%} of their draws"
    if merged.manifest.stops_early:
        far = f"{done.all(axis=1).sum()} of {len(done)} images finished"
    say(
        f"{out}: {far}" + ("" if done.all() else "; continue it with simplicert sample")
    )
