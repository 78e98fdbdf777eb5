"""Round trips through every form, and what is left out on the way in."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reclamo.corpus import Example
from reclamo.corpus.example import parse_labels
from reclamo.corpus.export import _neutral, export_corpus, import_corpus, import_messages
from reclamo.corpus.labelstudio import labelling_config
from reclamo.corpus.readers import unguarded
from reclamo.errors import CorpusError, SinkError, UsageError
from reclamo.sources import SourceOptions
from reclamo.taxonomy import load_taxonomy, parse_taxonomy

TAXONOMY = load_taxonomy()


def example(id: str, text: str, labels: dict[str, Any], **other: Any) -> Example:
    return Example(id=id, text=text, labels=parse_labels(labels, TAXONOMY), **{"lang": "es", **other})


COMPLAINT = {"role": "customer", "sentiment": "negative", "complaint": True, "grounds": ["delay", "billing"], "severity": "high"}
META = {"scenario": "s1", "channel": "email", "sector": "bank", "pair": "p1", "source": "written", "split": "test", "subject": "Re: «=»"}
EXAMPLES = [
    example("a", 'Tarde, «mal»; y "nunca"\n\n- y caro', {**COMPLAINT, "churn_risk": False}, meta=META, hard=("irony", "typos")),
    example("b", "=SUM(A1) me ponía en la factura", {"role": "customer", "complaint": False, "grounds": [], "severity": "none"}),
    example("c", "'=1+1 no es una respuesta", {"role": "agent", "sentiment": "neutral", "traits": []}, lang="it"),
    example("d", "- Λυπούμαστε 🙏", {"role": "agent", "traits": ["apology"]}, lang="el"),
    example("e", "sin etiquetas de nada", {"sentiment": "positive"}, lang=None),
]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv", "rows.parquet", "tasks.json"])
def test_what_goes_out_comes_in_the_same(name: str, tmp_path: Path) -> None:
    export_corpus(EXAMPLES, tmp_path / name, TAXONOMY)
    imported = import_corpus(tmp_path / name, TAXONOMY)
    assert list(imported.examples) == EXAMPLES
    assert imported.left_out == {}
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_the_csv_runs_no_formula_and_is_flat(tmp_path: Path) -> None:
    export_corpus(EXAMPLES, tmp_path / "rows.csv", TAXONOMY)
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row.values())
    assert (rows[0]["grounds"], rows[0]["complaint"], rows[2]["traits"], rows[4]["traits"]) == ("delay|billing", "true", "|", "")


@given(st.text(st.sampled_from("'=+-@\ta"), max_size=6))
def test_neutral_cells_come_back(cell: str) -> None:
    assert unguarded(_neutral(cell)) == cell


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=4))
def test_any_clean_text_survives_a_csv(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    from reclamo.text import clean_text

    path = tmp_path_factory.mktemp("csv") / "rows.csv"
    kept = [clean_text(text) for text in texts if clean_text(text)]
    export_corpus([example(f"{k}", text, {}) for k, text in enumerate(kept)], path, TAXONOMY)
    assert [one.text for one in import_corpus(path, TAXONOMY).examples] == kept


def task(labels: dict[str, list[str]], **annotation: Any) -> dict[str, Any]:
    result = [{"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": chosen}} for name, chosen in labels.items()]
    return {"result": result, **annotation}


def read(tmp_path: Path, tasks: Any, **options: Any) -> Any:
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    return import_corpus(tmp_path / "tasks.json", TAXONOMY, **options)


def test_annotations_of_people(tmp_path: Path) -> None:
    data = {"text": "Tarde", "lang": "es"}
    yes = {"role": ["customer"], "complaint": ["yes"], "grounds": ["delay"], "severity": ["low"]}
    no = {"role": ["customer"], "complaint": ["no"], "severity": ["none"]}
    tasks = [
        {"id": 11, "data": data, "annotations": [task(no, completed_by=1), task(yes, completed_by={"id": 2, "email": "ana@example.org"})]},
        {"id": 12, "data": data, "annotations": [task(yes, completed_by=1, ground_truth=True), task(no, completed_by=2)]},
        {"id": 13, "data": data, "annotations": [task(yes, completed_by=1, was_cancelled=True)]},
        {"id": 14, "data": data},
        {"id": 15, "data": data, "annotations": [task({"role": ["agent"], "traits": ["(none)"]}, completed_by=1)]},
    ]
    imported = read(tmp_path, tasks)
    assert [(one.id, one.labels.get("complaint"), one.labels.get("traits")) for one in imported.examples] == [
        ("11", True, None), ("12", True, None), ("15", None, ()),
    ]  # fmt: skip
    assert imported.left_out == {"not annotated": 2}
    assert [one.labels["complaint"] for one in read(tmp_path, tasks, annotator="2").examples] == [True, False]
    by_mail = read(tmp_path, tasks, annotator="ana@example.org")
    assert [one.id for one in by_mail.examples] == ["11"]
    assert by_mail.left_out == {"not annotated": 2, "not annotated by ana@example.org": 2}


@pytest.mark.parametrize(
    ("tasks", "says"),
    [
        ({"data": {}}, "is a dict; expected a list"),
        ([{"text": "a", "sentiment": "negative"}], ":1: the task has no data"),
        ([{"data": {"text": "a"}, "annotations": [task({"mood": ["sad"]})]}], "'mood' is no choice"),
        ([{"data": {"text": "a"}, "annotations": [task({"sentiment": ["sad"]})]}], "unknown label 'sad'"),
        ([{"data": {"text": "a"}, "annotations": [task({"sentiment": ["negative", "neutral"]})]}], "has 2 choices"),
        ([{"data": {"text": "a"}, "annotations": [task({"traits": ["(none)", "thanks"]})]}], "labels beside it"),
        ([{"data": {"text": "a"}, "annotations": [task({"complaint": ["yes"], "severity": ["none"]})]}], "severity is 'none'"),
    ],
)
def test_tasks_that_cannot_be_taken_are_refused(tmp_path: Path, tasks: Any, says: str) -> None:
    with pytest.raises(CorpusError) as caught:
        read(tmp_path, tasks)
    assert says in str(caught.value)


def test_the_labelling_config_asks_what_the_taxonomy_asks() -> None:
    view = ET.fromstring(labelling_config(TAXONOMY, lang="es"))
    groups = {group.get("name"): group for group in view.iter("Choices")}
    assert list(groups) == [head.name for head in TAXONOMY.heads]
    for head in TAXONOMY.heads:
        values = [choice.get("value") for choice in groups[head.name]]
        extra = {"yes_no": ["yes", "no"], "any_of": [*head.names, "(none)"]}
        assert values == extra.get(head.kind, list(head.names))
        assert groups[head.name].get("choice") == ("multiple" if head.kind == "any_of" else "single")
    above = {child: parent for parent in view.iter() for child in parent}
    inner = above[groups["grounds"]]
    conditions = [(place.get("whenTagName"), place.get("whenChoiceValue")) for place in (above[inner], inner)]
    assert conditions == [("role", "customer"), ("complaint", "yes")]
    assert groups["grounds"][0].get("hint") == "lento o con retraso"


def test_names_that_xml_reserves_stay_whole() -> None:
    text = (
        'version = 1\nname = "x"\nlanguages = ["es"]\n[[head]]\nname = "a"\nkind = "one_of"\nlabels = [{ name = "<&>" }, { name = "b" }]\n'
    )
    view = ET.fromstring(labelling_config(parse_taxonomy(text)))
    assert [choice.get("value") for choice in view.iter("Choice")] == ["<&>", "b"]


def test_unlabelled_messages_come_in_to_be_labelled(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("Nr,Comentario\n1,Muy tarde\n2,\n3,Gracias\n", encoding="utf-8")
    imported = import_messages(tmp_path / "mine.csv", SourceOptions(text_column="Comentario", id_column="Nr"))
    assert [(one.id, one.text, dict(one.labels)) for one in imported.examples] == [("1", "Muy tarde", {}), ("3", "Gracias", {})]
    assert imported.left_out == {"empty": 1}
    export_corpus(imported.examples, tmp_path / "tasks.json", TAXONOMY)
    assert "annotations" not in json.loads((tmp_path / "tasks.json").read_text())[0]


def test_a_role_alone_is_proposed_and_the_rest_is_left_to_label(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("id,role,text\n1,customer,Muy tarde\n2,,Gracias\n", encoding="utf-8")
    export_corpus(import_messages(tmp_path / "mine.csv").examples, tmp_path / "tasks.json", TAXONOMY)
    tasks = json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))
    choice = {"id": "1-role", "from_name": "role", "to_name": "text", "type": "choices", "value": {"choices": ["customer"]}}
    assert [{key: value for key, value in task.items() if key != "data"} for task in tasks] == [{"predictions": [{"result": [choice]}]}, {}]
    assert import_corpus(tmp_path / "tasks.json", TAXONOMY).left_out == {"not annotated": 2}
    tasks[0]["annotations"] = [task({"role": ["customer"], "complaint": ["no"], "severity": ["none"]}, completed_by=1)]
    assert [dict(one.labels)["role"] for one in read(tmp_path, tasks).examples] == ["customer"]


def test_what_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected one of jsonl, csv"):
        export_corpus(EXAMPLES, tmp_path / "rows.txt", TAXONOMY)
    with pytest.raises(SinkError, match="cannot be written"):
        export_corpus(EXAMPLES, tmp_path / "no" / "rows.csv", TAXONOMY)
    with pytest.raises(CorpusError, match="no such file"):
        import_corpus(tmp_path / "no.csv", TAXONOMY)
    (tmp_path / "latin.csv").write_bytes("text\nmañana\n".encode("latin-1"))
    with pytest.raises(CorpusError, match="save it as csv, text in UTF-8"):
        import_corpus(tmp_path / "latin.csv", TAXONOMY)
    (tmp_path / "bad.csv").write_text("text,sentiment\nhola,sad\n")
    with pytest.raises(CorpusError, match=r"bad\.csv:2: sentiment has the unknown label 'sad'"):
        import_corpus(tmp_path / "bad.csv", TAXONOMY)
