"""Imports of libraries that would tell their makers that they are used: here they cannot."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Final

TELEMETRY: Final = "openvino_telemetry"
_importing = RLock()


@contextmanager
def without_telemetry() -> Iterator[None]:
    """Have OpenVINO and NNCF that are imported inside take the stubs that they bring for machines without `openvino_telemetry`.

    That package sends an event over the network, from a forked process, when either is imported and at every conversion, unless somebody
    has declined (OpenVINO 2026.4). Whoever imported them before, or imports the package itself afterwards, has them as they come.
    """
    with _importing:
        known = TELEMETRY in sys.modules
        if not known:
            sys.modules[TELEMETRY] = None  # type: ignore[assignment]  # what makes an import of it fail
        try:
            yield
        finally:
            if not known:
                del sys.modules[TELEMETRY]
