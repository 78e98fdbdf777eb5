"""The run-time under the engine: OpenVINO on the processor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reclamo.errors import ArtefactError


class Runtime:
    """A compiled network. Thread-safe: every call makes a request of its own.

    Args:
        network: the graph file; its weights lie beside it.
        threads: all cores by default.
        precision: `auto` computes in bf16 where the processor has matrix units for it, else in float32.
        cache: a folder for compiled networks, for faster starts; None keeps none.
    """

    def __init__(self, network: Path, *, threads: int | None = None, precision: str = "auto", cache: Path | None = None) -> None:
        import openvino

        core = openvino.Core()
        options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads
        if precision != "auto":
            options["INFERENCE_PRECISION_HINT"] = {"fp32": "f32", "bf16": "bf16"}[precision]
        if cache is not None:
            options["CACHE_DIR"] = str(cache)
        try:
            self._compiled = core.compile_model(core.read_model(str(network)), "CPU", options)
        except RuntimeError as error:
            raise ArtefactError(f"could not be built ({str(error).splitlines()[0]}); copy the tagger again", path=network) from error

    @property
    def precision(self) -> str:
        """What it computes in: `bf16`, `f32` …"""
        return str(self._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Score a batch: ids and mask (batch, tokens) -> logits (batch, labels), contributions (batch, labels, tokens)."""
        result = self._compiled({"input_ids": ids, "attention_mask": mask})
        return np.asarray(result[0], dtype=np.float32), np.asarray(result[1], dtype=np.float32)
