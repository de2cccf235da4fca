"""The evidence of randomised smoothing: votes, in memory and on disk. No torch."""

from simplicert.votes.manifest import DataSource, Manifest, ModelSource
from simplicert.votes.merging import merge_runs
from simplicert.votes.rows import VoteRows
from simplicert.votes.run import RunDirectory, read_run
from simplicert.votes.table import Votes

__all__ = [
    "DataSource",
    "Manifest",
    "ModelSource",
    "RunDirectory",
    "VoteRows",
    "Votes",
    "merge_runs",
    "read_run",
]
