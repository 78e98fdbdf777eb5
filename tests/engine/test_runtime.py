"""What fails in the network is said, and touches nothing else; a process that has let taggers go still takes its signals."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from reclamo.engine.runtime import Runtime

SWAP = """
import gc, signal, sys
import reclamo

seen = []
signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))
first = reclamo.load(sys.argv[1])
first.tag("hola")
second = reclamo.load(sys.argv[1])
second.tag("hola")
del first
gc.collect()
del second
gc.collect()
signal.raise_signal(signal.SIGTERM)
print(len(seen))
"""


def test_a_signal_after_one_tagger_took_the_place_of_another(tiny_tagger: Path) -> None:
    run = subprocess.run([sys.executable, "-c", SWAP, str(tiny_tagger)], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "1\n", "")


@pytest.mark.parametrize("threads", [1, 2])
def test_a_batch_that_fails_raises_and_leaves_the_next_ones_alone(tiny_tagger: Path, threads: int) -> None:
    """More tokens than the network has places for: its own error, and not an empty answer."""
    ids = np.random.default_rng(3).integers(5, 100, (2, 200))
    mask = np.ones_like(ids)
    runtime = Runtime(tiny_tagger / "network.xml", threads=threads, precision="fp32")
    before = runtime(ids[:, :20], mask[:, :20])[0]
    for _ in range(2):
        with pytest.raises(RuntimeError):
            runtime(ids, mask)
        assert np.array_equal(runtime(ids[:, :20], mask[:, :20])[0], before)
    del runtime
    again = Runtime(tiny_tagger / "network.xml", threads=threads, precision="fp32")
    assert np.array_equal(again(ids[:, :20], mask[:, :20])[0], before)


FORKED = """
import os, sys
import reclamo
from reclamo.errors import UsageError

tagger = reclamo.load(sys.argv[1], threads=int(sys.argv[2]))
tagger.tag("El pedido no ha llegado")
child = os.fork()
if child == 0:
    for ask in (lambda: tagger.tag("hola"), lambda: list(tagger.tag_many(["hola"]))):
        try:
            ask()
        except UsageError as error:
            assert "load it in each worker" in str(error)
        else:
            os._exit(2)
    os._exit(0)
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_tagger_in_a_forked_child_says_so_where_it_would_wait_for_ever(tiny_tagger: Path, threads: str) -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORKED, str(tiny_tagger), threads]
    run = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert (run.returncode, run.stdout) == (0, "0\n"), run.stderr
