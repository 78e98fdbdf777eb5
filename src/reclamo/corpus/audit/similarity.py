"""All pairs of similar texts, exactly: Jaccard over character n-grams with prefix filtering.

After Chaudhuri et al. (2006) and Wang et al. (2012, AdaptJoin): with every text's grams sorted from rare to common, two texts
that share o grams share at least l of them among the first |x| - o + l of each.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

SIZE: Final = 5
OVERLAP: Final = 24  # grams to share in the prefixes: more means longer lists and fewer candidates
Ranks = NDArray[np.int64]


def grams(text: str, size: int = SIZE) -> set[str]:
    """The character n-grams of a text; a shorter text is its own. Example: "abcdef" -> {"abcde", "bcdef"}."""
    return {text[start : start + size] for start in range(max(len(text) - size + 1, 1))}


def near_pairs(texts: Sequence[str], least: float, size: int = SIZE) -> list[tuple[int, int, float]]:
    """List the pairs (i, j, Jaccard) with i < j whose similarity is at least `least` (0 < least <= 1), in order."""
    ranks = _ranked([grams(text, size) for text in texts])
    lengths = np.array([len(row) for row in ranks], dtype=np.int64)
    needed = np.array([math.ceil(least * length - 1e-9) for length in lengths], dtype=np.int64)
    prefixes = [row[: len(row) - need + min(OVERLAP, need)] for row, need in zip(ranks, needed, strict=True)]
    postings = _postings(prefixes)
    found: list[tuple[int, int, float]] = []
    for i, prefix in enumerate(prefixes):
        lists = [postings[rank] for rank in prefix.tolist() if rank in postings]
        if not lists:
            continue
        shared = np.bincount(np.concatenate(lists), minlength=len(texts))[i + 1 :]
        later = slice(i + 1, None)
        enough = shared >= np.minimum(OVERLAP, np.maximum(needed[later], needed[i]))
        fits = (lengths[later] >= needed[i]) & (needed[later] <= lengths[i])
        for j in (np.flatnonzero(enough & fits) + i + 1).tolist():
            common = len(np.intersect1d(ranks[i], ranks[j], assume_unique=True))
            jaccard = common / (len(ranks[i]) + len(ranks[j]) - common)
            if jaccard >= least:
                found.append((i, j, jaccard))
    return found


def _ranked(sets: Sequence[set[str]]) -> list[Ranks]:
    """Each set as sorted ranks, rare grams first."""
    counts = Counter(gram for grams_ in sets for gram in grams_)
    order = {gram: rank for rank, gram in enumerate(sorted(counts, key=lambda gram: (counts[gram], gram)))}
    return [np.sort(np.fromiter((order[gram] for gram in grams_), dtype=np.int64, count=len(grams_))) for grams_ in sets]


def _postings(prefixes: Sequence[Ranks]) -> dict[int, Ranks]:
    """The texts that hold a gram in their prefix, for grams that at least two hold."""
    lists: dict[int, list[int]] = defaultdict(list)
    for index, prefix in enumerate(prefixes):
        for rank in prefix.tolist():
            lists[rank].append(index)
    return {rank: np.array(held, dtype=np.int64) for rank, held in lists.items() if len(held) > 1}


def clusters(pairs: Sequence[tuple[int, int, Any]]) -> list[tuple[int, ...]]:
    """Join pairs to groups. Example: [(0, 2, .6), (2, 5, .7), (3, 4, .9)] -> [(0, 2, 5), (3, 4)]."""
    parent: dict[int, int] = {}

    def root(index: int) -> int:
        while parent.setdefault(index, index) != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for a, b, _ in pairs:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    groups: dict[int, list[int]] = defaultdict(list)
    for index in sorted(parent):
        groups[root(index)].append(index)
    return [tuple(group) for _, group in sorted(groups.items())]
