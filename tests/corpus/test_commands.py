"""`reclamo corpus …`: what is written, and the exit codes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import SENTENCES


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    from reclamo.cli import app
    from reclamo.cli.errors import run_guarded

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["reclamo", "corpus", *map(str, arguments)])
        code = run_guarded(app._run)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def rows(count: int = 12) -> list[dict[str, Any]]:
    texts = [(lang, text) for lang, group in SENTENCES.items() for text in group][:count]
    labels: list[dict[str, Any]] = [{"sentiment": ("negative", "neutral", "positive")[k % 3], "traits": []} for k in range(len(texts))]
    return [
        {"id": f"m{k}", "lang": lang, "role": "agent", "text": text, "labels": labels[k], "scenario": f"s{k}"}
        for k, (lang, text) in enumerate(texts)
    ]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows()), encoding="utf-8")
    return path


def test_audit_as_a_table_and_as_json_with_its_exit_codes(cli: Any, corpus: Path, tmp_path: Path) -> None:
    code, out, _ = cli("audit", corpus)
    assert code == 0
    assert out.startswith("12 messages: 0 errors, ")
    with corpus.open("a", encoding="utf-8") as file:
        file.write(json.dumps({**rows()[0], "id": "again"}) + "\n")
    code, out, _ = cli("audit", corpus, "--json")
    assert code == 1
    assert [finding["code"] for finding in json.loads(out)["findings"] if finding["severity"] == "error"] == ["A401"]
    assert cli("audit", corpus, "--severity", "A401=info", "-o", tmp_path / "report.txt")[:2] == (0, "")
    assert "A401" in (tmp_path / "report.txt").read_text(encoding="utf-8")


def test_audit_measures_texts_with_a_given_tokenizer(cli: Any, corpus: Path, tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.enable_truncation(4)  # as saved with a model: it must not hide what is cut
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    _, out, _ = cli("audit", corpus, "--json", "--tokenizer", tmp_path / "tokenizer.json", "--max-tokens", "10")
    (finding,) = (finding for finding in json.loads(out)["findings"] if finding["code"] == "A221")
    assert set(finding["where"]) == {f"m{k}" for k, row in enumerate(rows()) if len(row["text"].split()) > 10}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--severity", "A401"), "--severity is 'A401'"),
        (("--severity", "A999=info"), "expected a code"),
        (("--phrases", "nope.txt"), "fixed phrases cannot be read"),
    ],
)
def test_audit_refuses_wrong_use(cli: Any, corpus: Path, arguments: tuple[str, ...], says: str) -> None:
    code, _, err = cli("audit", corpus, *arguments)
    assert code == 2
    assert says in err


def test_label_errors_end_to_end(cli: Any, tmp_path: Path) -> None:
    pytest.importorskip("cleanlab")
    pytest.importorskip("sklearn")
    path = tmp_path / "many.jsonl"
    words = {"negative": "horrible pésimo", "positive": "genial perfecto"}
    lines = []
    for k in range(60):
        truth = ("negative", "positive")[k % 2]
        given = "positive" if k == 30 else truth
        lines.append({"id": f"m{k}", "lang": "es", "text": f"{words[truth]} a{k} b{k * 7}", "labels": {"sentiment": given}})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    _, out, _ = cli("audit", path, "--json", "--label-errors", "--severity", "A421=info")
    (finding,) = (finding for finding in json.loads(out)["findings"] if finding["code"] == "A631")
    assert finding["where"] == ["m30"]


def test_export_and_import_go_round(cli: Any, corpus: Path, tmp_path: Path) -> None:
    assert cli("export", corpus, "-o", tmp_path / "tasks.json")[0] == 0
    code, out, _ = cli("import", tmp_path / "tasks.json", "-o", tmp_path / "back.jsonl")
    told = out.splitlines()
    assert (code, told[0]) == (0, f"12 messages in {tmp_path / 'back.jsonl'} (jsonl)")
    assert told[1].startswith("labelled: role 12, sentiment 12, complaint 0,")
    assert (tmp_path / "back.jsonl").read_text(encoding="utf-8") == corpus.read_text(encoding="utf-8")


def test_columns_of_labels_are_found_whatever_their_capitals_and_where_none_is_it_is_said(cli: Any, tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("id,text,Sentiment,COMPLAINT\n1,Llega tarde,negative,true\n2,Gracias,positive,\n", encoding="utf-8")
    code, out, _ = cli("import", mine, "-o", tmp_path / "mine.jsonl", "--lang", "es")
    assert code == 0
    assert "sentiment 2, complaint 1, grounds 0" in out
    first, second = map(json.loads, (tmp_path / "mine.jsonl").read_text(encoding="utf-8").splitlines())
    assert first["labels"] == {"sentiment": "negative", "complaint": True}
    assert second["labels"] == {"sentiment": "positive"}
    mine.write_text("id,text,Sentimiento\n1,Llega tarde,negative\n", encoding="utf-8")
    code, _, err = cli("import", mine, "-o", tmp_path / "none.jsonl", "--lang", "es")
    assert code != 0
    assert "no row has a label: expected columns named role, sentiment, complaint" in err
    assert not (tmp_path / "none.jsonl").exists()


def test_import_of_unlabelled_mail_says_what_it_left_out(cli: Any, tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("Nr,Comentario\n1,Llevo tres semanas esperando el reembolso\n2,\n", encoding="utf-8")
    arguments = ("--format", "messages", "--text-column", "Comentario", "--lang", "auto", "-o", tmp_path / "mine.jsonl")
    code, out, _ = cli("import", mine, *arguments)
    assert code == 0
    assert out.startswith("1 messages in ")
    assert out.endswith("; left out: 1 empty\n")
    assert json.loads((tmp_path / "mine.jsonl").read_text(encoding="utf-8"))["lang"] == "es"


def test_split_writes_files_and_a_lock_and_splits_nothing_twice(cli: Any, corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / "split"
    assert cli("split", corpus, "-o", folder, "--shares", "train=0.5,test=0.5")[0] == 0
    names = sorted(file.name for file in folder.iterdir())
    assert "splits.lock.json" in names
    assert {name.split(".")[1] for name in names[:-1]} == {"train", "test"}
    report = json.loads(cli("audit", folder, "--json")[1])
    assert {check["check"]: check["status"] for check in report["checks"]}["lock"] == "silent"
    for source, target in ((folder, tmp_path / "new"), (corpus, folder)):
        code, _, err = cli("split", source, "-o", target)
        assert code == 2
        assert "--again" in err
    assert cli("split", folder, "-o", folder, "--shares", "train=1", "--again")[0] == 0
    assert {file.name.split(".")[1] for file in folder.glob("*.jsonl")} == {"train"}


@pytest.mark.parametrize("shares", ["train=0.5", "train=0.5,dev=0.5", "train", "train=-1,test=2", "train=x,test=1", "train=nan,test=1"])
def test_split_refuses_shares_that_are_none(cli: Any, corpus: Path, tmp_path: Path, shares: str) -> None:
    code, _, err = cli("split", corpus, "-o", tmp_path / "split", "--shares", shares)
    assert code == 2
    assert "add up to 1" in err


def test_agreement_the_labelling_config_and_the_features(cli: Any, corpus: Path) -> None:
    code, out, _ = cli("agreement", corpus, corpus, "--markdown")
    assert code == 0
    assert "| sentiment | all | 12 | macro-F1 | 1.000 | 1.000 | – |" in out
    assert json.loads(cli("agreement", corpus, corpus, "--json")[1])["disagreements"] == []
    assert cli("labelling-config")[1].startswith("<View>")
    assert cli("labelling-config", "--lang", "fr")[0] == 2
    pytest.importorskip("datasets")
    assert "grounds" in json.loads(cli("features")[1])["labels"]
