"""The TF-IDF baseline learns, is saved without pickle, and refuses what it did not write."""

from __future__ import annotations

import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import skops.io

from reclamo.baselines import Predictor
from reclamo.baselines.linear import Search
from reclamo.baselines.tfidf import NGrams, Tfidf, build_vectorizer
from reclamo.corpus import Example, encode_targets
from reclamo.errors import ArtefactError
from reclamo.taxonomy import Taxonomy, load_taxonomy
from reclamo.training.score import macro_average_precision

SEARCH = Search(costs=(1.0, 16.0), folds=2)


@pytest.fixture(scope="module")
def fitted(messages: list[Example], small_taxonomy: Taxonomy) -> Tfidf:
    return Tfidf.fit(messages, small_taxonomy, search=SEARCH)


def test_it_learns_and_shuffled_labels_teach_nothing(
    fitted: Tfidf, mislabelled: list[Example], fresh: list[Example], small_taxonomy: Taxonomy
) -> None:
    assert isinstance(fitted, Predictor)
    targets = encode_targets(fresh, small_taxonomy)
    learnt = macro_average_precision(small_taxonomy, fitted.logits(fresh), targets)
    shuffled = macro_average_precision(small_taxonomy, Tfidf.fit(mislabelled, small_taxonomy, search=SEARCH).logits(fresh), targets)
    assert learnt["mean"] > 0.95
    assert shuffled["mean"] < 0.6


def test_same_seed_same_logits(fitted: Tfidf, messages: list[Example], fresh: list[Example], small_taxonomy: Taxonomy) -> None:
    again = Tfidf.fit(messages, small_taxonomy, search=SEARCH)
    assert np.array_equal(again.logits(fresh), fitted.logits(fresh))


def test_saved_and_loaded_gives_the_same_logits(fitted: Tfidf, fresh: list[Example], small_taxonomy: Taxonomy, tmp_path: Path) -> None:
    path = tmp_path / "tfidf.skops"
    fitted.save(path)
    loaded = Tfidf.load(path, small_taxonomy)
    assert np.array_equal(loaded.logits(fresh), fitted.logits(fresh))
    assert loaded.heads.choices == fitted.heads.choices
    with zipfile.ZipFile(path) as archive:
        assert not [name for name in archive.namelist() if name.endswith((".pkl", ".pickle", ".joblib"))]
        assert len(archive.namelist()) < 40  # a number is no file of its own


def test_load_refuses_what_it_did_not_write(fitted: Tfidf, small_taxonomy: Taxonomy, tmp_path: Path) -> None:
    fitted.save(tmp_path / "good.skops")
    with pytest.raises(ArtefactError, match="another taxonomy"):
        Tfidf.load(tmp_path / "good.skops", load_taxonomy())
    with pytest.raises(ArtefactError, match="no such file"):
        Tfidf.load(tmp_path / "none.skops", small_taxonomy)
    (tmp_path / "text.skops").write_text("no zip", encoding="utf-8")
    with pytest.raises(ArtefactError):
        Tfidf.load(tmp_path / "text.skops", small_taxonomy)
    skops.io.dump({"format": 1, "vectorizer": Path, "other": OrderedDict}, tmp_path / "foreign.skops")
    with pytest.raises(ArtefactError, match="not trusted"):
        Tfidf.load(tmp_path / "foreign.skops", small_taxonomy)


def test_features_hear_accents_and_their_absence() -> None:
    vectorizer = build_vectorizer(NGrams(min_messages=1))
    vectorizer.fit(["καθυστέρηση παράδοσης"])
    names = list(vectorizer.get_feature_names_out())
    assert "words__καθυστέρηση" in names
    assert "plain_words__καθυστερηση" in names
    written, capitals = vectorizer.transform(["καθυστέρηση", "ΚΑΘΥΣΤΕΡΗΣΗ"]).toarray()
    assert written[names.index("plain_words__καθυστερηση")] == pytest.approx(capitals[names.index("plain_words__καθυστερηση")])
