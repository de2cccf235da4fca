"""Procedures on trial: certified again and again where the truth is known.

One file says what the synthetic classifiers are and how far each one's answer truly
holds, one what a procedure may be, and one counts its false certificates.
"""

from simplicert.audit.procedures.subjects import find_audited as find_audited
from simplicert.audit.procedures.synthetic import Synthetic as Synthetic
from simplicert.audit.procedures.synthetic import stripes as stripes
from simplicert.audit.procedures.trials import try_procedure as try_procedure
