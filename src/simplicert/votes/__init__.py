"""The evidence of randomised smoothing: votes and their facts. No torch."""

from simplicert.votes.looks import Look
from simplicert.votes.manifest import Manifest
from simplicert.votes.merging import merge_runs
from simplicert.votes.progress import Progress
from simplicert.votes.rows import VoteRows
from simplicert.votes.run import RunDirectory, read_run
from simplicert.votes.sources import DataSource, ModelSource, NoiseSource
from simplicert.votes.status import RunStatus, ShareStatus, run_status
from simplicert.votes.table import Votes

__all__ = [
    "DataSource",
    "Look",
    "Manifest",
    "ModelSource",
    "NoiseSource",
    "Progress",
    "RunDirectory",
    "RunStatus",
    "ShareStatus",
    "VoteRows",
    "Votes",
    "merge_runs",
    "read_run",
    "run_status",
]
