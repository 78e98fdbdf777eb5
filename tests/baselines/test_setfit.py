"""Pairs are alike when both have the label that was drawn, and tuning draws alike texts together."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from reclamo.baselines.embeddings import Encoder, EncoderOptions
from reclamo.baselines.setfit import PairOptions, draw_pairs, tune_on_pairs
from reclamo.corpus import Example
from reclamo.taxonomy import Taxonomy


def test_pairs_share_a_label_or_not_and_serve_all_heads_alike(messages: list[Example], small_taxonomy: Taxonomy) -> None:
    by_text = {example.text: example.labels for example in messages}
    assert len(by_text) == len(messages)
    pairs = draw_pairs(messages, small_taxonomy, 600, seed=1)
    assert len(pairs) == 600
    assert Counter(pair.alike for pair in pairs) == {True: 300, False: 300}
    assert pairs == draw_pairs(messages, small_taxonomy, 600, seed=1) != draw_pairs(messages, small_taxonomy, 600, seed=2)
    for number, pair in enumerate(pairs):
        head = small_taxonomy.heads[number // 2 % len(small_taxonomy.heads)]
        left, right = (by_text[text][head.name] for text in (pair.left, pair.right))
        if head.kind == "any_of":
            assert bool(set(left) & set(right)) if pair.alike else bool(set(left) - set(right))
        else:
            assert (left == right) is pair.alike


def test_a_head_with_nothing_to_tell_apart_gives_no_pairs(messages: list[Example], small_taxonomy: Taxonomy) -> None:
    same = [only(example, "topic", "bill") for example in messages[:4]]
    assert draw_pairs(same, small_taxonomy, 10, seed=1) == []
    assert len(draw_pairs([*same, *messages[4:16]], small_taxonomy, 10, seed=1)) == 10


def test_tuning_draws_alike_texts_together_and_unlike_ones_apart(
    tiny_base: Path, messages: list[Example], fresh: list[Example], small_taxonomy: Taxonomy
) -> None:
    encoder = Encoder(tiny_base, EncoderOptions(max_tokens=48))

    def gap() -> float:
        vectors = encoder.embed([example.text for example in fresh])
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        alike = np.array([[a.labels["angry"] == b.labels["angry"] for b in fresh] for a in fresh])
        return float((unit @ unit.T)[alike].mean() - (unit @ unit.T)[~alike].mean())

    before = gap()
    angry = [only(example, "angry", example.labels["angry"]) for example in messages]
    tune_on_pairs(encoder, draw_pairs(angry, small_taxonomy, 640, seed=1), PairOptions(rate=2e-3, batch=16))
    assert gap() > before + 0.3


def only(example: Example, head: str, value: Any) -> Example:
    """The message with the label of one head alone."""
    return Example(id=example.id, text=example.text, lang=example.lang, labels={head: value})
