"""The comparison: figures equal scikit-learn's, differences are paired, languages and slices add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from known import labelled, system
from sklearn.metrics import f1_score

from reclamo.corpus import Example
from reclamo.evaluation.compare import Comparison, EvaluationSet, System, compare, describe_set, describe_system
from reclamo.evaluation.slices import slice_masks, slice_scores
from reclamo.taxonomy import Taxonomy


@pytest.fixture(scope="module")
def found(good: System, weak: System, test_set: EvaluationSet, taxonomy: Taxonomy) -> Comparison:
    return compare([good, weak], [test_set], taxonomy, resamples=300, seed=3)


def test_scores_equal_scikit_learn(found: Comparison, examples: list[Example], taxonomy: Taxonomy) -> None:
    outcome = found.of("weak", "test").outcomes["sentiment"]
    for language in ("es", "el", "it", "all"):
        rows = np.array([language in (examples[row].lang, "all") for row in outcome.rows])
        oracle = f1_score(outcome.truth[rows].argmax(1), outcome.chosen[rows].argmax(1), average="macro")
        mine = next(s for s in found.scores if (s.system, s.language, s.head) == ("weak", language, "sentiment"))
        assert mine.score.value == pytest.approx(oracle, abs=1e-4)
        assert mine.score.low <= mine.score.value <= mine.score.high
        assert mine.messages == rows.sum()
        assert sum(label.support for label in mine.labels) == rows.sum()


def test_the_mean_is_that_of_the_heads_and_the_difference_that_of_the_means(found: Comparison) -> None:
    for language in ("es", "el", "it", "all"):
        means = {}
        for name in ("good@1", "weak"):
            heads = [s.score.value for s in found.scores if (s.system, s.language) == (name, language)]
            mean = next(m for m in found.means if (m.system, m.language) == (name, language))
            assert mean.score.value == pytest.approx(np.mean(heads), abs=1e-3)
            assert mean.heads == len(heads) == 8
            means[name] = mean.score.value
        gap = next(d for d in found.differences if (d.language, d.head) == (language, "mean"))
        assert gap.difference.value == pytest.approx(means["good@1"] - means["weak"], abs=1e-3)
        assert gap.difference.low > 0


def test_a_system_against_itself_differs_by_nothing(good: System, test_set: EvaluationSet, taxonomy: Taxonomy) -> None:
    twin = system("twin", 3.0, taxonomy)
    found = compare([good, twin], [test_set], taxonomy, resamples=50)
    assert all((d.difference.value, d.difference.low, d.difference.high) == (0, 0, 0) for d in found.differences)
    assert {d.mcnemar_p for d in found.differences if d.head in ("complaint", "churn_risk")} == {1.0}


def test_pairing_narrows_the_interval(test_set: EvaluationSet, taxonomy: Taxonomy) -> None:
    one = system("one", 6.0, taxonomy, seed=1)
    found = compare([one, system("near", 6.05, taxonomy, seed=1)], [test_set], taxonomy, resamples=300)
    gap = next(d.difference for d in found.differences if (d.language, d.head) == ("all", "mean"))
    own = next(m.score for m in found.means if (m.system, m.language) == ("one", "all"))
    assert gap.high - gap.low < 0.5 * (own.high - own.low)


def test_same_seed_same_intervals(found: Comparison, good: System, weak: System, test_set: EvaluationSet, taxonomy: Taxonomy) -> None:
    again = compare([good, weak], [test_set], taxonomy, resamples=300, seed=3)
    assert again.scores == found.scores
    assert again.differences == found.differences


def test_a_perfect_system_has_one_everywhere(test_set: EvaluationSet, taxonomy: Taxonomy) -> None:
    found = compare([system("perfect", 0.0, taxonomy)], [test_set], taxonomy, resamples=20)
    assert {s.score.value for s in found.scores} == {1.0}
    assert {s.quadratic_kappa for s in found.scores if s.head == "severity"} == {1.0}
    assert {e.score.value for e in found.end_to_end} == {1.0}
    assert {point.risk for risk in found.risk for point in risk.points} == {0.0}


def test_a_head_with_few_messages_takes_no_part_in_the_mean(good: System, taxonomy: Taxonomy) -> None:
    few = [e for e in labelled(90, seed=4) if e.role == "customer"] + [e for e in labelled(40, seed=5) if e.role == "agent"][:3]
    found = compare([good], [EvaluationSet.of("few", few, taxonomy)], taxonomy, resamples=20)
    assert any(s.head == "traits" for s in found.scores if s.language == "all")
    assert next(m.heads for m in found.means if m.language == "all") == 7


def test_a_set_in_one_language_has_no_all(good: System, taxonomy: Taxonomy) -> None:
    spanish = [e for e in labelled(60, seed=7) if e.lang == "es"]
    found = compare([good], [EvaluationSet.of("es", spanish, taxonomy)], taxonomy, resamples=20)
    assert {m.language for m in found.means} == {"es"}


def test_descriptions(found: Comparison, good: System, test_set: EvaluationSet, taxonomy: Taxonomy) -> None:
    info = describe_set(test_set, taxonomy)
    assert info.languages == {"el": 80, "es": 80, "it": 80}
    assert info.heads["sentiment"] == 240
    assert info.heads["complaint"] + info.heads["traits"] == 240
    cost = describe_system(good, found.measured).cost
    assert cost.messages_per_second > 0


def test_slices(found: Comparison, examples: list[Example]) -> None:
    masks = {(kind, value): mask for kind, value, mask in slice_masks(examples)}
    assert masks["channel", "email"].sum() + masks["channel", "chat"].sum() == 240
    assert masks["hard", "irony"].sum() == len([e for e in examples if e.hard])
    assert not any(kind == "origin" for kind, _ in masks)  # all are written: the kind divides nothing
    scores = list(slice_scores([found.of("good@1", "test")]))
    assert {s.value for s in scores if s.kind == "role"} == {"customer", "agent"}
    agents = next(s for s in scores if s.value == "agent")
    assert set(agents.heads) == {"role", "sentiment", "traits"}
    assert agents.mean == pytest.approx(np.mean(list(agents.heads.values())), abs=1e-3)


def test_greeklish_is_a_slice() -> None:
    greek = [
        Example(id="1", text="den exo lavei akoma tipota kai kaneis den apantaei", lang="el", labels={}),
        Example(id="2", text="Δεν έχω λάβει ακόμα τίποτα", lang="el", labels={}),
    ]
    masks = {(kind, value): mask.tolist() for kind, value, mask in slice_masks(greek)}
    assert masks["alphabet", "Greeklish"] == [True, False]
    assert masks["alphabet", "Greek letters"] == [False, True]


def test_the_means_of_all_systems_are_over_the_heads_that_all_have(taxonomy: Taxonomy) -> None:
    calm = [
        replace(e, labels={**e.labels, "traits": ()}, hard=("x",) if k % 2 else ())
        for k, e in enumerate(labelled(300))
        if e.role == "agent"
    ]
    systems = [
        system("silent@1", 0.0, taxonomy),
        system("loud", 12.0, taxonomy),
    ]  # the first rightly says no trait: its micro-F1 is undefined
    found = compare(systems, [EvaluationSet.of("test", calm, taxonomy)], taxonomy, resamples=20)
    assert {m.heads for m in found.means} == {2}  # role and sentiment
    assert {one.head for one in found.scores if one.system == "loud"} == {"role", "sentiment", "traits"}
    assert all(set(one.heads) == {"role", "sentiment"} for one in slice_scores(found.measured))
