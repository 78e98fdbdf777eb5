"""Where the time of the network goes, by kind of operation, as the run-time itself counts it."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import numpy as np

from reclamo.artefact import Artefact
from reclamo.engine.runtime import core, read_network

SHAPES: Final = {"63 tokens": (16, 64), "183 tokens": (5, 184)}
PRODUCTS: Final = ("FullyConnected", "MatMul")
ATTENTION: Final = ("Subgraph", "ScaledDotProduct", "MHA", "Softmax")
PASSES: Final = 5


def profile_network(artefact: Artefact, threads: int) -> dict[str, dict[str, float]]:
    """Give the share of the time that linear maps, attention and all else take, on a full batch of two lengths, as far as it reads."""
    options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "PERF_COUNT": True}
    request = core().compile_model(read_network(artefact.network), "CPU", options).create_infer_request()
    found = {}
    for name, (batch, tokens) in SHAPES.items():
        shape = batch, min(tokens, artefact.manifest.max_tokens)
        ids = np.random.default_rng(0).integers(5, 300, shape)
        spent: Counter[str] = Counter()
        for number in range(PASSES + 1):
            request.start_async({"input_ids": ids, "attention_mask": np.ones(shape, dtype=np.int64)})
            request.wait()
            if number:  # the first pass builds what later ones use
                spent.update(time_by_kind(request.get_profiling_info()))
        found[name] = {kind: round(seconds / spent.total(), 4) for kind, seconds in spent.most_common()}
    return found


def time_by_kind(nodes: Any) -> Counter[str]:
    """Add up the seconds of a pass by kind of operation."""
    spent: Counter[str] = Counter()
    for node in nodes:
        spent[kind_of(node.node_type)] += node.real_time.total_seconds()
    return spent


def kind_of(node_type: str) -> str:
    """Name the kind of an operation. Examples: FullyConnectedCompressed -> linear maps, MVN -> all else."""
    if node_type.startswith(PRODUCTS):
        return "linear maps"
    return "attention" if node_type.startswith(ATTENTION) else "all else"
