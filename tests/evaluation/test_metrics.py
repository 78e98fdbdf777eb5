"""Every metric against scikit-learn, or worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, cohen_kappa_score, confusion_matrix, f1_score

from reclamo.evaluation import metrics
from reclamo.evaluation.outcomes import Outcome
from reclamo.taxonomy import Taxonomy


def outcome(taxonomy: Taxonomy, name: str, seed: int, n: int = 90) -> Outcome:
    """Random answers, right more often than not."""
    rng = np.random.default_rng(seed)
    head = taxonomy.by_name[name]
    k = len(head.labels)
    if head.exclusive:
        truth = rng.integers(0, k - 1, n)  # the last label never occurs
        chosen = np.where(rng.random(n) < 0.6, truth, rng.integers(0, k, n))
        p = rng.dirichlet(np.ones(k), n) + 0.8 * np.eye(k)[truth]
        p /= p.sum(1, keepdims=True)
        return Outcome(
            head=head, rows=np.arange(n), truth=np.eye(k)[truth] > 0, chosen=np.eye(k)[chosen] > 0, probabilities=p.astype(np.float32)
        )
    truth = rng.random((n, k)) < 0.3
    p = np.clip(rng.random((n, k)) * 0.7 + 0.3 * truth, 0, 1).astype(np.float32)
    return Outcome(head=head, rows=np.arange(n), truth=truth, chosen=p > 0.5, probabilities=p)


@pytest.mark.parametrize("name", ["sentiment", "reason", "severity"])
@pytest.mark.parametrize("seed", range(3))
def test_f1_of_exclusive_heads(taxonomy: Taxonomy, name: str, seed: int) -> None:
    one = outcome(taxonomy, name, seed)
    counts = metrics.label_counts(one).sum(0)
    truth, chosen = one.truth.argmax(1), one.chosen.argmax(1)
    present = sorted(set(truth))
    assert metrics.macro_f1(counts) == pytest.approx(f1_score(truth, chosen, labels=present, average="macro"))
    assert metrics.micro_f1(counts) == pytest.approx((truth == chosen).mean())
    assert np.isnan(metrics.label_f1(counts)[-1])
    matrix = metrics.confusion(one)
    assert np.array_equal(matrix, confusion_matrix(truth, chosen, labels=range(len(one.head.labels))))


@pytest.mark.parametrize("seed", range(3))
def test_f1_of_yes_no_and_any_of_heads(taxonomy: Taxonomy, seed: int) -> None:
    yes_no = outcome(taxonomy, "complaint", seed)
    counts = metrics.label_counts(yes_no).sum(0)
    assert metrics.headline("yes_no", counts) == pytest.approx(f1_score(yes_no.truth[:, 0], yes_no.chosen[:, 0], average="macro"))
    many = outcome(taxonomy, "grounds", seed)
    counts = metrics.label_counts(many).sum(0)
    assert metrics.headline("any_of", counts) == pytest.approx(f1_score(many.truth, many.chosen, average="micro"))
    assert metrics.macro_f1(counts) == pytest.approx(f1_score(many.truth, many.chosen, average="macro"))
    assert metrics.confusion(many) is None
    for k, value in enumerate(metrics.average_precisions(many)):
        assert value == pytest.approx(average_precision_score(many.truth[:, k], many.probabilities[:, k]))


def test_f1_of_many_counts_at_once_equals_one_by_one(taxonomy: Taxonomy) -> None:
    counts = metrics.label_counts(outcome(taxonomy, "reason", 4))
    halves = np.stack([counts[:40].sum(0), counts[40:].sum(0)])
    assert np.allclose(metrics.macro_f1(halves), [metrics.macro_f1(half) for half in halves])


def test_nothing_to_find_is_no_score() -> None:
    empty = np.zeros((3, 4))
    assert np.isnan(metrics.micro_f1(empty))
    assert np.isnan(metrics.macro_f1(empty))
    invented = empty.copy()
    invented[1, 0] = 3  # three false positives
    assert metrics.micro_f1(invented) == 0


def test_quadratic_kappa(taxonomy: Taxonomy) -> None:
    one = outcome(taxonomy, "severity", 8)
    matrix = metrics.confusion(one)
    assert matrix is not None
    oracle: Any = cohen_kappa_score(one.truth.argmax(1), one.chosen.argmax(1), weights="quadratic")
    assert metrics.quadratic_kappa(matrix) == pytest.approx(oracle)
    assert metrics.quadratic_kappa(np.diag([5, 0, 0])) is None


def test_calibration_error_by_hand() -> None:
    p = np.array([0.92, 0.98, 0.12, 0.18, 1.0], dtype=np.float32)
    truth = np.array([True, False, False, False, True])
    bins = metrics.bin_probabilities(p, truth)
    assert bins.counts == (0, 2, 0, 0, 0, 0, 0, 0, 0, 3)
    # |.15 - 0| * 2/5 + |.9667 - .6667| * 3/5
    assert bins.error == pytest.approx(0.06 + 0.18, abs=1e-5)


def test_reliability_of_one_of_heads_takes_the_largest_probability(taxonomy: Taxonomy) -> None:
    head = taxonomy.by_name["sentiment"]
    p = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]], dtype=np.float32)
    truth = np.array([[True, False, False], [True, False, False]])
    bins = metrics.reliability(Outcome(head=head, rows=np.arange(2), truth=truth, chosen=p == p.max(1, keepdims=True), probabilities=p))
    assert sum(bins.counts) == 2
    assert bins.error == pytest.approx((0.3 + 0.4) / 2, abs=1e-5)


def test_brier(taxonomy: Taxonomy) -> None:
    yes_no = outcome(taxonomy, "churn_risk", 2)
    assert metrics.brier(yes_no) == pytest.approx(brier_score_loss(yes_no.truth[:, 0], yes_no.probabilities[:, 0]), abs=1e-6)
    one_of = outcome(taxonomy, "sentiment", 2)
    assert metrics.brier(one_of) == pytest.approx(((one_of.probabilities - one_of.truth) ** 2).sum(1).mean(), abs=1e-6)
