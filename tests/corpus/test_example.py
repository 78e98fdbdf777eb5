"""Labels and the rules between heads; targets by hand."""

from __future__ import annotations

import numpy as np
import pytest

from reclamo.corpus import Example, encode_targets
from reclamo.corpus.example import parse_labels
from reclamo.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
COMPLAINT = {
    "role": "customer",
    "sentiment": "negative",
    "complaint": True,
    "grounds": ["billing", "delay"],
    "severity": "medium",
    "churn_risk": False,
    "reason": "order",
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"grounds": ["lateness"]}, "unknown label 'lateness'"),
        ({"grounds": []}, "grounds is []"),
        ({"complaint": False, "severity": "none"}, "grounds is asked only where complaint is true, and here it is false"),
        ({"complaint": False, "grounds": []}, "severity is 'medium' where complaint is false"),
        ({"severity": "none"}, "severity is 'none' where complaint is true"),
        ({"traits": ["apology"]}, "traits is asked only where role is 'agent'"),
        ({"traits": []}, "traits is asked only where role is 'agent'"),
        ({"mood": "sad"}, "unknown head 'mood'"),
        ({"complaint": "yes"}, "complaint is 'yes'; expected true or false"),
        ({"grounds": "delay"}, "expected a list"),
    ],
)
def test_labels_that_break_a_rule_are_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_labels({**COMPLAINT, **change}, TAXONOMY)
    assert says in str(caught.value)


def test_a_head_that_is_absent_is_no_error_and_no_target() -> None:
    labels = parse_labels({"sentiment": "positive"}, TAXONOMY)
    targets = encode_targets([Example(id="1", text="x", lang="es", labels=labels)], TAXONOMY)
    assert targets.mask[0].tolist() == [False, True, False, False, False, False, False, False]
    assert targets.values[0].sum() == 1.0


def test_targets_by_hand() -> None:
    example = Example(id="1", text="x", lang="es", labels=parse_labels(COMPLAINT, TAXONOMY))
    targets = encode_targets([example], TAXONOMY)
    row = targets.values[0]
    assert row[TAXONOMY.slices["role"]].tolist() == [1, 0]
    assert row[TAXONOMY.slices["sentiment"]].tolist() == [1, 0, 0]
    assert row[TAXONOMY.slices["severity"]].tolist() == [1, 1, 0]
    assert np.flatnonzero(row[TAXONOMY.slices["grounds"]]).tolist() == [0, 9]
    assert targets.mask[0].tolist() == [True, True, True, True, True, True, True, False]


def test_grounds_of_a_message_without_complaint_take_no_part() -> None:
    labels = parse_labels({**COMPLAINT, "complaint": False, "grounds": [], "severity": "none"}, TAXONOMY)
    targets = encode_targets([Example(id="1", text="x", lang="es", labels=labels)], TAXONOMY)
    assert targets.mask[0].tolist() == [True, True, True, False, True, True, True, False]
