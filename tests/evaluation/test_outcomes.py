"""What is given and what is predicted when a head is measured."""

from __future__ import annotations

import numpy as np
from known import calibrated

from reclamo.corpus import Example, encode_targets
from reclamo.evaluation.outcomes import end_to_end_outcomes, head_outcomes, truth_matrix
from reclamo.taxonomy import Taxonomy, parse_taxonomy

COMPLAINT = {"role": "customer", "sentiment": "negative", "complaint": True, "grounds": ("delay",), "severity": "medium"}
CALM = {"role": "customer", "sentiment": "neutral", "complaint": False, "grounds": (), "severity": "none"}


def example(name: str, labels: dict[str, object]) -> Example:
    return Example(id=name, text=name, lang="es", labels=labels)  # type: ignore[arg-type]


def logits_of(examples: list[Example], taxonomy: Taxonomy) -> np.ndarray:
    return np.asarray(6.0 * (2 * encode_targets(examples, taxonomy).values - 1), dtype=np.float32)


def test_a_wrong_role_does_not_cost_the_heads_of_the_role(taxonomy: Taxonomy) -> None:
    examples = [example("a", COMPLAINT), example("b", CALM)]
    logits = logits_of(examples, taxonomy)
    logits[:, taxonomy.slices["role"]] = logits[:, taxonomy.slices["role"]][:, ::-1]  # says agent of both
    found = head_outcomes(taxonomy, calibrated(taxonomy), logits, encode_targets(examples, taxonomy))
    assert not (found["role"].chosen & found["role"].truth).any()
    for name in ("complaint", "severity", "sentiment", "grounds"):
        assert np.array_equal(found[name].chosen, found[name].truth), name
    assert len(found["traits"].rows) == 0
    assert found["grounds"].rows.tolist() == [0]  # of complaints only
    assert len(found["churn_risk"].rows) == 0  # not annotated


def test_a_missed_complaint_costs_grounds_end_to_end_only(taxonomy: Taxonomy) -> None:
    examples = [example("a", COMPLAINT), example("b", CALM)]
    logits = logits_of(examples, taxonomy)
    logits[0, taxonomy.slices["complaint"]] = -6  # misses the complaint
    found = head_outcomes(taxonomy, calibrated(taxonomy), logits, encode_targets(examples, taxonomy))
    assert found["grounds"].chosen[0].sum() == 1
    assert found["severity"].chosen[0].argmax() == 0  # severity follows the predicted complaint
    whole = end_to_end_outcomes(taxonomy, calibrated(taxonomy), logits, examples)["grounds"]
    assert whole.rows.tolist() == [0, 1]
    assert whole.truth.sum() == 1
    assert not whole.chosen.any()


def test_a_complaint_that_was_made_up_costs_precision_end_to_end(taxonomy: Taxonomy) -> None:
    examples = [example("b", CALM)]
    logits = logits_of(examples, taxonomy)
    logits[0, taxonomy.slices["complaint"]] = 6
    whole = end_to_end_outcomes(taxonomy, calibrated(taxonomy), logits, examples)["grounds"]
    assert not whole.truth.any()
    assert whole.chosen.sum() == 1  # a complaint has at least one ground


def test_ordered_targets_become_one_level(taxonomy: Taxonomy) -> None:
    values = np.array([[0, 0, 0], [1, 1, 0], [1, 1, 1]], dtype=np.float32)
    assert truth_matrix(taxonomy.by_name["severity"], values).argmax(1).tolist() == [0, 2, 3]


NESTED = """
version = 1
name = "nested"
languages = ["es"]
[[head]]
name = "kind"
kind = "one_of"
labels = [{ name = "a" }, { name = "b" }]
[[head]]
name = "broken"
kind = "yes_no"
labels = [{ name = "broken" }]
asked_of = { kind = "a" }
[[head]]
name = "part"
kind = "one_of"
labels = [{ name = "lid" }, { name = "box" }]
asked_of = { broken = true }
"""


def test_the_conditions_of_conditions_are_given_too() -> None:
    nested = parse_taxonomy(NESTED)
    examples = [example("a", {"kind": "a", "broken": True, "part": "box"})]
    logits = logits_of(examples, nested)
    logits[:, nested.slices["kind"]] = logits[:, nested.slices["kind"]][:, ::-1]  # says b, of which nothing further is asked
    found = head_outcomes(nested, calibrated(nested), logits, encode_targets(examples, nested))
    assert found["kind"].chosen.tolist() == [[False, True]]
    assert found["broken"].chosen.tolist() == [[True]]
    assert found["part"].chosen.tolist() == [[False, True]]
