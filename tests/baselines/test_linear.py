"""The linear heads: oracles are scikit-learn's own fits and the targets themselves."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from reclamo.baselines import linear, prior_logits
from reclamo.baselines.linear import (
    ABSENT,
    Choice,
    Search,
    _compact,
    choose,
    fit_head,
    fit_linear_heads,
    grouped_folds,
    label_average_precision,
    sample_groups,
)
from reclamo.baselines.majority import Majority
from reclamo.corpus import Example, encode_targets
from reclamo.taxonomy import Taxonomy

ONE = Search(costs=(4.0,), weights=(None,))
CHOICE = Choice(cost=4.0, weight=None, score=0.0)


def counts(messages: list[Example]) -> object:
    return CountVectorizer().fit_transform([m.text for m in messages]).astype(np.float32).tocsr()


def test_prior_is_the_log_odds_of_each_label(messages: list[Example], small_taxonomy: Taxonomy) -> None:
    prior = prior_logits(small_taxonomy, encode_targets(messages, small_taxonomy))
    yes = sum(bool(m.labels["angry"]) for m in messages)
    assert prior[small_taxonomy.slices["angry"]][0] == pytest.approx(np.log((yes + 0.5) / (len(messages) - yes + 0.5)), abs=1e-5)
    topic = prior[small_taxonomy.slices["topic"]]
    assert np.exp(topic).sum() == pytest.approx(1.0, abs=1e-5)
    assert topic[3] < topic[:3].min() - 3  # the topic that never occurs
    given = Majority.fit(messages, small_taxonomy).logits(messages[:3])
    assert given.dtype == np.float32
    assert np.array_equal(given, np.stack([prior] * 3))


def test_multinomial_head_equals_a_plain_fit(messages: list[Example], small_taxonomy: Taxonomy) -> None:
    features = counts(messages)
    head = small_taxonomy.by_name["topic"]
    values, _ = encode_targets(messages, small_taxonomy).head(small_taxonomy, "topic")
    coefficients, intercepts = fit_head(head, features, values, CHOICE, ONE)
    oracle = LogisticRegression(C=4.0, tol=1e-6, max_iter=2000).fit(features, values.argmax(1))
    ours = features @ coefficients + intercepts
    p = np.exp(ours - np.logaddexp.reduce(ours, axis=1, keepdims=True))
    assert np.abs(p[:, :3] - oracle.predict_proba(features)).max() < 0.02
    assert intercepts[3] == ABSENT
    assert p[:, 3].max() < 1e-3


def test_two_labels_give_the_binary_probability(messages: list[Example], small_taxonomy: Taxonomy) -> None:
    features = counts(messages)
    values, _ = encode_targets(messages, small_taxonomy).head(small_taxonomy, "role")
    coefficients, intercepts = fit_head(small_taxonomy.by_name["role"], features, values, CHOICE, ONE)
    ours = features @ coefficients + intercepts
    positive = values[:, 1] > 0
    margin = ours[:, 1] - ours[:, 0]
    plain = LogisticRegression(C=4.0, solver="liblinear", dual=True, max_iter=1000, tol=1.0, random_state=17).fit(features, positive)
    assert np.allclose(margin, plain.decision_function(features), atol=1e-4)
    # Another solver, run to convergence: what stopping early may cost. It leaves the intercept out of the penalty, hence a looser bound.
    exact = LogisticRegression(C=4.0, tol=1e-8, max_iter=5000).fit(features, positive)
    assert np.abs(1 / (1 + np.exp(-margin)) - exact.predict_proba(features)[:, 1]).max() < 0.02


def test_a_label_that_never_varies_gets_its_prior(messages: list[Example], small_taxonomy: Taxonomy) -> None:
    features = counts(messages)
    targets = encode_targets(messages, small_taxonomy)
    heads = fit_linear_heads(features, targets, [m.group for m in messages], small_taxonomy, ONE)
    column = small_taxonomy.slices["wants"].start + 2
    assert not heads.coefficients[:, column].any()
    assert heads.intercepts[column] == pytest.approx(np.log(0.5 / (len(messages) + 0.5)), abs=1e-4)


def test_a_head_without_messages_stays_at_zero(small_taxonomy: Taxonomy, messages: list[Example]) -> None:
    bare = [Example(id=m.id, text=m.text, lang="es", labels={"angry": m.labels["angry"]}) for m in messages]
    heads = fit_linear_heads(counts(bare), encode_targets(bare, small_taxonomy), [m.group for m in bare], small_taxonomy, ONE)
    assert set(heads.choices) == {"angry"}
    assert not heads.coefficients[:, small_taxonomy.slices["topic"]].any()


def test_fits_in_other_processes_are_those_of_this_one(
    messages: list[Example], small_taxonomy: Taxonomy, monkeypatch: pytest.MonkeyPatch
) -> None:
    features, targets = counts(messages), encode_targets(messages, small_taxonomy)
    groups = [m.id for m in messages]
    here = fit_linear_heads(features, targets, groups, small_taxonomy, ONE)
    monkeypatch.setattr(linear, "APART", 1)
    apart = fit_linear_heads(features, targets, groups, small_taxonomy, ONE)
    assert np.array_equal(here.coefficients, apart.coefficients)
    assert np.array_equal(here.intercepts, apart.intercepts)
    for head in small_taxonomy.heads:  # and both are what each head gives alone
        values, asked = targets.head(small_taxonomy, head.name)
        alone, biases = fit_head(head, features[np.flatnonzero(asked)], values, CHOICE, ONE)
        where = small_taxonomy.slices[head.name]
        assert np.allclose(apart.coefficients[:, where], alone, atol=1e-6)
        assert np.allclose(apart.intercepts[where], biases, atol=1e-6)


def test_folds_never_split_a_group() -> None:
    groups = np.array([f"g{k // 3}" for k in range(30)])
    folds = list(grouped_folds(groups, 3))
    assert len(folds) == 3
    assert sorted(np.concatenate([test for _, test in folds]).tolist()) == list(range(30))
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])
    assert list(grouped_folds(np.array(["a"] * 5), 3)) == []


def test_search_prefers_the_cost_that_generalises(messages: list[Example], small_taxonomy: Taxonomy) -> None:
    values, _ = encode_targets(messages, small_taxonomy).head(small_taxonomy, "angry")
    groups = np.array([m.group for m in messages])
    choice = choose(small_taxonomy.by_name["angry"], counts(messages), values, groups, Search(costs=(1e-7, 1.0), weights=(None,)))
    assert choice.cost == 1.0
    assert choice.score > 0.99


def test_the_search_is_a_race_of_the_better_half(
    messages: list[Example], small_taxonomy: Taxonomy, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, features = small_taxonomy.by_name["angry"], counts(messages)
    values, _ = encode_targets(messages, small_taxonomy).head(small_taxonomy, "angry")
    groups = np.array([m.group for m in messages])
    tried: list[float] = []
    exact = linear.fit_head

    def noted(head: object, features: object, values: object, choice: Choice, search: Search) -> object:
        tried.append(choice.cost)
        return exact(head, features, values, choice, search)  # type: ignore[arg-type]

    monkeypatch.setattr(linear, "fit_head", noted)
    costs = (1e-7, 1e-6, 1e-5, 0.01, 1.0)
    choice = choose(head, features, values, groups, Search(costs=costs, weights=(None,)))
    assert tried[:5] == list(costs)
    assert len(tried) == 5 + 2 * 3
    kept = set(tried[5:])
    assert choice.cost in kept
    assert 1.0 in kept
    folds = list(grouped_folds(groups, 3))  # the score is the plain mean over all folds of what stayed in
    found = []
    for train, test in folds:
        weights, bias = exact(head, features[train], values[train], choice, Search())  # type: ignore[index]
        found.append(label_average_precision(head, features[test] @ weights + bias, values[test]))  # type: ignore[index]
    assert choice.score == pytest.approx(np.mean(found))


def test_where_the_first_fold_says_nothing_all_stay_in_the_race(small_taxonomy: Taxonomy, monkeypatch: pytest.MonkeyPatch) -> None:
    head = small_taxonomy.by_name["angry"]
    given = iter([float("nan")] * 3 + [0.1, 0.2, 0.9, 0.3, 0.2, 0.2])  # three on the first fold, then two folds of each
    monkeypatch.setattr(linear, "fit_head", lambda *_: (np.zeros((2, 1)), np.zeros(1)))
    monkeypatch.setattr(linear, "_score", lambda *_: next(given))
    groups = np.array([f"g{k}" for k in range(6)])
    choice = choose(head, np.zeros((6, 2)), np.zeros((6, 1)), groups, Search(costs=(1.0, 2.0, 3.0), weights=(None,)))
    assert (choice.cost, choice.score) == (2.0, pytest.approx(0.6))


def test_one_of_heads_are_searched_by_the_f1_of_their_answers(small_taxonomy: Taxonomy) -> None:
    """Three labels, of which the third never occurs: two of four right, hand-worked."""
    head, angry = small_taxonomy.by_name["topic"], small_taxonomy.by_name["angry"]
    truth = np.eye(head.n_logits, dtype=np.float32)[[0, 0, 0, 1]]
    answers = np.eye(head.n_logits, dtype=np.float32)[[0, 0, 2, 0]]
    # label 0: 2 hits, 1 extra, 1 missed: 4/6; label 1: none: 0; label 2 is in no truth
    assert linear._score(head, answers, truth) == pytest.approx((4 / 6 + 0) / 2)
    assert linear.search_score(head) == "macro-F1"
    values = np.array([[1], [0], [1], [0]], dtype=np.float32)
    logits = np.array([[3], [2], [1], [0]], dtype=np.float32)  # ranked 1, 0, 1, 0: precision 1 at the first, 2/3 at the second
    assert linear._score(angry, logits, values) == pytest.approx((1 + 2 / 3) / 2)
    assert linear.search_score(angry) == "average precision"


def test_a_dense_fit_equals_another_solver_at_its_optimum(small_taxonomy: Taxonomy) -> None:
    rng = np.random.default_rng(3)
    features = rng.normal(size=(200, 12)).astype(np.float32)
    values = (features[:, :1] + rng.normal(size=(200, 1)) > 0.3).astype(np.float32)
    for weight in (None, "balanced"):
        choice = Choice(cost=0.1, weight=weight, score=0.0)
        coefficients, intercepts = fit_head(small_taxonomy.by_name["angry"], features, values, choice, ONE)
        oracle = LogisticRegression(C=0.1, class_weight=weight, tol=1e-8, max_iter=5000).fit(features, values[:, 0])
        assert np.allclose(coefficients[:, 0], oracle.coef_[0], atol=1e-3)
        assert intercepts[0] == pytest.approx(oracle.intercept_[0], abs=1e-3)


def test_compact_keeps_inner_products(messages: list[Example], small_taxonomy: Taxonomy) -> None:
    rng = np.random.default_rng(0)
    from scipy.sparse import csr_matrix

    features = csr_matrix(rng.random((20, 300)) * (rng.random((20, 300)) < 0.2))
    small = _compact(small_taxonomy.by_name["topic"], features)
    assert small.shape == (20, 20)
    assert np.allclose(small @ small.T, (features @ features.T).toarray(), atol=1e-5)


def test_sampling_keeps_whole_groups() -> None:
    groups = np.array([f"g{k % 40}" for k in range(120)])
    kept = sample_groups(groups, 50, seed=1)
    assert len(kept) == 50
    names, sizes = np.unique(groups[kept], return_counts=True)
    assert (sizes == 3).sum() >= len(names) - 1  # at most the last group is cut


def test_average_precision_leaves_constant_labels_out(small_taxonomy: Taxonomy) -> None:
    head = small_taxonomy.by_name["wants"]
    values = np.array([[1, 0, 0], [0, 0, 0], [1, 1, 0]], dtype=np.float32)
    logits = np.array([[2, 0, 0], [1, 1, 0], [3, 2, 0]], dtype=np.float32)
    assert label_average_precision(head, logits, values) == pytest.approx(1.0)
    assert np.isnan(label_average_precision(head, logits, np.zeros_like(values)))


def test_an_unfinished_fit_raises_no_warning(messages: list[Example], small_taxonomy: Taxonomy) -> None:
    values, _ = encode_targets(messages, small_taxonomy).head(small_taxonomy, "topic")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_head(small_taxonomy.by_name["topic"], counts(messages), values, Choice(cost=1e9, weight=None, score=0), ONE)


@pytest.mark.parametrize("apart", [linear.APART, 1])
def test_features_that_leave_no_single_answer_are_fitted_without_a_warning(
    apart: int, messages: list[Example], small_taxonomy: Taxonomy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Columns that repeat each other at a large C: Newton's method meets a singular matrix, and no thread may spoil another's filters."""
    few = messages[:40]
    plain = counts(few).toarray()
    features = np.hstack([plain] * 12).astype(np.float32)
    targets = encode_targets(few, small_taxonomy)
    monkeypatch.setattr(linear, "APART", apart)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        heads = fit_linear_heads(features, targets, [m.id for m in few], small_taxonomy, Search(costs=(1.0, 1e8)))
    assert set(heads.choices) == {head.name for head in small_taxonomy.heads}
    assert np.isfinite(heads.logits(features)).all()
