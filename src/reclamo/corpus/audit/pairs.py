"""Contrast pairs: messages that a small edit tells apart, and with it a label."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from reclamo.corpus.audit.finding import Finding, found
from reclamo.corpus.audit.subject import NotApplicable, Subject


def check_pairs(subject: Subject) -> Iterator[Finding]:
    """Find contrast pairs that straddle splits, whose sides have the same labels, or that have one side only."""
    pairs: dict[str, list[int]] = defaultdict(list)
    for index in range(len(subject.examples)):
        name = subject.pair(index)
        if name:
            pairs[name].append(index)
    if not pairs:
        raise NotApplicable("no message is marked as a side of a contrast pair")
    for name, group in sorted(pairs.items()):
        sides = [subject.examples[index] for index in group]
        ids = subject.ids(group)
        splits = sorted({side.split or "none" for side in sides})
        if len(sides) == 1:
            yield found("A523", f"the pair {name!r} has one side", ids)
        elif len(splits) > 1:
            yield found("A521", f"the pair {name!r} lies in {' and '.join(splits)}", ids)
        elif all(side.labels == sides[0].labels for side in sides):
            yield found("A522", f"all sides of the pair {name!r} have the same labels", ids)
