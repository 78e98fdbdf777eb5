"""Messages that are the same, or nearly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from reclamo.corpus.audit.finding import Finding, found
from reclamo.corpus.audit.similarity import clusters
from reclamo.corpus.audit.subject import NotApplicable, Subject


def check_duplicates(subject: Subject) -> Iterator[Finding]:
    """Find equal texts (case, accents and line breaks aside), and groups of near-duplicates that are no contrast pair."""
    if len(subject.examples) < 2:
        raise NotApplicable("fewer than two messages")
    for group in equal_texts(subject):
        yield found("A401", f"{len(group)} messages have the same text{_across(subject, group)}", subject.ids(group))
    near = [pair for pair in subject.near if subject.folded[pair[0]] != subject.folded[pair[1]]]
    closest: dict[tuple[int, ...], tuple[int, int, float]] = {}
    cluster_of = {index: cluster for cluster in clusters(near) for index in cluster}
    for a, b, score in near:
        cluster = cluster_of[a]
        if cluster not in closest or score > closest[cluster][2]:
            closest[cluster] = (a, b, score)
    for cluster, (a, b, score) in closest.items():
        names = f" ({subject.examples[a].id}, {subject.examples[b].id})" if len(cluster) > 2 else ""
        saw = f"{len(cluster)} messages are near-duplicates: Jaccard up to {score:.2f}{names}{_across(subject, cluster)}"
        yield found("A402", saw, subject.ids(cluster))


def equal_texts(subject: Subject) -> list[list[int]]:
    """Groups of messages with the same folded text."""
    groups: dict[str, list[int]] = defaultdict(list)
    for index, text in enumerate(subject.folded):
        groups[text].append(index)
    return [group for group in groups.values() if len(group) > 1]


def _across(subject: Subject, group: Sequence[int]) -> str:
    """Say which languages and splits a group lies in, where there are several."""
    langs = {subject.examples[index].lang or "?" for index in group}
    splits = {subject.examples[index].split or "?" for index in group}
    return "".join(f", across {', '.join(sorted(found))}" for found in (langs, splits) if len(found) > 1)
