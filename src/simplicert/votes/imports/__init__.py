"""Other people's counts and logs, as runs of ours: one file a format."""

from simplicert.votes.imports.importing import Imported, ImportKind, import_file
from simplicert.votes.imports.reported import ReportedLog, is_reported_log

__all__ = ["ImportKind", "Imported", "ReportedLog", "import_file", "is_reported_log"]
