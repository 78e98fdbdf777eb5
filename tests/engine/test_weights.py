"""Weights written out: the same numbers, and the same answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("nncf")

from reclamo.engine.processor import instructions
from reclamo.engine.runtime import Runtime, core
from reclamo.engine.weights import constant, write_out
from reclamo.model.base import load_base
from reclamo.model.network import TaggerNetwork
from reclamo.training.export import export_network


@pytest.fixture(scope="module")
def compressed(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported network with 8-bit weights and heads that say something."""
    import torch

    torch.manual_seed(4)
    network = TaggerNetwork(load_base(tiny_base)[0], 7)
    torch.nn.init.normal_(network.attention.weight, std=0.5)
    torch.nn.init.normal_(network.attention.query, std=0.5)
    folder = tmp_path_factory.mktemp("compressed")
    export_network(network, folder)
    return folder / "network.xml"


def answers(model: Any, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
    compiled = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0})
    return np.array(compiled({"input_ids": ids, "attention_mask": mask})[0])


def test_every_map_is_written_out_and_answers_as_before(compressed: Path) -> None:
    plain, wide = (core().read_model(str(compressed)) for _ in range(2))
    kept = [n for n in plain.get_ops() if n.get_type_name() == "MatMul" and n.input_value(1).get_node().get_type_name() != "Constant"]
    rounded = [n for n in kept if n.input_value(1).get_node().get_type_name() == "Convert"]
    assert write_out(wide) == len(rounded) == 2 * 6 + 2  # two layers of six maps, queries and values of the heads
    ids = np.random.default_rng(0).integers(5, 60, (3, 11))  # of the small vocabulary
    mask = np.ones((3, 11), dtype=np.int64)
    mask[1, 6:] = 0
    assert np.abs(answers(plain, ids, mask) - answers(wide, ids, mask)).max() < 2e-3
    assert write_out(wide) == 0


def test_weights_of_16_bits_are_left_as_they_are(tiny_tagger: Path) -> None:
    assert write_out(core().read_model(str(tiny_tagger / "network.xml"))) == 0


def test_a_weight_is_what_its_whole_numbers_scale_and_zero_point_stand_for() -> None:
    from openvino import opset13 as ops

    whole = np.array([[0, 128, 255], [7, 7, 9]], dtype=np.uint8)
    zero, scale = np.array([[128], [7]], dtype=np.uint8), np.array([[0.5], [2.0]], dtype=np.float16)
    wide = [ops.convert(ops.constant(values), np.float16) for values in (whole, zero)]
    made = ops.convert(ops.multiply(ops.subtract(*wide), ops.constant(scale)), np.float32)
    assert constant(made).tolist() == [[-64.0, 0.0, 63.5], [0.0, 0.0, 4.0]]
    with pytest.raises(ValueError, match="Parameter"):
        constant(ops.convert(ops.parameter([1], np.float32), np.float16))


@pytest.mark.parametrize("amx", [True, False])
def test_they_are_written_out_where_the_processor_has_amx(compressed: Path, monkeypatch: pytest.MonkeyPatch, amx: bool) -> None:
    monkeypatch.setattr("reclamo.engine.runtime.instructions", lambda: frozenset({"amx_bf16"} if amx else set()))
    asked: list[object] = []
    monkeypatch.setattr("reclamo.engine.runtime.write_out", lambda model: asked.append(model))
    runtime = Runtime(compressed, threads=1)
    ids = np.array([[0, 7, 9, 2]])
    runtime(ids, np.ones_like(ids))
    assert len(asked) == amx
    exact = Runtime(compressed, threads=1, precision="fp32")
    exact(ids, np.ones_like(ids))
    assert len(asked) == amx  # nothing is altered where nothing may be rounded


def test_instructions_are_read_as_linux_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "cpuinfo"
    monkeypatch.setattr("reclamo.engine.processor.CPUINFO", file)
    assert instructions.__wrapped__() == frozenset()
    file.write_text("processor\t: 0\nflags\t\t: fpu avx2 amx_bf16\nbugs\t\t: none\n\nprocessor\t: 1\nflags\t\t: fpu\n", encoding="utf-8")
    assert instructions.__wrapped__() == {"fpu", "avx2", "amx_bf16"}
