"""The outcome of an audit: as a table, as JSON, as an exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from reclamo.corpus.audit.finding import SEVERITIES, Finding, Severity

Status = Literal["found", "silent", "not_applicable"]
SHOWN_IDS: Final = 4


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one check came to; `reason` says why it was not applicable."""

    check: str
    findings: tuple[Finding, ...] = ()
    reason: str = ""

    @property
    def status(self) -> Status:
        """Found, silent or not applicable."""
        return "found" if self.findings else "not_applicable" if self.reason else "silent"


@dataclass(frozen=True, kw_only=True)
class Report:
    """The outcome of every check, over so many messages."""

    messages: int
    outcomes: tuple[Outcome, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, the worst first."""
        every = [finding for outcome in self.outcomes for finding in outcome.findings]
        return tuple(sorted(every, key=lambda finding: (SEVERITIES.index(finding.severity), finding.code)))

    @property
    def counts(self) -> dict[Severity, int]:
        """How many findings of each severity."""
        counted = Counter(finding.severity for finding in self.findings)
        return {severity: counted[severity] for severity in SEVERITIES}

    @property
    def exit_code(self) -> int:
        """1 where there is an error, else 0."""
        return 1 if self.counts["error"] else 0

    def outcome(self, check: str) -> Outcome:
        """The outcome of one check."""
        return next(outcome for outcome in self.outcomes if outcome.check == check)

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "messages": self.messages,
            "counts": self.counts,
            "checks": [
                {"check": o.check, "status": o.status, "findings": len(o.findings)} | ({"reason": o.reason} if o.reason else {})
                for o in self.outcomes
            ],
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def table(self, *, each: int | None = 10) -> str:
        """Lay it out for a terminal: the checks, the findings (at most `each` of a code; None for all), and what to do."""
        counts = ", ".join(f"{n} {severity}{'s' if n != 1 and severity != 'info' else ''}" for severity, n in self.counts.items())
        parts = [f"{self.messages} messages: {counts}", _columns(["check", "outcome", "findings"], self._check_rows())]
        if self.findings:
            parts.append(_columns(["severity", "code", "check", "saw", "where"], self._finding_rows(each)))
            todo = {finding.code: finding.do for finding in self.findings}
            parts.append(_columns(["code", "what to do"], [[code, do] for code, do in sorted(todo.items())]))
        return "\n\n".join(parts)

    def _check_rows(self) -> list[list[str]]:
        rows = []
        for outcome in self.outcomes:
            shown = outcome.status.replace("_", " ") + (f": {outcome.reason}" if outcome.reason else "")
            rows.append([outcome.check, shown, str(len(outcome.findings) or "")])
        return rows

    def _finding_rows(self, each: int | None) -> list[list[str]]:
        rows: list[list[str]] = []
        total = Counter(finding.code for finding in self.findings)
        shown: Counter[str] = Counter()
        for finding in self.findings:
            shown[finding.code] += 1
            if each is None or shown[finding.code] <= each:
                rows.append([finding.severity, finding.code, finding.check, finding.saw, _where(finding.where)])
            elif shown[finding.code] == each + 1:
                rows.append([finding.severity, finding.code, finding.check, f"… and {total[finding.code] - each} more", ""])
        return rows


def _where(where: Sequence[str]) -> str:
    more = len(where) - SHOWN_IDS
    return " ".join(where[:SHOWN_IDS]) + (f" +{more}" if more > 0 else "")


def _columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, *rows]
    widths = [max(len(line[k]) for line in lines) for k in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
