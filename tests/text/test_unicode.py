"""Characters: what goes, what stays, and that a second pass changes nothing."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reclamo.text import clean_text

AWKWARD = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            list("aάñ 1<\n\r\t\u00a0\u200b\u200d\ufe0f\u20e3\u202e\u0301\u0316\u0338→❤👩👍\U0001f3fd\U0001f3f4\ud800\U0001d160")
        ),
        st.characters(),
    ),
    max_size=40,
)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Hola\r\nadiós\rfin", "Hola\nadiós\nfin"),
        ("año an\u0303o", "año año"),
        ("μη\u0301νυμα", "μήνυμα"),
        ("pa\u200bque\u00adte\ufeff", "paquete"),
        ("\u202eoirad\u202c \u200eora", "oirad ora"),
        ("a\u00a0b\u2003c\td", "a b c d"),
        ("  uno  \n\n\n\n\n  dos ", "uno\n\ndos"),
        ("nul\x00 bell\x07", "nul bell"),
        ("línea\u2028otra\x0bmás", "línea\notra\nmás"),
        ("👩\u200d👩\u200d👧 y 👍🏽", "👩\u200d👩\u200d👧 y 👍🏽"),
        ("❤\ufe0f\ufe0f 1\ufe0f\u20e3", "❤\ufe0f 1\ufe0f\u20e3"),
        ("a\u200db \u200d👍", "ab 👍"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e007f", "\U0001f3f4\U000e0067\U000e0062\U000e007f"),
        ("x\U000e0067\U000e0062", "x"),
        ("\ud83d roto", "\ufffd roto"),
        ("\uf0b7 punto", "punto"),
        ("Ερώτηση\u037e", "Ερώτηση;"),
        ("\x1ba\x1cb", "a\nb"),
        ("", ""),
        (" \u200b\n ", ""),
    ],
)
def test_examples(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


@given(AWKWARD)
@settings(max_examples=400, deadline=None)
def test_idempotent_and_visible(text: str) -> None:
    once = clean_text(text)
    assert clean_text(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert "\n\n\n" not in once and "  " not in once and once == once.strip()
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Co") for c in once if c != "\n")
    once.encode("utf-8")


@given(st.text(alphabet="abcñáéíóúüçàèìòùαβγάέήίόύώϊΐςΑΒ .,;¿¡!?'\n", max_size=60))
def test_plain_letters_survive(text: str) -> None:
    assert clean_text(text).split() == text.split()


def test_a_hundred_thousand_marks_are_capped_in_linear_time() -> None:
    start = time.process_time()
    cleaned = clean_text("a" + "\u0301\u0316" * 100_000 + "b")
    assert time.process_time() - start < 1
    assert cleaned.startswith(("á", "a")) and cleaned.endswith("b") and len(cleaned) <= 10


def test_a_megabyte_is_quick() -> None:
    text = "Καλημέρα,\u00a0το δέμα δεν ήρθε ακόμη.\r\n" * 30_000
    start = time.process_time()
    assert clean_text(text).count("\n") == 29_999
    assert time.process_time() - start < 2
