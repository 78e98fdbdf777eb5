"""What the processor can do."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

CPUINFO: Final = Path("/proc/cpuinfo")


@cache
def instructions() -> frozenset[str]:
    """Name the processor's instruction sets as Linux does, such as `avx2` and `amx_bf16`; none where it does not say."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.partition(":")[2] for line in lines if line.startswith("flags")), "").split())
