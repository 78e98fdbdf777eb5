"""Audit a labelled corpus: coded checks, what each saw, how bad it is and what to do."""

from reclamo.corpus.audit.finding import KINDS, Finding
from reclamo.corpus.audit.label_errors import label_error_check
from reclamo.corpus.audit.registry import CHECKS, audit, audit_path, parse_severities
from reclamo.corpus.audit.report import Outcome, Report
from reclamo.corpus.audit.subject import Check, Limits, NotApplicable, Subject

__all__ = [
    "CHECKS",
    "KINDS",
    "Check",
    "Finding",
    "Limits",
    "NotApplicable",
    "Outcome",
    "Report",
    "Subject",
    "audit",
    "audit_path",
    "label_error_check",
    "parse_severities",
]
