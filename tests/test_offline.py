"""Nothing goes over the network: watched by the interpreter's own audit, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

WATCHED = """
import sys
seen = []
names = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request", "os.fork"}
sys.addaudithook(lambda event, arguments: seen.append((event, arguments)) if event in names else None)
"""
EXPORT = """
from pathlib import Path
from tests.artefacts import write_tiny
write_tiny(Path(sys.argv[1]), Path(sys.argv[2]), compress=True)
"""
TAG = """
import reclamo
assert reclamo.load().tag("Llevo tres semanas esperando el reembolso y nadie contesta").complaint.value
"""
REPORT = """
import time
time.sleep(0.3)  # events are sent by a thread
assert not seen, seen
assert "openvino_telemetry" not in sys.modules
"""


@pytest.mark.parametrize("work", [TAG, EXPORT], ids=["tagging", "exporting"])
def test_nothing_is_sent(work: str, tiny_base: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WATCHED + work + REPORT, str(tiny_base), str(tmp_path / "tagger")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_what_others_import_is_left_as_it_is() -> None:
    script = """
import sys
from reclamo.offline import without_telemetry
with without_telemetry():
    try:
        import openvino_telemetry
    except ImportError:
        pass
    else:
        raise AssertionError
import openvino_telemetry
with without_telemetry():
    assert sys.modules["openvino_telemetry"] is openvino_telemetry
assert sys.modules["openvino_telemetry"] is openvino_telemetry
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
