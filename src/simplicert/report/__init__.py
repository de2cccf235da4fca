"""One self-contained HTML page for one or more runs. Data in, string out; no torch."""

from simplicert.report.load import load_runs
from simplicert.report.page import render_report, write_report
from simplicert.report.portraits import Pictures, Portrait, portraits_of
from simplicert.report.run import ReportRun
from simplicert.report.write import Written, write

__all__ = [
    "Pictures",
    "Portrait",
    "ReportRun",
    "Written",
    "load_runs",
    "portraits_of",
    "render_report",
    "write",
    "write_report",
]
