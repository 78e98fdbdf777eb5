"""Read the weights of a finished tagger back into the network that torch trains.

The export keeps the names of the modules it traced, so each weight is found by the operation that uses it. Weights of 8 bits come back as
what they stand for: within half a step of what was trained.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from reclamo.artefact import Artefact
from reclamo.engine.weights import constant
from reclamo.errors import ArtefactError
from reclamo.model.network import LabelAttention, TaggerNetwork

EMBEDDING = "aten::embedding/Gather"
LINEAR = "aten::linear/MatMul"
LINEAR_BIAS = "aten::linear/Add"
NORM = "aten::layer_norm/Multiply_1"
NORM_BIAS = "aten::layer_norm/Add"
VALUES = "aten::linear/MatMul_1"
BIAS = "aten::mul/Multiply_2"


def read_exported(artefact: Artefact, network: TaggerNetwork) -> dict[str, Tensor]:
    """Read the exported weights under the names that a network of the same base gives them.

    Args:
        network: of the tagger's base, labels and number of layers; it tells which weights there are, and is not changed.

    Returns:
        float32 tensors by parameter name, in the network's shapes.

    Raises:
        ArtefactError: a weight is not where this version's export puts it, or has another shape: another base, or 8-bit activations.
    """
    import openvino

    model = openvino.Core().read_model(str(artefact.network))
    operations = {op.get_friendly_name(): op for op in model.get_ordered_ops()}
    found: dict[str, Tensor] = {}
    for name, value in network.named_parameters():
        path, _, field = name.rpartition(".")
        node = operations.get(f"__module.network.{path}/{_operation(network.get_submodule(path), field)}")
        try:
            array = constant(node.input_value(_weight_side(node)).get_node()) if node is not None else None
        except ValueError:
            array = None
        if array is None or array.size != value.numel():
            raise ArtefactError(
                f"the weights of {name} are not where they were expected: the tagger has another base or other layers than this "
                "configuration, or computes in 8 bits; learn from the run folder it was trained in",
                path=artefact.path,
            )
        if isinstance(network.get_submodule(path), LabelAttention) and field == "query":
            array = array / network.attention.scale  # the export multiplied them
        found[name] = torch.from_numpy(np.array(array, dtype=np.float32).reshape(value.shape))
    return found


def count_layers(artefact: Artefact) -> int:
    """Count the encoder's layers in the exported network."""
    import openvino

    model = openvino.Core().read_model(str(artefact.network))
    named = (op.get_friendly_name().partition(".layer.")[2].partition(".")[0] for op in model.get_ordered_ops())
    return 1 + max((int(number) for number in named if number.isdigit()), default=-1)


def _operation(module: nn.Module, field: str) -> str:
    """The traced operation that uses a module's parameter."""
    if isinstance(module, LabelAttention):
        return {"query": LINEAR, "weight": VALUES, "bias": BIAS}[field]
    if isinstance(module, nn.Embedding):
        return EMBEDDING
    if isinstance(module, nn.LayerNorm):
        return NORM if field == "weight" else NORM_BIAS
    return LINEAR if field == "weight" else LINEAR_BIAS


def _weight_side(node: Any) -> int:
    """Which input of an operation is the weight: the first of a look-up, else the second."""
    return 0 if node.get_type_name() == "Gather" else 1
