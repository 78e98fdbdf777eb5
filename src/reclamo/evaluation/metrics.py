"""Scores of one head: F1, average precision, confusion, agreement of ordered levels, calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reclamo.evaluation.outcomes import Bools, Floats, Outcome
from reclamo.training.score import average_precision

Counts = NDArray[np.float64]
BINS: Final = 10


def score_names(outcome: Outcome) -> tuple[str, ...]:
    """The labels that F1 is taken over: a yes/no head has both answers."""
    return ("no", "yes") if outcome.head.kind == "yes_no" else outcome.head.names


def label_counts(outcome: Outcome) -> Counts:
    """Count per message and label: (n, 3, labels) of true positives, false positives, false negatives."""
    truth, chosen = _both_answers(outcome.truth, outcome), _both_answers(outcome.chosen, outcome)
    return np.stack([truth & chosen, ~truth & chosen, truth & ~chosen], axis=1).astype(np.float64)


def _both_answers(matrix: Bools, outcome: Outcome) -> Bools:
    return np.concatenate([~matrix, matrix], axis=1) if outcome.head.kind == "yes_no" else matrix


def label_f1(counts: Counts) -> Counts:
    """F1 of each label from counts (…, 3, labels); NaN where the truth does not hold the label."""
    hits, extra, missed = counts[..., 0, :], counts[..., 1, :], counts[..., 2, :]
    f1 = 2 * hits / np.maximum(2 * hits + extra + missed, 1e-12)
    return np.asarray(np.where(hits + missed > 0, f1, np.nan))


def macro_f1(counts: Counts) -> Counts:
    """Mean F1 over the labels that the truth holds: (…, 3, labels) -> (…); NaN where it holds none.

    A label that the truth never has cannot be found; choosing it wrongly still costs the label that should have been chosen.
    """
    f1 = label_f1(counts)
    held = ~np.isnan(f1)
    total = np.where(held, f1, 0.0).sum(axis=-1)
    return np.asarray(np.where(held.any(axis=-1), total / np.maximum(held.sum(axis=-1), 1), np.nan))


def micro_f1(counts: Counts) -> Counts:
    """F1 over all answers together: (…, 3, labels) -> (…); NaN where there is nothing to find and nothing was said."""
    hits, extra, missed = (counts[..., k, :].sum(axis=-1) for k in range(3))
    total = 2 * hits + extra + missed
    return np.asarray(np.where(total > 0, 2 * hits / np.maximum(total, 1e-12), np.nan))


def headline(kind: str, counts: Counts) -> Counts:
    """The score that a head is judged by: micro-F1 for any-of heads, macro-F1 for all others."""
    return micro_f1(counts) if kind == "any_of" else macro_f1(counts)


def average_precisions(outcome: Outcome) -> list[float | None]:
    """Average precision of each label; None where all messages or none have it."""
    truth, p = outcome.truth, outcome.probabilities
    return [
        average_precision(truth[:, k].astype(np.float32), p[:, k]) if 0 < truth[:, k].sum() < len(truth) else None
        for k in range(truth.shape[1])
    ]


def confusion(outcome: Outcome) -> NDArray[np.int64] | None:
    """Truth by choice (labels, labels) of an exclusive or yes/no head; None for any-of heads."""
    if outcome.head.kind == "any_of":
        return None
    truth, chosen = _both_answers(outcome.truth, outcome), _both_answers(outcome.chosen, outcome)
    return np.asarray(truth.T.astype(np.int64) @ chosen.astype(np.int64))


def quadratic_kappa(matrix: NDArray[np.int64]) -> float | None:
    """Cohen's kappa with quadratic weights of a confusion matrix (Cohen, 1968); None where only one level occurs."""
    levels = np.arange(len(matrix))
    weights = (levels[:, None] - levels[None, :]) ** 2
    expected = np.outer(matrix.sum(axis=1), matrix.sum(axis=0)) / max(matrix.sum(), 1)
    spread = float((weights * expected).sum())
    return 1.0 - float((weights * matrix).sum()) / spread if spread > 0 else None


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """Ten bins of probability: how many answers, their mean probability, and how often they were right."""

    counts: tuple[int, ...]
    confidence: tuple[float, ...]
    frequency: tuple[float, ...]

    @property
    def error(self) -> float:
        """Expected calibration error (Naeini et al., 2015): the gaps, weighed by the bins' shares."""
        total = max(sum(self.counts), 1)
        return sum(n * abs(c - f) for n, c, f in zip(self.counts, self.confidence, self.frequency, strict=True)) / total


def reliability(outcome: Outcome) -> Reliability:
    """Bin the answers: P(yes) of yes/no heads, of every label of any-of heads, and the largest probability of the others."""
    if outcome.head.exclusive:
        best = outcome.probabilities.argmax(axis=1)
        rows = np.arange(len(best))
        return bin_probabilities(outcome.probabilities[rows, best], outcome.truth[rows, best])
    return bin_probabilities(outcome.probabilities.ravel(), outcome.truth.ravel())


def bin_probabilities(p: Floats, truth: Bools) -> Reliability:
    """Bin probabilities (n,) at tenths. Example: p [.92, .98] with truth [1, 0] -> one bin, confidence .95, frequency .5."""
    place = np.minimum((p * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    safe = np.maximum(counts, 1)
    return Reliability(
        counts=tuple(int(n) for n in counts),
        confidence=_rounded(np.bincount(place, weights=p, minlength=BINS) / safe),
        frequency=_rounded(np.bincount(place, weights=truth, minlength=BINS) / safe),
    )


def _rounded(values: Any) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)


def brier(outcome: Outcome) -> float:
    """Brier score (1950): the mean squared distance of the probabilities from the truth, over labels and messages.

    For yes/no and any-of heads it is that of the binary answers; for the others the squares of a message are summed.
    """
    squares = (outcome.probabilities - outcome.truth) ** 2
    return float(squares.sum(axis=1).mean() if outcome.head.exclusive else squares.mean())
