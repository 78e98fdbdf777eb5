"""The weights of an exported network: what 8-bit ones stand for, and the network with them written out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def constant(node: Any) -> NDArray[np.float32]:
    """Work out a weight as the run-time does: (whole numbers - zero point) * scale, or as it stands.

    Raises:
        ValueError: the node is not made of constants in that way.
    """
    kind = node.get_type_name()
    if kind == "Constant":
        return np.asarray(node.data, dtype=np.float32)
    inputs = [node.input_value(k).get_node() for k in range(node.get_input_size())]
    if kind in ("Convert", "Reshape", "Unsqueeze"):
        return constant(inputs[0])
    if kind == "Subtract":
        return constant(inputs[0]) - constant(inputs[1])
    if kind == "Multiply":
        return constant(inputs[0]) * constant(inputs[1])
    raise ValueError(kind)


def write_out(model: Any) -> int:
    """Put in place of each linear map's 8-bit weights, scales and zero points the numbers that they stand for.

    The answers stay the same. OpenVINO else works them out again for every batch, where it does not multiply in 8 bits.

    Args:
        model: an OpenVINO model, changed in place.

    Returns:
        how many maps had such weights.
    """
    from openvino import opset13

    written = 0
    for node in model.get_ordered_ops():
        if node.get_type_name() != "MatMul" or node.input_value(1).get_node().get_type_name() == "Constant":
            continue
        try:
            values = constant(node.input_value(1).get_node())
        except ValueError:  # a product of two inputs, or with rounded ones
            continue
        wide = opset13.convert(opset13.constant(values.astype(np.float16)), np.float32)  # half the size in the cache of compiled networks
        node.input(1).replace_source_output(wide.output(0))
        written += 1
    return written
