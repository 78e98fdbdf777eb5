"""What is trained on: the right splits, nothing that is kept for measuring, every message once, labels joined to their texts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from reclamo.corpus.overlap import Shingled
from reclamo.errors import CorpusError, UsageError
from reclamo.taxonomy import load_taxonomy, parse_taxonomy
from reclamo.text.transliterate import transliterate
from reclamo.training.config import DataConfig, LabelsConfig, PartialConfig, UnlabelledConfig
from reclamo.training.prepare import as_the_tagger_reads, draw, prepare, read_unlabelled

TAXONOMY = load_taxonomy()


def row(id: str, text: str, split: str | None = "train", **more: Any) -> dict[str, Any]:
    return {"id": id, "lang": "es", "role": "agent", "text": text, "labels": {"sentiment": "neutral", "traits": []}, "split": split, **more}


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return str(path)


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    rows = [row(f"t{k}", f"Le devolvemos el importe número {k}.") for k in range(12)]
    rows += [row("v1", "Mañana le llamamos sin falta.", "validation"), row("x1", "Esto es del examen.", "test")]
    return write(tmp_path / "rows.jsonl", rows)


def texts(examples: list[Any]) -> set[str]:
    return {example.text for example in examples}


def test_rows_of_the_test_split_are_never_returned(corpus: str) -> None:
    found = prepare(DataConfig(corpus=[corpus]), TAXONOMY)
    assert (len(found.train), len(found.validation), found.partial) == (12, 1, [])
    assert "Esto es del examen." not in texts(found.train) | texts(found.validation)


def test_texts_that_are_kept_for_measuring_are_left_out_whatever_their_capitals_and_signs(corpus: str, tmp_path: Path) -> None:
    kept = write(tmp_path / "dev.jsonl", [{"text": "le devolvemos EL IMPORTE, número 3!"}, {"text": "mañana le llamamos sin falta"}])
    more = write(tmp_path / "more.jsonl", [row("v2", "Hoy no abrimos.", "validation")])
    found = prepare(DataConfig(corpus=[corpus, more], exclude=[kept]), TAXONOMY)
    assert "Le devolvemos el importe número 3." not in texts(found.train)
    assert texts(found.validation) == {"Hoy no abrimos."}
    assert len(found.train) == 11


def test_a_star_rating_of_a_message_that_is_labelled_in_full_takes_no_part(corpus: str, tmp_path: Path) -> None:
    stars = write(
        tmp_path / "stars.jsonl",
        [
            {"text": "Le devolvemos el importe número 5", "label": "positive"},
            {"text": "Mañana le llamamos sin falta!!", "label": "positive"},
            {"text": "Va de maravilla", "label": "positive"},
            {"text": "ni fu ni fa", "label": "unknown"},
        ],
    )
    source = PartialConfig(path=stars, head="sentiment", values={"positive": "positive"}, lang="es")
    found = prepare(DataConfig(corpus=[corpus], extra_partial=[source]), TAXONOMY)
    assert texts(found.partial) == {"Va de maravilla"}
    assert found.partial[0].labels == {"sentiment": "positive"}


def test_labels_are_joined_to_their_texts_and_missing_texts_are_left_out(corpus: str, tmp_path: Path) -> None:
    there, gone = "La app se cierra sola.", "Ya no está."
    labels = {
        "sentiment": "negative",
        "complaint": True,
        "grounds": ["access"],
        "severity": "low",
        "churn_risk": False,
        "reason": "product",
    }
    kept = [
        {"sha256": hashlib.sha256(text.encode()).hexdigest(), "lang": "es", "role": "customer", "source": "app", "labels": labels}
        for text in (there, gone)
    ]
    source = LabelsConfig(labels=write(tmp_path / "l.jsonl", kept), texts=[write(tmp_path / "t.jsonl", [{"text": there}]), "nowhere.jsonl"])
    found = prepare(DataConfig(corpus=[corpus], extra_labels=[source]), TAXONOMY)
    (joined,) = [example for example in found.train if example.text == there]
    assert joined.labels["grounds"] == ("access",)
    assert joined.labels["role"] == "customer"
    assert len(found.train) == 13


def test_a_share_of_the_joined_labels_validates_but_none_that_says_what_trains(corpus: str, tmp_path: Path) -> None:
    words = ["uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez"]
    own = [f"{word.title()} fallos, {other} avisos: {other} {word}." for word in words for other in words]
    only = {"complaint": True}
    stock = "Gracias por escribirnos, sentimos mucho lo ocurrido con su pedido y lo revisamos hoy mismo."
    alike = [f"{stock} {word.title()}" for word in words]
    labels = [
        {"sha256": hashlib.sha256(text.encode()).hexdigest(), "lang": "es", "role": "customer", "source": "app", "labels": only}
        for text in (*own, *alike)
    ]
    source = LabelsConfig(
        labels=write(tmp_path / "l.jsonl", labels),
        texts=[write(tmp_path / "t.jsonl", [{"text": text} for text in (*own, *alike)])],
        validation_share=0.3,
    )
    found = prepare(DataConfig(corpus=[corpus], extra_labels=[source]), TAXONOMY)
    assert texts(found.train) & texts(found.validation) == set()
    assert texts(found.train) | texts(found.validation) >= {*own, *alike}
    assert 10 < len(found.validation) < 50
    assert texts(found.train) >= set(alike)
    assert found.files["l.jsonl"] == hashlib.sha256((tmp_path / "l.jsonl").read_bytes()).hexdigest()
    whole = prepare(DataConfig(corpus=[corpus], extra_labels=[source.model_copy(update={"validation_share": 0.0})]), TAXONOMY)
    assert texts(whole.validation) == {"Mañana le llamamos sin falta."}


def test_a_smaller_share_is_part_of_a_larger_one_and_validation_stays(corpus: str) -> None:
    small, large = (prepare(DataConfig(corpus=[corpus], fraction=share), TAXONOMY) for share in (0.25, 0.5))
    assert texts(small.train) < texts(large.train)
    assert (len(small.train), len(large.train)) == (3, 6)
    assert texts(small.validation) == texts(large.validation) == {"Mañana le llamamos sin falta."}


def test_a_corpus_of_test_rows_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no row to train on"):
        prepare(DataConfig(corpus=[write(tmp_path / "rows.jsonl", [row("x", "Esto es del examen.", "test")])]), TAXONOMY)


def test_a_reply_that_holds_one_kept_for_measuring_is_left_out(corpus: str, tmp_path: Path) -> None:
    stock = "Gracias por escribirnos, sentimos mucho lo ocurrido con su pedido y lo revisamos hoy mismo."
    more = write(tmp_path / "more.jsonl", [row("m1", f"Hola, Nazaret: {stock}"), row("m2", "Gracias por escribirnos, ya está resuelto.")])
    kept = write(tmp_path / "dev.jsonl", [{"text": f"{stock} Marina"}])
    found = prepare(DataConfig(corpus=[corpus], extra_train=[more], exclude=[kept], extra_validation_share=0), TAXONOMY)
    assert "Gracias por escribirnos, ya está resuelto." in texts(found.train)
    assert not any("Nazaret" in text for text in texts(found.train))


def test_greeklish_is_trained_on_as_the_tagger_reads_it(corpus: str, tmp_path: Path) -> None:
    greeklish = "den exo lavei tipota akoma kai kaneis den apantaei sto tilefono"
    rows = [row("g1", greeklish, lang="el"), row("g2", "Siempre tarde, como siempre", lang="es")]
    found = prepare(DataConfig(corpus=[corpus], extra_train=[write(tmp_path / "more.jsonl", rows)], extra_validation_share=0), TAXONOMY)
    read = as_the_tagger_reads(found, TAXONOMY)
    assert texts(read.train) - texts(found.train) == {transliterate(greeklish).text}
    assert (len(read.train), read.validation, read.files) == (len(found.train), found.validation, found.files)


def test_unlabelled_greeklish_is_read_so_too_and_the_digest_tells_data_apart(corpus: str, tmp_path: Path) -> None:
    free = write(tmp_path / "free.jsonl", [{"text": "den exo lavei tipota akoma kai kaneis den apantaei sto tilefono"}])
    plain = prepare(DataConfig(corpus=[corpus]), TAXONOMY)
    found = prepare(DataConfig(corpus=[corpus], extra_unlabelled=[UnlabelledConfig(path=free)]), TAXONOMY)
    read = as_the_tagger_reads(found, TAXONOMY)
    assert "τηλ" in read.unlabelled[0].text
    assert len({plain.digest, found.digest, read.digest}) == 3
    assert plain.digest == prepare(DataConfig(corpus=[corpus]), TAXONOMY).digest


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"text": "uno"}\n{"text": ', "line 2 is not JSON"),
        ("[1]\n", "line 1 is no JSON object"),
        ('{"body": "uno"}\n', "no row has the column 'text'"),
    ],
)
def test_a_broken_file_of_texts_is_said_with_its_line(corpus: str, tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "free.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=says):
        prepare(DataConfig(corpus=[corpus], extra_unlabelled=[UnlabelledConfig(path=str(path))]), TAXONOMY)


def test_a_line_separator_within_a_text_is_no_end_of_a_row(corpus: str, tmp_path: Path) -> None:
    path = tmp_path / "free.jsonl"
    path.write_text('{"text": "hola\u2028 amigo mío"}\n', encoding="utf-8")
    found = prepare(DataConfig(corpus=[corpus], extra_unlabelled=[UnlabelledConfig(path=str(path))]), TAXONOMY)
    assert len(found.unlabelled) == 1


def test_the_rows_of_further_files_go_where_their_split_says(corpus: str, tmp_path: Path) -> None:
    stock = "Gracias por escribirnos, sentimos mucho lo ocurrido con su pedido y lo revisamos hoy mismo."
    rows = [row("a", "Uno.", "train"), row("b", "Dos.", "validation"), row("c", stock, "test"), row("d", f"{stock} Marina", "train")]
    rows += [row(f"n{k}", f"Sin reparto, {k} veces {k}.", None) for k in range(40)]
    extra = write(tmp_path / "extra.jsonl", rows)
    found = prepare(DataConfig(corpus=[corpus], extra_train=[extra], extra_validation_share=0.5), TAXONOMY)
    assert "Uno." in texts(found.train)
    assert "Dos." in texts(found.validation)
    assert not any(stock in text for text in texts(found.train) | texts(found.validation))  # d holds what is tested
    free = {one["text"] for one in rows if one["split"] is None}
    assert 10 < len(free & texts(found.validation)) < 30
    assert free <= texts(found.train) | texts(found.validation)


@pytest.mark.parametrize(("drawn", "size"), [({"limit": 200}, 200), ({"fraction": 0.1}, 176)])
def test_a_draw_of_a_corpus_without_splits_trains_and_validates(tmp_path: Path, drawn: dict[str, Any], size: int) -> None:
    path = write(tmp_path / "rows.jsonl", [row(f"r{k}", f"Pedido {k}.", None) for k in range(2000)])
    whole = prepare(DataConfig(corpus=[path]), TAXONOMY)
    found = prepare(DataConfig(corpus=[path], **drawn), TAXONOMY)
    assert abs(len(found.train) - size) < 10
    assert len(found.validation) > 150
    assert texts(found.train) < texts(whole.train)
    assert texts(found.validation) <= texts(whole.validation)


def test_data_without_a_label_are_refused_and_heads_without_one_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"id": f"r{k}", "lang": "es", "text": f"Pedido {k}.", "sentimiento": "neutral"} for k in range(40)]
    with pytest.raises(CorpusError, match=r"no message to train on has a label; expected columns named role, sentiment"):
        prepare(DataConfig(corpus=[write(tmp_path / "none.jsonl", rows)]), TAXONOMY)
    some = [row(f"s{k}", f"Factura {k}.", "validation" if k % 4 == 0 else "train") for k in range(40)]
    prepare(DataConfig(corpus=[write(tmp_path / "some.jsonl", some)]), TAXONOMY)
    named = "has a label of complaint, grounds, severity, churn_risk, reason: nothing is known of it then"
    assert f"no message for train {named}" in caplog.text
    assert f"no message for validation {named}" in caplog.text


def test_a_limit_draws_the_first_of_what_the_whole_corpus_gives(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", [row(f"r{k}", f"Pedido {k}.", None) for k in range(2000)])
    whole = prepare(DataConfig(corpus=[path]), TAXONOMY)
    few = prepare(DataConfig(corpus=[path], limit=8), TAXONOMY)
    assert [one.id for one in few.train] == [one.id for one in draw(whole.train, 8)]
    assert [one.id for one in few.validation] == [one.id for one in draw(whole.validation, 8)]


def test_data_that_leave_nothing_to_validate_with_are_refused(corpus: str, tmp_path: Path) -> None:
    kept = write(tmp_path / "dev.jsonl", [{"text": "mañana le llamamos sin falta"}])
    with pytest.raises(CorpusError, match=r"no message is left for validation.*give rows the split 'validation'"):
        prepare(DataConfig(corpus=[corpus], exclude=[kept]), TAXONOMY)


def test_a_validation_text_that_trains_too_is_counted(corpus: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    more = write(tmp_path / "more.jsonl", [row("v2", "le devolvemos el importe, número 3", "validation")])
    prepare(DataConfig(corpus=[corpus, more]), TAXONOMY)
    assert "1 of 2 validation messages stand among the training messages" in caplog.text


def test_labels_need_no_role_and_no_source_and_a_missing_file_of_them_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    head = 'version = 1\nname = "t"\nlanguages = ["es"]\n[[head]]\nname = "urgent"\nkind = "yes_no"\nlabels = [{ name = "urgent" }]\n'
    taxonomy = parse_taxonomy(head)
    splits = ("train", "validation")
    rows = [{"id": split, "text": f"Un {split}.", "labels": {"urgent": True}, "split": split} for split in splits]
    corpus = write(tmp_path / "rows.jsonl", rows)
    text = "La app se cierra sola."
    label = {"sha256": hashlib.sha256(text.encode()).hexdigest(), "labels": {"urgent": False}}
    source = LabelsConfig(labels=write(tmp_path / "l.jsonl", [label]), texts=[write(tmp_path / "t.jsonl", [{"text": text}])])
    gone = LabelsConfig(labels=str(tmp_path / "gone.jsonl"), texts=[])
    found = prepare(DataConfig(corpus=[corpus], extra_labels=[source, gone]), taxonomy)
    assert [one.labels for one in found.train if one.text == text] == [{"urgent": False}]
    assert "gone.jsonl is not there and is left out" in caplog.text
    write(tmp_path / "l.jsonl", [label, {"text": text}])
    with pytest.raises(CorpusError, match=r"l\.jsonl:2: needs sha256.*the row has text"):
        prepare(DataConfig(corpus=[corpus], extra_labels=[source]), taxonomy)


@pytest.mark.parametrize(
    ("head", "value", "says"), [("feeling", "positive", "unknown head 'feeling'"), ("sentiment", "good", "unknown label 'good'")]
)
def test_a_wrong_head_of_partial_rows_is_refused(corpus: str, tmp_path: Path, head: str, value: str, says: str) -> None:
    stars = write(tmp_path / "stars.jsonl", [{"text": "Va de maravilla", "label": "5"}])
    source = PartialConfig(path=stars, head=head, values={"5": value})
    with pytest.raises(UsageError, match=says):
        prepare(DataConfig(corpus=[corpus], extra_partial=[source]), TAXONOMY)


def test_files_of_the_same_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    paths = []
    for k, folder in enumerate(("a", "b")):
        (tmp_path / folder).mkdir()
        paths.append(write(tmp_path / folder / "es.jsonl", [row(f"{folder}{k}", f"Pedido {k}.", ("train", "validation")[k])]))
    more = write(tmp_path / "it.jsonl", [row("c", "Otro.")])
    assert set(prepare(DataConfig(corpus=[*paths, more]), TAXONOMY).files) == {*paths, "it.jsonl"}


def test_a_file_kept_for_measuring_that_has_no_texts_is_refused(corpus: str, tmp_path: Path) -> None:
    kept = write(tmp_path / "dev.jsonl", [{"message": "no me llega el pedido"}])
    with pytest.raises(CorpusError, match="no row has the column 'text'"):
        prepare(DataConfig(corpus=[corpus], exclude=[kept]), load_taxonomy())


def test_texts_without_letters_are_told_apart(tmp_path: Path) -> None:
    free = write(tmp_path / "free.jsonl", [{"text": text} for text in ("👍", "😡😡😡", "★★★★★", "👍")])
    assert [example.text for example in read_unlabelled(UnlabelledConfig(path=free))] == ["👍", "😡😡😡", "★★★★★"]
    held = Shingled(["👍", "😡😡😡", "hola"])
    assert [held.holding(text) for text in ("👍", "👎", "hola")] == [[0], [], [2]]
