"""Intervals: groups of messages drawn with replacement, the same draws for every system; and McNemar's exact test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from reclamo.evaluation.metrics import Counts, headline

LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Draws:
    """How often each group stands in each resample.

    Attributes:
        group_of: (messages,) index of each message's group.
        weights: (resamples, groups), each row sums to the number of groups.
    """

    group_of: NDArray[np.int64]
    weights: NDArray[np.float64]

    @classmethod
    def of(cls, groups: Sequence[str], resamples: int, seed: int) -> Draws:
        """Draw whole groups, since messages of one scenario are not independent of each other."""
        _, group_of = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
        n = int(group_of.max()) + 1 if len(group_of) else 0
        rng = np.random.default_rng(seed)
        weights = rng.multinomial(n, np.full(n, 1.0 / n), size=resamples) if n else np.zeros((resamples, 0))
        return cls(group_of=np.asarray(group_of, dtype=np.int64), weights=weights.astype(np.float64))

    def resample(self, kind: str, counts: Counts, rows: NDArray[np.int64]) -> Counts:
        """Give the headline score of each resample: (resamples,).

        Args:
            kind: of the head. counts: (n, 3, labels) of n messages. rows: (n,) which messages these are.
        """
        labels = counts.shape[2]
        by_group = np.zeros((self.weights.shape[1], 3 * labels))
        np.add.at(by_group, self.group_of[rows], counts.reshape(len(rows), 3 * labels))
        return headline(kind, (self.weights @ by_group).reshape(-1, 3, labels))


def interval(scores: Counts, level: float = LEVEL) -> tuple[float, float]:
    """The percentile interval of resampled scores (Efron, 1979); NaN are left out; (NaN, NaN) where there is nothing else."""
    known = scores[~np.isnan(scores)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def mean_over_heads(scores: Sequence[Counts]) -> Counts:
    """The mean over heads in each resample, of the heads that are defined in it: list of (resamples,) -> (resamples,)."""
    stacked = np.stack(list(scores))
    held = ~np.isnan(stacked)
    total = np.where(held, stacked, 0.0).sum(axis=0)
    return np.asarray(np.where(held.any(axis=0), total / np.maximum(held.sum(axis=0), 1), np.nan))


def mcnemar(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> float:
    """Exact two-sided p of McNemar's test (1947): are the messages that only one system gets right split evenly?

    Example: a alone right on 9, b alone on 1 -> 2 * (1 + 10) / 1024.
    """
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    n, fewer = only_a + only_b, min(only_a, only_b)
    return min(1.0, 2 * sum(comb(n, k) for k in range(fewer + 1)) / 2**n) if n else 1.0
