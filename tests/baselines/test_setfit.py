"""Pairs are alike when they share a label, and tuning draws alike texts together."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from reclamo.baselines.embeddings import Encoder, EncoderOptions
from reclamo.baselines.setfit import PairOptions, draw_pairs, tune_on_pairs
from reclamo.corpus import Example
from reclamo.taxonomy import parse_taxonomy

TOY = parse_taxonomy(
    """
version = 1
name = "toy"
languages = ["es"]
[[head]]
name = "mood"
kind = "one_of"
labels = [{ name = "bad" }, { name = "good" }]
[[head]]
name = "urgent"
kind = "yes_no"
labels = [{ name = "urgent" }]
[[head]]
name = "topics"
kind = "any_of"
labels = [{ name = "money" }, { name = "time" }]
"""
)
WORDS = {"bad": ["nadie", "contesta", "tres"], "good": ["amable", "gracias", "puntual"]}


def messages(n: int) -> list[Example]:
    rng = random.Random(2)
    made = []
    for number in range(n):
        mood = rng.choice(["bad", "good"])
        labels = {"mood": mood, "urgent": number % 5 == 0, "topics": rng.sample(["money", "time"], number % 3)}
        text = f"{number} " + " ".join(rng.choices(WORDS[mood], k=5))
        made.append(Example(id=str(number), text=text, lang="es", labels=labels))
    return made


def test_pairs_share_a_label_or_not_and_serve_all_heads_alike() -> None:
    examples = messages(60)
    by_text = {example.text: example.labels for example in examples}
    pairs = draw_pairs(examples, TOY, 600, seed=1)
    assert len(pairs) == 600
    assert Counter(pair.alike for pair in pairs) == {True: 300, False: 300}
    assert pairs == draw_pairs(examples, TOY, 600, seed=1) != draw_pairs(examples, TOY, 600, seed=2)
    for number, pair in enumerate(pairs):
        head = TOY.heads[number // 2 % 3].name
        left, right = (by_text[text][head] for text in (pair.left, pair.right))
        if head != "topics":
            assert (left == right) is pair.alike
        else:
            assert bool(set(left) & set(right)) if pair.alike else bool(set(left) - set(right))


def test_a_head_with_nothing_to_tell_apart_gives_no_pairs() -> None:
    same = [Example(id=str(k), text=f"uno {k}", lang="es", labels={"mood": "bad"}) for k in range(4)]
    assert draw_pairs(same, TOY, 10, seed=1) == []
    assert len(draw_pairs([*same, *messages(12)], TOY, 10, seed=1)) == 10


def test_tuning_draws_alike_texts_together_and_unlike_ones_apart(tiny_base: Path) -> None:
    encoder = Encoder(tiny_base, EncoderOptions(max_tokens=32))
    examples = [Example(id=e.id, text=e.text, lang="es", labels={"mood": e.labels["mood"]}) for e in messages(40)]
    fresh = messages(80)[40:]

    def gap() -> float:
        vectors = encoder.embed([example.text for example in fresh])
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        alike = np.array([[a.labels["mood"] == b.labels["mood"] for b in fresh] for a in fresh])
        return float((unit @ unit.T)[alike].mean() - (unit @ unit.T)[~alike].mean())

    before = gap()
    tune_on_pairs(encoder, draw_pairs(examples, TOY, 320, seed=1), PairOptions(rate=2e-3, batch=16))
    assert gap() > before + 0.3
