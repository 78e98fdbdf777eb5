"""One system in a process of its own: questions in on stdin, answers out on stdout, a line of JSON each.

So each system has its own memory to measure, its own thread pool, and starts cold; between questions it sleeps.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from reclamo.bench.systems import System, build

FIRST_TEXT: Final = "Llevo tres semanas esperando el reembolso y nadie me contesta."


def time_texts(system: System, ask: dict[str, Any]) -> dict[str, Any]:
    """Answer all texts, again until a second has gone; give the mean seconds of a pass."""
    passes, started = 0, time.perf_counter()
    while True:
        system(ask["texts"])
        passes += 1
        seconds = time.perf_counter() - started
        if seconds >= ask["least_seconds"]:
            return {"seconds": seconds / passes, "passes": passes}


def time_single(system: System, ask: dict[str, Any]) -> dict[str, Any]:
    """Answer one text at a time; give the milliseconds of each."""
    spans = []
    for text in ask["texts"]:
        started = time.perf_counter()
        system([text])
        spans.append(1000 * (time.perf_counter() - started))
    return {"milliseconds": spans}


def time_growth(system: System, ask: dict[str, Any]) -> dict[str, Any]:
    """Tag a stream of short messages; give the seconds and the memory in use at each of the counts asked for."""
    tagger: Any = getattr(system, "tagger", None)
    counts, points, started = ask["counts"], [], time.perf_counter()
    for number, _ in enumerate(tagger.tag_many(_stream(ask["texts"], counts[-1])), 1):
        if number in counts:
            points.append({"messages": number, "seconds": time.perf_counter() - started, "mib": resident_mib()})
    return {"points": points}


def time_peaks(system: System, ask: dict[str, Any]) -> dict[str, Any]:
    """Measure the peaks of the processor."""
    from reclamo.bench.peak import measure_peaks

    return {"peaks": measure_peaks(ask["threads"])}


def time_training(system: System, ask: dict[str, Any]) -> dict[str, Any]:
    """Train for one epoch with one trainer; give the seconds."""
    from reclamo.bench.training import train_once

    return {"seconds": train_once(ask)}


TASKS: Final = {"texts": time_texts, "single": time_single, "growth": time_growth, "peaks": time_peaks, "training": time_training}


def resident_mib() -> float:
    """The memory that the process holds now, in MiB; the most it ever held where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return peak_mib()


def peak_mib() -> float:
    """The most memory that the process held, in MiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)


def _stream(texts: list[str], count: int) -> Iterator[str]:
    return (texts[number % len(texts)] for number in range(count))


def _nothing(texts: Any) -> int:
    return 0


def main() -> None:
    """Build the system that the first argument describes, answer one message, then every question on stdin."""
    spec = json.loads(sys.argv[1])
    if spec.get("cores"):
        os.sched_setaffinity(0, spec["cores"])
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # what libraries print must not land between the answers
    system: Any = build(spec["system"], Path(spec["model"]), spec["threads"]) if spec["system"] else _nothing
    system([FIRST_TEXT])
    answers.write(json.dumps({"precision": getattr(system, "precision", "")}) + "\n")
    for line in sys.stdin:
        ask = json.loads(line)
        answers.write(json.dumps({**TASKS[ask["task"]](system, ask), "peak_mib": peak_mib()}) + "\n")


if __name__ == "__main__":
    main()
