"""Computing in 8 bits: most products change, the answers hardly do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("nncf")

from tests.conftest import SENTENCES

from reclamo.engine.runtime import core
from reclamo.engine.weights import rounds_inputs, write_out
from reclamo.model.base import load_base
from reclamo.model.network import TaggerNetwork
from reclamo.taxonomy import load_taxonomy
from reclamo.training.export import export_network


@pytest.mark.slow
def test_products_in_8_bits_but_not_those_that_stay_as_they_are(tiny_base: Path, tmp_path: Path) -> None:
    encoder, tokenizer = load_base(tiny_base)
    network = TaggerNetwork(encoder, load_taxonomy().n_logits)
    texts = [text for group in SENTENCES.values() for text in group]
    ids = [np.array(tokenizer(text)["input_ids"][:60], dtype=np.int64) for text in texts]
    found = {}
    for name, samples in (("plain", []), ("int8", ids)):
        (tmp_path / name).mkdir()
        export_network(network, tmp_path / name, samples=samples)
        found[name] = core().read_model(str(tmp_path / name / "network.xml"))
    products = {node.get_friendly_name(): _from_8_bits(node) for node in found["int8"].get_ops() if node.get_type_name() == "MatMul"}
    feed_forward = [eight for name, eight in products.items() if "intermediate.dense" in name or "self.query" in name]
    assert feed_forward
    assert all(feed_forward)
    left = [
        eight for name, eight in products.items() if "network.attention" in name or (".output.dense" in name and "attention" not in name)
    ]
    assert left
    assert not any(left)
    assert not rounds_inputs(found["plain"].get_ops())
    assert rounds_inputs(found["int8"].get_ops())
    before = found["int8"].get_ops()
    assert write_out(found["int8"]) == 0  # its products stay in 8 bits
    assert [node.get_friendly_name() for node in found["int8"].get_ops()] == [node.get_friendly_name() for node in before]


def _from_8_bits(product: object) -> bool:
    source = product.input_value(0).get_node()  # type: ignore[attr-defined]
    while source.get_type_name() in ("Reshape", "Transpose", "Multiply"):
        source = source.input_value(0).get_node()
    return bool(source.get_type_name() == "FakeQuantize")
