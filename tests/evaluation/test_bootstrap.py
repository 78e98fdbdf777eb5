"""Intervals against a plain loop, and McNemar's test against scipy's binomial test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from reclamo.evaluation import metrics
from reclamo.evaluation.bootstrap import Draws, interval, mcnemar, mean_over_heads


def test_resampling_equals_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    groups = [f"g{k // 3}" for k in range(30)]
    counts = rng.integers(0, 2, (30, 3, 4)).astype(float)
    draws = Draws.of(groups, 25, seed=4)
    fast = draws.resample("one_of", counts, np.arange(30))
    names = sorted(set(groups))
    for row, score in zip(draws.weights, fast, strict=True):
        total = sum(times * counts[[g == name for g in groups]].sum(0) for name, times in zip(names, row, strict=True))
        assert score == pytest.approx(float(metrics.macro_f1(total)))


def test_groups_are_drawn_whole_and_the_seed_decides() -> None:
    draws = Draws.of(["a", "a", "b", "c"], 50, seed=1)
    assert draws.weights.shape == (50, 3)
    assert (draws.weights.sum(1) == 3).all()
    assert np.array_equal(draws.weights, Draws.of(["a", "a", "b", "c"], 50, seed=1).weights)
    assert not np.array_equal(draws.weights, Draws.of(["a", "a", "b", "c"], 50, seed=2).weights)


def test_messages_of_one_scenario_widen_the_interval() -> None:
    rng = np.random.default_rng(3)
    right = np.repeat(rng.random(40) < 0.7, 5)  # five messages a scenario, all right or all wrong
    counts = np.zeros((200, 3, 1))
    counts[right, 0, 0], counts[~right, 2, 0] = 1, 1
    rows = np.arange(200)
    wide = interval(Draws.of([f"s{k // 5}" for k in range(200)], 1000, 0).resample("any_of", counts, rows))
    narrow = interval(Draws.of([f"s{k}" for k in range(200)], 1000, 0).resample("any_of", counts, rows))
    assert wide[1] - wide[0] > 1.8 * (narrow[1] - narrow[0])


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    covered = 0
    for trial in range(200):
        right = rng.random(150) < 0.8  # accuracy is micro-F1 of a one-of head
        counts = np.zeros((150, 3, 2))
        counts[right, 0, 0] = 1
        counts[~right, 2, 0] = counts[~right, 1, 1] = 1
        low, high = interval(Draws.of([str(k) for k in range(150)], 300, trial).resample("any_of", counts, np.arange(150)))
        covered += low <= 0.8 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_interval_leaves_undefined_resamples_out() -> None:
    assert interval(np.array([0.5, np.nan, 0.5])) == (0.5, 0.5)
    assert np.isnan(interval(np.array([np.nan]))[0])


def test_mean_over_heads_is_over_those_defined() -> None:
    mean = mean_over_heads([np.array([0.2, np.nan, np.nan]), np.array([0.4, 0.6, np.nan])])
    assert mean[:2] == pytest.approx([0.3, 0.6])
    assert np.isnan(mean[2])


@pytest.mark.parametrize(("a", "b"), [(9, 1), (0, 6), (5, 5), (12, 7)])
def test_mcnemar_is_the_exact_binomial_test(a: int, b: int) -> None:
    right_a = np.array([True] * a + [False] * b + [True] * 20 + [False] * 3)
    right_b = np.array([False] * a + [True] * b + [True] * 20 + [False] * 3)
    assert mcnemar(right_a, right_b) == pytest.approx(binomtest(a, a + b, 0.5).pvalue)


def test_mcnemar_of_equal_systems_is_one() -> None:
    same = np.array([True, False, True])
    assert mcnemar(same, same) == 1.0
