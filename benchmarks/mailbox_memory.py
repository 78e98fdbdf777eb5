"""Measure the memory of reading and of tagging a large mbox.

    python benchmarks/mailbox_memory.py read 200000      (5 minutes on one core)
    python benchmarks/mailbox_memory.py tag 200000       (20 minutes; the network is stubbed, all else is the real way)

Writes an mbox of that many messages (the samples and the test fixtures by turns, 0.7 KB each) to a temporary folder, and prints the
resident memory after every 10,000 messages. Exit code 1 where it grew by more than 10 % after the 10,000th. Linux only.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
FIRST, ALLOWED = 10_000, 1.10
MARK = b"From ana@correo.example Tue Mar  3 10:12:13 2026\n"


def write_mbox(path: Path, count: int) -> None:
    """Write the messages, each with a Message-ID of its own."""
    from tests.mail.seeds import seeds

    bodies = [seed for seed in seeds() if not seed.startswith((b"From ", b"\xd0")) and b"\r" not in seed]
    with path.open("wb") as file:
        for number in range(count):
            body = b"\n".join(line for line in bodies[number % len(bodies)].split(b"\n") if not line.lower().startswith(b"message-id:"))
            file.write(MARK + b"Message-ID: <%d@correo.example>\n" % number + body.replace(b"\nFrom ", b"\n>From ") + b"\n\n")


def resident() -> float:
    """Give the resident memory of this process in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


class Watch:
    """Notes the memory while items go by."""

    def __init__(self) -> None:
        self.seen: dict[int, float] = {}

    def over(self, items: Iterable[Any]) -> Iterator[Any]:
        """Give the items on."""
        for count, item in enumerate(items, 1):
            if count % 500 == 0:
                self.seen[count] = resident()
            if count % FIRST == 0:
                print(f"{count:>8} messages  {self.seen[count]:8.1f} MiB", flush=True)
            yield item

    def report(self, seconds: float) -> int:
        """Print the largest growth after the 10,000th message; give the exit code."""
        later = [memory for count, memory in self.seen.items() if count >= FIRST]
        growth = max(later) / self.seen[FIRST]
        print(f"{max(self.seen)} messages in {seconds:.0f} s; {self.seen[FIRST]:.1f} MiB at the {FIRST}th, ", end="")
        print(f"{max(later):.1f} MiB at most from there on: x {growth:.3f}")
        return int(growth > ALLOWED)


class Stub:
    """Answers like the network, at random."""

    precision = "fp32"

    def __init__(self, logits: int) -> None:
        self.logits, self.chance = logits, np.random.default_rng(7)

    @contextmanager
    def session(self) -> Iterator[Stub]:
        """Take batches."""
        yield self

    def submit(self, batches: Sequence[Any], *, contributions: bool) -> list[Callable[[], tuple[Any, Any]]]:
        """Give what gives logits and contributions."""
        return [partial(self.answer, ids.shape) for ids, _ in batches]

    def answer(self, shape: tuple[int, int]) -> tuple[Any, Any]:
        """Give logits (batch, labels) and contributions (batch, labels, tokens)."""
        lines, tokens = shape
        logits = self.chance.normal(size=(lines, self.logits)).astype(np.float32)
        return logits, self.chance.normal(size=(lines, self.logits, tokens)).astype(np.float32)


def read(path: Path) -> int:
    """Read and clean every message."""
    from reclamo.sources import open_source

    watch, start = Watch(), time.monotonic()
    for _ in watch.over(open_source(path)):
        pass
    return watch.report(time.monotonic() - start)


def tag(path: Path) -> int:
    """Tag every message into JSON lines with a journal, with a network that answers at once."""
    import reclamo.engine.tagger as engine
    from reclamo.cli.tag import tag as command

    watch, start, load = Watch(), time.monotonic(), engine.load

    def stubbed(*arguments: Any, **options: Any) -> engine.Tagger:
        tagger = load(*arguments, **options)
        tagger._runtime = Stub(tagger.taxonomy.n_logits)  # type: ignore[assignment]
        tag_many = tagger.tag_many
        tagger.tag_many = lambda messages: watch.over(tag_many(messages))  # type: ignore[method-assign]
        return tagger

    engine.load = stubbed
    output = path.with_name("tags.jsonl")
    command(str(path), output, quiet=True)
    with output.open("rb") as lines:
        print(f"{sum(1 for _ in lines)} rows")
    return watch.report(time.monotonic() - start)


def main() -> int:
    """Measure."""
    ways = {"read": read, "tag": tag}
    if len(sys.argv) != 3 or sys.argv[1] not in ways:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.mbox"
        write_mbox(path, int(sys.argv[2]))
        print(f"{path.stat().st_size / 2**20:.0f} MiB")
        return ways[sys.argv[1]](path)


if __name__ == "__main__":
    sys.exit(main())
