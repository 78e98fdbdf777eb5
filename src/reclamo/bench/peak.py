"""The most that the processor does: the best of several large matrix products, by precision."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from reclamo.engine.runtime import core
from reclamo.offline import without_telemetry

SIZE: Final = 2048
WORK: Final = 2 * SIZE**3


def measure_peaks(threads: int) -> dict[str, float]:
    """Measure GFLOP/s (for int8, GOP/s) of a product of two 2,048-square matrices: fp32, bf16, int8.

    OpenVINO and torch are both tried; the better of the two counts, so that a share of the peak is not flattered by a slow library.
    """
    found: dict[str, float] = {}
    for name, product in [*_openvino_products(threads), *_torch_products(threads)]:
        found[name] = max(found.get(name, 0.0), WORK / _best(product) / 1e9)
    return found


def _best(product: Callable[[], Any], seconds: float = 0.4) -> float:
    product()
    best, end = float("inf"), time.perf_counter() + seconds
    while (started := time.perf_counter()) < end:
        product()
        best = min(best, time.perf_counter() - started)
    return best


def _openvino_products(threads: int) -> list[tuple[str, Callable[[], Any]]]:
    with without_telemetry():
        import openvino

    data = np.random.default_rng(0).standard_normal((SIZE, SIZE), dtype=np.float32)
    made: list[tuple[str, Callable[[], Any]]] = []
    for name, hint in (("fp32", "f32"), ("bf16", "bf16"), ("int8", "f32")):
        options = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
        request = core().compile_model(_product_graph(data, quantised=name == "int8"), "CPU", options).create_infer_request()
        request.set_input_tensor(openvino.Tensor(data))
        made.append((name, request.infer))
    return made


def _product_graph(weights: np.ndarray[Any, Any], *, quantised: bool) -> Any:
    import openvino
    from openvino import opset13 as op

    given = op.parameter([-1, SIZE], np.float32)
    left, right = given, op.constant(weights)
    if quantised:
        left = op.fake_quantize(given, *_range(-4.0, 4.0 * 127 / 128), 256)
        right = op.fake_quantize(right, *_range(-4.0, 4.0), 255)
    return openvino.Model([op.matmul(left, right, False, True)], [given], "product")


def _range(low: float, high: float) -> list[Any]:
    from openvino import opset13 as op

    return [op.constant(np.float32(bound)) for bound in (low, high, low, high)]


def _torch_products(threads: int) -> list[tuple[str, Callable[[], Any]]]:
    import torch

    torch.set_num_threads(threads)
    generator = torch.Generator().manual_seed(0)
    single = torch.randn(SIZE, SIZE, generator=generator)
    half = single.bfloat16()
    whole = torch.randint(-9, 9, (SIZE, SIZE), dtype=torch.int8, generator=generator)
    products: list[tuple[str, Callable[[], Any]]] = [("fp32", lambda: single @ single), ("bf16", lambda: half @ half)]
    if hasattr(torch, "_int_mm"):
        products.append(("int8", lambda: torch._int_mm(whole, whole)))
    return products
