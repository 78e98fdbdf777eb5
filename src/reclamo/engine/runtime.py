"""The run-time under the engine: OpenVINO on the processor."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reclamo.cache import Cache
from reclamo.errors import ArtefactError

Array = NDArray[np.float32]
Batch = tuple[NDArray[np.int64], NDArray[np.int64]]
HINTS: Final = {"auto": {}, "fp32": {"INFERENCE_PRECISION_HINT": "f32"}, "bf16": {"INFERENCE_PRECISION_HINT": "bf16"}}
WIDE: Final = 4  # threads up to which every thread is a stream of its own


class Runtime:
    """A compiled network, in two forms built when first wanted: all threads on one batch, and a batch for each stream.

    Thread-safe: every call makes requests of its own.

    Args:
        network: the graph file; its weights lie beside it.
        threads: all cores by default.
        precision: `auto` computes in bf16 where the processor has units for it, else in float32; 8-bit parts stay in 8 bits.
        cache: folder for compiled networks, for faster starts; None keeps none.
        identity: what tells this network from all others, such as the hashes of its files; without it nothing is kept.
    """

    def __init__(
        self, network: Path, *, threads: int | None = None, precision: str = "auto", cache: Path | None = None, identity: str = ""
    ) -> None:
        import openvino

        self._core = openvino.Core()
        self._network = network
        self._threads = threads or available_cores()
        self._precision = precision
        self._cache = Cache(cache if identity else None)
        self._identity = identity
        self._lock = Lock()

    @property
    def precision(self) -> str:
        """What it computes in outside its 8-bit parts: `bf16`, `f32` …"""
        hint = HINTS[self._precision].get("INFERENCE_PRECISION_HINT")
        return hint or str(self._core.get_property("CPU", "INFERENCE_PRECISION_HINT").get_type_name())

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[Array, Array]:
        """Score a batch: ids and mask (batch, tokens) -> logits (batch, labels), contributions (batch, labels, tokens)."""
        result = self._alone({"input_ids": ids, "attention_mask": mask})
        return np.asarray(result[0], dtype=np.float32), np.asarray(result[1], dtype=np.float32)

    def run(self, batches: Sequence[Batch], take: Callable[[int, Array, Array], None]) -> None:
        """Score batches, several at a time; `take` gets the index of a batch, its logits and contributions, in order.

        The arrays that `take` gets are its own to keep.
        """
        if len(batches) == 1:
            take(0, *self(*batches[0]))
            return
        # Threads of our own with a request each. OpenVINO's AsyncInferQueue (2026.4) can wait for ever when it is let go: it holds
        # the interpreter's lock, which the end of its last callback wants.
        network, width = self._abreast, streams(self._threads)
        requests: SimpleQueue[Any] = SimpleQueue()
        for _ in range(min(width, len(batches))):
            requests.put(network.create_infer_request())

        def infer(batch: Batch) -> tuple[Array, Array]:
            request = requests.get()
            try:
                result = request.infer({"input_ids": batch[0], "attention_mask": batch[1]})
                return np.array(result[0], dtype=np.float32), np.array(result[1], dtype=np.float32)
            finally:
                requests.put(request)

        with ThreadPoolExecutor(width, "reclamo-stream") as pool:
            for index, (logits, contributions) in enumerate(pool.map(infer, batches)):
                take(index, logits, contributions)

    @cached_property
    def _alone(self) -> Any:
        return self._compile({"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": self._threads})

    @cached_property
    def _abreast(self) -> Any:
        if self._threads == 1:
            return self._alone
        return self._compile({"NUM_STREAMS": streams(self._threads), "INFERENCE_NUM_THREADS": self._threads})

    def _compile(self, options: dict[str, Any]) -> Any:
        with self._lock:
            options = {**options, **HINTS[self._precision]}
            key = repr((self._identity, self._core.get_versions("CPU"), self._processor(), sorted(options.items())))
            kept = self._cache.read("network", key)
            if kept is not None:
                try:
                    return self._import(kept, options)
                except RuntimeError:  # built by another OpenVINO under the same version, say: build it anew
                    pass
            compiled = self._build(options)
            if self._cache.folder is not None:
                self._cache.write("network", key, compiled.export_model().getvalue())
            return compiled

    def _import(self, kept: memoryview, options: dict[str, Any]) -> Any:
        import openvino

        # A tensor of its own: the network goes on reading from it, and shared memory would be freed under it.
        return self._core.import_model(openvino.Tensor(np.frombuffer(kept, dtype=np.uint8), shared_memory=False), "CPU", options)

    def _build(self, options: dict[str, Any]) -> Any:
        try:
            return self._core.compile_model(self._core.read_model(str(self._network)), "CPU", options)
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise ArtefactError(f"could not be built ({reason}); copy the tagger again", path=self._network) from error

    def _processor(self) -> tuple[Any, ...]:
        return tuple(self._core.get_property("CPU", name) for name in ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES"))


def available_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def streams(threads: int) -> int:
    """Say how many batches to run at once: one a thread on few threads, a quarter as many as threads on many.

    Threads that share a batch wait for one another after every layer. Examples: 2 -> 2, 64 -> 16.
    """
    return threads if threads <= WIDE else max(WIDE, threads // 4)
