"""Rows that cannot be used: findings with file and line, and reading goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reclamo.corpus.audit import Finding, audit_path
from reclamo.corpus.audit.rows import scan
from reclamo.errors import CorpusError
from reclamo.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
GOOD = {"id": "g", "lang": "es", "text": "Todo bien, gracias", "labels": {"sentiment": "positive"}}


def problems(path: Path) -> list[tuple[str, str, str]]:
    def short(finding: Finding) -> tuple[str, str, str]:
        return finding.code, finding.where[0].removeprefix(str(path)), finding.saw

    return [short(finding) for finding in scan(path, TAXONOMY).problems]


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        (b"{", "A101", "is not JSON"),
        (b'{"text": "\xff"}', "A101", "UTF-8"),
        (b"[1]", "A101", "a list; expected a JSON object"),
        (b'{"id": "x"}', "A101", "no text"),
        (b'{"text": 7}', "A101", "a text of type int"),
        (b'{"text": " "}', "A101", "an empty text"),
        (b'{"text": "a", "labels": [1]}', "A102", "labels is a list"),
        (b'{"text": "a", "labels": "{"}', "A102", "Expecting"),
        (b'{"text": "a", "labels": {"mood": "sad"}}', "A102", "unknown head 'mood'"),
        (b'{"text": "a", "labels": {"grounds": ["lateness"]}}', "A102", "unknown label 'lateness'"),
        (b'{"text": "a", "labels": {"grounds": 3}}', "A102", "expected a list"),
        (b'{"text": "a", "labels": {"grounds": [{}]}}', "A102", "unknown label {}"),
        (b'{"text": "a", "labels": {"complaint": true, "grounds": []}}', "A102", "grounds is []"),
        (b'{"text": "a", "labels": {"complaint": false, "grounds": ["delay"], "severity": "none"}}', "A102", "complaint is true"),
        (b'{"text": "a", "labels": {"complaint": true, "severity": "none"}}', "A102", "severity is 'none'"),
        (b'{"text": "a", "role": "customer", "labels": {"traits": ["thanks"]}}', "A102", "role is 'agent'"),
    ],
)
def test_a_bad_row_is_a_finding_with_its_line_and_the_next_is_read(tmp_path: Path, line: bytes, code: str, says: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n" + line + b"\n" + json.dumps(GOOD).encode() + b"\n")
    ((seen, where, saw),) = problems(path)
    assert (seen, where) == (code, ":2")
    assert says in saw
    assert scan(path, TAXONOMY).examples[-1].id == "g"


def test_every_broken_rule_of_a_row_is_told_and_the_good_labels_stay(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({**GOOD, "labels": {"sentiment": "positive", "mood": 1, "reason": "fun", "churn_risk": "no"}}))
    assert [code for code, _, _ in problems(path)] == ["A102"] * 3
    assert scan(path, TAXONOMY).examples[0].labels == {"sentiment": "positive"}


def test_unknown_keys_are_told_once_a_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({**GOOD, "id": str(k), "langauge": "es"}) + "\n" for k in range(3)))
    assert problems(path) == [("A103", "", "3 row(s) with the unknown key 'langauge'")]


def test_tables_that_cannot_be_read_are_findings(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("text,lang\nmañana,es\n".encode("latin-1"))
    (tmp_path / "b.parquet").write_bytes(b"PAR1 no")
    (tmp_path / "c.csv").write_text("text,lang,sentiment\nhola,es,neutral\nadiós,es,sad,9\n", encoding="utf-8")
    seen = problems(tmp_path)
    assert [(code, where) for code, where, _ in seen] == [
        ("A101", "/a.csv"), ("A101", "/b.parquet"), ("A102", "/c.csv:3"), ("A103", "/c.csv"),
    ]  # fmt: skip
    assert [example.text for example in scan(tmp_path, TAXONOMY).examples] == ["hola", "adiós"]


def test_an_audit_of_a_folder_takes_its_lock_and_its_fixed_phrases(tmp_path: Path) -> None:
    shared = "en virtud de lo dispuesto en la presente circular"
    rows = [{**GOOD, "id": str(k), "text": f"{shared} número {k * 999}{'xyz'[k] * 20}"} for k in range(2)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert audit_path(tmp_path, TAXONOMY).outcome("runs").status == "found"
    (tmp_path / "fixed_phrases.txt").write_text(f"# of the law\n{shared}\n")
    (tmp_path / "splits.lock.json").write_text('{"none": "0"}')
    report = audit_path(tmp_path, TAXONOMY)
    assert report.outcome("runs").status == "silent"
    assert [finding.code for finding in report.outcome("lock").findings] == ["A511"]


def test_a_missing_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such file"):
        audit_path(tmp_path / "nope", TAXONOMY)
