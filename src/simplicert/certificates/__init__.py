"""Votes and alpha → certified radii, and the facts that they rest on."""

from simplicert.certificates.certify import ALPHA, certify, find_procedure, why_not
from simplicert.certificates.record import ABSTAIN, Certificates

__all__ = ["ABSTAIN", "ALPHA", "Certificates", "certify", "find_procedure", "why_not"]
