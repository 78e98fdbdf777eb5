"""Near-duplicates against all pairs by brute force."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reclamo.corpus.audit.similarity import clusters, grams, near_pairs


def by_brute_force(texts: list[str], least: float) -> list[tuple[int, int, float]]:
    found = []
    for i, a in enumerate(texts):
        for j in range(i + 1, len(texts)):
            x, y = grams(a), grams(texts[j])
            jaccard = len(x & y) / len(x | y)
            if jaccard >= least:
                found.append((i, j, jaccard))
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("ab ", max_size=30), max_size=14), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_short_texts_of_few_letters(texts: list[str], least: float) -> None:
    assert near_pairs(texts, least) == by_brute_force(texts, least)


@pytest.mark.parametrize("least", [0.4, 0.5, 0.7])
def test_long_texts_with_edits(least: float) -> None:
    rng = random.Random(8)
    words = ["".join(rng.choices("aeioulnrst", k=rng.randint(2, 8))) for _ in range(80)]
    texts = []
    for _ in range(15):
        base = rng.choices(words, k=rng.randint(5, 90))
        texts.append(" ".join(base))
        for share in (0.05, 0.1, 0.2, 0.4):
            texts.append(" ".join(rng.choice(words) if rng.random() < share else word for word in base))
    expected = by_brute_force(texts, least)
    assert len(expected) > 20
    assert near_pairs(texts, least) == expected


def test_many_messages_take_seconds() -> None:
    rng = random.Random(2)
    words = ["".join(rng.choices("aeioulnrst", k=rng.randint(2, 8))) for _ in range(3000)]
    texts = [" ".join(rng.choices(words, weights=range(3000, 0, -1), k=25)) for _ in range(1000)]
    started = time.process_time()
    ((first, last, score),) = near_pairs([*texts, texts[0] + " fin"], 0.5)
    assert (first, last) == (0, 1000)
    assert score > 0.9
    assert time.process_time() - started < 10


def test_clusters_join_chains() -> None:
    assert clusters([(0, 2, 0.6), (2, 5, 0.7), (3, 4, 0.9)]) == [(0, 2, 5), (3, 4)]
    assert clusters([]) == []
