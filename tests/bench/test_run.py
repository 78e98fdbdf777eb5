"""A whole run on the tiny tagger: every figure finite, every section on the page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.conftest import SENTENCES

from reclamo.bench.report import write_report
from reclamo.bench.run import BenchOptions, run_bench
from reclamo.bench.worker_client import BenchError, Worker
from reclamo.errors import UsageError

LONG = " ".join(sentence for group in SENTENCES.values() for sentence in group)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    texts = [s for group in SENTENCES.values() for s in group] + [f"{LONG} {LONG}", *(LONG[:end] for end in range(40, 400, 4))]
    rows = [json.dumps({"text": text}) for text in texts]
    (tmp_path / "es.train.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


@pytest.mark.slow  # a dozen processes one after the other
def test_a_run_on_a_tiny_tagger(tiny_tagger: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reclamo.bench.run.START_REPEATS", 1)
    said: list[str] = []
    options = BenchOptions(
        models=(tiny_tagger,), data=corpus, only=("engine",), messages=8, rounds=1, threads=1, growth=300, singles=2, least_seconds=0.01
    )
    result = json.loads(json.dumps(run_bench(options, said.append)))
    (engine,) = result["systems"]
    assert set(engine["mixes"]) == {"63 tokens", "183 tokens"}
    rate = engine["mixes"]["63 tokens"]["messages_per_second"]
    assert 0 < rate["low"] <= rate["value"] <= rate["high"]
    assert [point["messages"] for point in result["growth"]] == [30, 75, 150, 300]
    assert result["start"]["reclamo --help"]["value"] > 0
    assert engine["peak_mib"] > 10
    page = tmp_path / "docs" / "performance.md"
    write_report(result, page)
    text = page.read_text(encoding="utf-8")
    for heading in ("63 tokens on average", "Start-up and memory", "One long stream", "One message at a time"):
        assert f"## {heading}" in text
    assert not re.search(r"\bnan\b|\binf\b|None", text)
    bars = ElementTree.fromstring(page.with_suffix(".svg").read_text(encoding="utf-8"))
    assert {"engine"} <= {element.text for element in bars.iter("{http://www.w3.org/2000/svg}text")}


def test_what_cannot_be_measured_says_so(tiny_tagger: Path, corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no system 'vllm'"):
        run_bench(BenchOptions(models=(tiny_tagger,), data=corpus, only=("vllm",)), print)
    with pytest.raises(BenchError, match=r"manifest\.json"):
        Worker("engine", tmp_path, 1)
