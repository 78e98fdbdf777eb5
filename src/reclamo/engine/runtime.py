"""The run-time under the engine: OpenVINO on the processor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from reclamo.cache import Cache
from reclamo.engine.processor import instructions
from reclamo.engine.weights import write_out
from reclamo.errors import ArtefactError, UsageError
from reclamo.offline import without_telemetry

Array = NDArray[np.float32]
Batch = tuple[NDArray[np.int64], NDArray[np.int64]]
Scores = tuple[Array, Array | None]
# Where a processor multiplies 8-bit numbers faster than any others (VNNI without AMX), OpenVINO rounds the inputs of linear maps
# to 8 bits, each group of so many with a scale of its own. Its own default is 32; more is faster and less exact. 96 divides widths
# of 384 and 768. Measured on reclamo-small: a sixth faster, probabilities off by 0.0035 on the mean instead of 0.0023.
GROUP: Final = "DYNAMIC_QUANTIZATION_GROUP_SIZE"
HINTS: Final[dict[str, dict[str, Any]]] = {
    "auto": {GROUP: 96},
    "bf16": {GROUP: 96, "INFERENCE_PRECISION_HINT": "bf16"},
    "fp32": {GROUP: 0, "INFERENCE_PRECISION_HINT": "f32"},
}
ONE_CORE: Final = Lock()
WIDE: Final = 4  # threads up to which every thread is a stream of its own


class Session:
    """Batches in work, several at a time; made by `Runtime.session`."""

    def __init__(self, runtime: Runtime, pool: ThreadPoolExecutor) -> None:
        self._runtime = runtime
        self._pool = pool
        self._score: Requests | None = None

    def submit(self, batches: Sequence[Batch], *, contributions: bool = True) -> list[Callable[[], Scores]]:
        """Begin on batches, in order: what waits for the scores of each, which are those that `Runtime` gives.

        A lone batch with nothing before it gets all threads, others one thread each.
        """
        lone = len(batches) == 1 and self._score is None
        if self._score is None and not lone and batches:
            self._score = self._runtime.abreast
        score: Callable[..., Scores] = self._score or self._runtime
        return [self._pool.submit(score, *batch, contributions=contributions).result for batch in batches]


class Requests:
    """A compiled network that several threads may ask at once: each call has a request of its own.

    Args:
        network: the compiled network.
        alone: it was compiled for one thread.
    """

    def __init__(self, network: Any, *, alone: bool = False) -> None:
        self._network = network
        self._alone = alone
        self._free: SimpleQueue[Any] = SimpleQueue()

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64], *, contributions: bool = True) -> Scores:
        """Score a batch, as `Runtime` does.

        Raises:
            RuntimeError: the network failed; the next batch is not touched by it.
        """
        try:
            request = self._free.get_nowait()
        except Empty:
            request = self._network.create_infer_request()
        try:
            result = self._infer(request, {"input_ids": ids, "attention_mask": mask})
            return np.array(result[0], dtype=np.float32), np.array(result[1], dtype=np.float32) if contributions else None
        finally:
            self._free.put(request)

    def _infer(self, request: Any, inputs: dict[str, NDArray[np.int64]]) -> Any:
        if not self._alone:
            return request.infer(inputs)
        # Where a network has one thread, `infer` (OpenVINO 2026.4) says nothing of an error, gives no rows, and goes through the same
        # work again at the next call of any network on that thread: a crash, where the first is gone by then. This way it raises.
        request.start_async(inputs)
        request.wait()
        return request.results


class Runtime:
    """A compiled network, in two forms built when first wanted: all threads on one batch, and a batch for each stream.

    Thread-safe: every call makes requests of its own.

    Args:
        network: the graph file; its weights lie beside it.
        threads: all cores by default.
        precision: `auto` computes in bf16 where the processor has units for it, else in float32, and multiplies by 8-bit weights
            in 8 bits where that is faster; `fp32` rounds nothing but the stored weights.
        cache: folder for compiled networks, for faster starts; None keeps none.
        identity: what tells this network from all others, such as the hashes of its files; without it nothing is kept.
    """

    def __init__(
        self, network: Path, *, threads: int | None = None, precision: str = "auto", cache: Path | None = None, identity: str = ""
    ) -> None:
        self._core = core()
        self._network = network
        self._threads = threads or available_cores()
        self._precision = precision
        self._cache = Cache(cache if identity else None)
        self._identity = identity
        self._lock = Lock()
        self._process = os.getpid()

    @property
    def precision(self) -> str:
        """What it computes in outside the products with 8-bit weights: `bf16`, `f32` …"""
        hint = HINTS[self._precision].get("INFERENCE_PRECISION_HINT")
        return hint or str(self._core.get_property("CPU", "INFERENCE_PRECISION_HINT").get_type_name())

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64], *, contributions: bool = True) -> Scores:
        """Score a batch: ids and mask (batch, tokens) -> logits (batch, labels), contributions (batch, labels, tokens) if wanted.

        Raises:
            UsageError: the process was forked since the network was loaded; the child has none of OpenVINO's threads, and would wait
                for ever.
        """
        self._require_own_process()
        return self._alone(ids, mask, contributions=contributions)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Score batches several at a time, on threads that stay while the session is open; what is not begun by then is dropped.

        Raises:
            UsageError: as for a single batch.
        """
        self._require_own_process()
        # Threads of our own with a request each. OpenVINO's AsyncInferQueue (2026.4) can wait for ever when it is let go: it holds
        # the interpreter's lock, which the end of its last callback wants.
        with ThreadPoolExecutor(streams(self._threads), "reclamo-stream") as pool:
            try:
                yield Session(self, pool)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _require_own_process(self) -> None:
        if os.getpid() != self._process:
            raise UsageError("this tagger was loaded before the process was forked, and cannot be used here; load it in each worker")

    @cached_property
    def _alone(self) -> Requests:
        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": self._threads}
        return Requests(self._compile(options), alone=self._threads == 1)

    @cached_property
    def abreast(self) -> Requests:
        """The network as it runs where every batch has a thread of its own, or a few."""
        if self._threads == 1:
            return self._alone
        return Requests(self._compile({"NUM_STREAMS": streams(self._threads), "INFERENCE_NUM_THREADS": self._threads}))

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
            return self._core.compile_model(read_network(self._network, self._precision), "CPU", options)
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise ArtefactError(f"could not be built ({reason}); copy the tagger again", path=self._network) from error

    def _processor(self) -> tuple[Any, ...]:
        about = (self._core.get_property("CPU", name) for name in ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES"))
        return writes_out(self._precision), *about


def core() -> Any:
    """Give this process's one OpenVINO core, which is never let go.

    On processors with AMX a core puts a stack of its own under the thread's signals. Where there were two and the first is let go before
    the second (OpenVINO 2026.4), that thread's signals are left with the first one's stack, which is gone: the next SIGTERM or Ctrl-C
    ends the process with a segmentation fault.
    """
    with ONE_CORE:  # `cache` alone would let two threads make one each
        return _make_core()


@cache
def _make_core() -> Any:
    with without_telemetry():
        import openvino

    # The bindings look numpy up when they first touch a tensor's data. Two threads that do so at once, each its first time, wait for
    # each other for ever: one for the interpreter's lock, the other, which holds it, for the end of that look-up.
    _ = openvino.Tensor(np.zeros(1, np.float32)).data
    return openvino.Core()


def writes_out(precision: str) -> bool:
    """Say whether 8-bit weights would only cost time: where there is AMX they are multiplied in bf16."""
    return "amx_bf16" in instructions() and precision != "fp32"


def read_network(network: Path, precision: str = "auto") -> Any:
    """Read a graph as it is to be compiled on this processor."""
    model = core().read_model(str(network))
    if writes_out(precision):
        write_out(model)
    return model


def available_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def streams(threads: int) -> int:
    """Say how many batches to run at once: one a thread on few threads, a quarter as many as threads on many.

    Threads that share a batch wait for one another after every layer. Examples: 2 -> 2, 64 -> 16.
    """
    return threads if threads <= WIDE else max(WIDE, threads // 4)
