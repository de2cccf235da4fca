"""Statistics of certificates, each a table with named columns. No drawing, no torch."""

from simplicert.analysis.accuracy import (
    average_certified_radius,
    certified_accuracy,
    curve_radii,
    dataset_guarantee,
    false_certificates,
)
from simplicert.analysis.beside import Beside, beside
from simplicert.analysis.breakdown import abstentions, per_class
from simplicert.analysis.compare import compare_runs, comparison_summary, paired_tests
from simplicert.analysis.draws import against_draws, certificates_by_draws, times
from simplicert.analysis.formats import TableFormat, format_table, write_table
from simplicert.analysis.margins import MarginsOnSimplex, margins_on_simplex
from simplicert.analysis.procedures import (
    accuracy_of_procedures,
    certified_by_procedures,
)
from simplicert.analysis.published import accuracy_at, usual_radii
from simplicert.analysis.stops import spending, stops
from simplicert.analysis.tables import (
    has_baseline,
    improvement_survival,
    largest_mechanism,
    largest_shares,
    table1,
    table2,
)
from simplicert.analysis.where import region_boundaries, region_shares, simplex_density

__all__ = [
    "Beside",
    "MarginsOnSimplex",
    "TableFormat",
    "abstentions",
    "accuracy_at",
    "accuracy_of_procedures",
    "against_draws",
    "average_certified_radius",
    "beside",
    "certificates_by_draws",
    "certified_accuracy",
    "certified_by_procedures",
    "compare_runs",
    "comparison_summary",
    "curve_radii",
    "dataset_guarantee",
    "false_certificates",
    "format_table",
    "has_baseline",
    "improvement_survival",
    "largest_mechanism",
    "largest_shares",
    "margins_on_simplex",
    "paired_tests",
    "per_class",
    "region_boundaries",
    "region_shares",
    "simplex_density",
    "spending",
    "stops",
    "table1",
    "table2",
    "times",
    "usual_radii",
    "write_table",
]
