"""How many messages each label has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reclamo.corpus.audit.finding import Finding, found
from reclamo.corpus.audit.subject import NotApplicable, Subject
from reclamo.corpus.counts import count_labels


def check_counts(subject: Subject) -> Iterator[Finding]:
    """Find labels with too few messages in a language that annotates their head."""
    least = subject.limits.label_least
    for head, labels, languages in _annotated(subject):
        for label, counts in labels.items():
            few = {lang: counts.get(lang, 0) for lang in languages if counts.get(lang, 0) < least}
            if few:
                shown = ", ".join(f"{count} in {lang}" for lang, count in few.items())
                yield found("A611", f"{head}.{label} has {shown}; expected {least}")


def check_imbalance(subject: Subject) -> Iterator[Finding]:
    """Find heads whose commonest label is many times as frequent as their rarest, by language."""
    ratio = subject.limits.ratio
    for head, labels, languages in _annotated(subject):
        for lang in languages:
            ranked = sorted((counts.get(lang, 0), label) for label, counts in labels.items())
            (few, rare), (many, common) = ranked[0], ranked[-1]
            if many > ratio * max(few, 1):
                yield found("A621", f"{lang}: {head} has {many} {common} and {few} {rare}; expected at most {ratio:g} to 1")


def _annotated(subject: Subject) -> Iterator[tuple[str, Mapping[str, Mapping[str, int]], list[str]]]:
    """Each head with its counts {label: {language: n}} and the languages that annotate it."""
    counted: dict[str, Any] = count_labels(subject.examples, subject.taxonomy)
    heads = {name: counted[name] for name in subject.taxonomy.by_name}
    if not any(counts for labels in heads.values() for counts in labels.values()):
        raise NotApplicable("no message has a label")
    for name, labels in heads.items():
        languages = [lang for lang in subject.by_language if any(counts.get(lang) for counts in labels.values())]
        if languages:
            yield name, labels, languages
