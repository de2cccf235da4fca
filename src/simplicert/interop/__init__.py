"""Other people's counts and logs, as runs of ours: one file a format."""

from simplicert.interop.evidence import (
    Evidence,
    LogEvidence,
    RunEvidence,
    certify_path,
    open_evidence,
)
from simplicert.interop.export import cohen_table, write_certificates
from simplicert.interop.format import Asked, Counts, Format, Match
from simplicert.interop.formats import FORMATS
from simplicert.interop.importing import Imported, import_file
from simplicert.interop.leaderboard import leaderboard_record
from simplicert.interop.reported import ReportedLog, check_votes, is_reported_log
from simplicert.interop.table import Table
from simplicert.interop.verified import Verified, read_verified

__all__ = [
    "FORMATS",
    "Asked",
    "Counts",
    "Evidence",
    "Format",
    "Imported",
    "LogEvidence",
    "Match",
    "ReportedLog",
    "RunEvidence",
    "Table",
    "Verified",
    "certify_path",
    "check_votes",
    "cohen_table",
    "import_file",
    "is_reported_log",
    "leaderboard_record",
    "open_evidence",
    "read_verified",
    "write_certificates",
]
