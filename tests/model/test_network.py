"""The heads: a logit is the exact sum of its tokens; the loss by hand and against torch's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from reclamo.corpus import Example, encode_targets  # noqa: E402
from reclamo.corpus.example import parse_labels  # noqa: E402
from reclamo.model.base import load_base  # noqa: E402
from reclamo.model.loss import HeadsLoss, label_weights  # noqa: E402
from reclamo.model.network import LabelAttention, TaggerNetwork  # noqa: E402
from reclamo.taxonomy import load_taxonomy  # noqa: E402

TAXONOMY = load_taxonomy()


def test_zero_queries_are_mean_pooling() -> None:
    torch.manual_seed(0)
    states, mask = torch.randn(2, 5, 8), torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    heads = LabelAttention(8, 3)
    torch.nn.init.normal_(heads.weight)
    logits, _ = heads(states, mask)
    pooled = torch.stack([states[0].mean(0), states[1, :2].mean(0)])
    assert torch.allclose(logits, pooled @ heads.weight.T, atol=1e-5)


def test_a_logit_is_the_sum_of_its_tokens_and_padding_gives_nothing(tiny_base: Path) -> None:
    torch.manual_seed(1)
    encoder, _ = load_base(tiny_base)
    network = TaggerNetwork(encoder, TAXONOMY.n_logits).eval()
    torch.nn.init.normal_(network.attention.weight)
    torch.nn.init.normal_(network.attention.query)
    ids = torch.tensor([[0, 7, 8, 9, 2, 1, 1]])
    mask = torch.tensor([[1, 1, 1, 1, 1, 0, 0]])
    logits, contributions = network(ids, mask)
    assert torch.allclose(contributions.sum(-1) + network.attention.bias, logits, atol=1e-5)
    assert contributions[0, :, 5:].abs().max() < 1e-6
    alone, _ = network(ids[:, :5], mask[:, :5])
    assert torch.allclose(alone, logits, atol=1e-5)


def test_the_loss_is_torchs_own_and_absent_heads_take_no_part() -> None:
    labels = parse_labels({"role": "agent", "sentiment": "neutral", "traits": ["apology", "thanks"]}, TAXONOMY)
    rows = [Example(id="1", text="x", lang="es", labels=labels), Example(id="2", text="y", lang="es", labels={"sentiment": "positive"})]
    targets = encode_targets(rows, TAXONOMY)
    loss = HeadsLoss(TAXONOMY, targets, cap=1.0)
    torch.manual_seed(2)
    logits = torch.randn(2, TAXONOMY.n_logits)
    values, asked = torch.from_numpy(targets.values), torch.from_numpy(targets.mask)
    one_of = [torch.nn.functional.cross_entropy(logits[i : i + 1, s], torch.tensor([k])) for i, s, k in
              ((0, slice(0, 2), 1), (0, slice(2, 5), 1), (1, slice(2, 5), 2))]  # fmt: skip
    traits = torch.nn.functional.binary_cross_entropy_with_logits(logits[0, 29:46], values[0, 29:46], reduction="sum") / 17**0.5
    expected = ((one_of[0] + one_of[1] + traits) / 3 + one_of[2]) / 2
    assert float(loss(logits, values, asked)) == pytest.approx(float(expected), rel=1e-5)


def test_rare_labels_weigh_more() -> None:
    head = TAXONOMY.by_name["sentiment"]
    values = np.eye(3, dtype=np.float32)[[0] * 16 + [1] * 4]
    weights = label_weights(head, values, cap=4.0)
    assert weights[1] / weights[0] == pytest.approx(2.0)
    assert (weights * values.sum(0)).sum() / 20 == pytest.approx(1.0)
    assert label_weights(head, values[:0], cap=4.0).tolist() == [1, 1, 1]
