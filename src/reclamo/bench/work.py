"""How much useful work a network does, counted by hand from its shape; and the shape, read from a tagger's graph."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reclamo.engine.runtime import core
from reclamo.errors import ArtefactError


@dataclass(frozen=True, kw_only=True)
class NetworkShape:
    """A transformer encoder with heads over its last states.

    Attributes:
        labels: rows of the heads; each has a query and a weight vector over the states (0 for a classifier on one state).
    """

    layers: int
    hidden: int
    attention_heads: int
    ffn: int
    vocabulary: int
    labels: int
    positions: int = 512

    def to_dict(self) -> dict[str, int]:
        """Give the fields by name."""
        return asdict(self)


XLM_R_BASE = NetworkShape(layers=12, hidden=768, attention_heads=12, ffn=3072, vocabulary=250_002, labels=0, positions=514)


def flops(shape: NetworkShape, length: int) -> int:
    """Floating-point operations for one text of `length` tokens: a multiplication and an addition count two.

    Only matrix products count, and only of real tokens: padding is no useful work. Per layer 2 n (4 h² + 2 h f) for the
    linear maps and 4 n² h for scores and sums of attention; heads 4 n h labels.
    Example: 1 layer, hidden 2, ffn 4, no labels, 3 tokens -> 2*3*(16+16) + 4*9*2 = 264.
    """
    linear = 2 * length * (4 * shape.hidden**2 + 2 * shape.hidden * shape.ffn)
    attention = 4 * length**2 * shape.hidden
    return shape.layers * (linear + attention) + 4 * length * shape.hidden * shape.labels


def total_flops(shape: NetworkShape, lengths: Iterable[int]) -> int:
    """Add up `flops` over texts."""
    return sum(flops(shape, length) for length in lengths)


def read_shape(network: Path, labels: int) -> NetworkShape:
    """Read the shape of a BERT-like network from its graph file.

    Raises:
        ArtefactError: the graph has no attention or no embeddings where BERT has them.
    """
    graph = core().read_model(str(network))
    attention = [node for node in graph.get_ops() if node.get_type_name() == "ScaledDotProductAttention"]
    tables = [_table(node) for node in graph.get_ops() if node.get_type_name() == "Gather"]
    words = max((table for table in tables if table), default=None)
    wide = [int(node.get_output_partial_shape(0)[2].get_length()) for node in graph.get_ops() if node.get_type_name() == "Gelu"]
    if not attention or words is None or not wide:
        raise ArtefactError("is no network that the benchmark can count; it counts BERT-like encoders", path=network)
    heads = int(attention[0].get_input_partial_shape(0)[1].get_length())
    vocabulary, hidden = words
    return NetworkShape(layers=len(attention), hidden=hidden, attention_heads=heads, ffn=wide[0], vocabulary=vocabulary, labels=labels)


def _table(gather: Any) -> tuple[int, int] | None:
    """The size of the table that a Gather looks up, where it is a plain two-dimensional one."""
    shape = gather.get_input_partial_shape(0)
    if shape.is_static and len(shape) == 2 and shape[1].get_length() > 1:
        return int(shape[0].get_length()), int(shape[1].get_length())
    return None
