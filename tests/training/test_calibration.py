"""Temperatures and thresholds on made-up logits whose right answer is known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from reclamo.corpus import Targets
from reclamo.corpus.targets import labelled_in_full
from reclamo.engine.decode import sigmoid
from reclamo.taxonomy import load_taxonomy, parse_taxonomy
from reclamo.training.calibration import fit_calibration, fit_temperature, fit_temperature_and_bias, fit_threshold_both_ways, fit_thresholds

TAXONOMY = load_taxonomy()


def test_the_temperature_that_made_the_labels_is_found() -> None:
    rng = np.random.default_rng(0)
    true_logits = rng.normal(0, 2, (4000, 1)).astype(np.float32)
    values = (rng.random((4000, 1)) < sigmoid(true_logits)).astype(np.float32)
    assert fit_temperature(TAXONOMY.by_name["complaint"], true_logits * 2.5, values) == pytest.approx(2.5, rel=0.12)


def test_the_bias_that_a_weighted_loss_put_in_is_taken_back() -> None:
    """Weighing the positives by w shifts the logits by log w; scikit-learn's Platt scaling is the oracle."""
    calibration = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(5)
    true_logits = rng.normal([-2.0, 0.5], 1.5, (5000, 2)).astype(np.float32)
    values = (rng.random((5000, 2)) < sigmoid(true_logits)).astype(np.float32)
    shifted = (true_logits + np.log([4.0, 1.0])) * 2.0
    temperature, bias = fit_temperature_and_bias(shifted.astype(np.float32), values)
    assert temperature == pytest.approx(2.0, rel=0.1)
    assert bias == pytest.approx([-np.log(4.0), 0.0], abs=0.12)
    for column in range(2):
        platt = calibration.LogisticRegression(C=1e6).fit(shifted[:, [column]], values[:, column])
        assert bias[column] == pytest.approx(platt.intercept_[0], abs=0.1)


def test_a_label_without_positives_gets_no_wild_bias() -> None:
    _, bias = fit_temperature_and_bias(np.full((200, 1), -2.0, np.float32), np.zeros((200, 1), np.float32))
    assert -6 < bias[0] < 0


def test_thresholds_separate_what_can_be_separated() -> None:
    rng = np.random.default_rng(1)
    values = (rng.random((6000, 2)) < 0.3).astype(np.float32)
    probabilities = np.where(values > 0, [[0.3, 0.9]], [[0.1, 0.7]]).astype(np.float32)
    low, high = fit_thresholds(probabilities, values)
    assert 0.1 < low <= 0.3
    assert 0.7 < high <= 0.9


def test_a_label_with_few_positives_keeps_near_the_common_threshold() -> None:
    rng = np.random.default_rng(2)
    values = np.zeros((500, 2), dtype=np.float32)
    values[:250, 0], values[0, 1] = 1, 1
    probabilities = np.stack([np.where(values[:, 0] > 0, 0.8, 0.2), rng.random(500) * 0.1], axis=1).astype(np.float32)
    common, rare = fit_thresholds(probabilities, values)
    assert abs(rare - common) < 0.1


def test_a_yes_no_head_is_not_drawn_to_always_yes() -> None:
    rng = np.random.default_rng(3)
    truth = rng.random(600) < 0.85
    probabilities = np.clip(np.where(truth, 0.75, 0.55) + rng.normal(0, 0.12, 600), 0.01, 0.99).astype(np.float32)[:, None]
    (threshold,) = fit_threshold_both_ways(probabilities, truth.astype(np.float32)[:, None])
    assert 0.55 < threshold < 0.75


def test_where_thresholds_are_as_good_as_each_other_one_half_is_taken() -> None:
    truth = np.arange(400) % 2 > 0
    clear = np.where(truth, 0.9, 0.1).astype(np.float32)[:, None]
    assert fit_threshold_both_ways(clear, truth.astype(np.float32)[:, None]) == (0.5,)


def test_the_risk_curve_falls_with_what_is_reviewed() -> None:
    toy = parse_taxonomy(
        'version = 1\nname = "t"\nlanguages = ["es"]\n[[head]]\nname = "h"\nkind = "one_of"\nlabels = [{ name = "a" }, { name = "b" }]'
    )
    rng = np.random.default_rng(4)
    margin = rng.normal(0, 2, 3000).astype(np.float32)
    is_a = rng.random(3000) < sigmoid(2 * margin)
    logits = np.stack([margin, -margin], axis=1)
    targets = Targets(values=np.stack([is_a, ~is_a], axis=1).astype(np.float32), mask=np.ones((3000, 1), dtype=bool))
    curve = fit_calibration(toy, logits, targets).risk_coverage
    risks = [risk for _, _, risk in curve]
    assert risks[0] == pytest.approx(float((is_a != (margin > 0)).mean()), abs=0.002)
    assert risks[-1] < 0.4 * risks[0]
    assert all(b <= a + 0.01 for a, b in pairwise(risks))


def test_messages_with_labels_of_some_heads_do_not_make_the_tagger_look_certain() -> None:
    heads = "".join(f'[[head]]\nname = "{name}"\nkind = "yes_no"\nlabels = [{{ name = "yes" }}]\n' for name in "ab")
    agents = '[[head]]\nname = "c"\nkind = "yes_no"\nlabels = [{ name = "yes" }]\nasked_of = { a = true }\n'
    toy = parse_taxonomy(f'version = 1\nname = "t"\nlanguages = ["es"]\n{heads}{agents}')
    rng = np.random.default_rng(6)
    logits = rng.normal(0, [4.0, 0.7, 4.0], (4000, 3)).astype(np.float32)  # sure of the first, not of the second
    values = (rng.random((4000, 3)) < sigmoid(logits)).astype(np.float32)
    mask = np.ones((4000, 3), dtype=bool)
    mask[:, 2] = values[:, 0] > 0
    whole = fit_calibration(toy, logits[:1000], Targets(values=values[:1000], mask=mask[:1000]))
    mask[1000:, 1] = False  # the rest were read for the first only
    partly = fit_calibration(toy, logits, Targets(values=values, mask=mask))
    assert partly.review_margin == pytest.approx(whole.review_margin, abs=0.02)
    mask[:, 1] = np.arange(4000) < 100  # and nearly none for the second
    scarce = fit_calibration(toy, logits, Targets(values=values, mask=mask))
    assert scarce.review_margin == pytest.approx(whole.review_margin, abs=0.03)
    assert 0.1 < scarce.risk_coverage[0][2] < whole.risk_coverage[0][2], "of the heads that are known"
    mask[:, 1] = np.arange(4000) < 3000
    assert list(labelled_in_full(toy, Targets(values=values, mask=mask))) == [True] * 3000 + [False] * 1000
