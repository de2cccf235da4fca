"""``simplicert compact``: the parts of a run → one file, and the digest."""

from pathlib import Path

from simplicert.cli.printing import say
from simplicert.interop import check_votes
from simplicert.votes import RunDirectory
from simplicert.votes.chosen import draws_in_words
from simplicert.votes.holding import holding_run


def compact_command(run: Path, /) -> None:
    """Join the parts of a run into one file and print its digest.

    Needs no model and no GPU. Refuses while a process draws into the run.

        simplicert compact runs/s0.50

    Args:
        run: A run directory, finished or not.
    """
    check_votes(run)
    opened = RunDirectory(run)
    with holding_run(run):
        opened.compact()
        done = opened.done()
        votes = opened.read(scores=opened.manifest.scores) if done.all() else None
    parts = f"{len(opened.parts)} file of votes"
    if votes is None:
        far = f"{done.mean():.1%} of the draws"
        if opened.manifest.stops_early:
            far = f"{done.all(axis=1).sum():,} of {len(done):,} images finished"
        say(f"{run}: {parts}, {far}")
        say("next: the simplicert sample command that began it, until it is whole")
    else:
        draws = draws_in_words(votes.draws)
        say(
            f"{run}: {parts}, {len(votes)} images × {draws}, votes {votes.digest[:16]}…"
        )
        say(f"next: simplicert certify {run}")
