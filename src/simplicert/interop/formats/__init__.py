"""Formats: one file each. A new one is a file and a line here."""

from simplicert.interop.format import Format
from simplicert.interop.formats.cohen import cohen as cohen
from simplicert.interop.formats.counts import counts as counts
from simplicert.interop.formats.dsrs import dsrs as dsrs
from simplicert.interop.formats.long import long as long
from simplicert.interop.formats.top_two import top_two as top_two
from simplicert.interop.formats.two_stage import two_stage as two_stage
from simplicert.plugins import kind_of_values

FORMATS = kind_of_values(
    "format",
    Format,
    vars(),
    expected="simplicert.interop.Format(name, title, options, match, read)",
)
