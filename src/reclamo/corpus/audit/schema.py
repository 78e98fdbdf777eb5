"""Rows and labels that the taxonomy does not know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from reclamo.corpus.audit.finding import Finding, found
from reclamo.corpus.audit.subject import Subject


def check_schema(subject: Subject) -> Iterator[Finding]:
    """Find rows that could not be read, labels that break a rule, unknown keys and languages, messages without a label."""
    yield from subject.problems
    known = subject.taxonomy.languages
    unknown: dict[str, list[str]] = defaultdict(list)
    for example in subject.examples:
        if example.lang and example.lang not in known:
            unknown[example.lang].append(example.id)
    for lang, ids in sorted(unknown.items()):
        yield found("A104", f"{len(ids)} message(s) in {lang!r}; the taxonomy has {', '.join(known)}", tuple(ids))
    without = tuple(example.id for example in subject.examples if not example.lang)
    if without:
        yield found("A105", f"{len(without)} message(s) without a language", without)
    bare = tuple(example.id for example in subject.examples if not example.labels.keys() - {"role"})
    if bare:
        yield found("A106", f"{len(bare)} message(s) without a label", bare)
