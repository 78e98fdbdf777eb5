"""The learning curve's table and plot, from points made by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from known import labelled, system

from reclamo.corpus import Example
from reclamo.errors import UsageError
from reclamo.evaluation import curve
from reclamo.evaluation.compare import EvaluationSet
from reclamo.evaluation.curve import Point, curve_table, learning_curve, write_curve
from reclamo.taxonomy import load_taxonomy
from reclamo.training.config import TrainConfig
from reclamo.training.prepare import Prepared, draw

TAXONOMY = load_taxonomy()
POINTS = [
    Point(system=system, share=share, messages=round(1000 * share), head=head, score=score)
    for head in ("mean", "sentiment")
    for system, scores in (("transformer", (0.5, 0.8)), ("tfidf", (0.55, 0.6)))
    for share, score in zip((0.1, 1.0), scores, strict=True)
]


def test_the_table_has_a_row_for_each_head_and_system() -> None:
    lines = curve_table(POINTS, TAXONOMY).splitlines()
    assert lines[0] == "| head | system | 10% (100) | 100% (1,000) |"
    assert lines[2] == "| mean | transformer | 0.500 | 0.800 |"
    assert len(lines) == 6


def test_the_plot_is_well_formed_and_draws_every_point(tmp_path: Path) -> None:
    write_curve(POINTS, tmp_path, TAXONOMY)
    root = ElementTree.parse(tmp_path / "learning_curve.svg").getroot()
    assert len(root.findall(".//{http://www.w3.org/2000/svg}circle")) == len(POINTS)
    assert len(root.findall(".//{http://www.w3.org/2000/svg}polyline")) == 4


def test_a_student_has_no_learning_curve_of_its_own(tmp_path: Path) -> None:
    config = TrainConfig.model_validate({"data": {"corpus": ["data"]}, "distil": {"teacher": "runs/teacher", "layers": [0]}})
    with pytest.raises(UsageError, match="give the teacher's configuration"):
        learning_curve(config, (0.1, 1.0), EvaluationSet.of("test", [], TAXONOMY), tmp_path)


def test_a_smaller_draw_lies_in_a_larger_one() -> None:
    examples = [Example(id=str(i), text="x", lang="es", labels={}, meta={"scenario": f"s{i // 2}"}) for i in range(100)]
    small, large = ({e.id for e in draw(examples, n)} for n in (10, 50))
    assert len(small) == 10
    assert small < large
    assert draw(examples, 200) == examples


def test_a_curve_without_messages_to_measure_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    config = TrainConfig.model_validate({"data": {"corpus": ["nowhere"]}})
    with pytest.raises(UsageError, match='no row has the split "test"'):
        learning_curve(config, (0.1, 1.0), EvaluationSet.of("test", [], TAXONOMY), tmp_path)


def test_a_corpus_of_one_language_has_a_curve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train, tested = labelled(60, seed=1), [replace(e, lang="es") for e in labelled(60, seed=2)]
    data = Prepared(train=train, validation=train, partial=[], unlabelled=[], files={})
    monkeypatch.setattr(curve, "prepare", lambda *_: data)
    monkeypatch.setattr(curve, "load_tagger", lambda _: (None, system("tagger", 3.0, TAXONOMY)))
    monkeypatch.setattr(curve, "fit_baselines", lambda *_: [system("tfidf", 9.0, TAXONOMY)])
    config = TrainConfig.model_validate({"data": {"corpus": ["data"]}})
    points = learning_curve(config, (1.0,), EvaluationSet.of("test", tested, TAXONOMY), tmp_path, whole="tagger")
    assert {(point.system, point.head) for point in points} >= {("transformer", "mean"), ("tfidf", "mean"), ("tfidf", "sentiment")}
