"""Ids that stand twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from reclamo.corpus.audit.finding import Finding, found
from reclamo.corpus.audit.subject import Subject


def check_ids(subject: Subject) -> Iterator[Finding]:
    """Find ids that more than one message has."""
    for name, count in sorted(Counter(example.id for example in subject.examples).items()):
        if count > 1:
            yield found("A301", f"{count} messages have the id {name!r}", (name,))
