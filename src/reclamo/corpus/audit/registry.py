"""The list of checks, and the audit that runs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from reclamo.corpus.audit.counts import check_counts, check_imbalance
from reclamo.corpus.audit.duplicates import check_duplicates
from reclamo.corpus.audit.encoding import check_encoding
from reclamo.corpus.audit.finding import KINDS, SEVERITIES, Finding, Severity, found
from reclamo.corpus.audit.giveaway import check_giveaway
from reclamo.corpus.audit.ids import check_ids
from reclamo.corpus.audit.length import check_length
from reclamo.corpus.audit.openings import check_openings
from reclamo.corpus.audit.pairs import check_pairs
from reclamo.corpus.audit.report import Outcome, Report
from reclamo.corpus.audit.rows import scan, valid_labels
from reclamo.corpus.audit.runs import check_runs
from reclamo.corpus.audit.schema import check_schema
from reclamo.corpus.audit.script import check_script
from reclamo.corpus.audit.splits import check_splits, check_splits_lock
from reclamo.corpus.audit.subject import Check, Limits, NotApplicable, Subject
from reclamo.corpus.example import Example
from reclamo.corpus.split import LOCK
from reclamo.errors import UsageError
from reclamo.taxonomy import Taxonomy

PHRASES: Final = "fixed_phrases.txt"
CHECKS: Final[tuple[Check, ...]] = (
    Check("schema", check_schema),
    Check("encoding", check_encoding),
    Check("script", check_script),
    Check("length", check_length),
    Check("ids", check_ids),
    Check("duplicates", check_duplicates),
    Check("runs", check_runs),
    Check("openings", check_openings),
    Check("splits", check_splits),
    Check("lock", check_splits_lock),
    Check("pairs", check_pairs),
    Check("giveaway", check_giveaway),
    Check("counts", check_counts),
    Check("imbalance", check_imbalance),
)


def audit(
    examples: Sequence[Example],
    taxonomy: Taxonomy,
    *,
    tokenizer: Any = None,
    limits: Limits = Limits(),
    phrases: Sequence[str] = (),
    lock: Path | None = None,
    problems: Sequence[Finding] = (),
    extra: Sequence[Check] = (),
    severities: Mapping[str, Severity] | None = None,
) -> Report:
    """Run every check on labelled messages.

    Args:
        tokenizer: anything with `encode_batch`, such as tokenizers.Tokenizer; without it no text is measured.
        phrases: fixed phrases that messages may share. lock: the splits' lock file. problems: what reading them found.
        extra: checks beside `CHECKS`. severities: by code, in place of those in `KINDS`.
    """
    kept, broken = [], list(problems)
    for example in examples:
        labels, rules = valid_labels(example.labels, taxonomy)
        kept.append(replace(example, labels=labels) if rules else example)
        broken += [found("A102", rule, (example.id,)) for rule in rules]
    subject = Subject(
        examples=tuple(kept),
        taxonomy=taxonomy,
        limits=limits,
        problems=tuple(broken),
        phrases=tuple(phrases),
        tokenizer=tokenizer,
        lock=lock,
    )
    outcomes = tuple(_run(check, subject, severities or {}) for check in (*CHECKS, *extra))
    return Report(messages=len(kept), outcomes=outcomes)


def audit_path(path: str | Path, taxonomy: Taxonomy, *, phrases: str | Path | None = None, **options: Any) -> Report:
    """Audit a corpus file, or a folder with the lock and the fixed phrases that lie in it; `options` are those of `audit`.

    Raises:
        CorpusError: there is no such file, or it is of an unknown format.
        UsageError: the file of fixed phrases cannot be read.
    """
    place = Path(path)
    scanned = scan(place, taxonomy)
    beside = place / PHRASES
    listed = read_phrases(phrases) if phrases else read_phrases(beside) if beside.is_file() else ()
    lock = place / LOCK if place.is_dir() else None
    return audit(scanned.examples, taxonomy, problems=scanned.problems, phrases=listed, lock=lock, **options)


def read_phrases(path: str | Path) -> tuple[str, ...]:
    """Read fixed phrases, one a line; lines that begin with # are remarks."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the fixed phrases cannot be read ({error}); give a UTF-8 text file", path=path) from error
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def parse_severities(given: Iterable[str]) -> dict[str, Severity]:
    """Read CODE=LEVEL. Example: ["A421=warning"] -> {"A421": "warning"}.

    Raises:
        UsageError: the code or the level is unknown.
    """
    levels: dict[str, Severity] = {}
    for item in given:
        code, _, name = item.partition("=")
        level = next((severity for severity in SEVERITIES if severity == name), None)
        if code not in KINDS or level is None:
            raise UsageError(f"--severity is {item!r}; expected a code such as A421, = and one of {', '.join(SEVERITIES)}")
        levels[code] = level
    return levels


def _run(check: Check, subject: Subject, severities: Mapping[str, Severity]) -> Outcome:
    if not subject.examples and check.name != "schema":
        return Outcome(check=check.name, reason="no message could be read")
    try:
        findings = list(check.run(subject))
    except NotApplicable as reason:
        return Outcome(check=check.name, reason=str(reason))
    judged = (replace(finding, severity=severities.get(finding.code, finding.severity)) for finding in findings)
    return Outcome(check=check.name, findings=tuple(judged))
