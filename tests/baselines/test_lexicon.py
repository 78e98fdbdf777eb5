"""Word lists: what is found, what is negated, and that the bundled lists fit the schema in three languages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reclamo.baselines import Predictor
from reclamo.baselines.lexicon import Lexicon, WordLists, load_word_lists
from reclamo.corpus import Example
from reclamo.engine.decode import Decoder
from reclamo.errors import UsageError
from reclamo.taxonomy import load_taxonomy
from reclamo.text.bare import bare

TAXONOMY = load_taxonomy()


def example(text: str, lang: str, **labels: object) -> Example:
    return Example(id="1", text=text, lang=lang, labels=labels)  # type: ignore[arg-type]


def lists() -> WordLists:
    phrases = {"sentiment.positive": ("bueno", "muy bueno"), "grounds.delay": ("tarde", "retras*"), "complaint.complaint": ("no funciona",)}
    return WordLists(language="es", negations=("no", "nunca", "sin"), phrases=phrases, clause_starts=("y",))


def found(text: str) -> list[tuple[str, bool]]:
    return [(hit.key, hit.negated) for hit in lists().find(text)]


def test_bare_drops_accents_capitals_and_the_final_sigma() -> None:
    assert bare("ΚΑΘΥΣΤΈΡΗΣΗ ΤΗΣ Ώρας") == "καθυστερηση τησ ωρασ"
    assert bare("Señal ¿QUÉ?") == "senal ¿que?"


def test_phrases_prefixes_and_accents() -> None:
    assert found("llegó TARDE") == [("grounds.delay", False)]
    assert found("dos retrasos y un retraso") == [("grounds.delay", False), ("grounds.delay", False)]
    assert found("la tardeada") == []


def test_the_longest_phrase_counts_once() -> None:
    assert found("es muy bueno") == [("sentiment.positive", False)]


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("no es bueno", True),
        ("nunca llega tarde", True),
        ("no, es bueno", False),
        ("no creo que ayer fuera bueno", False),
        ("bueno no", False),
    ],
)
def test_negation_reaches_three_words_within_the_clause(text: str, negated: bool) -> None:
    assert [hit.negated for hit in lists().find(text)] == [negated]


def test_a_phrase_with_its_own_negation_is_not_negated() -> None:
    assert found("no funciona") == [("complaint.complaint", False)]


def test_not_good_counts_as_bad() -> None:
    lexicon = Lexicon.fit([], TAXONOMY, {"es": lists()})
    sentiment = TAXONOMY.slices["sentiment"]
    plain, denied, none = lexicon.logits([example("es bueno", "es"), example("no es bueno", "es"), example("hola", "es")])
    assert plain[sentiment].argmax() == 2
    assert denied[sentiment].argmax() == 0
    assert np.array_equal(none, lexicon.prior)


def test_grounds_speak_for_the_complaint_and_levels_add_up() -> None:
    phrases = {"grounds.delay": ("tarde",), "severity.high": ("juzgado",), "severity.none": ("gracias",), "complaint.no": ("perfecto",)}
    lexicon = Lexicon.fit([], TAXONOMY, {"es": WordLists(language="es", negations=(), phrases=phrases)})
    none, late, court, calm, perfect = lexicon.logits([example(t, "es") for t in ("x", "tarde", "juzgado", "gracias", "perfecto")])
    complaint, severity = TAXONOMY.slices["complaint"], TAXONOMY.slices["severity"]
    assert late[complaint] > none[complaint] > perfect[complaint]
    assert (court[severity] > none[severity]).all()
    assert (calm[severity] < none[severity]).all()


def test_a_language_without_lists_gets_the_prior() -> None:
    lexicon = Lexicon.fit([], TAXONOMY)
    assert np.array_equal(lexicon.logits([example("Ich warte seit Wochen", "de")])[0], lexicon.prior)
    assert lexicon.logits([]).shape == (0, TAXONOMY.n_logits)


def test_bundled_lists_name_only_labels_of_the_schema(lang: str) -> None:
    known = {f"{head.name}.{label}" for head in TAXONOMY.heads for label in head.names} | {"complaint.no"}
    bundled = load_word_lists()[lang]
    assert set(bundled.phrases) <= known
    assert known - set(bundled.phrases) == {"sentiment.neutral"}
    assert min(len(words) for key, words in bundled.phrases.items() if key != "traits.thanks") >= 3
    assert len(bundled.negations) >= 9


CLEAR = {
    "es": ("La app no funciona y nadie responde, quiero mi dinero", "Excelente atención, muy contento, gracias por todo"),
    "el": ("Το κινητό χάλασε και δεν απαντά κανείς, απαράδεκτο", "Άριστη εξυπηρέτηση, πολύ ευχαριστημένος, μπράβο"),
    "it": ("L'app non funziona e nessuno risponde, pessimo servizio", "Ottimo servizio, personale gentilissimo, complimenti"),
}


def test_bundled_lists_tell_anger_from_praise(lang: str) -> None:
    lexicon = Lexicon.fit([], TAXONOMY)
    assert isinstance(lexicon, Predictor)
    from reclamo.artefact import Calibration, HeadCalibration

    heads = {h.name: HeadCalibration(thresholds=() if h.exclusive else (0.55,) * len(h.labels)) for h in TAXONOMY.heads}
    bad, good = Decoder(TAXONOMY, Calibration(heads=heads)).decode(
        lexicon.logits([example(t, lang) for t in CLEAR[lang]]), [{"role": "customer"}] * 2
    )
    assert bad.heads["complaint"].value is True  # type: ignore[union-attr]
    assert bad.heads["sentiment"].value == "negative"  # type: ignore[union-attr]
    assert {"neglect"} & set(bad.heads["grounds"].value)  # type: ignore[union-attr, arg-type]
    assert good.heads["complaint"].value is False  # type: ignore[union-attr]
    assert good.heads["sentiment"].value == "positive"  # type: ignore[union-attr]


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml"):
        load_word_lists(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("es = 3", encoding="utf-8")
    with pytest.raises(UsageError, match="no file of word lists"):
        load_word_lists(tmp_path / "bad.toml")
