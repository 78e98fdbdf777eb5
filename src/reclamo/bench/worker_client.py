"""The other end of a worker: start it, ask it, stop it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from reclamo.errors import ReclamoError


class BenchError(ReclamoError):
    """A measurement could not be made."""


class Worker:
    """A system in a process of its own.

    Attributes:
        cold_start: seconds from the start of the process to its first answer.
        precision: what it says that it computes in.
        peak_mib: the most memory that it has held so far.
    """

    def __init__(self, system: str, model: Path, threads: int, cores: list[int] | None = None) -> None:
        spec = {"system": system, "model": str(model), "threads": threads, "cores": cores}
        started = time.perf_counter()
        self.name = system
        # Not a pipe, which would fill, as nobody reads it while the worker is at work; `close` closes it.
        self._said = tempfile.TemporaryFile(mode="w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", "reclamo.bench.worker", json.dumps(spec)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            encoding="utf-8",
        )
        self.precision = str(self._answer()["precision"])
        self.cold_start = time.perf_counter() - started
        self.peak_mib = 0.0

    def ask(self, task: str, **details: Any) -> dict[str, Any]:
        """Ask one question and wait for the answer.

        Raises:
            BenchError: the worker died.
        """
        self.tell(task, **details)
        return self.wait()

    def tell(self, task: str, **details: Any) -> None:
        """Ask without waiting, so that two workers can be at work at once."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"task": task, **details}) + "\n")
        self._process.stdin.flush()

    def wait(self) -> dict[str, Any]:
        """Wait for the answer to what was told."""
        answer = self._answer()
        self.peak_mib = float(answer["peak_mib"])
        return answer

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._said.seek(0)
            said = self._said.read().strip().splitlines()
            self.close()
            raise BenchError(f"the system {self.name!r} stopped: {said[-1] if said else 'it said nothing'}; leave it out with --only")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Let the process end."""
        if not self._said.closed:
            self._process.communicate()
            self._said.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
