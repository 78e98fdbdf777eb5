"""Languages and Greeklish: told apart, with the neighbours named."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from tests.conftest import SENTENCES

from reclamo.text import language
from reclamo.text.greeklish import greeklish_share, is_greeklish, to_greeklish
from reclamo.text.language import detect_language
from reclamo.text.sentences import sentence_starts


def test_the_three_languages(lang: str, sentences: list[str]) -> None:
    assert [detect_language(sentence) for sentence in sentences] == [lang] * len(sentences)


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("O meu pedido ainda não chegou e ninguém me responde, quero o dinheiro de volta", "pt"),
        ("Estou à espera do reembolso desde março e ninguém me responde", "pt"),
        ("Muito obrigada pela ajuda, foi tudo resolvido rapidamente", "pt"),
        ("El servei ha estat molt dolent i ningú no contesta", "ca"),
        ("La meva comanda encara no ha arribat i ningú em respon", "ca"),
        ("Bonjour, je n'ai toujours pas reçu ma commande", "fr"),
        ("Hello, my order has not arrived yet and nobody answers", "en"),
        ("Comanda mea nu a ajuns încă și nimeni nu răspunde la telefon", "ro"),
        ("Заказ так и не пришёл", "ru"),
        ("😀 12345 !!", None),
    ],
)
def test_others_are_named(text: str, lang: str | None) -> None:
    assert detect_language(text) == lang


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Mitt paket har fortfarande inte kommit fram och ingen svarar när jag ringer till er", "sv"),
        ("Balíček pořád nedorazil a na zákaznické lince mi nikdo nezvedá telefon, chci peníze zpět", "cs"),
        ("Поръчката ми още не е пристигнала и никой не вдига телефона, искам си парите", "bg"),
        ("سفارش من هنوز نرسیده و هیچ کس به تلفن جواب نمی دهد، پولم را پس بدهید", "fa"),
    ],
)
def test_a_tagger_of_other_languages_knows_its_own_and_refuses_others(text: str, lang: str) -> None:
    assert detect_language(text, (lang,)) == lang
    assert detect_language("Hello, my order has not arrived yet and nobody answers the phone", (lang,)) == "en"
    russian = "Здравствуйте, я уже две недели жду свой заказ, никто не отвечает на звонки, верните деньги, это безобразие"
    assert detect_language(russian, (lang, "sv")) in ({"ru"} if lang != "bg" else {"ru", "bg"})


def test_where_a_language_is_unknown_to_the_detector_none_is_refused() -> None:
    assert detect_language("Mis Päckli isch immer no nöd da und niemert nimmt s Telefon ab", ("gsw",)) is None
    assert detect_language("El pedido no ha llegado todavía y nadie contesta al teléfono", ("gsw", "es")) in (None, "es")


@pytest.mark.parametrize("text", ["ok", "grazie", "gracias", "Vale, perfecto", "Buonasera"])
def test_a_short_text_is_never_refused(text: str) -> None:
    assert detect_language(text) in (None, "es", "it")


@pytest.mark.parametrize(
    "text",
    [
        "den exo lavei akoma tipota kai kaneis den apantaei",
        "kalispera, pote anoigete simera?",
        "To kinito xalase se 2 mines, kai den to pairnete piso",
    ],
)
def test_greeklish_is_greek(text: str) -> None:
    assert is_greeklish(text)
    assert detect_language(text) == "el"


@pytest.mark.parametrize(
    "text",
    [
        "Sto aspettando il rimborso",
        "Ho gia pagato due volte",
        "Ke pasa con mi pedido",
        "Quiero que me den una solución",
        "Grazie mille ora funziona alla grande",
        "mas caro y mas malo, la ola de siempre",
        "my package is late",
    ],
)
def test_other_latin_text_is_not_greeklish(text: str) -> None:
    assert not is_greeklish(text)


def test_greek_written_in_latin_letters_is_still_found() -> None:
    rng = random.Random(0)
    greek = [sentence for sentence in SENTENCES["el"][:3] for _ in range(10)]
    written = [to_greeklish(sentence, rng) for sentence in greek]
    assert all(all("GREEK" not in unicodedata.name(ch, "") for ch in text) for text in written)
    assert sum(map(is_greeklish, written)) >= 20
    assert len(set(written)) > 10


def test_shares_by_hand() -> None:
    assert greeklish_share("den exw lavei tipota") == 0.75
    assert greeklish_share("123 ...") == 0.0


def test_sentences_end_at_the_greek_question_mark_too() -> None:
    assert sentence_starts("No. Nunca más.") == [0, 4]
    assert sentence_starts("Πού είναι; Ρωτώ.") == [0, 11]


def test_the_kept_model_is_of_the_candidates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECLAMO_CACHE", str(tmp_path))
    for candidates in (("es", "it"), ("es", "it", "sv")):
        for _ in range(2):  # unpacked, then kept
            assert set(candidates) <= set(language._model(candidates)[2])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_that_is_forked_while_the_model_is_read_still_answers() -> None:
    script = """
import os, threading, time
from reclamo.text import language
began = threading.Event()
build = language._build_identifier
def slow(more=()):
    began.set(); time.sleep(3); return build(more)
language._build_identifier = slow
threading.Thread(target=language.warm_up, daemon=True).start()
began.wait()
child = os.fork()
if child == 0:
    language._build_identifier = build
    os._exit(0 if language.detect_language("El pedido no ha llegado todavía y nadie contesta") == "es" else 1)
for _ in range(200):
    done, status = os.waitpid(child, os.WNOHANG)
    if done:
        os._exit(status)
    time.sleep(0.1)
os.kill(child, 9)
os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
