"""Procedures: votes, alpha → intervals. One file each; a new one is a line here."""

from simplicert.paper import PROCEDURES as FRAMEWORKS
from simplicert.plugins import kind_of_values
from simplicert.procedures.clopper_pearson import clopper_pearson as clopper_pearson
from simplicert.procedures.empirical_bernstein import (
    empirical_bernstein as empirical_bernstein,
)
from simplicert.procedures.goodman import goodman as goodman
from simplicert.procedures.hoeffding import hoeffding as hoeffding
from simplicert.procedures.joint import joint as joint
from simplicert.procedures.laws import check_procedure
from simplicert.procedures.margins import margins as margins
from simplicert.procedures.protocol import Intervals as Intervals
from simplicert.procedures.protocol import Procedure as Procedure
from simplicert.procedures.reach import largest_e0_lower as largest_e0_lower
from simplicert.procedures.reach import min_draws as min_draws
from simplicert.procedures.simultaneous import Seen as Seen
from simplicert.procedures.simultaneous import simultaneous as simultaneous
from simplicert.procedures.sison_glaz import sison_glaz as sison_glaz
from simplicert.procedures.two_stage import two_stage as two_stage

PROCEDURES = kind_of_values(
    "procedure",
    Procedure,
    vars(),
    expected="simplicert.procedures.Procedure(…), or simultaneous(…)",
    reserved=FRAMEWORKS,
    check=check_procedure,
)
