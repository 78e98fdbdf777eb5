"""A user's own schema, in another language: train, evaluate, tag, with no line of code touched."""

from __future__ import annotations

import json
import random
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("torch")

from reclamo.engine.tagger import load
from reclamo.evaluation.run import EvaluateConfig, evaluate
from reclamo.training.config import TrainConfig
from reclamo.training.export import parity
from reclamo.training.run import run

SCHEMA = """
version = 1
name = "helpline"
languages = ["fr"]
[[head]]
name = "topic"
kind = "one_of"
labels = [{ name = "argent" }, { name = "temps" }, { name = "autre" }]
[[head]]
name = "urgent"
kind = "yes_no"
labels = [{ name = "urgent" }]
[[head]]
name = "needs"
kind = "any_of"
asked_of = { urgent = true }
requires = "urgent"
labels = [{ name = "call" }, { name = "visit" }]
"""
WORDS = {"argent": "remboursement", "temps": "semaines", "autre": "bonjour", "call": "appelez", "visit": "passez"}


def corpus(path: Path) -> Path:
    rng = random.Random(4)
    fillers = ["la commande", "le technicien", "cette affaire", "mon dossier", "votre service", "la facture d'hier"]
    rows = []
    for number in range(150):
        topic, urgent = rng.choice(("argent", "temps", "autre")), rng.random() < 0.5
        needs = rng.sample(["call", "visit"], rng.randint(1, 2)) if urgent else []
        words = [WORDS[topic], *(WORDS[need] for need in needs), *rng.sample(fillers, 2), "vite" if urgent else "tranquillement"]
        rng.shuffle(words)
        split = "test" if number % 5 == 0 else "validation" if number % 5 == 1 else "train"
        labels = {"topic": topic, "urgent": urgent, "needs": needs}
        rows.append({"id": str(number), "lang": "fr", "text": " ".join(words), "split": split, "labels": labels})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_another_schema_goes_all_the_way(tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The gate's own bound, in float32: bf16 moves a random toy of 32 dimensions by as much as the bound.
    monkeypatch.setattr("reclamo.training.run.parity", partial(parity, precision="fp32"))
    (tmp_path / "mine.toml").write_text(SCHEMA, encoding="utf-8")
    data = corpus(tmp_path / "rows.jsonl")
    config = {
        "data": {"corpus": [str(data)]},
        "model": {
            "name": "helpline",
            "base": str(tiny_base),
            "vocabulary": None,
            "taxonomy": str(tmp_path / "mine.toml"),
            "max_tokens": 48,
            "compress": False,
        },
        "optim": {
            "epochs": 10,
            "encoder_lr": 2e-3,
            "head_lr": 1e-2,
            "augment": 0.0,
            "tokens_per_batch": 512,
            "precision": "fp32",
            "threads": 1,
        },
        "run": str(tmp_path / "run"),
        "output": str(tmp_path / "tagger"),
    }
    artefact = run(TrainConfig.model_validate(config))
    assert artefact.manifest.metrics["parity"]["mean"] < 0.01
    tags = load(artefact.path).tag("appelez le technicien vite, je veux mon remboursement pour la facture d'hier")
    row = tags.to_dict()
    assert {"topic", "urgent", "needs"} <= set(row)
    assert not {"sentiment", "complaint", "traits"} & set(row)
    assert tags.lang == "fr"
    assert tags.status == "tagged"
    result = evaluate(
        EvaluateConfig(model=str(artefact.path), data=(str(data),), output=str(tmp_path / "out"), baselines=("tfidf",), resamples=50)
    )
    measured = {score.head for score in result.scores}
    assert {"topic", "urgent", "needs"} == measured
    card = (artefact.path / "README.md").read_text(encoding="utf-8")
    assert "urgent" in card
