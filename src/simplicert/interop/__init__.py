"""Other people's counts and logs, as runs of ours: one file a format."""

from simplicert.interop.evidence import (
    Evidence,
    LogEvidence,
    RunEvidence,
    certify_path,
    open_evidence,
)
from simplicert.interop.export import cohen_table, write_certificates
from simplicert.interop.importing import Imported, ImportKind, import_file
from simplicert.interop.reported import ReportedLog, is_reported_log

__all__ = [
    "Evidence",
    "ImportKind",
    "Imported",
    "LogEvidence",
    "ReportedLog",
    "RunEvidence",
    "certify_path",
    "cohen_table",
    "import_file",
    "is_reported_log",
    "open_evidence",
    "write_certificates",
]
