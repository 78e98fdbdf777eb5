"""Greeklish back into Greek: words by hand, offsets, and most words of real Greek restored."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import ROOT

from reclamo.text.greeklish import to_greeklish
from reclamo.text.transliterate import greek_sound, greek_word, latin_sounds, transliterate


@pytest.mark.parametrize(
    ("typed", "greek"),
    [
        ("den exo lavei tipota", "δεν έχω λάβει τίποτα"),
        ("den exw labei tipota", "δεν έχω λάβει τίποτα"),
        ("Parakalw, 8elw ta lefta mou!", "Παρακαλώ, θέλω τα λεφτά μου!"),
        ("EUXARISTW", "ΕΥΧΑΡΙΣΤΩ"),
        ("", ""),
        ("123 €", "123 €"),
    ],
)
def test_words_by_hand(typed: str, greek: str) -> None:
    assert transliterate(typed).text == greek


def test_sounds_by_hand() -> None:
    assert greek_sound("αλλά") == "ala"
    assert greek_sound("είναι") == "ine"
    assert latin_sounds("tha") == ["8a"]
    assert "ine" in latin_sounds("einai")
    assert greek_word("kwdikaropsis") == "κωδικαροψις"


def test_offsets_lead_back_to_the_typed_words() -> None:
    typed = "8elw ta lefta mou"
    found = transliterate(typed)
    at = found.text.index("λεφτά")
    (span,) = found.map_offsets(np.array([[at + 1, at + 3]]))
    assert typed[span[0] : span[1]] == "lefta"
    assert found.map_offsets(np.array([[0, 0]])).tolist() == [[0, 0]]


@given(st.text(max_size=80))
def test_stretches_cover_the_text(text: str) -> None:
    found = transliterate(text)
    assert "".join(found.text[a:b] for a, b, _, _ in found.stretches) == found.text
    assert "".join(text[a:b] for _, _, a, b in found.stretches) == text


def test_most_words_of_messages_it_has_not_seen_come_back_as_they_were() -> None:
    rng = random.Random(0)
    right = total = 0
    for line in (ROOT / "data" / "el.validation.jsonl").read_text(encoding="utf-8").splitlines():
        text = json.loads(line)["text"]
        if sum("\u0370" <= ch <= "\u03ff" for ch in text) > len(text) / 3:
            want, got = text.split(), transliterate(to_greeklish(text, rng)).text.split()
            total += len(want)
            right += sum(a.lower() == b.lower() for a, b in zip(want, got, strict=True))
    assert total > 5000
    assert right / total > 0.75
