"""Other people's counts and logs, as runs of ours: one file a format."""

from simplicert.interop.evidence import certify_any, certify_log
from simplicert.interop.export import cohen_table, write_certificates
from simplicert.interop.importing import Imported, ImportKind, import_file
from simplicert.interop.reported import ReportedLog, is_reported_log

__all__ = [
    "ImportKind",
    "Imported",
    "ReportedLog",
    "certify_any",
    "certify_log",
    "cohen_table",
    "import_file",
    "is_reported_log",
    "write_certificates",
]
