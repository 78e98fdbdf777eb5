"""Labels that a simple model, fitted on the other messages, finds unlikely; ranked by cleanlab (Northcutt et al., 2021)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reclamo.corpus.audit.finding import Finding, found
from reclamo.corpus.audit.subject import Check, NotApplicable, Subject
from reclamo.corpus.example import Example
from reclamo.corpus.targets import head_is_asked
from reclamo.engine.decode import head_probabilities
from reclamo.taxonomy import Head

LEAST_EACH: Final = 5
Floats = NDArray[np.float64]
Scorer = Callable[[Sequence[Example]], NDArray[np.float32]]


def label_error_check(score: Scorer) -> Check:
    """Make the check from a scorer that gives out-of-fold logits (messages, n_logits): each by a model that has not seen the message."""

    def check_label_errors(subject: Subject) -> Iterator[Finding]:
        """Find labels that are likely wrong, one finding for each head and label; the least likely message first."""
        if len(subject.examples) < 4 * LEAST_EACH:
            raise NotApplicable("too few messages to learn from")
        logits = score(subject.examples)
        for head in subject.taxonomy.heads:
            asked = [index for index, example in enumerate(subject.examples) if head_is_asked(head, example.labels)]
            if asked:
                p = head_probabilities(head, logits[asked][:, subject.taxonomy.slices[head.name]]).astype(np.float64)
                yield from _head(subject, head, asked, p)

    return Check("label-errors", check_label_errors)


def _head(subject: Subject, head: Head, asked: Sequence[int], p: Floats) -> Iterator[Finding]:
    values = [subject.examples[index].labels[head.name] for index in asked]
    if head.exclusive:
        yield from _findings(subject, head.name, head.names, np.array([head.names.index(str(value)) for value in values]), p, asked)
        return
    for k, name in enumerate(head.names):
        has = np.array([bool(name in value) if isinstance(value, tuple) else bool(value) for value in values], dtype=np.int64)
        title = head.name if head.kind == "yes_no" else f"{head.name}.{name}"
        yield from _findings(subject, title, ("no", "yes"), has, np.stack([1 - p[:, k], p[:, k]], axis=1), asked)


def _findings(
    subject: Subject, title: str, names: Sequence[str], given: NDArray[np.int64], p: Floats, asked: Sequence[int]
) -> Iterator[Finding]:
    counts = np.bincount(given, minlength=len(names))
    kept = np.flatnonzero(counts >= LEAST_EACH)
    rows = np.flatnonzero(np.isin(given, kept))
    if len(kept) < 2:
        return
    columns = p[np.ix_(rows, kept)] + 1e-9
    columns /= columns.sum(axis=1, keepdims=True)
    doubtful = rows[_ranked_issues(np.searchsorted(kept, given[rows]), columns)]
    doubtful = doubtful[p[doubtful, given[doubtful]] <= subject.limits.label_doubt]
    if len(doubtful):
        first = doubtful[0]
        likelier = names[int(p[first].argmax())]
        example = f"first {subject.examples[asked[first]].id}: {names[given[first]]}, looks {likelier} ({p[first].max():.2f})"
        saw = f"{title}: {len(doubtful)} of {len(rows)} labels are doubtful; {example}"
        yield found("A631", saw, subject.ids([asked[k] for k in doubtful]))


def _ranked_issues(labels: NDArray[np.int64], p: Floats) -> NDArray[np.int64]:
    # Imported by name: cleanlab is optional and has no type hints.
    issues: Any = import_module("cleanlab.filter").find_label_issues(
        labels, p, filter_by="both", return_indices_ranked_by="self_confidence", n_jobs=1
    )
    return np.asarray(issues, dtype=np.int64)
