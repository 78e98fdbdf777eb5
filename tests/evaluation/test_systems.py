"""Baselines as the evaluation fits them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from known import labelled

pytest.importorskip("torch")

from reclamo.baselines import setfit
from reclamo.corpus import Example
from reclamo.errors import UsageError
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
