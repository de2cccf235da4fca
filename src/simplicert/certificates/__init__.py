"""Votes and alpha → certified radii, and what they rest on."""

from simplicert.certificates.certify import certify, certify_two_stage
from simplicert.certificates.record import ABSTAIN, Certificates, Framework

__all__ = ["ABSTAIN", "Certificates", "Framework", "certify", "certify_two_stage"]
