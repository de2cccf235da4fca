"""Audits: what tries to falsify certificates, ours or anybody's.

Four strengths, each a room or a file here: what a log or a run claims, its blocks drawn
again, a search for a label that changes inside a ball, and a procedure run thousands of
times where the truth is known. Each gives findings; a verdict is made of all of them.
"""

from simplicert.audit.claims import audit_claims as audit_claims
from simplicert.audit.finding import Audit as Audit
from simplicert.audit.finding import Finding as Finding
