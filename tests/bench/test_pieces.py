"""The pieces of the benchmark against figures worked by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import ROOT

from reclamo.artefact import bundled_artefact, open_artefact
from reclamo.bench.machine import multiplies_in_8_bits
from reclamo.bench.mixes import build_mixes, draw_mix, tilted_weights
from reclamo.bench.profile import kind_of
from reclamo.bench.report import between, number, table
from reclamo.bench.spread import percentile, ratio, spread
from reclamo.bench.work import XLM_R_BASE, NetworkShape, flops, read_shape, total_flops
from reclamo.errors import UsageError


def test_work_by_hand() -> None:
    small = NetworkShape(layers=1, hidden=2, attention_heads=1, ffn=4, vocabulary=9, labels=0)
    assert flops(small, 3) == 2 * 3 * (4 * 2 * 2 + 2 * 2 * 4) + 4 * 3 * 3 * 2
    with_heads = NetworkShape(layers=1, hidden=2, attention_heads=1, ffn=4, vocabulary=9, labels=5)
    assert flops(with_heads, 3) - flops(small, 3) == 2 * (2 * 3 * 2 * 5)
    assert total_flops(small, [3, 1]) == flops(small, 3) + flops(small, 1)
    # XLM-R base has 85,054,464 encoder parameters, of which 12 * (4 * 768 + 3072 + 768 + 4 * 768) are biases and norms.
    linear = 85_054_464 - 12 * (4 * 768 + 3072 + 768 + 4 * 768)
    assert flops(XLM_R_BASE, 1) == 2 * linear + 12 * 4 * 768


def test_the_work_is_what_torch_counts() -> None:
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    from reclamo.bench.systems import random_network

    shape = NetworkShape(layers=2, hidden=32, attention_heads=4, ffn=64, vocabulary=50, labels=7)
    network = random_network(shape, "eager")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.ones(1, 11, dtype=torch.long), torch.ones(1, 11, dtype=torch.long))
    assert counter.get_total_flops() == flops(shape, 11)


def test_the_shape_of_the_bundled_tagger_is_that_of_its_base() -> None:
    artefact = open_artefact(bundled_artefact())
    shape = read_shape(artefact.network, artefact.taxonomy.n_logits)
    assert (shape.layers, shape.hidden, shape.attention_heads, shape.ffn) == (12, 384, 12, 1536)
    assert shape.vocabulary > 30_000


@given(st.lists(st.integers(2, 500), min_size=2, max_size=40, unique=True), st.floats(0.05, 0.95))
def test_tilted_weights_have_the_mean_asked_for(sizes: list[int], place: float) -> None:
    mean = min(sizes) + place * (max(sizes) - min(sizes))
    weights = tilted_weights(np.array(sizes, dtype=np.float64), mean)
    assert weights.sum() == pytest.approx(1)
    assert float(weights @ np.array(sizes)) == pytest.approx(mean, rel=1e-3)


def test_a_mix_keeps_texts_with_their_lengths() -> None:
    texts = [f"text {n}" for n in range(1, 200)]
    mix = draw_mix(texts, list(range(1, 200)), 63, 40)
    assert all(text == f"text {length}" for text, length in zip(mix.texts, mix.lengths, strict=True))
    assert mix.mean == pytest.approx(63, abs=2)
    assert min(mix.lengths) < 10
    assert max(mix.lengths) > 150
    with pytest.raises(UsageError, match="give --data"):
        draw_mix(texts, list(range(1, 200)), 400, 10)


def test_the_corpus_gives_the_mixes_that_are_reported() -> None:
    mixes = build_mixes(ROOT / "data", lambda texts: [len(text) // 4 for text in texts], 60)
    assert [round(mix.mean / wanted, 1) for mix, wanted in zip(mixes, (63, 183), strict=False)] == [1.0, 1.0]
    assert [len(mix.texts) for mix in mixes[:2]] == [60, 30]
    assert mixes[2].name == "sample inbox"
    with pytest.raises(UsageError, match=r"train\.jsonl"):
        build_mixes(Path(__file__).parent, lambda texts: [], 60)


def test_spreads_ratios_and_percentiles_by_hand() -> None:
    assert spread([3, 1, 2]).to_dict() == {"value": 2, "low": 1, "high": 3}
    assert ratio([1, 2], [4, 4]).to_dict() == {"value": 3, "low": 2, "high": 4}
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99
    assert percentile([5.0, 1.0, 3.0], 0.5) == 3


def test_the_kinds_of_operations() -> None:
    kinds = [kind_of(name) for name in ("FullyConnectedCompressed", "MatMul", "Subgraph", "ScaledDotProductAttention", "MVN", "Gather")]
    assert kinds == ["linear maps", "linear maps", "attention", "attention", "all else", "all else"]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("avx2 avx512f", False),
        ("avx2 avx_vnni", True),
        ("avx512_vnni avx512_bf16", True),
        ("avx512_vnni amx_bf16 amx_int8", False),
        ("", False),
    ],
)
def test_which_processors_multiply_in_8_bits(monkeypatch: pytest.MonkeyPatch, flags: str, expected: bool) -> None:
    monkeypatch.setattr("reclamo.bench.machine.instructions", lambda: frozenset(flags.split()))
    assert multiplies_in_8_bits() is expected


def test_numbers_and_tables_by_hand() -> None:
    assert (number(1234.5), number(0.12345), number(99.96)) == ("1,234", "0.123", "100")
    assert between({"value": 2.0, "low": 2.0, "high": 2.0}) == "2"
    assert between({"value": 31.2, "low": 28.0, "high": 33.3}, " s") == "31.2 s (28 to 33.3)"
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | ---: |\n| 1 | 2 |\n"
