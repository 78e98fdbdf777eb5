"""What the figures were measured on: cores, instruction sets, memory, versions; no names."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from reclamo.engine.processor import instructions

PACKAGES: Final = ("reclamo", "openvino", "tokenizers", "numpy", "torch", "transformers", "onnxruntime")
INSTRUCTIONS: Final = ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8")


def describe_machine() -> dict[str, Any]:
    """Describe processor, memory and software."""
    info = _cpuinfo()
    return {
        "processor": info.get("model name", platform.processor() or platform.machine()),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "instructions": [name for name in INSTRUCTIONS if name in instructions()],
        "memory_gib": round(_memory() / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
    }


def multiplies_in_8_bits() -> bool:
    """Say whether maps with 8-bit weights are multiplied in 8 bits here: OpenVINO rounds their inputs where there is VNNI and no AMX."""
    return bool(instructions() & {"avx_vnni", "avx512_vnni"}) and not instructions() & {"amx_int8", "amx_bf16"}


def _cpuinfo() -> dict[str, str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    except OSError:
        return {}
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def busy_share() -> float | None:
    """How many other processes want a core, per core, at this moment: the load average of the last minute over the cores."""
    try:
        return round(os.getloadavg()[0] / (os.cpu_count() or 1), 2)
    except OSError:
        return None
