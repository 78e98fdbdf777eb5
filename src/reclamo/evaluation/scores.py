"""Turn one head's answers into the figures of the result file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from reclamo.evaluation import metrics
from reclamo.evaluation.bootstrap import Draws, interval
from reclamo.evaluation.metrics import Counts
from reclamo.evaluation.outcomes import Indices, Outcome
from reclamo.evaluation.schema import HeadScore, Interval, LabelScore, ReliabilityBins


def score_with_resamples(outcome: Outcome, draws: Draws, place: Indices) -> tuple[float, Counts] | None:
    """The headline score and its resamples; None where the messages hold nothing of the head to be found."""
    if not len(outcome.rows):
        return None
    counts = metrics.label_counts(outcome)
    value = float(metrics.headline(outcome.head.kind, counts.sum(axis=0)))
    return None if math.isnan(value) else (value, draws.resample(outcome.head.kind, counts, place[outcome.rows]))


def as_interval(value: float, samples: Counts) -> Interval:
    """Put the percentile interval of the resamples around a value."""
    low, high = interval(samples)
    return Interval(value=rounded(value), low=rounded(low, value), high=rounded(high, value))


def rounded(value: float, fallback: float = 0.0) -> float:
    """Round to four places; what is not a number becomes the fallback."""
    return round(fallback if math.isnan(value) else float(value), 4)


def head_score(system: str, set_name: str, language: str, outcome: Outcome, score: Interval) -> HeadScore:
    """Give every figure of one head."""
    counts = metrics.label_counts(outcome).sum(axis=0)
    precisions = metrics.average_precisions(outcome)
    known = [value for value in precisions if value is not None]
    bins = metrics.reliability(outcome)
    matrix = metrics.confusion(outcome)
    kappa = metrics.quadratic_kappa(matrix) if matrix is not None and outcome.head.kind == "ordered" else None
    return HeadScore(
        system=system,
        set=set_name,
        language=language,
        head=outcome.head.name,
        metric="micro_f1" if outcome.head.kind == "any_of" else "macro_f1",
        messages=len(outcome.rows),
        score=score,
        macro_f1=rounded(float(metrics.macro_f1(counts))),
        micro_f1=rounded(float(metrics.micro_f1(counts))),
        average_precision=rounded(float(np.mean(known))) if known else None,
        calibration_error=rounded(bins.error),
        brier=rounded(metrics.brier(outcome)),
        quadratic_kappa=None if kappa is None else rounded(kappa),
        labels=list(_label_scores(outcome, counts, precisions)),
        confusion_labels=list(metrics.score_names(outcome)) if matrix is not None else [],
        confusion=None if matrix is None else matrix.tolist(),
        reliability=ReliabilityBins(counts=list(bins.counts), confidence=list(bins.confidence), frequency=list(bins.frequency)),
    )


def _label_scores(outcome: Outcome, counts: Counts, precisions: Sequence[float | None]) -> Iterator[LabelScore]:
    yes_no = outcome.head.kind == "yes_no"
    for k, name in enumerate(metrics.score_names(outcome)):
        hits, extra, missed = (float(counts[row, k]) for row in range(3))
        precision = (precisions[0] if name == "yes" else None) if yes_no else precisions[k]
        yield LabelScore(
            name=name,
            support=int(hits + missed),
            said=int(hits + extra),
            precision=rounded(hits / max(hits + extra, 1)),
            recall=rounded(hits / max(hits + missed, 1)),
            f1=rounded(2 * hits / max(2 * hits + extra + missed, 1)),
            average_precision=None if precision is None else rounded(precision),
        )
