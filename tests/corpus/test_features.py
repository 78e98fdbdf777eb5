"""The features declared for the `datasets` library, on the corpus of the repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.conftest import ROOT

from reclamo.corpus import read_corpus
from reclamo.corpus.features import hf_features
from reclamo.corpus.readers import from_dataset
from reclamo.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
FILES = sorted(file for split in ("validation", "test") for file in (ROOT / "data").glob(f"*.{split}.jsonl"))  # the form is that of all
datasets = pytest.importorskip("datasets")


def test_the_corpus_loads_with_the_features_and_is_the_same(tmp_path: Path) -> None:
    assert FILES
    features = hf_features(TAXONOMY)
    loaded = datasets.load_dataset(
        "json", data_files=[str(file) for file in FILES], features=features, split="train", cache_dir=str(tmp_path)
    )
    assert loaded.features == features
    assert [one.to_dict() for one in from_dataset(loaded)] == [one.to_dict() for one in read_corpus(FILES)]


def test_class_labels_are_numbers_with_the_names_of_the_taxonomy(tmp_path: Path) -> None:
    row = {"id": "a", "text": "Tarde", "role": "agent", "labels": {"sentiment": "neutral", "traits": ["thanks"]}}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    features = hf_features(TAXONOMY, class_labels=True)
    loaded = datasets.load_dataset(
        "json", data_files=str(tmp_path / "rows.jsonl"), features=features, split="train", cache_dir=str(tmp_path / "cache")
    )
    assert (loaded[0]["role"], loaded[0]["labels"]["sentiment"], loaded[0]["labels"]["reason"]) == (1, 1, None)
    assert loaded.features["labels"]["sentiment"].int2str(1) == "neutral"
    assert loaded[0]["labels"]["traits"] == [TAXONOMY.by_name["traits"].names.index("thanks")]
