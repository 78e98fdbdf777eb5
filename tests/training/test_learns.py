"""It must have learnt: eight messages by heart, nothing from shuffled labels, the same weights from the same seed."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from reclamo.corpus import Example  # noqa: E402
from reclamo.model.base import load_base  # noqa: E402
from reclamo.model.network import TaggerNetwork  # noqa: E402
from reclamo.taxonomy import Taxonomy, parse_taxonomy  # noqa: E402
from reclamo.training.config import OptimConfig  # noqa: E402
from reclamo.training.data import Tokens, TrainingSet  # noqa: E402
from reclamo.training.score import macro_average_precision  # noqa: E402
from reclamo.training.trainer import Trainer, depth_below_top  # noqa: E402

SCHEMA = """
version = 1
name = "toy"
languages = ["es"]
[[head]]
name = "mood"
kind = "one_of"
labels = [{ name = "bad" }, { name = "good" }]
[[head]]
name = "topics"
kind = "any_of"
labels = [{ name = "money" }, { name = "time" }]
"""
LEVEL = """
[[head]]
name = "level"
kind = "ordered"
labels = [{ name = "none" }, { name = "some" }, { name = "much" }]
"""
TOY = parse_taxonomy(SCHEMA + LEVEL)
WORDS = {"bad": "nadie", "good": "amable", "money": "reembolso", "time": "semanas", "some": "sábado", "much": "DOS"}
FAST = {"encoder_lr": 5e-3, "head_lr": 2e-2, "augment": 0.0, "token_dropout": 0.0, "warm_start": False, "precision": "fp32", "threads": 1}


def toy_examples(n: int, seed: int) -> list[Example]:
    """Texts whose labels can be read off single words."""
    rng = random.Random(seed)
    examples = []
    for index in range(n):
        mood, level = rng.choice(("bad", "good")), rng.choice(("none", "some", "much"))
        topics = tuple(topic for topic in ("money", "time") if rng.random() < 0.5)
        words = [WORDS[mood], *(WORDS[topic] for topic in topics), *([WORDS[level]] if level != "none" else []), "el", "técnico", "calle"]
        rng.shuffle(words)
        examples.append(Example(id=str(index), text=" ".join(words), lang="es", labels={"mood": mood, "topics": topics, "level": level}))
    return examples


def trainer_for(base: Path, train: list[Example], validation: list[Example], taxonomy: Taxonomy = TOY, **config: Any) -> Trainer:
    torch.manual_seed(3)
    encoder, tokenizer = load_base(base)
    tokens = Tokens(tokenizer, 32)
    run = config.pop("run", None)
    progress = config.pop("progress", None)
    optim = OptimConfig(**{**FAST, "tokens_per_batch": 256, **config})
    return Trainer(
        TaggerNetwork(encoder, taxonomy.n_logits, 0.0),
        taxonomy,
        TrainingSet(train, taxonomy, tokens, 256),
        TrainingSet(validation, taxonomy, tokens, 512) if validation else None,
        optim,
        run=run,
        progress=progress,
    )


def weights(trainer: Trainer) -> dict[str, Any]:
    return {name: value.clone() for name, value in trainer.network.state_dict().items()}


def test_where_validation_cannot_tell_the_last_epoch_is_kept_and_that_is_said(tiny_base: Path, caplog: pytest.LogCaptureFixture) -> None:
    examples = toy_examples(8, seed=1)
    made = trainer_for(tiny_base, examples, examples[:1], epochs=5, patience=2)
    assert made.fit().best == 4
    assert "the last is kept" in caplog.text
    alone = trainer_for(tiny_base, examples[:1], [], epochs=1, warm_start=True)
    alone.fit()
    assert all(torch.isfinite(value).all() for value in weights(alone).values() if value.is_floating_point())


def test_eight_messages_are_learnt_by_heart(tiny_base: Path) -> None:
    examples = toy_examples(8, seed=1)
    trainer = trainer_for(tiny_base, examples, [], epochs=120)
    trainer.fit()
    logits = trainer.logits(trainer.train)
    values = trainer.train.targets.values
    assert (logits[:, :2].argmax(1) == values[:, :2].argmax(1)).all()
    assert ((logits[:, 2:] > 0) == (values[:, 2:] > 0.5)).all()


def test_true_labels_generalise_and_shuffled_ones_do_not(tiny_base: Path) -> None:
    train, validation = toy_examples(160, seed=2), toy_examples(80, seed=4)
    learnt = trainer_for(tiny_base, train, validation, epochs=12)
    learnt.fit()
    shuffled = [e.labels for e in train]
    random.Random(0).shuffle(shuffled)
    noise = [Example(id=e.id, text=e.text, lang="es", labels=labels) for e, labels in zip(train, shuffled, strict=True)]
    lost = trainer_for(tiny_base, noise, validation, epochs=12)
    lost.fit()
    good = macro_average_precision(TOY, learnt.logits(learnt.validation), learnt.validation.targets)["mean"]  # type: ignore[arg-type, union-attr]
    bad = macro_average_precision(TOY, lost.logits(lost.validation), lost.validation.targets)["mean"]  # type: ignore[arg-type, union-attr]
    assert good > 0.9
    assert bad < 0.75


def test_the_same_seed_gives_the_same_weights(tiny_base: Path) -> None:
    examples = toy_examples(24, seed=5)
    config: dict[str, Any] = {"epochs": 2, "augment": 0.5, "token_dropout": 0.2}
    first, second, other = (trainer_for(tiny_base, examples, [], seed=seed, **config) for seed in (11, 11, 12))
    for trainer in (first, second, other):
        trainer.fit()
    a, b, c = weights(first), weights(second), weights(other)
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert any(not torch.equal(a[name], c[name]) for name in a)


@pytest.mark.parametrize("at", [1, 4, 9])
def test_a_killed_run_goes_on_to_the_same_weights(tiny_base: Path, tmp_path: Path, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    examples, validation = toy_examples(40, seed=6), toy_examples(20, seed=7)
    config: dict[str, Any] = {"epochs": 3, "augment": 0.5, "average": 0.9, "warm_start": True}
    whole = trainer_for(tiny_base, examples, validation, **config)
    whole.fit()

    class Killed(Exception):
        pass

    def kill(record: dict[str, Any]) -> None:
        if record["kind"] == "step" and record["step"] > at and (tmp_path / "checkpoint").exists():
            raise Killed

    monkeypatch.setattr("reclamo.training.trainer.CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(Killed):
        trainer_for(tiny_base, examples, validation, run=tmp_path, progress=kill, **config).fit()
    resumed: list[dict[str, Any]] = []
    again = trainer_for(tiny_base, examples, validation, run=tmp_path, progress=resumed.append, **config)
    history = again.fit()
    assert resumed[0]["kind"] == "resume"
    for before, record in itertools.pairwise(r for r in resumed if r["kind"] in ("step", "epoch")):
        if record["kind"] == "epoch":
            assert record["loss"] == before["loss"]  # the mean over the steps of this run
    assert [e["epoch"] for e in history.epochs] == [e["epoch"] for e in whole.history.epochs]
    a, b = weights(whole), weights(again)
    assert all(torch.allclose(a[name], b[name], atol=1e-6) for name in a)


def test_warm_start_beats_chance_before_any_step(tiny_base: Path) -> None:
    train, validation = toy_examples(160, seed=8), toy_examples(80, seed=9)
    trainer = trainer_for(tiny_base, train, validation, epochs=1, warm_start=True)
    from reclamo.training.warmstart import warm_start

    warm_start(trainer.network, trainer.train, trainer.loss, trainer.autocast)
    score = macro_average_precision(TOY, trainer.logits(trainer.validation), trainer.validation.targets)["mean"]  # type: ignore[arg-type, union-attr]
    assert score > 0.8


def test_average_precision_is_scikit_learns() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    from reclamo.training.score import average_precision

    rng = np.random.default_rng(0)
    for _ in range(20):
        truth = (rng.random(40) < 0.3).astype(np.float32)
        truth[0] = 1.0
        scores = rng.integers(0, 8, 40).astype(np.float32)
        assert average_precision(truth, scores) == pytest.approx(metrics.average_precision_score(truth, scores))


def test_layer_depths() -> None:
    assert depth_below_top("encoder.encoder.layer.11.output.dense.weight", 12) == 0
    assert depth_below_top("encoder.encoder.layer.0.output.dense.weight", 12) == 11
    assert depth_below_top("encoder.embeddings.position_embeddings.weight", 12) == 12
