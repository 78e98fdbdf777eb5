"""What counts as the same text: the short forms against the definition written out, letter by letter."""

from __future__ import annotations

import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from reclamo.text.bare import bare
from reclamo.training.prepare import fold


@given(st.text())
def test_bare_is_small_letters_without_marks(text: str) -> None:
    parts = unicodedata.normalize("NFD", text.lower().replace("ς", "σ"))
    assert bare(text) == unicodedata.normalize("NFC", "".join(ch for ch in parts if not unicodedata.combining(ch)))


def test_bare_by_hand() -> None:
    assert bare("ΚΑΘΥΣΤΈΡΗΣΗ, Δυστυχώς") == "καθυστερηση, δυστυχωσ"
    assert bare("Ñandú È colpa") == "nandu e colpa"


@given(st.text())
def test_fold_keeps_letters_and_digits(text: str) -> None:
    assert fold(text) == ("".join(ch for ch in text.casefold() if ch.isalnum()) or text.strip())


def test_fold_agrees_on_every_character() -> None:
    every = "".join(chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF)
    assert fold(every) == "".join(ch for ch in every.casefold() if ch.isalnum())
