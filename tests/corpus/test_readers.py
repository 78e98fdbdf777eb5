"""The same rows through every form; bad rows with file, line and rule."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from reclamo.corpus import read_corpus
from reclamo.corpus.readers import from_dataset
from reclamo.errors import CorpusError

COMPLAINT: dict[str, Any] = {
    "sentiment": "negative", "complaint": True, "grounds": ["delay", "unresolved"], "severity": "low",
    "churn_risk": False, "reason": "order",
}  # fmt: skip
ROWS: list[dict[str, Any]] = [
    {
        "id": "a", "lang": "es", "role": "customer", "text": "Tarde y mal: ¡otra vez!", "scenario": "s1", "hard": ["irony", "typos"],
        "split": "test", "labels": COMPLAINT,
    },
    {"id": "b", "lang": "el", "role": "agent", "text": "Ζητούμε συγγνώμη.", "labels": {"sentiment": "neutral", "traits": ["apology"]}},
    {"id": "c", "lang": "it", "role": "agent", "text": "No.", "labels": {"sentiment": "negative", "traits": []}},
]  # fmt: skip


def write_jsonl(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_every_form_gives_the_same_examples(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    expected = read_corpus(write_jsonl(tmp_path / "rows.jsonl", ROWS))
    flat = [
        {
            "id": row["id"], "lang": row["lang"], "role": row["role"], "text": row["text"], "scenario": row.get("scenario", ""),
            "split": row.get("split", ""), "hard": "|".join(row.get("hard", [])), "labels": json.dumps(row["labels"]),
        }
        for row in ROWS
    ]  # fmt: skip
    with (tmp_path / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(flat[0]))
        writer.writeheader()
        writer.writerows(flat)
    pyarrow.parquet.write_table(pa.Table.from_pylist(flat), tmp_path / "rows.parquet")
    assert read_corpus(tmp_path / "rows.csv") == expected
    assert read_corpus(tmp_path / "rows.parquet") == expected
    assert [example.to_dict() for example in expected] == ROWS


def test_datasets_reads_the_files_and_gives_the_same_examples(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    path = write_jsonl(tmp_path / "rows.jsonl", ROWS[1:])
    loaded = datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    assert [e.to_dict() for e in from_dataset(loaded)] == [e.to_dict() for e in read_corpus(path)]


def test_columns_instead_of_nested_labels(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("text,role,complaint,grounds,severity\nTarde,customer,yes,delay|billing,low\n", encoding="utf-8")
    (example,) = read_corpus(path)
    assert example.labels == {"role": "customer", "complaint": True, "grounds": ("delay", "billing"), "severity": "low"}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({**ROWS[0], "labels": {**ROWS[0]["labels"], "grounds": []}}, "grounds"),
        ({**ROWS[2], "labels": {"traits": ["charm"]}}, "unknown label 'charm'"),
        ({"id": "d", "labels": {}}, "no text; it has id, labels"),
        ({**ROWS[2], "labels": ["money"]}, "labels is ['money']; expected an object"),
        ({**ROWS[2], "labels": "[1]"}, "labels is '[1]'; expected an object"),
        ({**ROWS[2], "split": "dev"}, "the split 'dev' is not known; expected train, validation, test, or none"),
        ({**ROWS[2], "split": "Validation"}, "the split 'Validation' is not known"),
    ],
)
def test_a_bad_row_is_refused_with_file_and_line(tmp_path: Path, row: dict[str, object], says: str) -> None:
    path = write_jsonl(tmp_path / "rows.jsonl", [ROWS[1], row])
    with pytest.raises(CorpusError) as caught:
        read_corpus(path)
    assert str(caught.value).startswith(f"{path}:2: ")
    assert says in str(caught.value)


def test_an_id_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="'b' stands twice"):
        read_corpus(write_jsonl(tmp_path / "rows.jsonl", [ROWS[1], ROWS[1]]))


@pytest.mark.parametrize(("name", "says"), [("nope.jsonl", "no such file"), ("x.txt", "unknown format '.txt'")])
def test_a_missing_or_unknown_file(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "x.txt").write_text("")
    with pytest.raises(CorpusError, match=says):
        read_corpus(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", "text,lang\nmañana,es\n".encode("latin-1"), "a.csv:2: is not UTF-8 (byte 0xf1)"),
        ("a.jsonl", '{"text": "uno"}\n{"text": "mañana"}\n'.encode("latin-1"), "a.jsonl:2: is not UTF-8 (byte 0xf1)"),
        ("a.parquet", b"PAR1 no", "a.parquet: cannot be read as Parquet"),
        ("a.csv", b"cuerpo;idioma\nhola;es\n", "no column is called 'text'; the columns are cuerpo, idioma"),
        ("a.csv", b"text,labels\nhola,5\n", "a.csv:2: labels is '5'; expected an object"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_line(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError) as caught:
        read_corpus(tmp_path / name)
    assert says in str(caught.value)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_of_spreadsheets_are_read_whatever_parts_their_columns(tmp_path: Path, delimiter: str) -> None:
    with (tmp_path / "a.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows([["lang", "text", "sentiment"], ["es", 'Tarde; mal, y "ya"\n¡otra vez!', "negative"]])
    (example,) = read_corpus(tmp_path / "a.csv")
    assert (example.text, example.lang, example.labels) == ('Tarde; mal, y "ya"\n¡otra vez!', "es", {"sentiment": "negative"})


def test_an_id_that_stands_in_two_files_names_both(tmp_path: Path) -> None:
    one, two = (write_jsonl(tmp_path / name, [ROWS[1]]) for name in ("a.jsonl", "b.jsonl"))
    with pytest.raises(CorpusError) as caught:
        read_corpus([one, two])
    assert str(caught.value) == f"{two}: the id 'b' stands twice, first in {one}; ids must be unique"


def test_a_csv_text_that_would_be_cut_at_a_comma_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,lang,text\n1,es,Llevo un mes esperando, y nadie contesta\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="1 cells more than the header has") as caught:
        read_corpus(str(tmp_path / "a.csv"))
    assert caught.value.line == 2
