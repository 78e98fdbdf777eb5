"""Every check detects what it is for, is silent on a good run, and says when it does not apply."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from known import calibrated, labelled, system

from reclamo.artefact import HeadCalibration
from reclamo.corpus import Example
from reclamo.evaluation import checks
from reclamo.evaluation.checks import CHECKS, Evidence, run_checks
from reclamo.evaluation.compare import EvaluationSet, System, compare
from reclamo.evaluation.metrics import bin_probabilities
from reclamo.evaluation.schema import ReliabilityBins
from reclamo.taxonomy import Taxonomy


def evidence_of(first: System, second: System, test: list[Example], train: list[Example], taxonomy: Taxonomy) -> Evidence:
    found = compare([first, second], [EvaluationSet.of("test", test, taxonomy)], taxonomy, resamples=50)
    return Evidence(
        taxonomy=taxonomy,
        model=first.name,
        baseline=second.name,
        calibration=first.calibration,
        scores=found.scores,
        means=found.means,
        differences=found.differences,
        train=train,
        test={"test": test},
    )


@pytest.fixture(scope="module")
def calm(examples: list[Example], taxonomy: Taxonomy) -> Evidence:
    """A good run: the model knows the truth, the baseline does not; training messages are others."""
    return evidence_of(system("model@1", 0.5, taxonomy), system("weak", 12.0, taxonomy), examples, _others(), taxonomy)


def _others() -> list[Example]:
    return [replace(e, id=f"t{e.id}", meta={"scenario": f"t{k}"}) for k, e in enumerate(labelled(200, seed=8))]


def findings(check: Any, evidence: Evidence) -> list[str] | None:
    found: list[str] | None = check(evidence)
    return found


@pytest.mark.parametrize("check", CHECKS)
def test_silent_on_a_good_run(check: Any, calm: Evidence) -> None:
    assert findings(check, calm) == []


@pytest.mark.parametrize("check", CHECKS)
def test_not_applicable_where_there_is_nothing_to_see(check: Any, taxonomy: Taxonomy) -> None:
    exclusive = replace(taxonomy, heads=(taxonomy.by_name["role"],))
    nothing = Evidence(
        taxonomy=exclusive,
        model="model@1",
        baseline="weak",
        calibration=calibrated(exclusive),
        scores=[],
        means=[],
        differences=[],
        train=[],
        test={},
    )
    assert findings(check, nothing) is None


def test_detects_a_head_below_the_baseline(examples: list[Example], taxonomy: Taxonomy) -> None:
    turned = evidence_of(system("model@1", 12.0, taxonomy), system("weak", 0.5, taxonomy), examples, _others(), taxonomy)
    found = findings(checks.worse_than_baseline, turned)
    assert found
    assert any("sentiment" in line and "clear of 0" in line for line in found)


def test_detects_a_word_that_gives_a_label_away(calm: Evidence) -> None:
    marked = [replace(e, text=e.text + " Zafiro") if "apology" in str(e.labels.get("traits")) else e for e in calm.train]
    tested = [replace(e, text=e.text + " ZAFIRO") if "apology" in str(e.labels.get("traits")) else e for e in calm.test["test"]]
    assert findings(checks.token_gives_label_away, replace(calm, train=marked, test={"test": tested})) == [
        "traits.apology: the word 'zafiro' alone has F1 1.00"
    ]


def test_rows_of_other_files_with_the_same_numbers_are_no_overlap(calm: Evidence) -> None:
    words = ["abeto", "brezo", "cardo", "drago", "enebro", "fresno"]
    learnt = [Example(id=str(k), text=f"{word} " * 7, lang="es", labels={}) for k, word in enumerate(words[:3])]
    tested = [Example(id=str(k), text=f"{word} " * 7, lang="es", labels={}) for k, word in enumerate(words[3:])]
    assert findings(checks.train_test_overlap, replace(calm, train=learnt, test={"test": tested})) == []
    assert findings(checks.train_test_overlap, replace(calm, train=learnt, test={"test": tested}, unread=True)) is None
    copied = [*tested[1:], replace(tested[0], text=learnt[0].text)]
    assert findings(checks.train_test_overlap, replace(calm, train=learnt, test={"test": copied}, unread=True))


def test_detects_overlap(calm: Evidence) -> None:
    mine = calm.test["test"]
    same_scenario = replace(calm.train[0], meta=dict(mine[0].meta))
    long = "llevo tres semanas esperando el reembolso de mi pedido y nadie me contesta cuando llamo por teléfono"
    copied = replace(calm.train[1], text=long.upper() + " gracias")
    tested = [*mine, Example(id="near", text="Hola, " + long, lang="es", labels={})]
    found = findings(checks.train_test_overlap, replace(calm, train=[same_scenario, copied], test={"test": tested}))
    assert found is not None
    assert len(found) == 2
    assert "scenario" in found[0]
    assert "1 texts" in found[1]
    assert "near" in found[1]


def test_detects_a_label_that_is_never_said(calm: Evidence) -> None:
    silent = [
        one.model_copy(
            update={"labels": [label.model_copy(update={"said": 0}) if label.name == "delay" else label for label in one.labels]}
        )
        for one in calm.scores
    ]
    found = findings(checks.never_says_yes, replace(calm, scores=silent))
    assert found
    assert all("grounds.delay" in line for line in found)
    assert len(found) == 1  # once, not once a language


def test_detects_a_threshold_on_the_edge(calm: Evidence) -> None:
    heads = {**calm.calibration.heads, "complaint": HeadCalibration(thresholds=(0.95,))}
    assert findings(checks.thresholds_on_edge, replace(calm, calibration=replace(calm.calibration, heads=heads))) == [
        "complaint.complaint: threshold 0.950"
    ]


def test_detects_bad_calibration(calm: Evidence) -> None:
    off = [one.model_copy(update={"calibration_error": 0.11}) if one.head == "churn_risk" else one for one in calm.scores]
    found = findings(checks.calibration_off, replace(calm, scores=off))
    assert found
    assert all("churn_risk is 0.110" in line for line in found)


def test_right_probabilities_seldom_raise_an_alarm_and_wrong_ones_do(calm: Evidence) -> None:
    rng = np.random.default_rng(3)
    one = next(one for one in calm.scores if one.head == "churn_risk" and one.system == calm.model and one.language == "all")

    def alarms(n: int, shift: float) -> float:
        seen = 0
        for _ in range(60):
            p = rng.beta(0.8, 1.2, n)
            bins = bin_probabilities(np.clip(p + shift, 0, 0.999).astype(np.float32), rng.random(n) < p)
            shape = ReliabilityBins(counts=list(bins.counts), confidence=list(bins.confidence), frequency=list(bins.frequency))
            score = one.model_copy(update={"messages": n, "calibration_error": bins.error, "reliability": shape})
            seen += bool(checks.calibration_off(replace(calm, scores=[score])))
        return seen / 60

    assert alarms(102, 0.0) < 0.2
    assert alarms(102, 0.25) > 0.8
    assert alarms(3000, 0.1) > 0.95


def test_detects_a_language_behind(calm: Evidence) -> None:
    def lower(value: float) -> dict[str, float]:
        return {"value": value - 0.1, "low": 0, "high": 1}

    behind = [
        one.model_copy(update={"score": one.score.model_copy(update=lower(one.score.value))}) if one.language == "el" else one
        for one in calm.scores
    ]
    found = findings(checks.language_behind, replace(calm, scores=behind))
    assert found is not None
    assert len(found) == 1
    assert "el is" in found[0]


def test_results_carry_status_and_findings(calm: Evidence) -> None:
    results = run_checks(replace(calm, train=[]))
    by_name = {one.check: one for one in results}
    assert len(results) == len(CHECKS) == 7
    assert by_name["train_test_overlap"].status == "not_applicable"
    assert by_name["worse_than_baseline"].status == "silent"
