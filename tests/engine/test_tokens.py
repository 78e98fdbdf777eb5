"""Windows and batches by hand, and as properties."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from reclamo.engine.evidence import pick_spans, word_contributions
from reclamo.engine.tokens import BATCH_COST, batches_by_tokens, pack_windows, round_up


def test_windows_by_hand() -> None:
    assert pack_windows([0, 4, 6, 9], 12, 7) == [(0, 6), (6, 12)]
    assert pack_windows([0], 20, 8) == [(0, 8), (8, 16), (16, 20)]


@given(
    st.integers(1, 60).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.integers(1, n))),
    ),
    st.integers(1, 20),
)
def test_windows_cover_everything_once(case: tuple[int, set[int]], room: int) -> None:
    total, starts = case
    windows = pack_windows(sorted({0, *(s for s in starts if s < total)}), total, room)
    assert [i for a, b in windows for i in range(a, b)] == list(range(total))
    assert all(b - a <= room for a, b in windows)


@given(st.lists(st.integers(1, 500), max_size=80), st.integers(16, 4096))
def test_batches_hold_everything_once_within_the_budget(lengths: list[int], budget: int) -> None:
    groups = batches_by_tokens(lengths, budget)
    assert sorted(i for group in groups for i in group) == list(range(len(lengths)))
    for group in groups:
        assert len(group) in (1, 2) or len(group) % 4 == 0
        assert len(group) == 1 or len(group) * round_up(max(lengths[i] for i in group)) <= budget


@given(st.lists(st.integers(1, 90), min_size=1, max_size=7), st.integers(16, 300))
def test_batches_cost_as_little_as_any_others_would(lengths: list[int], budget: int) -> None:
    """Against every way to cut the sorted lengths."""

    def cost(groups: list[list[int]]) -> int:
        return sum(BATCH_COST + len(group) * round_up(max(group)) for group in groups)

    ordered, ways = sorted(lengths), []
    for size in range(len(ordered)):
        for cuts in itertools.combinations(range(1, len(ordered)), size):
            ways.append([ordered[a:b] for a, b in itertools.pairwise([0, *cuts, len(ordered)])])

    def allowed(group: list[int]) -> bool:
        return len(group) == 1 or (len(group) in (2, 4) and len(group) * round_up(max(group)) <= budget)

    fit = [way for way in ways if all(map(allowed, way))]
    assert cost([[lengths[i] for i in group] for group in batches_by_tokens(lengths, budget)]) == min(map(cost, fit))


def test_words_get_the_sum_of_their_tokens() -> None:
    import numpy as np

    text = "den exw, λάβει"
    offsets = np.array([[0, 0], [0, 3], [3, 7], [7, 8], [8, 11], [11, 14], [0, 0]])
    spans, sums = word_contributions(text, offsets, np.array([[9.0], [1.0], [2.0], [0.5], [3.0], [4.0], [9.0]], dtype=np.float32))
    assert [text[a:b] for a, b in spans] == ["den", "exw", ",", "λάβει"]
    assert sums[:, 0].tolist() == [1.0, 2.0, 0.5, 7.0]


def test_evidence_by_hand() -> None:
    import numpy as np

    spans = np.array([[0, 2], [3, 5], [6, 8], [9, 11]])
    weights = np.array([[0.1, 0.6, 0.5, -0.2], [-1.0, 0.0, -2.0, 0.0], [0.5, 0.1, 0.0, 0.5]], dtype=np.float32).T
    one, none, two = pick_spans(spans, weights)
    assert [(found.start, found.end, found.weight) for found in one] == [(3, 8, 0.9167)]
    assert none == []
    assert [(found.start, found.end, found.weight) for found in two] == [(0, 2, 0.4545), (9, 11, 0.4545)]


def test_batches_are_padded_to_fine_lengths() -> None:
    import numpy as np

    from reclamo.engine.tokens import Unit, pad_batch

    none = {"offsets": np.zeros((5, 2), np.int64), "spans": np.zeros((5, 2), np.int64), "text": ""}
    units = [Unit(message=k, ids=np.arange(n), **none) for k, n in enumerate((3, 5))]
    ids, mask = pad_batch(units, 9)
    assert ids.tolist() == [[0, 1, 2, 9, 9, 9, 9, 9], [0, 1, 2, 3, 4, 9, 9, 9]]
    assert mask.sum(axis=1).tolist() == [3, 5]


@given(st.integers(1, 512))
def test_rounding_up_wastes_little(length: int) -> None:
    assert length <= round_up(length) < length + (4 if length <= 128 else 16)
