"""Deletion of evidence: exact values on a score that is a sum over words, controls, odd texts, and the tagger's own words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from known import calibrated

from reclamo.corpus import Example
from reclamo.engine.evidence import pick_spans
from reclamo.engine.tagger import load
from reclamo.evaluation.faithfulness import (
    Array,
    Claim,
    Effect,
    Spans,
    TaggerExplainer,
    claims,
    draw,
    effects,
    faithfulness_scores,
    first_words,
    without,
)
from reclamo.tags import HeadTag
from reclamo.taxonomy import Taxonomy, parse_taxonomy

ONE_HEAD = parse_taxonomy(
    'version = 1\nname = "s"\nlanguages = ["es", "it"]\n[[head]]\nname = "angry"\nkind = "yes_no"\nlabels = [{ name = "angry" }]\n'
)
VALUES = {"roto": 3.0, "mal": 1.0}
TEN = "uno dos tres roto cuatro mal cinco seis siete ocho"


@dataclass
class Summing:
    """Its one logit is the sum of its words' values; `sign` -1 lies about what they contributed."""

    sign: float = 1.0
    values: Mapping[str, float] = field(default_factory=lambda: VALUES)

    def logits(self, texts: Iterable[str]) -> Array:
        return np.array([[sum(self.values.get(word, 0.0) for word in text.split())] for text in texts], dtype=np.float32).reshape(-1, 1)

    def explain(self, texts: Sequence[str], wanted: Sequence[Array]) -> Iterator[tuple[Spans, Array]]:
        for text, weights in zip(texts, wanted, strict=True):
            words = list(re.finditer(r"\S+", text))
            values = np.array([self.sign * self.values.get(word[0], 0.0) for word in words], dtype=np.float32)
            yield np.array([word.span() for word in words], dtype=np.int64).reshape(-1, 2), values[:, None] * weights[0]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def message(text: str, number: int = 0, lang: str = "es") -> Example:
    return Example(id=f"m{number}", text=text, lang=lang, labels={})


def effect(text: str, sign: float = 1.0) -> Effect:
    (found,) = effects(Summing(sign), [message(text)], ONE_HEAD, calibrated(ONE_HEAD))
    return found[2]


def test_the_effects_of_a_sum_over_words_are_exact() -> None:
    one = effect(TEN)  # 1, 1, 1, 2 and 5 of ten words: «roto» falls three times alone, and twice with «mal»
    assert one.comprehensiveness == pytest.approx(sigmoid(4) - (3 * sigmoid(1) + 2 * sigmoid(0)) / 5, abs=1e-6)
    assert one.sufficiency == pytest.approx(sigmoid(4) - (3 * sigmoid(3) + 2 * sigmoid(4)) / 5, abs=1e-6)


def test_random_words_do_worse_and_false_evidence_does_worst() -> None:
    texts = [" ".join(np.random.default_rng(k).permutation(TEN.split())) for k in range(20)]
    true = [effects(Summing(), [message(text, k)], ONE_HEAD, calibrated(ONE_HEAD))[0][2] for k, text in enumerate(texts)]
    false = effect(TEN, sign=-1.0)
    comprehensive, chance = np.mean([e.comprehensiveness for e in true]), np.mean([e.random_comprehensiveness for e in true])
    assert comprehensive > 2 * chance > 0
    assert np.mean([e.sufficiency for e in true]) < np.mean([e.random_sufficiency for e in true])
    assert false.comprehensiveness == pytest.approx(0.0, abs=1e-6)  # the words without value go first
    assert false.comprehensiveness < chance


def test_a_single_word_is_all_there_is() -> None:
    one = effect("roto")
    assert one.comprehensiveness == pytest.approx(sigmoid(3) - sigmoid(0), abs=1e-6)
    assert one.sufficiency == pytest.approx(0.0, abs=1e-6)
    assert (one.random_comprehensiveness, one.random_sufficiency) == pytest.approx((one.comprehensiveness, 0.0), abs=1e-6)


def test_messages_without_words_or_without_an_answer_are_left_out() -> None:
    refusing = Summing(values={"roto": -3.0})
    assert effects(Summing(), [message(""), message(" \n")], ONE_HEAD, calibrated(ONE_HEAD)) == []
    assert effects(refusing, [message("roto")], ONE_HEAD, calibrated(ONE_HEAD)) == []
    assert effects(Summing(), [], ONE_HEAD, calibrated(ONE_HEAD)) == []


def test_deleting_words_by_example() -> None:
    spans = np.array([[0, 2], [3, 5], [6, 15], [15, 16]], dtype=np.int64)
    assert without("no me contestan.", spans, [1]) == "no contestan."
    assert without("no me contestan.", spans, [3, 0]) == "me contestan"
    assert without("no me contestan.", spans, []) == "no me contestan."
    assert without("no me contestan.", spans, range(4)) == ""
    assert first_words(30) == [1, 2, 3, 6, 15]
    assert first_words(1) == [1, 1, 1, 1, 1]
    assert first_words(200) == [2, 10, 20, 40, 100]


def test_claims_are_what_was_answered_with_evidence(taxonomy: Taxonomy) -> None:
    grounds = dict.fromkeys(taxonomy.by_name["grounds"].names, 0.1) | {"delay": 0.7, "billing": 0.9}
    severity = dict(zip(taxonomy.by_name["severity"].names, (0.1, 0.2, 0.3, 0.4), strict=True))
    heads: dict[str, HeadTag | None] = dict.fromkeys(taxonomy.by_name)
    heads |= {
        "role": HeadTag(value="customer", p={"customer": 0.9, "agent": 0.1}),
        "complaint": HeadTag(value=True, p=0.8),
        "churn_risk": HeadTag(value=False, p=0.2),
        "grounds": HeadTag(value=["delay", "billing"], p=grounds),
        "severity": HeadTag(value="medium", p=severity),
    }
    found = {claim.head.name: claim for claim in claims(taxonomy, heads)}
    assert set(found) == {"complaint", "grounds", "severity"}
    assert taxonomy.by_name["grounds"].names[found["grounds"].column] == "billing"
    p = {"severity": np.array([[0.1, 0.2, 0.3, 0.4]], dtype=np.float32), "complaint": np.array([[0.8]], dtype=np.float32)}
    assert found["severity"].probability(p) == pytest.approx(0.7)  # medium or high
    assert found["complaint"].probability(p) == pytest.approx(0.8)


def test_scores_by_language_and_over_heads() -> None:
    drawn = [message(TEN, k, "es" if k < 8 else "it") for k in range(12)]  # four Italian ones are too few
    scores = list(faithfulness_scores(Summing(), "s@1", "test", drawn, ONE_HEAD, calibrated(ONE_HEAD), 3))
    assert [(one.language, one.head, one.answers) for one in scores] == [
        ("es", "angry", 8),
        ("es", "mean", 8),
        ("all", "angry", 12),
        ("all", "mean", 12),
    ]
    assert scores[0].comprehensiveness == pytest.approx(effect(TEN).comprehensiveness, abs=1e-4)
    assert scores[0].times_random == pytest.approx(scores[0].comprehensiveness / scores[0].random_comprehensiveness, rel=0.01)
    assert scores == list(faithfulness_scores(Summing(), "s@1", "test", drawn, ONE_HEAD, calibrated(ONE_HEAD), 3))


def test_drawing_is_even_by_language_and_seeded() -> None:
    messages = [message("x", k, "es" if k < 30 else "it") for k in range(34)]
    drawn = draw(messages, 20, 1)
    assert [sum(e.lang == lang for e in drawn) for lang in ("es", "it")] == [10, 4]
    assert len({e.id for e in drawn}) == 14
    assert drawn == draw(messages, 20, 1)
    assert draw(messages, 0, 1) == []


def test_the_words_of_a_tagger_are_those_of_its_evidence(tiny_tagger: Path) -> None:
    tagger = load(tiny_tagger)
    explainer = TaggerExplainer(tagger=tagger)
    sentence = "Llevo tres semanas esperando el reembolso y nadie contesta. "
    for text in (sentence.strip(), (12 * sentence).strip()):  # the second is read in windows
        tags = tagger.tag({"text": text, "lang": "es"})
        (mine,) = ([c for c in claims(tagger.taxonomy, tags.heads) if c.head.name == "sentiment"],)
        ((spans, weights),) = explainer.explain([text], [np.stack([claim.weights for claim in mine], axis=1)])
        assert pick_spans(spans, weights[:, :1])[0] == tags.evidence["sentiment"]
    assert tags.windows > 1
    assert isinstance(mine[0], Claim)


def test_a_tagger_is_measured_on_any_text(tiny_tagger: Path) -> None:
    tagger = load(tiny_tagger)
    texts = ["", "roto", "👏👏", "No funciona la app, me cobraron dos veces."]
    found = effects(
        TaggerExplainer(tagger=tagger), [message(t, k) for k, t in enumerate(texts)], tagger.taxonomy, tagger.artefact.manifest.calibration
    )
    assert {example.text for example, _, _ in found} == set(texts[1:])
    assert all(-1 <= value <= 1 for _, _, e in found for value in (e.comprehensiveness, e.sufficiency, e.random_comprehensiveness))
