"""The weights of an exported network: what 8-bit ones stand for, and the network with them written out."""

from __future__ import annotations

from collections.abc import Iterable
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

    The answers stay the same but for rounding. OpenVINO else works them out again for every batch, where it does not multiply in 8 bits.

    Args:
        model: an OpenVINO model, changed in place; one that rounds its inputs too, to multiply in 8 bits, is left as it is.

    Returns:
        how many maps had such weights.
    """
    from openvino import opset13

    if rounds_inputs(model.get_ops()):
        return 0
    written = 0
    for node in model.get_ordered_ops():
        weight = node.input_value(1) if node.get_type_name() == "MatMul" else None
        if weight is None or _is_float(weight.get_node()):
            continue
        try:
            values = constant(weight.get_node()).reshape(tuple(weight.get_shape()))
        except ValueError:  # a product of two inputs
            continue
        wide = opset13.convert(opset13.constant(values.astype(np.float16)), np.float32)  # half the size in the file
        node.input(1).replace_source_output(wide.output(0))
        written += 1
    return written


def rounds_inputs(operations: Iterable[Any]) -> bool:
    """Say whether a network rounds the inputs of its maps to ranges that were fitted before, so as to multiply in 8 bits."""
    return any(node.get_type_name() == "FakeQuantize" for node in operations)


def _is_float(node: Any) -> bool:
    """Whether a weight is a plain array of 16 or 32 bits."""
    while node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    return bool(node.get_type_name() == "Constant" and node.get_element_type().is_real())
