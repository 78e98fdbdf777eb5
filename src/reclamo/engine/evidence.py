"""The words that made a score: exact token contributions, grown to words and short stretches."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from reclamo.tags import Evidence, HeadTag
from reclamo.taxonomy import Head, Taxonomy

Array = NDArray[np.float32]
WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]+")
MASS = 0.6
MOST_SPANS = 4


def directions(taxonomy: Taxonomy, heads: dict[str, HeadTag | None]) -> Iterator[tuple[str, Array]]:
    """Which sum of logits each piece of evidence explains: (key, weights over the logits).

    One-of: the chosen label against the mean of the others. Yes/no and any-of: each label that holds. Ordered: the
    thresholds up to the chosen level. A `no`, an empty set and the lowest level need no evidence.
    """
    for head in taxonomy.heads:
        tag = heads.get(head.name)
        if tag is None:
            continue
        for key, local in _head_directions(head, tag):
            weights = np.zeros(taxonomy.n_logits, dtype=np.float32)
            weights[taxonomy.slices[head.name]] = local
            yield key, weights


def _head_directions(head: Head, tag: HeadTag) -> Iterator[tuple[str, Array]]:
    unit = np.eye(head.n_logits, dtype=np.float32)
    if head.kind == "one_of":
        chosen = unit[head.names.index(str(tag.value))]
        yield head.name, chosen - (1 - chosen) / (head.n_logits - 1)
    elif head.kind == "ordered":
        level = head.names.index(str(tag.value))
        if level:
            yield head.name, unit[:level].sum(0)
    elif head.kind == "yes_no":
        if tag.value:
            yield head.name, unit[0]
    elif isinstance(tag.value, list):
        for label in tag.value:
            yield f"{head.name}.{label}", unit[head.names.index(label)]


def word_contributions(text: str, offsets: NDArray[np.int64], contributions: Array) -> tuple[NDArray[np.int64], Array]:
    """Sum token contributions over words.

    Args:
        offsets: (tokens, 2) characters of the text; empty spans (special tokens) are left out.
        contributions: (tokens, directions).

    Returns:
        spans (words, 2) and contributions (words, directions).
    """
    spans = np.array([match.span() for match in WORD.finditer(text)], dtype=np.int64).reshape(-1, 2)
    sums = np.zeros((len(spans), contributions.shape[1]), dtype=np.float32)
    real = offsets[:, 1] > offsets[:, 0]
    if len(spans) and real.any():
        last = offsets[real, 1] - 1
        word = np.clip(np.searchsorted(spans[:, 0], last, side="right") - 1, 0, None)
        np.add.at(sums, word, contributions[real])
    return spans, sums


def pick_spans(spans: NDArray[np.int64], weights: Array) -> list[Evidence]:
    """Choose the fewest words that hold most of the positive contribution, and join neighbours.

    Example: words with [0.1, 0.6, 0.5, -0.2] -> one span over the second and third, weight 0.92.
    """
    # Plain numbers from here: for some dozens of words they are several times faster than arrays.
    positive = [max(value, 0.0) for value in weights.tolist()]
    total = sum(positive)
    if total <= 0:
        return []
    chosen: list[int] = []
    reached = 0.0
    for index in sorted(range(len(positive)), key=positive.__getitem__, reverse=True):
        if reached >= MASS * total or positive[index] <= 0:
            break
        chosen.append(index)
        reached += positive[index]
    stretches: list[list[int]] = []
    for index in sorted(chosen):
        if stretches and index == stretches[-1][-1] + 1:
            stretches[-1].append(index)
        else:
            stretches.append([index])
    found = [
        Evidence(start=int(spans[s[0], 0]), end=int(spans[s[-1], 1]), weight=round(sum(positive[k] for k in s) / total, 4))
        for s in stretches
    ]
    strongest = sorted(found, key=lambda e: (-e.weight, e.start))[:MOST_SPANS]
    return sorted(strongest, key=lambda e: e.start)
