"""Every check of the audit: found when there, silent when not, not applicable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import SENTENCES

from reclamo.corpus import Example
from reclamo.corpus.audit import CHECKS, KINDS, Limits, Report, audit, label_error_check
from reclamo.corpus.audit.encoding import find_mojibake
from reclamo.corpus.split import write_lock
from reclamo.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
TINY = Limits(label_least=1, token_support=4)
COMPLAINT = {"role": "customer", "sentiment": "negative", "complaint": True, "grounds": ("delay",), "severity": "low"}
PLAIN = {"role": "customer", "sentiment": "neutral", "complaint": False, "severity": "none"}


def message(id: str, text: str, lang: str | None = "es", labels: dict[str, Any] | None = None, **meta: str) -> Example:
    return Example(id=id, text=text, lang=lang, labels={"sentiment": "neutral"} if labels is None else labels, meta=meta)


CLEAN = [message(f"{lang}-{k}", text, lang) for lang, texts in SENTENCES.items() for k, text in enumerate(texts)]
LONG = "llevo ya más de tres semanas sin que nadie del taller me diga nada del coche"
OTHER = "mañana por la tarde pasaré a recoger el abrigo que dejé para arreglar en su tienda"


def run(examples: Sequence[Example], **options: Any) -> Report:
    return audit(examples, TAXONOMY, **{"limits": TINY, **options})


def codes(report: Report, check: str) -> list[str]:
    return [finding.code for finding in report.outcome(check).findings]


class Words:
    """A tokenizer of words."""

    def encode_batch(self, texts: list[str]) -> list[Any]:
        return [type("Encoding", (), {"ids": text.split()}) for text in texts]


def many(labels: Callable[[int], dict[str, Any]], words: Callable[[int], str], count: int = 40) -> list[Example]:
    return [message(str(k), f"{words(k)} {k} x{k * 7}", labels=labels(k)) for k in range(count)]


def in_splits(*splits: str | None, **meta: str) -> list[Example]:
    texts = [LONG, OTHER, *SENTENCES["es"]]
    metas: list[dict[str, Any]] = [{**meta, "split": split} if split else {**meta} for split in splits]
    return [message(str(k), texts[k], **one) for k, one in enumerate(metas)]


def pair(split: str = "test", labels: dict[str, Any] = COMPLAINT) -> list[Example]:
    return [message("a", LONG, labels=PLAIN, pair="p", split="test"), message("b", LONG + " ayer", labels=labels, pair="p", split=split)]


FOUND: dict[str, tuple[str, list[Example]]] = {
    "A102": ("schema", [message("a", LONG, labels={"sentiment": "sad"})]),
    "A104": ("schema", [message("a", LONG, lang="tlh")]),
    "A105": ("schema", [message("a", LONG, lang=None)]),
    "A106": ("schema", [message("a", LONG, labels={"role": "agent"})]),
    "A201": ("encoding", [message("a", "gestio\u0301n lenta")]),
    "A202": ("encoding", [message("a", "gestión\u200b lenta")]),
    "A203": ("encoding", [message("a", "gestiÃ³n lenta")]),
    "A204": ("encoding", [message("a", "ropa &amp; zapatos")]),
    "A211": ("script", [message("a", SENTENCES["el"][0], "es")]),
    "A212": ("script", [message("a", "Kαλημέρα σας και πάλι", "el")]),
    "A221": ("length", [message("a", " ".join("abcdefghi"))]),
    "A301": ("ids", [message("a", LONG), message("a", OTHER)]),
    "A401": ("duplicates", [message("a", LONG), message("b", LONG.upper())]),
    "A402": ("duplicates", [message("a", LONG), message("b", LONG + " desde entonces", "it")]),
    "A411": ("runs", [message("a", LONG), message("b", f"{OTHER} y además {LONG} {OTHER}")]),
    "A421": ("openings", [message(str(k), f"Hola buenas tardes {k} {'abc'[k] * 9} fin {k}") for k in range(3)]),
    "A422": ("openings", [message(str(k), f"{'abc'[k] * 9} {k} fin un saludo cordial") for k in range(3)]),
    "A501": ("splits", in_splits("train", "test", scenario="s")),
    "A502": ("splits", [message("a", LONG, split="train"), message("b", LONG + " aún", split="test")]),
    "A503": ("splits", in_splits("train", "dev")),
    "A504": ("splits", in_splits("train", None)),
    "A521": ("pairs", pair("train")),
    "A522": ("pairs", pair(labels=PLAIN)),
    "A523": ("pairs", pair()[:1]),
    "A601": ("giveaway", many(lambda k: COMPLAINT if k % 4 == 0 else PLAIN, lambda k: "horrible" if k % 4 == 0 else "bueno" * (k % 2))),
    "A611": ("counts", [message("a", LONG, labels={"sentiment": "neutral"})]),
    "A621": ("imbalance", many(lambda k: {"sentiment": ("neutral", "negative", "positive")[max(0, k - 37)]}, str)),
}


@pytest.mark.parametrize("code", FOUND)
def test_found_when_there(code: str) -> None:
    check, examples = FOUND[code]
    report = run(examples, tokenizer=Words(), limits=replace(TINY, max_tokens=8))
    assert code in codes(report, check)
    finding = next(finding for finding in report.findings if finding.code == code)
    assert (finding.check, finding.severity) == (KINDS[code].check, KINDS[code].severity)
    assert set(finding.where) <= {example.id for example in examples}


SILENT: dict[str, list[Example]] = {
    "schema": CLEAN,
    "encoding": [*CLEAN, message("a", "Genial 👨‍👩‍👧 ❤️ «SÍ»… É» 20 °C, 35 € ™ Ñ’ ª º"), message("b", "ΌΛΟΙ «ΞΈΡΟΥΜΕ» ΌΤΙ ΟΊ 20°", "el")],
    "script": [
        *CLEAN, message("a", "to e-shop sas einai xalia", "el"), message("b", "Το WhatsApp με wi-fi", "el"), message("c", "OK", "el"),
    ],
    "length": CLEAN,
    "ids": CLEAN,
    "duplicates": [*CLEAN, *pair()],
    "runs": [*CLEAN, *pair(), message("c", f"{OTHER} en mi"), message("d", "mañana por la tarde pasaré a recoger un jersey")],
    "openings": [*CLEAN, *(message(f"{k}", f"Hola buenas tardes {k * 9}", pair="p") for k in range(9))],
    "splits": in_splits("train", "test", "validation"),
    "pairs": pair(),
    "giveaway": many(lambda k: COMPLAINT if k % 4 == 0 else PLAIN, lambda k: "horrible" if k % 3 == 0 else "bueno"),
    "counts": [message(label, LONG, labels={"sentiment": label}) for label in ("negative", "neutral", "positive")],
    "imbalance": many(lambda k: {"sentiment": ("neutral", "negative", "positive")[max(0, k - 37) or k % 2]}, str),
}  # fmt: skip


@pytest.mark.parametrize("check", SILENT)
def test_silent_when_not_there(check: str) -> None:
    outcome = run(SILENT[check], tokenizer=Words()).outcome(check)
    assert (outcome.status, outcome.findings) == ("silent", ())


NOT_APPLICABLE: dict[str, list[Example]] = {
    "encoding": [],
    "ids": [],
    "script": [message("a", LONG, lang=None)],
    "length": CLEAN,
    "duplicates": CLEAN[:1],
    "runs": [message("a", "No."), message("b", "Nunca más vuelvo")],
    "openings": [message("a", "No."), message("b", "Vale")],
    "splits": CLEAN,
    "lock": CLEAN,
    "pairs": CLEAN,
    "giveaway": CLEAN[:3],
    "counts": [message("a", LONG, labels={})],
    "imbalance": [message("a", LONG, labels={})],
}


@pytest.mark.parametrize("check", NOT_APPLICABLE)
def test_not_applicable(check: str) -> None:
    outcome = run(NOT_APPLICABLE[check]).outcome(check)
    assert outcome.status == "not_applicable"
    assert outcome.reason


def test_every_code_and_every_check_has_its_tests() -> None:
    elsewhere = {"A101", "A103", "A511", "A631"}  # rows of files, the lock, label errors: below and in test_audit_rows.py
    assert set(FOUND) | elsewhere == set(KINDS)
    assert {check.name for check in CHECKS} == set(SILENT) | {"lock"} == set(NOT_APPLICABLE) | {"schema"}
    assert {kind.check for kind in KINDS.values()} == {check.name for check in CHECKS} | {"label-errors"}


def test_the_lock_is_found_broken_and_silent_when_whole(tmp_path: Path) -> None:
    examples = in_splits("train", "test", "validation")
    lock = tmp_path / "lock.json"
    write_lock(lock, examples)
    assert run(examples, lock=lock).outcome("lock").status == "silent"
    assert codes(run(examples[:2], lock=lock), "lock") == ["A511"]
    lock.write_text("{")
    assert codes(run(examples, lock=lock), "lock") == ["A511"]


@pytest.mark.parametrize(
    ("text", "stretch"),
    [
        ("informaciÃ³n", "Ã³"),
        ("cafÃ© con â€œcomillasâ€\x9d", "Ã©"),
        ("son 35 â‚¬ al mes", "â‚¬"),
        ("perchÃ\xa9 no", "Ã\xa9"),
        ("ΞΊΞ±Ξ»Ξ·", "ΞΊΞ±"),
        ("Êáëçìåñá óáò", "Êáëçìåñá"),
        ("no s\ufffd", "\ufffd"),
        ("bravi ð\x9f\x98\x80".encode().decode(), "ð\x9f\x98\x80"),
    ],
)
def test_mojibake(text: str, stretch: str) -> None:
    assert find_mojibake(text) == stretch


@pytest.mark.parametrize(
    ("text", "charset", "read_as"),
    [
        ("Ευχαριστώ πολύ για την απάντηση", "utf-8", "cp1252"),
        ("Ευχαριστώ πολύ για την απάντηση", "utf-8", "latin-1"),
        ("Ευχαριστώ πολύ για την απάντηση", "utf-8", "cp1253"),
        ("Ευχαριστώ πολύ για την απάντηση", "cp1253", "latin-1"),
        ("¿Cuándo llegará el señor Núñez?", "utf-8", "cp1252"),
        ("¿Cuándo llegará el señor Núñez?", "utf-8", "latin-1"),
        ("Perché così? Già la quinta", "utf-8", "cp1252"),
        ("Perché così? Già la quinta", "utf-8", "latin-1"),
    ],
)
def test_texts_decoded_wrongly_are_found(text: str, charset: str, read_as: str) -> None:
    damaged = text.encode(charset).decode(read_as, "ignore")
    assert find_mojibake(damaged)
    assert find_mojibake(text) is None


def test_fixed_phrases_break_a_run() -> None:
    phrase = "Según el artículo doce de la ley de consumidores"
    examples = [message("a", f"{phrase} me deben el importe"), message("b", f"¡{phrase.upper()}! Ustedes no cumplen")]
    assert codes(run(examples), "runs") == ["A411"]
    assert codes(run(examples, phrases=[phrase]), "runs") == []
    longer = [message("a", f"{phrase} {LONG}"), message("b", f"{phrase} {LONG} {OTHER}")]
    (finding,) = run(longer, phrases=[phrase]).outcome("runs").findings
    assert finding.saw.startswith("2 messages share 16 words: «llevo ya mas de tres")


def test_a_run_is_reported_once_with_all_its_words_and_messages() -> None:
    run_of_ten = "uno dos tres cuatro cinco seis siete ocho nueve diez"
    texts = [f"alfa {run_of_ten} beta", f"gamma {run_of_ten} delta", f"{run_of_ten} {run_of_ten}"]
    findings = run([message(str(k), text) for k, text in enumerate(texts)]).outcome("runs").findings
    assert [(finding.saw, finding.where) for finding in findings] == [(f"3 messages share 10 words: «{run_of_ten}»", ("0", "1", "2"))]


def test_openings_count_a_contrast_pair_once_and_need_more_than_the_share() -> None:
    texts = [message(str(k), f"w{k} v{k} u{k} t{k} s{k}") for k in range(297)]
    three = [message(f"h{k}", f"Hola, buenas tardes {k} z{k}") for k in range(3)]
    assert codes(run(texts + three), "openings") == []  # 3 of 300 are 1 %, not more
    assert codes(run(texts[1:] + three), "openings") == ["A421"]
    paired = [replace(one, meta={"pair": "p"} if one.id in ("h0", "h1") else {}) for one in three]
    assert codes(run(texts[:200] + paired), "openings") == []


def test_near_copies_of_other_languages_and_splits_say_so() -> None:
    report = run([message("a", LONG, "es", split="train"), message("b", LONG + " oggi", "it", split="test")])
    (finding,) = report.outcome("duplicates").findings
    assert finding.saw.endswith(", across es, it, across test, train")
    assert codes(report, "splits") == ["A502"]


def test_token_scores_by_hand() -> None:
    from reclamo.corpus.audit.giveaway import token_scores

    has = np.array([True, True, False, False])
    present = np.array([[True, True, True], [True, False, True], [False, True, True], [False, False, False]])
    support, certain, explained = token_scores(present, has)
    assert support.tolist() == [2, 2, 3]
    assert certain.tolist() == pytest.approx([1, 0.5, 2 / 3])
    # the third: H(label) = 1 bit; I = 1 - 3/4 H(2/3) = 1 - 0.75 * 0.9183 = 0.3113 bit
    assert explained.tolist() == pytest.approx([1, 0, 0.3113], abs=1e-4)


def test_label_errors_are_the_labels_that_a_scorer_contradicts() -> None:
    pytest.importorskip("cleanlab")
    rng = np.random.default_rng(4)
    names = TAXONOMY.by_name["sentiment"].names
    truth = [names[k % 3] for k in range(60)]
    logits = rng.normal(0, 0.3, (60, TAXONOMY.n_logits)).astype(np.float32)
    for k, name in enumerate(truth):
        logits[k, TAXONOMY.slices["sentiment"].start + names.index(name)] += 4
    logits[7, TAXONOMY.slices["sentiment"].start + names.index("neutral")] += 2
    check = label_error_check(lambda examples: logits)
    examples = [message(str(k), f"texto {k}", labels={"sentiment": name}) for k, name in enumerate(truth)]
    assert run(examples, extra=[check]).outcome("label-errors").status == "silent"
    examples[7] = replace(examples[7], labels={"sentiment": names[0]})
    (finding,) = run(examples, extra=[check]).outcome("label-errors").findings
    assert (finding.code, finding.where) == ("A631", ("7",))
    assert "first 7: negative, looks neutral" in finding.saw
    assert run(examples[:3], extra=[check]).outcome("label-errors").status == "not_applicable"


def test_the_exit_code_the_order_and_the_changed_severity() -> None:
    assert run(CLEAN).exit_code == 0
    report = run(FOUND["A401"][1])
    assert report.exit_code == 1
    assert [finding.severity for finding in report.findings] == sorted(
        (finding.severity for finding in report.findings), key=("error", "warning", "info").index
    )
    softened = run(FOUND["A401"][1], severities={"A401": "info", "A411": "info"})
    assert (softened.exit_code, softened.counts["info"]) == (0, 1)
    row = report.to_dict()["findings"][0]
    assert (row["code"], row["where"]) == ("A401", ["a", "b"])
    assert "A401" in report.table()
    assert row["do"] in report.table()
