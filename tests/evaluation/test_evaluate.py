"""A whole run on a tiny tagger: files, figures, escaping, the card's numbers, errors."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from known import labelled

from reclamo.corpus import Example
from reclamo.errors import CorpusError, UsageError
from reclamo.evaluation import tables
from reclamo.evaluation.behaviour import load_cases
from reclamo.evaluation.card import render_card
from reclamo.evaluation.report import summary
from reclamo.evaluation.run import EvaluateConfig, evaluate
from reclamo.evaluation.schema import Interval, Result, read_result
from reclamo.taxonomy import load_taxonomy

ROOT = Path(__file__).parents[2]
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]\w)")
GREEK = "Περιμένω τρεις εβδομάδες και κανείς δεν απαντάει στο τηλέφωνο ούτε στα μηνύματα που έχω στείλει. "
HOSTILE = '<script>alert("1")</script> & <img src=x onerror=alert(2)>'


def write(path: Path, examples: list[Example], **fields: str) -> Path:
    rows = [json.dumps(e.to_dict() | fields, ensure_ascii=False) for e in examples]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module", autouse=True)
def few_cases() -> Iterator[None]:
    """Every fifth behavioural case: all of them are tested in test_behaviour."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reclamo.evaluation.run.load_cases", lambda taxonomy: load_cases(taxonomy)[::5])
        yield


@pytest.fixture(scope="module")
def folder(tiny_tagger: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tagger, a corpus with splits, and a real set."""
    base = tmp_path_factory.mktemp("evaluate")
    shutil.copytree(tiny_tagger, base / "tagger")
    (base / "data").mkdir()
    write(
        base / "data" / "train.jsonl", [replace(e, meta={"scenario": f"t{k}"}) for k, e in enumerate(labelled(90, seed=2))], split="train"
    )
    write(base / "data" / "validation.jsonl", [replace(e, meta={}) for e in labelled(45, seed=3)], split="validation")
    test = [replace(e, text=f"{4 * GREEK if e.lang == 'el' else ''}{e.text} {HOSTILE}") for e in labelled(60, seed=4)]
    write(base / "data" / "test.jsonl", test, split="test")
    write(base / "real.jsonl", [replace(e, text=f"secreto {e.text}", meta={"source": "shop"}) for e in labelled(45, seed=5)])
    return base


@pytest.fixture(scope="module")
def config(folder: Path) -> EvaluateConfig:
    return EvaluateConfig(
        model=str(folder / "tagger"),
        data=(str(folder / "data"),),
        real=(str(folder / "real.jsonl"),),
        output=str(folder / "reports"),
        baselines=("majority", "lexicon"),
        reference="majority",
        resamples=60,
        faithfulness=24,
    )


@pytest.fixture(scope="module")
def result(config: EvaluateConfig) -> Result:
    return evaluate(config)


def test_the_result_file_holds_everything_and_reads_back(result: Result, folder: Path) -> None:
    assert read_result(folder / "reports" / "metrics.json") == result
    assert result.model == "tiny@1"
    assert [system.name for system in result.systems] == ["tiny@1", "majority", "lexicon"]
    assert {one.name: one.messages for one in result.sets} == {"test": 60, "real": 45}
    assert {one.language for one in result.means} == {"es", "el", "it", "all"}
    assert result.provenance.trained_on == {"train": 90, "validation": 45, "partial": 0}
    assert set(result.provenance.data_sha256) == {"train.jsonl", "validation.jsonl", "test.jsonl", "real.jsonl"}
    assert len(result.checks) == 7
    assert {one.kind for one in result.behaviour} == {"functionality", "invariance", "direction"}
    assert result.systems[0].cost.megabytes is not None


def test_the_same_run_gives_the_same_figures(result: Result, config: EvaluateConfig, folder: Path) -> None:
    again = evaluate(replace(config, output=str(folder / "again"), card=False))
    for name in ("scores", "means", "differences", "end_to_end", "slices", "greeklish", "faithfulness", "behaviour", "checks", "risk"):
        assert getattr(again, name) == getattr(result, name), name


def test_overlap_with_what_the_tagger_itself_was_trained_on_is_found(
    config: EvaluateConfig, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reclamo.evaluation.run.worst_mistakes", lambda *_: [])  # not looked at here
    shutil.copytree(folder / "tagger", tmp_path / "tagger")
    manifest = tmp_path / "tagger" / "manifest.json"
    described = json.loads(manifest.read_text(encoding="utf-8"))
    own = write(tmp_path / "own.jsonl", labelled(60, seed=4), split="train")  # the test messages' scenarios
    described["training"] = {"config": {"data": {"corpus": [str(own)]}}}
    manifest.write_text(json.dumps(described), encoding="utf-8")
    asked = replace(config, model=str(tmp_path / "tagger"), output=str(tmp_path / "out"), real=(), card=False)
    asked = replace(asked, baselines=(), faithfulness=0, resamples=10)
    found = {one.check: one for one in evaluate(asked).checks}
    assert found["train_test_overlap"].status == "alarm"
    assert "share a scenario with training" in found["train_test_overlap"].findings[0]
    described["training"] = {"config": {"data": {"corpus": list(config.data)}}, "data": {"test.jsonl": "0" * 64, "train.jsonl": "0" * 64}}
    manifest.write_text(json.dumps(described), encoding="utf-8")
    (changed,) = {one.check: one for one in evaluate(asked).checks}["train_test_overlap"].findings
    assert changed.startswith("test.jsonl holds test messages and has changed since the training")
    described["training"] = {"config": {"data": {"corpus": [str(own)]}}}
    manifest.write_text(json.dumps(described), encoding="utf-8")
    own.unlink()
    said: list[str] = []
    found = {one.check: one for one in evaluate(asked, said.append).checks}
    assert found["train_test_overlap"].status == "not_applicable"
    assert any("is not at hand, so no overlap with it can be found" in line for line in said)


def test_a_real_file_without_rows_is_refused_before_anything_is_fitted(config: EvaluateConfig, tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("", encoding="utf-8")
    said: list[str] = []
    with pytest.raises(CorpusError, match="no row to measure"):
        evaluate(replace(config, real=(str(tmp_path / "none.jsonl"),), output=str(tmp_path / "out"), card=False), said.append)
    assert not said


def test_an_interval_without_width_is_not_marked() -> None:
    assert tables.signed(Interval(value=0.2, low=0.1, high=0.3)).endswith(" *")
    assert not tables.signed(Interval(value=1.0, low=1.0, high=1.0)).endswith("*")


def test_faithfulness_and_greeklish_are_in_the_result_the_reports_and_the_card(result: Result, folder: Path) -> None:
    assert {one.system for one in result.faithfulness} == {"tiny@1"}
    means = {(one.set, one.language) for one in result.faithfulness if one.head == "mean"}
    assert means == {(name, language) for name in ("test", "real") for language in ("es", "el", "it", "all")}
    assert [(one.system, one.set) for one in result.greeklish] == [(name, "test") for name in ("tiny@1", "majority", "lexicon")]
    majority = result.greeklish[1]
    assert majority.greek == majority.greeklish  # it reads nothing
    overall = next(one for one in result.faithfulness if (one.set, one.language, one.head) == ("test", "all", "mean"))
    for path in (folder / "reports" / "report.md", folder / "reports" / "report.html", folder / "tagger" / "README.md"):
        text = path.read_text(encoding="utf-8")
        for title in ("Faithfulness of the evidence, test", "Faithfulness of the evidence, real", "Greek in Latin letters, test"):
            assert title in text, (path, title)
        assert f"{overall.comprehensiveness:.3f}" in text
        assert f"{majority.greeklish:.3f}" in text


def test_a_result_from_before_they_were_measured_is_read(result: Result, tmp_path: Path) -> None:
    old = {key: value for key, value in result.model_dump(mode="json").items() if key not in ("greeklish", "faithfulness")}
    (tmp_path / "metrics.json").write_text(json.dumps(old), encoding="utf-8")
    assert read_result(tmp_path / "metrics.json").faithfulness == []


def test_the_result_does_not_depend_on_the_other_baselines(result: Result, config: EvaluateConfig, folder: Path) -> None:
    alone = evaluate(replace(config, baselines=(), faithfulness=0, output=str(folder / "alone"), card=False))
    assert [s for s in result.scores if s.system == "tiny@1"] == [s for s in alone.scores if s.system == "tiny@1"]
    assert alone.faithfulness == []
    assert "Faithfulness" not in (folder / "alone" / "report.md").read_text(encoding="utf-8")


class Tags(HTMLParser):
    """Collect tag names and attribute names."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_the_html_is_one_file_with_plots_and_escaped_texts(result: Result, folder: Path) -> None:
    html = (folder / "reports" / "report.html").read_text(encoding="utf-8")
    page = Tags()
    page.feed(html)
    assert {"svg", "table", "mark", "figure"} <= page.seen
    assert not {"script", "img", "link"} & page.seen
    assert "onerror" not in page.attributes
    assert "&lt;script&gt;" in html  # the worst mistakes show their texts
    assert "http" not in re.sub(r'xmlns="[^"]*"', "", html)
    for svg in re.findall(r"<svg.*?</svg>", html, flags=re.S):
        ElementTree.fromstring(svg)
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", html)
    assert sum("headline score" in caption for caption in captions) == 8  # four languages of two sets
    assert sum("calibration error" in caption for caption in captions) == 16  # eight heads of two sets


def test_texts_of_real_messages_are_shown_nowhere(result: Result, folder: Path) -> None:
    for name in ("report.html", "report.md", "metrics.json"):
        assert "secreto" not in (folder / "reports" / name).read_text(encoding="utf-8")


def numbers_of(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for part in value.values():
            yield from numbers_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from numbers_of(part)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield float(value)


def test_every_table_cell_of_the_card_is_in_the_result(result: Result, folder: Path) -> None:
    card = (folder / "tagger" / "README.md").read_text(encoding="utf-8")
    assert card == render_card(read_result(folder / "reports" / "metrics.json"), load_taxonomy())
    sections = re.split(r"^## Set: (.*)$", card, flags=re.M)
    checked = 0
    for set_name, body in zip(sections[1::2], sections[2::2], strict=True):
        for language, table in re.findall(rf"### Heads, {set_name}, (.*?)\n\n(.*?)\n\n", body, flags=re.S):
            columns, _, *rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]
            for row in rows:
                cells = dict(zip(columns, row, strict=True))
                head, code = cells["head"], "all" if language == "all languages" else language
                for system in ("tiny@1", "majority", "lexicon"):
                    score = result.score(system, set_name, code, head)
                    assert score is not None
                    assert cells[system] == f"{score.score.value:.3f}"
                    assert cells["messages"] == str(score.messages)
                    checked += 1
                gap = result.difference("tiny@1", "majority", set_name, code, head)
                assert gap is not None
                d = gap.difference
                assert cells["tiny@1 − majority"].startswith(f"{d.value:+.3f} ({d.low:+.3f} to {d.high:+.3f})")
    assert checked >= 2 * 4 * 5 * 3


def test_every_number_of_the_card_is_in_the_result(result: Result, folder: Path) -> None:
    card = (folder / "tagger" / "README.md").read_text(encoding="utf-8")
    values = list(numbers_of(result.model_dump(mode="json")))
    known = {f"{abs(v):.{places}f}" for v in values for places in range(5)}
    known |= {f"{abs(s.score.value - result.agreement[s.head]):.3f}" for s in result.scores if s.head in result.agreement}
    words = [*(line for check in result.checks for line in check.findings), *(system.description for system in result.systems)]
    known |= set(NUMBER.findall(" ".join(words)))
    measured = card.split("## How well")[1].split("## Provenance")[0]
    fixed = {"95", "1"}  # of the explanation, and of the tagger's name and «macro-F1»
    found = NUMBER.findall(measured)
    assert len(found) > 200
    unknown = [number for number in found if number not in known | fixed]
    assert unknown == []


def test_the_summary_shows_every_system_head_and_language(result: Result) -> None:
    text = summary(result)
    for part in ("Heads, test, es", "Heads, real, all languages", "Mean over heads, test", "tiny@1 − majority", "traits", "churn_risk"):
        assert part in text
    alarms = [line for line in text.splitlines() if line.startswith("ALARM")]
    assert len(alarms) == sum(len(check.findings) for check in result.checks)


def test_a_corpus_without_a_test_split_is_refused(config: EvaluateConfig, folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "data" / "train.jsonl", tmp_path / "train.jsonl")
    with pytest.raises(CorpusError, match="split"):
        evaluate(replace(config, data=(str(tmp_path),), real=()))


def test_an_unknown_baseline_is_refused(config: EvaluateConfig) -> None:
    with pytest.raises(UsageError, match="svm"):
        evaluate(replace(config, baselines=("svm",)))


def test_a_file_that_is_no_result_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text('{"format": 99}', encoding="utf-8")
    with pytest.raises(UsageError, match="no result file"):
        read_result(tmp_path / "metrics.json")
    with pytest.raises(UsageError, match="cannot be read"):
        read_result(tmp_path / "none.json")


def test_the_script_is_short_and_says_what_went_wrong_in_one_line(tmp_path: Path) -> None:
    script = ROOT / "evaluate.py"
    assert len(script.read_text(encoding="utf-8").splitlines()) <= 40
    command = [sys.executable, str(script), "--model", str(tmp_path / "no-tagger"), "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 3
    assert "no-tagger" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
