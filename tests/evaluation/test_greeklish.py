"""Greek in Latin letters: which messages are measured, and what a system that reads one alphabet only gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from known import calibrated, labelled

from reclamo.baselines import Array
from reclamo.corpus import Example, encode_targets
from reclamo.evaluation.compare import EvaluationSet, System, measure
from reclamo.evaluation.greeklish import greeklish_score, in_latin_letters
from reclamo.taxonomy import Taxonomy

TEXT = "Περιμένω τρεις εβδομάδες και δεν ήρθε τίποτα, κανείς δεν απαντάει στο τηλέφωνο"


@dataclass(frozen=True)
class Reading:
    """Right on texts that it reads; on others it says the opposite."""

    taxonomy: Taxonomy
    only_greek: bool
    name: str = "reading"

    def logits(self, examples: Sequence[Example]) -> Array:
        truth = 4.0 * (2 * encode_targets(examples, self.taxonomy).values - 1)
        read = [not self.only_greek or any("α" <= ch <= "ω" for ch in example.text) for example in examples]
        return np.asarray(np.where(np.array(read)[:, None], truth, -truth), dtype=np.float32)


@pytest.fixture(scope="module")
def mixed(taxonomy: Taxonomy) -> EvaluationSet:
    """120 Greek messages in Greek letters, and as many Spanish and Italian ones; the first Greek one is Greeklish already."""
    examples = [replace(e, text=f"{TEXT} {k}") if e.lang == "el" else e for k, e in enumerate(labelled(360))]
    first = next(k for k, e in enumerate(examples) if e.lang == "el")
    examples[first] = replace(examples[first], text="den irthe tipota kai kaneis den apantaei")
    return EvaluationSet.of("test", examples, taxonomy)


def system(taxonomy: Taxonomy, *, only_greek: bool) -> System:
    return System(predictor=Reading(taxonomy, only_greek), calibration=calibrated(taxonomy), description="reads")


def test_a_system_that_reads_both_loses_nothing(mixed: EvaluationSet, taxonomy: Taxonomy) -> None:
    score = greeklish_score(measure(system(taxonomy, only_greek=False), mixed, taxonomy), taxonomy, resamples=50, seed=1)
    assert score is not None
    assert score.messages == 119  # not the one that is Greeklish already
    assert (score.greek, score.greeklish, score.difference.value) == (1.0, 1.0, 0.0)
    assert score.detected > 0.9
    assert "complaint" in score.heads


def test_a_system_that_reads_greek_letters_only_loses_all(mixed: EvaluationSet, taxonomy: Taxonomy) -> None:
    score = greeklish_score(measure(system(taxonomy, only_greek=True), mixed, taxonomy), taxonomy, resamples=50, seed=1)
    assert score is not None
    assert score.greek == 1.0
    assert score.greeklish < 0.4
    assert score.difference.high < -0.5
    assert score.heads["complaint"] == (1.0, 0.0)
    assert score.difference.value == pytest.approx(score.greeklish - score.greek, abs=1e-4)


def test_too_few_greek_messages_are_not_measured(taxonomy: Taxonomy) -> None:
    few = EvaluationSet.of("few", [replace(e, text=TEXT) for e in labelled(27)], taxonomy)  # nine of each language
    assert greeklish_score(measure(system(taxonomy, only_greek=False), few, taxonomy), taxonomy, resamples=5, seed=1) is None


def test_writing_in_latin_letters_is_seeded() -> None:
    one = Example(id="a", text=TEXT, lang="el", labels={})
    changed = in_latin_letters(one, 1).text
    assert changed.isascii()
    assert "den" in changed.split()
    assert changed == in_latin_letters(one, 1).text
    assert len({in_latin_letters(replace(one, id=str(k)), 1).text for k in range(10)}) > 1
