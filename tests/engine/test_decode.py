"""Decoding by hand: probabilities, thresholds, and the rules between heads."""

from __future__ import annotations

import numpy as np
import pytest

from reclamo.artefact import Calibration, HeadCalibration
from reclamo.engine.decode import Decoder, head_probabilities
from reclamo.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
CALIBRATION = Calibration(heads={h.name: HeadCalibration(thresholds=() if h.exclusive else (0.5,) * len(h.labels)) for h in TAXONOMY.heads})


def logits_for(**heads: dict[int, float]) -> np.ndarray:  # type: ignore[type-arg]
    row = np.full((1, TAXONOMY.n_logits), -4.0, dtype=np.float32)
    for name, values in heads.items():
        for index, value in values.items():
            row[0, TAXONOMY.slices[name].start + index] = value
    return row


def decode(row: np.ndarray, **given: str) -> dict[str, object]:  # type: ignore[type-arg]
    (decoded,) = Decoder(TAXONOMY, CALIBRATION).decode(row, [dict(given)])
    return {name: None if tag is None else tag.value for name, tag in decoded.heads.items()}


def test_probabilities_by_hand() -> None:
    one_of = head_probabilities(TAXONOMY.by_name["sentiment"], np.log(np.array([[1.0, 2.0, 5.0]])).astype(np.float32))
    assert one_of[0] == pytest.approx([0.125, 0.25, 0.625])
    cumulative = np.array([[0.9, 0.6, 0.2]])
    ordered = head_probabilities(TAXONOMY.by_name["severity"], np.log(cumulative / (1 - cumulative)).astype(np.float32))
    assert ordered[0] == pytest.approx([0.1, 0.3, 0.4, 0.2], abs=1e-5)
    crossed = head_probabilities(TAXONOMY.by_name["severity"], np.array([[0.0, 3.0, -9.0]], dtype=np.float32))
    assert (crossed >= 0).all()
    assert crossed.sum() == pytest.approx(1.0)


def test_a_higher_temperature_is_less_sure() -> None:
    head = TAXONOMY.by_name["complaint"]
    row = np.array([[3.0]], dtype=np.float32)
    assert 0.5 < head_probabilities(head, row, HeadCalibration(temperature=2.0))[0, 0] < head_probabilities(head, row)[0, 0]


def test_the_bias_is_added_after_the_temperature() -> None:
    calibration = HeadCalibration(temperature=2.0, bias=(-1.5,))
    assert head_probabilities(TAXONOMY.by_name["complaint"], np.array([[3.0]], np.float32), calibration)[0, 0] == pytest.approx(0.5)


def test_heads_that_are_not_asked_of_the_role_are_none() -> None:
    agent = decode(logits_for(role={1: 4.0}, traits={5: 4.0}))
    assert agent["role"] == "agent"
    assert agent["traits"] == ["apology"]
    assert all(agent[name] is None for name in ("complaint", "grounds", "severity", "churn_risk", "reason"))
    assert decode(logits_for(role={0: 4.0}))["traits"] is None


def test_a_given_role_is_obeyed() -> None:
    assert decode(logits_for(role={0: 4.0}), role="agent")["traits"] == []


def test_a_complaint_has_grounds_and_a_severity_and_its_absence_neither() -> None:
    unsure = decode(logits_for(role={0: 4.0}, complaint={0: 4.0}, grounds={3: -1.0}, severity={0: -1.0}))
    assert unsure["grounds"] == ["product_fault"]
    assert unsure["severity"] == "low"
    none = decode(logits_for(role={0: 4.0}, complaint={0: -4.0}, grounds={3: 4.0}, severity={0: 4.0, 1: 4.0}))
    assert none["grounds"] == []
    assert none["severity"] == "none"
