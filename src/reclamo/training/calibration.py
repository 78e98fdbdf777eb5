"""Fit temperatures, biases and thresholds on validation logits, and the risk-coverage curve for review.

Temperature scaling after Guo et al. (2017); with a bias a label, as Platt (1999) has it, where labels are yes or no.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reclamo.artefact import Calibration, HeadCalibration
from reclamo.corpus import Targets
from reclamo.corpus.targets import labelled_in_full, meets_conditions
from reclamo.engine.decode import certainty as certainty_of
from reclamo.engine.decode import head_probabilities
from reclamo.taxonomy import Head, Taxonomy

TEMPERATURES = np.exp(np.linspace(np.log(0.4), np.log(4.0), 73))
GRID = np.linspace(0.05, 0.95, 181)
PRIOR_POSITIVES = 25.0
AS_GOOD = 0.01  # about the standard error of macro-F1 on several hundred messages
PRIOR_MESSAGES = 4.0  # a bias is drawn towards zero as by this many messages that know nothing of it


def uncalibrated(taxonomy: Taxonomy) -> Calibration:
    """Probabilities as the logits give them, and thresholds at one half."""
    heads = {head.name: HeadCalibration(thresholds=() if head.exclusive else (0.5,) * len(head.labels)) for head in taxonomy.heads}
    return Calibration(heads=heads, review_margin=0.0, risk_coverage=())


def fit_calibration(taxonomy: Taxonomy, logits: NDArray[np.float32], targets: Targets) -> Calibration:
    """Fit every head on the validation messages that have it.

    Args:
        logits: (messages, n_logits). targets: of the same messages.
    """
    heads = dict(uncalibrated(taxonomy).heads)
    for head in taxonomy.heads:
        values, asked = targets.head(taxonomy, head.name)
        if len(values) == 0:
            continue
        scores = logits[asked][:, taxonomy.slices[head.name]]
        if head.exclusive:
            heads[head.name] = HeadCalibration(temperature=fit_temperature(head, scores, values))
            continue
        temperature, bias = fit_temperature_and_bias(scores, values)
        fit = fit_threshold_both_ways if head.kind == "yes_no" else fit_thresholds
        thresholds = fit(head_probabilities(head, scores, HeadCalibration(temperature=temperature, bias=bias)), values)
        heads[head.name] = HeadCalibration(temperature=temperature, bias=bias, thresholds=thresholds)
    curve = risk_coverage(taxonomy, logits, targets, heads)
    return Calibration(heads=heads, review_margin=margin_for_rate(curve, 0.1), risk_coverage=curve)


def negative_log_likelihood(head: Head, logits: NDArray[np.float32], values: NDArray[np.float32], temperature: float) -> float:
    """Mean negative log-likelihood of the targets under logits / temperature."""
    scaled = logits / temperature
    if head.kind == "one_of":
        log_p = scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True)
        return float(-(log_p * values).sum(1).mean())
    return float((np.logaddexp(0.0, scaled) - values * scaled).mean())


def fit_temperature(head: Head, logits: NDArray[np.float32], values: NDArray[np.float32]) -> float:
    """Choose the temperature of least negative log-likelihood on a grid from 0.4 to 4."""
    losses = [negative_log_likelihood(head, logits, values, t) for t in TEMPERATURES]
    return round(float(TEMPERATURES[int(np.argmin(losses))]), 4)


def fit_temperature_and_bias(logits: NDArray[np.float32], values: NDArray[np.float32]) -> tuple[float, tuple[float, ...]]:
    """Choose the temperature of the head and the bias of each label of least negative log-likelihood: p = sigmoid(z / T + b).

    A loss that weighs rare labels up makes them too probable; the bias takes that back.
    """
    found = [(temperature, fit_bias(logits / temperature, values)) for temperature in TEMPERATURES]
    losses = [_penalised(logits / temperature + bias, values, bias) for temperature, bias in found]
    temperature, bias = found[int(np.argmin(losses))]
    return round(float(temperature), 4), tuple(round(float(b), 4) for b in bias)


def fit_bias(scaled: NDArray[np.float32], values: NDArray[np.float32], steps: int = 25) -> NDArray[np.float64]:
    """The bias (labels,) of least negative log-likelihood for each column, by Newton's method from zero."""
    bias = np.zeros(scaled.shape[1])
    for _ in range(steps):
        p = 0.5 * (1.0 + np.tanh(0.5 * (scaled + bias)))
        slope = (p - values).sum(0) + PRIOR_MESSAGES / 4 * bias
        bias -= np.clip(slope / ((p * (1 - p)).sum(0) + PRIOR_MESSAGES / 4), -1.0, 1.0)
    return bias


def _penalised(scaled: NDArray[np.float64], values: NDArray[np.float32], bias: NDArray[np.float64]) -> float:
    return float((np.logaddexp(0.0, scaled) - values * scaled).sum() + PRIOR_MESSAGES / 8 * np.square(bias).sum())


def f1_at(probabilities: NDArray[np.float32], values: NDArray[np.float32], grid: NDArray[np.float64] = GRID) -> NDArray[np.float64]:
    """F1 of one label at every threshold of the grid: (len(grid),)."""
    chosen = probabilities[None, :] >= grid[:, None]
    truth = values > 0.5
    hits = (chosen & truth).sum(1)
    scores: NDArray[np.float64] = 2.0 * hits / np.maximum(chosen.sum(1) + truth.sum(), 1)
    return scores


def fit_thresholds(probabilities: NDArray[np.float32], values: NDArray[np.float32]) -> tuple[float, ...]:
    """A threshold per label that is best by F1, drawn towards the head's common one where positives are few.

    The common threshold is best by micro-F1; a label with n positives weighs its own by n / (n + 25).
    """
    chosen = probabilities[None] >= GRID[:, None, None]
    truth = values[None] > 0.5
    micro = 2.0 * (chosen & truth).sum((1, 2)) / np.maximum(chosen.sum((1, 2)) + truth.sum(), 1)
    common = _middle_of_best(micro)
    found = []
    for column in range(values.shape[1]):
        positives = float(values[:, column].sum())
        own = _middle_of_best(f1_at(probabilities[:, column], values[:, column])) if positives else common
        share = positives / (positives + PRIOR_POSITIVES)
        found.append(round(share * own + (1 - share) * common, 4))
    return tuple(found)


def fit_threshold_both_ways(probabilities: NDArray[np.float32], values: NDArray[np.float32]) -> tuple[float, ...]:
    """The threshold of a yes/no head by the mean of F1 of yes and F1 of no, as it is judged: of all as good, that nearest to 0.5.

    F1 of yes alone drifts to "always yes" where most validation messages are. Between thresholds whose scores differ by less than AS_GOOD
    the validation messages cannot tell; calibrated probabilities then say one half.
    """
    p, truth = probabilities[:, 0], values[:, 0] > 0.5
    chosen = p[None, :] >= GRID[:, None]
    counts = np.stack([(chosen & truth).sum(1), (~chosen & ~truth).sum(1)], axis=1)
    sizes = np.stack([chosen.sum(1) + truth.sum(), (~chosen).sum(1) + (~truth).sum()], axis=1)
    smooth = _smooth((2.0 * counts / np.maximum(sizes, 1)).mean(1))
    as_good = GRID[smooth >= smooth.max() - AS_GOOD]
    return (round(float(as_good[np.argmin(np.abs(as_good - 0.5))]), 4),)


def _smooth(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.convolve(np.pad(scores, 4, mode="edge"), np.ones(9) / 9, mode="valid")


def _middle_of_best(scores: NDArray[np.float64]) -> float:
    smooth = _smooth(scores)
    best = np.flatnonzero(smooth >= smooth.max() - 1e-9)
    return float(GRID[best[len(best) // 2]])


def risk_coverage(
    taxonomy: Taxonomy, logits: NDArray[np.float32], targets: Targets, heads: dict[str, HeadCalibration]
) -> tuple[tuple[float, float, float], ...]:
    """Certainty thresholds with the share of messages under them and the error rate of the rest.

    A message's certainty is that of its least certain exclusive or yes/no head, of those that are asked of it, whether it is
    labelled for that head or not; it is wrong if any of those is. The error rate is of the messages that are labelled for all of them
    (of all messages, where none is).
    """
    certainty, wrong = np.ones(len(logits)), np.zeros(len(logits), dtype=bool)
    values = targets.values.copy()
    for index, head in enumerate(taxonomy.heads):
        where, labelled = taxonomy.slices[head.name], targets.mask[:, index]
        if head.kind == "any_of":
            continue
        p = head_probabilities(head, logits[:, where], heads[head.name])
        sure, chosen = certainty_of(head, p, heads[head.name])
        values[~labelled, where] = _encode_index(head, chosen[~labelled])  # heads that depend on it go by what the tagger says
        asked = meets_conditions(taxonomy, head, values)
        certainty = np.where(asked, np.minimum(certainty, sure), certainty)
        wrong |= asked & labelled & (chosen != _true_index(head, targets.values[:, where]))
    full = labelled_in_full(taxonomy, targets)
    known = full if full.any() else np.ones(len(logits), dtype=bool)
    points: list[tuple[float, float, float]] = []
    for rate in np.linspace(0.0, 0.98, 50):
        cut = float(np.quantile(certainty, rate)) if len(certainty) else 0.0
        kept = certainty >= cut
        left = wrong[kept & known]
        risk = float(left.mean()) if len(left) else points[-1][2] if points else 0.0
        points.append((round(cut, 5), round(float(1 - kept.mean()), 4) if len(kept) else 0.0, round(risk, 4)))
    return tuple(points)


def _encode_index(head: Head, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
    """The reverse of `_true_index`: (n,) -> (n, n_logits)."""
    if head.kind == "one_of":
        return np.eye(head.n_logits, dtype=np.float32)[chosen]
    return (chosen[:, None] > np.arange(head.n_logits)).astype(np.float32)


def _true_index(head: Head, values: NDArray[np.float32]) -> NDArray[np.int64]:
    if head.kind == "ordered":
        return np.asarray(values.sum(1), dtype=np.int64)
    if head.kind == "yes_no":
        return np.asarray(values[:, 0], dtype=np.int64)
    return np.asarray(values.argmax(1), dtype=np.int64)


def margin_for_rate(curve: tuple[tuple[float, float, float], ...], rate: float) -> float:
    """The certainty under which about `rate` of the validation messages lie."""
    return next((cut for cut, share, _ in reversed(curve) if share <= rate + 1e-9), 0.0)
