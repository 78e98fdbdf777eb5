"""Agreement of two readers: hand-worked figures, and scikit-learn as the oracle."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reclamo.corpus.agreement import Agreement, Reading, agreement, cohen_kappa, head_agreement, read_labels
from reclamo.errors import CorpusError
from reclamo.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()


def test_kappa_by_hand() -> None:
    # The example that textbooks give: observed 0.7, expected 0.5.
    assert cohen_kappa(np.array([[20, 5], [10, 15]])) == pytest.approx(0.4)
    assert cohen_kappa(np.array([[9, 0], [0, 0]])) is None


@pytest.mark.parametrize("name", ["sentiment", "severity", "complaint", "reason"])
def test_figures_of_exclusive_heads_are_those_of_scikit_learn(name: str) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    head = TAXONOMY.by_name[name]
    rng = random.Random(name)
    labels: list[Any] = [False, True] if head.kind == "yes_no" else list(head.names)[:4]
    a = [rng.choice(labels) for _ in range(80)]
    b = [one if rng.random() < 0.7 else rng.choice(labels) for one in a]
    found = head_agreement(head, "es", list(zip(a, b, strict=True)))
    left, right = [labels.index(one) for one in a], [labels.index(one) for one in b]
    assert found.f1 == pytest.approx(metrics.f1_score(left, right, average="macro"))
    assert found.kappa == pytest.approx(metrics.cohen_kappa_score(left, right))
    if head.kind == "ordered":
        assert found.weighted_kappa == pytest.approx(metrics.cohen_kappa_score(left, right, weights="quadratic"))
    else:
        assert found.weighted_kappa is None


def test_figures_of_any_of_heads_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    head = TAXONOMY.by_name["grounds"]
    rng = random.Random(5)
    a = [tuple(name for name in head.names if rng.random() < 0.3) for _ in range(60)]
    b = [tuple(name for name in head.names if (name in one) != (rng.random() < 0.1)) for one in a]
    found = head_agreement(head, "es", list(zip(a, b, strict=True)))
    left, right = ([[name in one for name in head.names] for one in side] for side in (a, b))
    assert found.f1 == pytest.approx(metrics.f1_score(left, right, average="micro"))
    assert found.kappa == pytest.approx(metrics.cohen_kappa_score(np.ravel(left), np.ravel(right)))


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def compare(tmp_path: Path, a: list[dict[str, Any]], b: list[dict[str, Any]]) -> Agreement:
    return agreement(read_labels(write(tmp_path / "a.jsonl", a), TAXONOMY), read_labels(write(tmp_path / "b.jsonl", b), TAXONOMY), TAXONOMY)


def row(id: str, lang: str | None, complaint: bool, grounds: list[str], **other: Any) -> dict[str, Any]:
    labels = {"complaint": complaint, "grounds": grounds}
    return {"id": id, "labels": labels, "role": "customer", **({"lang": lang} if lang else {}), **other}


def test_only_what_both_were_asked_is_compared_by_language_and_over_all(tmp_path: Path) -> None:
    a = [
        row("1", "es", True, ["delay"]),
        row("2", "es", True, ["delay", "billing"]),
        row("3", "el", False, []),
        row("4", "el", True, ["access"]),
        row("5", "el", True, ["access"]),
    ]
    b = [
        row("1", None, True, ["delay"]),
        row("2", None, True, ["delay", "access"]),
        row("3", None, True, ["neglect"]),
        row("4", None, True, ["access"]),
        row("9", None, False, []),
    ]
    found = compare(tmp_path, a, b)
    assert (found.messages, found.only_a, found.only_b) == (4, 1, 1)
    by_key = {(one.head, one.lang): one for one in found.heads}
    assert {lang for _, lang in by_key} == {"es", "el", "all"}
    assert by_key["grounds", "es"].f1 == pytest.approx(2 * 2 / (3 + 3))
    assert by_key["grounds", "el"].messages == 1  # of message 3 one reader was not asked
    assert by_key["complaint", "el"].f1 == pytest.approx((0 + 2 / 3) / 2)
    assert by_key["complaint", "es"].kappa is None
    assert [(one.id, one.head, one.a, one.b) for one in found.disagreements] == [
        ("3", "complaint", False, True),
        ("2", "grounds", ("delay", "billing"), ("delay", "access")),
    ]


def test_the_same_labels_agree_wholly_and_the_table_says_so(tmp_path: Path) -> None:
    rows = [row("1", "es", True, ["delay"]), row("2", "es", False, [])]
    found = compare(tmp_path, rows, rows)
    assert all(one.f1 == 1 and one.kappa in (1, None) for one in found.heads)
    assert found.markdown().splitlines()[2:5] == [
        "| head | language | messages | score | F1 | kappa | weighted kappa |",
        "| --- | --- | ---: | --- | ---: | ---: | ---: |",
        "| role | es | 2 | macro-F1 | 1.000 | – | – |",
    ]
    assert "2 messages labelled twice; 0 labels differ" in found.table()
    assert json.loads(json.dumps(found.to_dict()))["heads"][1]["head"] == "complaint"


def test_a_role_that_one_file_gives_counts_for_both() -> None:
    a = {"1": Reading(lang="es", labels={"role": "agent", "traits": ("thanks",)})}
    b = {"1": Reading(lang=None, labels={"traits": ()})}
    (role, traits) = agreement(a, b, TAXONOMY).heads
    assert (role.head, role.f1) == ("role", 1.0)
    assert (traits.head, traits.f1) == ("traits", 0.0)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"labels": {}}], ":1: the row has no id"),
        ([{"id": "1"}, {"id": "1"}], ":2: the id '1' stands twice"),
        ([{"id": "1", "labels": {"mood": 1}}], ":1: unknown head 'mood'"),
        ([{"id": "other"}], "no id in common"),
    ],
)
def test_files_that_cannot_be_compared(tmp_path: Path, rows: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(CorpusError) as caught:
        compare(tmp_path, rows, [{"id": "2"}])
    assert says in str(caught.value)
