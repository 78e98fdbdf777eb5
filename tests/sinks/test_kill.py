"""Fifty kills at random moments: start-up, reading, a chunk half written, the journal, the last rename. Run with -m slow (four minutes)."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.conftest import ROOT
from tests.sinks.fake_tagger import write_messages

KILLS, MESSAGES, PAUSE = 50, 1600, "0.0005"
FORMATS = ("jsonl", "csv", "parquet", "mbox")


def sources(folder: Path) -> dict[str, Path]:
    rows = write_messages(folder / "in.jsonl", MESSAGES)
    mark = b"From ana@correo.example Tue Mar  3 10:12:13 2026\n"
    box = folder / "in.mbox"
    box.write_bytes(b"".join(mark + b"Message-ID: <%d@x>\n\nSigue sin llegar la caja %d.\n\n" % (n, n) for n in range(MESSAGES)))
    return {format: box if format == "mbox" else rows for format in FORMATS}


@pytest.mark.slow
def test_killed_fifty_times_at_random_moments(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    given, chance, kills, finished = sources(tmp_path), random.Random(11), Counter[str](), Counter[str]()

    def start(format: str, output: Path, pause: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.sinks.fake_tagger", str(tmp_path / "model"), pause, "tag", str(given[format])]
        return subprocess.Popen([*command, "-q", "-o", str(output)], cwd=ROOT)

    expected, seconds = {}, 0.0
    for format in FORMATS:
        begin = time.monotonic()
        assert start(format, tmp_path / f"expected.{format}", PAUSE).wait() == 0
        seconds = max(seconds, time.monotonic() - begin)
        expected[format] = (tmp_path / f"expected.{format}").read_bytes()
    turn = 0
    while kills.total() < KILLS:
        format, output = FORMATS[turn % len(FORMATS)], tmp_path / str(turn) / f"out.{FORMATS[turn % len(FORMATS)]}"
        output.parent.mkdir(exist_ok=True)
        process = start(format, output, PAUSE)
        time.sleep(chance.uniform(0.1, 1.0) * seconds)
        alive = process.poll() is None
        process.send_signal(signal.SIGKILL)
        code = process.wait()
        kills[format] += alive and code == -signal.SIGKILL
        assert not output.exists() or output.read_bytes() == expected[format]
        if code == 0 or chance.random() < 0.2:
            assert start(format, output, "0").wait() == 0
            assert output.read_bytes() == expected[format]
            assert {path.name for path in output.parent.iterdir()} == {output.name, output.name + ".journal"}
            finished[format] += 1
            turn += 1
    print(f"kills: {dict(kills)}; batches that came to their end: {dict(finished)}")
    assert kills.total() == KILLS and finished.total() >= 4
