"""spaCy's classifier as a baseline: it learns, shuffled labels teach nothing, an unasked head has no say."""

from __future__ import annotations

import numpy as np
import pytest

from reclamo.baselines import Predictor
from reclamo.baselines.textcat import Textcat, TextcatOptions
from reclamo.corpus import Example, encode_targets
from reclamo.taxonomy import Taxonomy
from reclamo.training.score import macro_average_precision

QUICK = TextcatOptions(ngrams=(1,), batch=16, rate=0.01)


@pytest.fixture(scope="module")
def fitted(messages: list[Example], small_taxonomy: Taxonomy) -> Textcat:
    return Textcat.fit(messages, small_taxonomy, options=QUICK)


def test_it_learns_and_shuffled_labels_teach_nothing(
    fitted: Textcat, mislabelled: list[Example], fresh: list[Example], small_taxonomy: Taxonomy
) -> None:
    assert isinstance(fitted, Predictor)
    targets = encode_targets(fresh, small_taxonomy)
    shuffled = Textcat.fit(mislabelled, small_taxonomy, options=QUICK)
    assert macro_average_precision(small_taxonomy, fitted.logits(fresh), targets)["mean"] > 0.9
    assert macro_average_precision(small_taxonomy, shuffled.logits(fresh), targets)["mean"] < 0.65


def test_finite_logits_of_any_text(fitted: Textcat, small_taxonomy: Taxonomy) -> None:
    texts = ["", "👏", "nadie " * 3000]
    logits = fitted.logits([Example(id=str(k), text=text, lang="es", labels={}) for k, text in enumerate(texts)])
    assert logits.shape == (3, small_taxonomy.n_logits)
    assert np.isfinite(logits).all()


def test_the_length_of_n_grams_is_chosen_by_the_held_out_score(messages: list[Example], small_taxonomy: Taxonomy) -> None:
    said: list[str] = []
    fitted = Textcat.fit(messages[:120], small_taxonomy, options=TextcatOptions(ngrams=(1, 2), epochs=2, rate=0.01), progress=said.append)
    scores = {line.split(":")[0]: float(line.rsplit(" ", 1)[1]) for line in said}
    assert f"n-grams {fitted.settings['n-grams']}" == max(scores, key=lambda key: scores[key])


def test_the_length_is_chosen_on_some_and_the_pipeline_trained_on_all(messages: list[Example], small_taxonomy: Taxonomy) -> None:
    said: list[str] = []
    options = TextcatOptions(ngrams=(1, 2), epochs=2, rate=0.01, rows=60)
    fitted = Textcat.fit(messages[:120], small_taxonomy, options=options, progress=said.append)
    scores = [float(line.rsplit(" ", 1)[1]) for line in said]
    assert len(said) == 3
    assert said[2].split(":")[0] == f"n-grams {fitted.settings['n-grams']}" == said[scores[:2].index(max(scores[:2]))].split(":")[0]
