"""Logistic regressions for all heads on one feature matrix, with C and class weights chosen by grouped cross-validation."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgWarning  # type: ignore[import-untyped]
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score
from sklearn.model_selection import GroupKFold
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from reclamo.baselines.predictor import Array, head_prior
from reclamo.corpus import Targets
from reclamo.taxonomy import Head, Taxonomy

Progress = Callable[[str], None]
Indices = NDArray[np.int64]
T = TypeVar("T")
R = TypeVar("R")
ABSENT: Final = -12.0
APART: Final = 1_000_000  # numbers in a matrix, from which on processes of their own for the fits pay for their start


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is tried for each head.

    Attributes:
        costs: values of C, the inverse strength of the L2 penalty. weights: class weights.
        folds: of the grouped cross-validation. seed: of the solver. processes: fits at once.
        rows: on how many messages, whole groups, it is tried; the choice is then fitted on all.
    """

    costs: tuple[float, ...] = (1.0, 4.0, 16.0, 64.0, 256.0)
    weights: tuple[str | None, ...] = (None, "balanced")
    folds: int = 3
    seed: int = 17
    processes: int = 2
    rows: int = 4000


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What was chosen for a head, and the score that it had in cross-validation: `search_score`."""

    cost: float
    weight: str | None
    score: float


@dataclass(frozen=True, kw_only=True)
class LinearHeads:
    """All heads as one linear map: logits = features @ coefficients + intercepts.

    Attributes:
        coefficients: float32 (features, n_logits). intercepts: float32 (n_logits,).
        choices: by head; heads without training messages are not in it.
    """

    coefficients: Array
    intercepts: Array
    choices: dict[str, Choice]

    def logits(self, features: Any) -> Array:
        """Score a dense or sparse matrix (messages, features) -> (messages, n_logits)."""
        return np.asarray(features @ self.coefficients + self.intercepts, dtype=np.float32)


def fit_linear_heads(
    features: Any, targets: Targets, groups: Sequence[str], taxonomy: Taxonomy, search: Search = Search(), progress: Progress | None = None
) -> LinearHeads:
    """Fit one regression for each head, label or threshold: multinomial for one-of heads, binary for all others.

    Args:
        features: (messages, features), sparse rows or dense. groups: messages of one group never straddle folds.
    """
    coefficients = np.zeros((features.shape[1], taxonomy.n_logits), dtype=np.float32)
    intercepts = np.zeros(taxonomy.n_logits, dtype=np.float32)
    choices: dict[str, Choice] = {}
    names = np.asarray(groups)

    def fit_whole(head: Head) -> tuple[Head, tuple[Array, Array]]:
        values, asked = targets.head(taxonomy, head.name)
        return head, fit_head(head, features[np.flatnonzero(asked)], values, choices[head.name], search)

    # Threads inside the matrix products of small fits wait for each other: one each is ten times as fast on a busy machine.
    with threadpool_limits(1), _quietly():
        for head in taxonomy.heads:
            values, asked = targets.head(taxonomy, head.name)
            if not len(values):
                continue
            chosen = choices[head.name] = choose(head, features[np.flatnonzero(asked)], values, names[asked], search)
            if progress:
                progress(f"{head.name}: C={chosen.cost:g}, class weight {chosen.weight}, {search_score(head)} {chosen.score:.3f}")
        known = [head for head in taxonomy.heads if head.name in choices]
        fitted = at_once(fit_whole, [head for head in known if head.kind == "one_of"], features, search)
        fitted += fit_labels(features, targets, taxonomy, [head for head in known if head.kind != "one_of"], choices, search)
    for head, (weights, biases) in fitted:
        where = taxonomy.slices[head.name]
        coefficients[:, where], intercepts[where] = weights, biases
    return LinearHeads(coefficients=coefficients, intercepts=intercepts, choices=choices)


def choose(head: Head, features: Any, values: Array, groups: NDArray[np.str_], search: Search) -> Choice:
    """Choose C and class weight of one head by the mean of its score over grouped folds.

    All are tried on the first fold, and the better half of them on the others: a race, as the rest would cost a third of the fits.
    """
    tried = [Choice(cost=cost, weight=weight, score=0.0) for cost, weight in product(search.costs, search.weights)]
    kept = sample_groups(groups, search.rows, search.seed)
    values, groups, matrix = values[kept], groups[kept], _compact(head, features[kept])
    folds = list(grouped_folds(groups, search.folds))
    if not folds or len(tried) == 1:
        return tried[0]

    def score(trial: tuple[Choice, tuple[Indices, Indices]]) -> float:
        choice, (train, test) = trial
        coefficients, intercepts = fit_head(head, matrix[train], values[train], choice, search)
        return _score(head, matrix[test] @ coefficients + intercepts, values[test])

    def scored(choices: Sequence[Choice], folds: Sequence[tuple[Indices, Indices]]) -> Array:
        found = at_once(score, [(choice, fold) for choice in choices for fold in folds], matrix, search)
        return np.reshape(np.asarray(found, dtype=np.float64), (len(choices), len(folds)))

    first = scored(tried, folds[:1])
    half = len(tried) if np.isnan(first).all() else -(-len(tried) // 2)
    ahead = np.sort(np.argsort(-np.nan_to_num(first[:, 0], nan=-1.0), kind="stable")[:half])
    tried = [tried[place] for place in ahead]
    scores = np.hstack([first[ahead], scored(tried, folds[1:])])
    known = ~np.isnan(scores)  # a fold without both answers says nothing
    means = np.where(known, scores, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    best = int(means.argmax())
    return Choice(cost=tried[best].cost, weight=tried[best].weight, score=float(means[best]))


def at_once(fit: Callable[[T], R], jobs: Sequence[T], features: Any, search: Search) -> list[R]:
    """Do jobs on one feature matrix, several at once where it is large enough to pay.

    Several means processes. liblinear draws from one generator for all threads of a process, so threads would make the fits differ
    from run to run; and Newton's method in scikit-learn changes the filters of warnings, which all threads of a process share.
    """
    from sklearn.utils.parallel import Parallel, delayed

    numbers = features.size if isinstance(features, np.ndarray) else features.nnz
    together = search.processes if numbers >= APART else 1
    with _quietly():
        return [*Parallel(n_jobs=together)(delayed(fit)(job) for job in jobs)]


def search_score(head: Head) -> str:
    """What settings are chosen by: macro-F1 of one-of heads, whose likeliest label is the answer, as the harness judges them.

    Of all others average precision: their thresholds are fitted later, on validation.
    """
    return "macro-F1" if head.kind == "one_of" else "average precision"


def _score(head: Head, logits: Any, values: Array) -> float:
    if head.kind != "one_of":
        return label_average_precision(head, logits, values)
    truth, answers = values.argmax(axis=1), np.asarray(logits).argmax(axis=1)
    return float(f1_score(truth, answers, labels=np.unique(truth), average="macro", zero_division=0.0))


def grouped_folds(groups: NDArray[np.str_], folds: int) -> Iterator[tuple[Indices, Indices]]:
    """Split rows so that no group stands on both sides; nothing where there are fewer groups than two."""
    n = min(folds, len(set(groups.tolist())))
    if n >= 2:
        yield from GroupKFold(n_splits=n).split(np.zeros((len(groups), 1)), groups=groups)


def label_average_precision(head: Head, logits: Any, values: Array) -> float:
    """Mean average precision over the labels that have both answers; NaN where none has."""
    scores = np.asarray(logits, dtype=np.float64)
    if head.kind == "one_of":
        scores = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
    columns = _varying(values)
    return float(np.mean([average_precision_score(values[:, k], scores[:, k]) for k in columns])) if columns else float("nan")


def fit_head(head: Head, features: Any, values: Array, choice: Choice, search: Search) -> tuple[Array, Array]:
    """Fit one head: coefficients (features, n_logits) and intercepts (n_logits,). A label that never varies gets its prior."""
    coefficients = np.zeros((features.shape[1], head.n_logits), dtype=np.float32)
    intercepts = head_prior(head, values)
    if head.kind != "one_of":
        for k in _varying(values):
            coefficients[:, k], intercepts[k] = _fit_label(features, slice(None), values[:, k], choice, search)
        return coefficients, intercepts
    classes = values.argmax(axis=1)
    present = np.unique(classes)
    intercepts[np.setdiff1d(np.arange(head.n_logits), present)] = ABSENT
    if len(present) == 2:
        model = _binary(features, classes == present[1], choice, search)
        coefficients[:, present] = model.coef_.T * [-0.5, 0.5]
        intercepts[present] = model.intercept_[0] * np.array([-0.5, 0.5])
    elif len(present) > 2:
        model = _multinomial(features, classes, choice)
        coefficients[:, present], intercepts[present] = model.coef_.T, model.intercept_
    return coefficients, intercepts


def _binary(features: Any, truth: Any, choice: Choice, search: Search) -> Any:
    # Few features and many messages are what Newton's method is for.
    if isinstance(features, np.ndarray):
        model = LogisticRegression(C=choice.cost, class_weight=choice.weight, solver="newton-cholesky", max_iter=300, tol=1e-3)
        return model.fit(features, truth > 0)
    # liblinear's dual solver is fast on n-grams, where features outnumber messages. On 27,000 messages its fits at a tolerance of 1
    # have the average precision of those at 0.1 to 0.0001, and the best F1 to 0.003, in a third to two thirds of the time.
    model = LogisticRegression(
        C=choice.cost, class_weight=choice.weight, solver="liblinear", dual=True, max_iter=1000, tol=1.0, random_state=search.seed
    )
    return model.fit(features, truth > 0)


def fit_labels(
    features: Any, targets: Targets, taxonomy: Taxonomy, heads: Sequence[Head], choices: Mapping[str, Choice], search: Search
) -> list[tuple[Head, tuple[Array, Array]]]:
    """Fit heads that are no one-of heads on all their messages, each label for itself; on many messages several at once."""
    asked = {head.name: targets.head(taxonomy, head.name) for head in heads}
    places = [(head.name, k) for head in heads for k in _varying(asked[head.name][0])]

    def fit(place: tuple[str, int]) -> tuple[Array, float]:
        name, k = place
        values, rows = asked[name]
        return _fit_label(features, np.flatnonzero(rows), values[:, k], choices[name], search)

    models = at_once(fit, places, features, search)
    fitted = {
        head.name: (np.zeros((features.shape[1], head.n_logits), dtype=np.float32), head_prior(head, asked[head.name][0])) for head in heads
    }
    for (name, k), (weights, bias) in zip(places, models, strict=True):
        coefficients, intercepts = fitted[name]
        coefficients[:, k], intercepts[k] = weights, bias
    return [(head, fitted[head.name]) for head in heads]


def _varying(values: Array) -> list[int]:
    """The columns that hold both answers: there is something to learn."""
    return [k for k in range(values.shape[1]) if 0 < values[:, k].sum() < len(values)]


def _fit_label(features: Any, rows: Any, truth: Any, choice: Choice, search: Search) -> tuple[Array, float]:
    model = _binary(features[rows], truth, choice, search)
    return model.coef_[0].astype(np.float32), float(model.intercept_[0])


def _multinomial(features: Any, classes: Any, choice: Choice) -> Any:
    return LogisticRegression(C=choice.cost, class_weight=choice.weight, max_iter=300, tol=1e-3).fit(features, classes)


@contextmanager
def _quietly() -> Iterator[None]:
    # At a large C the last digits take long; a fit that stopped early is scored as it is, like any other candidate. Newton's method on
    # fewer messages than features may overflow on its way, or meet a matrix that it can't invert: scikit-learn then goes on by L-BFGS.
    with warnings.catch_warnings():
        for category in (ConvergenceWarning, LinAlgWarning, RuntimeWarning):
            warnings.simplefilter("ignore", category)
        yield


def sample_groups(groups: NDArray[np.str_], most: int, seed: int) -> Indices:
    """Draw rows: all, or whole groups up to `most` rows, the last of them cut."""
    if len(groups) <= most:
        return np.arange(len(groups))
    names = np.unique(groups)
    np.random.default_rng(seed).shuffle(names)
    rank = {name: place for place, name in enumerate(names)}
    order = np.argsort([rank[name] for name in groups], kind="stable")
    return np.sort(order[:most])


def _compact(head: Head, features: Any) -> Any:
    """For multinomial fits, give n columns that have the inner products of the many sparse ones.

    An L2-penalised fit depends on inner products alone, so the Cholesky factor of the Gram matrix gives the same scores; lbfgs
    on it is ten times as fast.
    """
    if head.kind != "one_of" or head.n_logits == 2 or isinstance(features, np.ndarray) or features.shape[1] <= features.shape[0]:
        return features
    gram = np.asarray((features @ features.T).toarray(), dtype=np.float64)
    gram[np.diag_indices_from(gram)] += 1e-6
    return np.linalg.cholesky(gram)
