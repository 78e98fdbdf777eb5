"""The words that made a score: exact token contributions, grown to words and short stretches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from reclamo.tags import Evidence, HeadTag
from reclamo.taxonomy import Head, Taxonomy

Array = NDArray[np.float32]
WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]+")
MASS = 0.6
MOST_SPANS = 4


class Directions:
    """Which sum of logits each piece of evidence explains, under one taxonomy.

    One-of: the chosen label against the mean of the others. Yes/no and any-of: each label that holds. Ordered: the
    thresholds up to the chosen level. A `no`, an empty set and the lowest level need no evidence.
    """

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._heads = taxonomy.heads
        self._weights: dict[tuple[str, str], Array] = {}
        for head in taxonomy.heads:
            for label, local in _head_directions(head):
                weights = np.zeros(taxonomy.n_logits, dtype=np.float32)
                weights[taxonomy.slices[head.name]] = local
                self._weights[head.name, label] = weights

    def of(self, heads: Mapping[str, HeadTag | None]) -> list[tuple[str, Array]]:
        """Give what there is to explain of decoded heads: keys as in `Tags.evidence`, and weights over the logits."""
        found = []
        for head in self._heads:
            tag = heads.get(head.name)
            if tag is None:
                continue
            if isinstance(tag.value, list):
                found += [(f"{head.name}.{label}", self._weights[head.name, label]) for label in tag.value]
            elif (head.name, str(tag.value)) in self._weights:
                found.append((head.name, self._weights[head.name, str(tag.value)]))
        return found


def _head_directions(head: Head) -> Iterator[tuple[str, Array]]:
    """Give each value that needs evidence, and its weights over the head's own logits."""
    unit = np.eye(head.n_logits, dtype=np.float32)
    if head.kind == "yes_no":
        yield str(True), unit[0]
    elif head.kind == "ordered":
        yield from ((label, unit[:level].sum(0)) for level, label in enumerate(head.names) if level)
    elif head.kind == "one_of":
        others = np.float32(1 / (head.n_logits - 1))
        yield from ((label, np.asarray(one - (1 - one) * others)) for label, one in zip(head.names, unit, strict=True))
    else:
        yield from zip(head.names, unit, strict=True)


def word_contributions(text: str, offsets: NDArray[np.int64], contributions: Array) -> tuple[NDArray[np.int64], Array]:
    """Sum token contributions over words.

    Args:
        offsets: (tokens, 2) characters of the text; empty spans (special tokens) are left out.
        contributions: (tokens, directions).

    Returns:
        spans (words, 2) and contributions (words, directions).
    """
    spans = np.array([match.span() for match in WORD.finditer(text)], dtype=np.int64).reshape(-1, 2)
    wanted = contributions.shape[1]
    real = np.flatnonzero(offsets[:, 1] > offsets[:, 0])
    if not len(spans) or not len(real):
        return spans, np.zeros((len(spans), wanted), dtype=np.float32)
    word = np.maximum(np.searchsorted(spans[:, 0], offsets[real, 1] - 1, side="right") - 1, 0)
    where = word[:, None] * wanted + np.arange(wanted)
    sums = np.bincount(where.ravel(), weights=contributions[real].ravel(), minlength=len(spans) * wanted)
    return spans, sums.reshape(-1, wanted).astype(np.float32)


def pick_spans(spans: NDArray[np.int64], weights: Array) -> list[list[Evidence]]:
    """Choose of each direction the fewest words that hold most of the positive contribution, and join neighbours.

    Args:
        spans: (words, 2) characters of the text. weights: (words, directions).

    Example: words with [0.1, 0.6, 0.5, -0.2] -> one span over the second and third, weight 0.92.
    """
    positive = np.maximum(weights, 0.0).astype(np.float64)
    order = np.argsort(-positive, axis=0, kind="stable")
    ranked = np.take_along_axis(positive, order, axis=0)
    before = np.cumsum(ranked, axis=0) - ranked
    total = positive.sum(axis=0)
    chosen = ((before < MASS * total) & (ranked > 0)).sum(axis=0)
    return [
        _join_neighbours(spans, sorted(order[:count, column].tolist()), positive[:, column], float(total[column]))
        for column, count in enumerate(chosen.tolist())
    ]


def _join_neighbours(spans: NDArray[np.int64], chosen: list[int], positive: NDArray[np.float64], total: float) -> list[Evidence]:
    stretches: list[list[int]] = []
    for index in chosen:
        if stretches and index == stretches[-1][-1] + 1:
            stretches[-1].append(index)
        else:
            stretches.append([index])
    weighed = sorted(((sum(positive[s].tolist()), s) for s in stretches), key=lambda found: (-found[0], found[1][0]))[:MOST_SPANS]
    found = [Evidence(start=int(spans[s[0], 0]), end=int(spans[s[-1], 1]), weight=round(mass / total, 4)) for mass, s in weighed]
    return sorted(found, key=lambda e: e.start)
