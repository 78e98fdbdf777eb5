"""Baselines as the evaluation fits them."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from known import labelled

pytest.importorskip("torch")

from reclamo.baselines import setfit
from reclamo.corpus import Example
from reclamo.errors import UsageError
from reclamo.evaluation import systems
from reclamo.evaluation.systems import Fitting, fit_baselines
from reclamo.taxonomy import Taxonomy, load_taxonomy


def test_setfit_is_fitted_on_an_encoder_tuned_on_pairs_also_of_a_finished_tagger(
    tiny_tagger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[setfit.Pair] = []
    draw = setfit.draw_pairs

    def few(examples: Sequence[Example], taxonomy: Taxonomy, count: int, seed: int) -> list[setfit.Pair]:
        drawn.extend(draw(examples, taxonomy, 48, seed))
        return drawn

    monkeypatch.setattr(setfit, "draw_pairs", few)
    train, validation = labelled(60, seed=2), labelled(30, seed=3)
    fitting = Fitting(taxonomy=load_taxonomy(), train=train, partial=(), validation=validation, base=str(tiny_tagger))
    frozen, tuned = fit_baselines(["embeddings", "setfit"], fitting)
    assert (frozen.predictor.name, tuned.predictor.name) == ("embeddings", "setfit")
    assert len(drawn) == int(tuned.settings["pairs"]) == 48
    logits = [system.predictor.logits(validation) for system in (frozen, tuned)]
    assert logits[0].shape == logits[1].shape == (30, load_taxonomy().n_logits)
    assert np.abs(logits[0] - logits[1]).max() > 0.01


def test_a_baseline_on_embeddings_without_an_encoder_is_refused() -> None:
    fitting = Fitting(taxonomy=load_taxonomy(), train=(), partial=(), validation=labelled(5, seed=3))
    with pytest.raises(UsageError, match="give --base"):
        list(fit_baselines(["setfit"], fitting))


def test_an_unknown_baseline_is_refused_before_any_is_fitted(tiny_tagger: Path) -> None:
    said: list[str] = []
    fitting = Fitting(taxonomy=load_taxonomy(), train=labelled(9, seed=2), partial=(), validation=labelled(5, seed=3), progress=said.append)
    with pytest.raises(UsageError, match="unknown baseline 'tdidf'"):
        list(fit_baselines(["majority", "tdidf"], fitting))
    assert not said


def test_the_default_encoder_is_imported_where_it_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pieces.txt").write_text("▁hola\n▁no\n▁ya\n", encoding="utf-8")
    named = {"base": "base/e5-small", "vocabulary": "pieces.txt"}
    fitting = Fitting(taxonomy=load_taxonomy(), train=labelled(60, seed=2), partial=(), validation=labelled(30, seed=3), **named)
    (frozen,) = fit_baselines(["embeddings"], fitting)
    assert (tmp_path / "base" / "e5-small" / "config.json").is_file()
    assert frozen.predictor.logits(labelled(4, seed=5)).shape == (4, load_taxonomy().n_logits)


def test_a_baseline_on_one_core_is_fitted_beside_the_others_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    train, validation = labelled(60, seed=2), labelled(30, seed=3)
    fitting = Fitting(taxonomy=load_taxonomy(), train=train, partial=(), validation=validation, progress=said.append)
    here = [*fit_baselines(["majority", "textcat"], fitting)]
    told = [*said]
    said.clear()
    monkeypatch.setattr(systems, "APART", 60)
    apart = [*fit_baselines(["majority", "textcat"], fitting)]
    assert said == told
    assert any("held-out average precision" in line for line in said)
    assert [system.predictor.name for system in apart] == ["majority", "textcat"]
    for one, two in zip(here, apart, strict=True):
        assert np.allclose(one.predictor.logits(validation), two.predictor.logits(validation), atol=1e-6)
        assert one.calibration == two.calibration
        assert {**one.settings, "fitted in": ""} == {**two.settings, "fitted in": ""}


def test_a_baseline_whose_process_was_killed_is_fitted_here(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    train, validation = labelled(60, seed=2), labelled(30, seed=3)
    fitting = Fitting(taxonomy=load_taxonomy(), train=train, partial=(), validation=validation, progress=said.append)
    monkeypatch.setattr(systems, "APART", 60)
    monkeypatch.setattr(systems, "_fit_apart", signal.raise_signal)  # which the other process runs as ordered: it kills itself
    killed = ProcessPoolExecutor.submit
    monkeypatch.setattr(ProcessPoolExecutor, "submit", lambda pool, run, *_: killed(pool, run, signal.SIGKILL))
    _, fitted = fit_baselines(["majority", "textcat"], fitting)
    assert fitted.predictor.name == "textcat"
    assert any("fitted in this one" in line for line in said)
    assert fitted.predictor.logits(validation).shape == (30, load_taxonomy().n_logits)
