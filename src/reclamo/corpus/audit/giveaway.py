"""Single words that give a label away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reclamo.corpus.audit.finding import Finding, found
from reclamo.corpus.audit.subject import NotApplicable, Subject, quote
from reclamo.corpus.targets import head_is_asked
from reclamo.taxonomy import Head

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Which messages hold which tokens: bool (messages, tokens)."""

    indices: Sequence[int]
    names: Sequence[str]
    present: Bools


def check_giveaway(subject: Subject) -> Iterator[Finding]:
    """Find tokens that nearly always come with a label, or that take away a large part of its entropy, by language and head."""
    languages = {lang: tokens for lang in subject.by_language if (tokens := _tokens(subject, lang)).names}
    if not languages:
        raise NotApplicable(f"no token stands in {subject.limits.token_support} messages of a language")
    for lang, tokens in languages.items():
        for head in subject.taxonomy.heads:
            yield from _head(subject, lang, head, tokens)


def _tokens(subject: Subject, lang: str) -> Tokens:
    indices = subject.by_language[lang]
    counts = Counter(word for index in indices for word in set(subject.words[index]))
    names = sorted(word for word, count in counts.items() if count >= subject.limits.token_support)
    column = {word: k for k, word in enumerate(names)}
    present = np.zeros((len(indices), len(names)), dtype=np.bool_)
    for row, index in enumerate(indices):
        present[row, [column[word] for word in set(subject.words[index]) if word in column]] = True
    return Tokens(indices=indices, names=names, present=present)


def _head(subject: Subject, lang: str, head: Head, tokens: Tokens) -> Iterator[Finding]:
    labels = [subject.examples[index].labels for index in tokens.indices]
    asked = np.array([head_is_asked(head, row) for row in labels], dtype=np.bool_)
    present = tokens.present[asked]
    values = [row[head.name] for row, here in zip(labels, asked, strict=True) if here]
    ids = [subject.examples[index].id for index, here in zip(tokens.indices, asked, strict=True) if here]
    for label in (True, False) if head.kind == "yes_no" else head.names:
        has = np.array([label in value if isinstance(value, tuple) else value == label for value in values], dtype=np.bool_)
        if not 0 < has.sum() < len(has):
            continue
        support, certain, explained = token_scores(present, has)
        limits = subject.limits
        lift = certain / has.mean()
        alone = (certain >= limits.token_certain) & (lift >= 2) & (explained >= limits.token_certain_explains)
        enough = (support >= limits.token_support) & (has.sum() >= limits.token_support)
        telling = enough & (alone | (explained >= limits.token_explains) & (lift > 1))
        for k in np.flatnonzero(telling).tolist():
            where = tuple(name for name, here in zip(ids, present[:, k] & has, strict=True) if here)
            saw = (
                f"{lang}: {int(support[k])} messages hold {quote([tokens.names[k]])}, and {certain[k]:.0%} of them are "
                f"{head.name}={str(label).lower()} ({has.mean():.0%} of all; {explained[k]:.0%} of its entropy)"
            )
            yield found("A601", saw, where)


def token_scores(present: Bools, has: Bools) -> tuple[Floats, Floats, Floats]:
    """For each token: in how many messages it stands, the share of them with the label, and Theil's uncertainty coefficient.

    Args:
        present: (messages, tokens). has: (messages,), with both answers.
    """
    n = float(len(has))
    support = present.sum(axis=0).astype(np.float64)
    both = present[has].sum(axis=0).astype(np.float64)
    positive = float(has.sum())
    joint = np.stack([both, support - both, positive - both, n - support - positive + both]) / n
    token, label = support / n, positive / n
    expected = np.stack([token * label, token * (1 - label), (1 - token) * label, (1 - token) * (1 - label)])
    ratio = np.where(joint > 0, joint / np.maximum(expected, 1e-12), 1.0)
    information = (joint * np.log(ratio)).sum(axis=0)
    entropy = -(label * np.log(label) + (1 - label) * np.log(1 - label))
    return support, both / np.maximum(support, 1.0), information / entropy
